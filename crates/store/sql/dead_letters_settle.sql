update dead_letters set
    state = input.state, settled_at = input.now, settled_by = input.settled_by, settled_because = input.settled_because
from input
where dead_letters.id = input.id and dead_letters.state = 'OPEN'
returning dead_letters.id

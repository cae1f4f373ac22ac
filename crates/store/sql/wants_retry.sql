update wants set not_before = input.now, held_until = input.now, taken_until = input.now
from input
where wants.id = input.id and wants.closed_at is null
returning wants.id

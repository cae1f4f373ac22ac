update wants set closed_at = input.now, closed_because = input.because, closed_by = input.by
from input
where wants.id = input.id and wants.closed_at is null
returning wants.id

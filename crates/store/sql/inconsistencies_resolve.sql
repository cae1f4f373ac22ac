update inconsistencies set resolved_at = input.now, resolved_by = input.by, resolution = input.because
from input
where inconsistencies.id = input.id and inconsistencies.resolved_at is null
returning inconsistencies.id

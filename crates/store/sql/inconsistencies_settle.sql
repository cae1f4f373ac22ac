update inconsistencies set resolved_at = input.now, resolved_by = input.by, resolution = input.because
from input
where inconsistencies.fingerprint = input.fingerprint and inconsistencies.resolved_at is null

update wants set
    attempts = wants.attempts + 1,
    absences = wants.absences + case when input.outcome = 'absent' then 1 else 0 end,
    last_outcome = input.outcome,
    taken_until = input.now,
    held_until = input.held_until,
    closed_at = case when wants.raised = input.raised and wants.fresh_from <= input.began then input.now end,
    closed_because = case when wants.raised = input.raised and wants.fresh_from <= input.began then input.outcome end
from input
where wants.id = input.id and wants.closed_at is null

update customer_subscriptions set
    base = input.base, legacy_word = input.legacy_word, reason = input.reason, starts_at = input.starts_at,
    cancel_at = input.cancel_at, period_start = input.period_start, period_end = input.period_end,
    trial_end = input.trial_end, grace_until = input.grace_until, ended_at = input.ended_at,
    pause_kind = input.pause_kind, evidence = input.evidence, contested = input.contested,
    source_as_of = input.source_as_of, fold_version = input.fold_version, fact_count = input.fact_count,
    row_version = input.row_version, updated_at = input.updated_at
from input
where customer_subscriptions.id = input.id

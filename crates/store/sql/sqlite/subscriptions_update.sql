with input as (
    select unhex(value ->> 'id') as id, value ->> 'base' as base, value ->> 'legacy_word' as legacy_word,
           value ->> 'reason' as reason, value ->> 'starts_at' as starts_at, value ->> 'cancel_at' as cancel_at,
           value ->> 'period_start' as period_start, value ->> 'period_end' as period_end,
           value ->> 'trial_end' as trial_end, value ->> 'grace_until' as grace_until,
           value ->> 'ended_at' as ended_at, value ->> 'pause_kind' as pause_kind, value ->> 'evidence' as evidence,
           value ->> 'contested' as contested, value ->> 'source_as_of' as source_as_of,
           value ->> 'fold_version' as fold_version, value ->> 'fact_count' as fact_count,
           value ->> 'row_version' as row_version, value ->> 'now' as now
    from jsonb_each($1))

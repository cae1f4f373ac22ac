insert into wants (id, account, tenant, kind, reference, context, reason, strength, not_before, raised, receipt_id, created_at,
                   fresh_from, rests_until, proved)
select id, account, tenant, kind, reference, context, reason, strength, not_before, raised, receipt_id, now, fresh_from, rests_until, proved
from input where true
on conflict (account, tenant, kind, reference) where closed_at is null do update set
    raised = wants.raised + excluded.raised,
    context = coalesce(wants.context, excluded.context),
    reason = case when excluded.strength > wants.strength then excluded.reason else wants.reason end,
    strength = case when excluded.strength > wants.strength then excluded.strength else wants.strength end,
    proved = case when excluded.proved > wants.proved then excluded.proved else wants.proved end,
    fresh_from = case when excluded.fresh_from > wants.fresh_from then excluded.fresh_from else wants.fresh_from end,
    -- Notices of one object put its call off, so that they become one; for a while, so that a flood does not put it off for ever.
    not_before = case
        when excluded.not_before < wants.not_before then excluded.not_before
        when excluded.reason = 'hint' and wants.reason = 'hint' and excluded.not_before <= wants.rests_until then excluded.not_before
        else wants.not_before
    end

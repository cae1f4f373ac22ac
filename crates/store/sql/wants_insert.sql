insert into wants (id, account, tenant, kind, reference, context, reason, strength, not_before, raised, receipt_id, created_at)
select id, account, tenant, kind, reference, context, reason, strength, not_before, raised, receipt_id, now
from input where true
on conflict (account, tenant, kind, reference) where closed_at is null do update set
    raised = wants.raised + excluded.raised,
    context = coalesce(wants.context, excluded.context),
    reason = case when excluded.strength > wants.strength then excluded.reason else wants.reason end,
    strength = case when excluded.strength > wants.strength then excluded.strength else wants.strength end,
    not_before = case when excluded.not_before < wants.not_before then excluded.not_before else wants.not_before end

insert into relations (key, account, tenant, subject_kind, subject_id, kind, value)
select input.key, input.account, input.tenant, input.subject_kind, input.subject_id, input.kind, input.value
from input where true
on conflict (key) do nothing

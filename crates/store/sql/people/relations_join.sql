insert into relations as held (key, account, tenant, subject_kind, subject_id, kind, value, at)
select input.key, input.account, input.tenant, input.subject_kind, input.subject_id, input.kind, input.value, input.at
from input where true
on conflict (key) do update set at = excluded.at
where excluded.at > held.at

update payments set identity = told.claimed
from (
select subject.account, subject.tenant, subject.provider_payment_id,

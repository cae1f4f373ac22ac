select 'in raw_payload' as of, count(*) as rows
from payment_transactions where raw_payload @? '$.payload.**.number'
having count(*) > 0

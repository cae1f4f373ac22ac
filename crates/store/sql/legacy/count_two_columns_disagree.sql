select status || ' with ' || status_v2::text as of, count(*) as rows
from payment_transactions
where (status in ('paid', 'captured', 'succeeded')) <> (status_v2::text in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CHARGEBACK', 'DISPUTED'))
group by 1 order by 1

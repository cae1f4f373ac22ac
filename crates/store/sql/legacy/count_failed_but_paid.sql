select status as of, count(*) as rows
from payment_transactions where status in ('failed', 'refused', 'canceled') and paid_at is not null
group by status order by status

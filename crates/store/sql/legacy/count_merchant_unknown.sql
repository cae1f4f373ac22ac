select case when merchant_id is null then 'none' when merchant_id::text = '' then 'empty' else 'of nobody' end as of, count(*) as rows
from payment_transactions
where merchant_id is null or merchant_id::text = ''
   or not exists (select 1 from merchants where merchants.id::text = payment_transactions.merchant_id::text)
group by 1 order by 1

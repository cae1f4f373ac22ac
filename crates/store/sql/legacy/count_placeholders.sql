select 'a charge where an order should be' as of, count(*) as rows
from payment_transactions placeholder
where exists (select 1 from payment_transactions real
              where real.provider_charge_id = placeholder.provider_order_id and real.id <> placeholder.id)
having count(*) > 0

select customer_subscriptions.*
from customer_subscriptions
where id in (select id from input)
order by customer_subscriptions.id

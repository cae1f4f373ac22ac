select input.key,
       (select count(*) from payments where payments.identity = input.key) as payments,
       (select count(*) from customer_subscriptions where customer_subscriptions.identity = input.key) as subscriptions
from input

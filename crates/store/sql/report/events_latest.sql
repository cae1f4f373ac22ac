select event.id, event.recorded_at, event.entity_type, event.entity_id,
       coalesce(payment.provider_payment_id, subscription.provider_subscription_id) as reference,
       event.row_version, event.kind, event.detail, event.receipt_id, event.actor
from (
    select id, recorded_at, entity_type, entity_id, row_version, kind, detail, receipt_id, actor
    from lifecycle_events
    where ($1 is null or entity_type = $1)
      and ($2 is null or kind = $2)
      and ($3 is null or actor = $3)
      and ($4 is null or recorded_at >= $4)
    order by id desc
    limit $5
) event
left join payments payment on event.entity_type = 'payment' and payment.id = event.entity_id
left join customer_subscriptions subscription on event.entity_type = 'subscription' and subscription.id = event.entity_id
order by event.id desc

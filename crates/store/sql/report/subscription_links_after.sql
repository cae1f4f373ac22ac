select customer_subscriptions.id, customer_subscriptions.account, customer_subscriptions.tenant,
       customer_subscriptions.provider_subscription_id as subject_id, customer_subscriptions.identity,
       (select said.identity
        from identity_claims said
        join identities on identities.key = said.identity
        where said.subject_id = customer_subscriptions.provider_subscription_id and said.account = customer_subscriptions.account
          and said.tenant = customer_subscriptions.tenant and said.subject_kind = 'subscription' and said.identity is not null
        order by case when identities.provider_customer_id <> '' then 1 else 0 end desc,
                 case when identities.document <> '' then 1 else 0 end desc, said.at desc nulls last, said.identity desc
        limit 1) as claimed
from customer_subscriptions
where customer_subscriptions.id > $1
order by customer_subscriptions.id
limit $2

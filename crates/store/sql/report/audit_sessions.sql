select provider_v2, count(*) as sessions, count(*) filter (where linked) as with_payment
from (
    select accounts.provider_v2,
           exists (
               select 1
               from relations said
               join payment_names named
                 on named.name = said.value and named.account = said.account and named.tenant = said.tenant
               where said.subject_id = session.provider_session_id and said.subject_kind = 'checkout' and said.account = session.account
                 and said.tenant = session.tenant and said.kind in ('payment', 'invoice', 'order'))
           or exists (
               select 1
               from relations said
               join customer_subscriptions bought
                 on bought.provider_subscription_id = said.value and bought.account = said.account and bought.tenant = said.tenant
               where said.subject_id = session.provider_session_id and said.subject_kind = 'checkout' and said.account = session.account
                 and said.tenant = session.tenant and said.kind = 'subscription') as linked
    from checkout_sessions session
    join gateway_accounts accounts on accounts.name = session.account
    where session.status_v2 = 'COMPLETED' and session.status_at >= $1 and ($2 is null or accounts.merchant = $2)
) each
group by provider_v2
order by provider_v2

select provider_v2, count(*) as payments, count(customer_id) as with_customer, count(*) filter (where linked) as with_link,
       count(*) filter (where status_v2 <> 'UNKNOWN') as with_status, count(*) filter (where paid_with) as with_method
from (
    select payments.provider_v2, payments.status_v2, identities.customer_id,
           exists (
               select 1 from customer_providers links
               where links.customer_id = identities.customer_id and links.account = payments.account and links.tenant = payments.tenant
                 and links.provider_customer_id is not null) as linked,
           exists (
               select 1
               from payment_names named
               join relations said
                 on said.subject_id = named.name and said.subject_kind = 'payment' and said.account = named.account
                and said.tenant = named.tenant and said.kind = 'method'
               where named.provider_payment_id = payments.provider_payment_id and named.account = payments.account
                 and named.tenant = payments.tenant)
           or exists (
               select 1 from payment_methods method
               where method.identity = payments.identity and method.account = payments.account) as paid_with
    from payments
    join gateway_accounts accounts on accounts.name = payments.account
    left join identities on identities.key = payments.identity
    where (payments.source_as_of >= $1 or ($3 and payments.source_as_of is null)) and ($2 is null or accounts.merchant = $2)
) each
group by provider_v2
order by provider_v2

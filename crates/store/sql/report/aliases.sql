select account, tenant, alias, provider_payment_id from payment_aliases order by account, tenant, alias

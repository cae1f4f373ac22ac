where payments.identity in (select identities.key from identities where identities.customer_id = $1)
order by payments.updated_at desc, payments.id desc
limit $2

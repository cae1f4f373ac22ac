create function afluente.legacy_audit(since timestamptz)
returns table (spelling text, found bigint, with_provider bigint, with_status bigint, in_ledger bigint, with_customer bigint)
language plpgsql stable as $function$
begin
    return query
    select theirs.provider::text, count(*), count({provider}), count({status}), count(paid.id), count(people.customer_id)
    from {table} theirs
    left join afluente.legacy_rows ours on ours.row_id = {id}
    left join afluente.payments paid
      on paid.account = ours.account and paid.tenant = ours.tenant and paid.provider_payment_id = ours.provider_payment_id
    left join afluente.identities people on people.key = paid.identity
    where {since}
    group by theirs.provider
    order by theirs.provider;
end
$function$

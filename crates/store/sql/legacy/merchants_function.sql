create function afluente.legacy_merchants_missing(configured jsonb)
returns table (kind text, reference text, found bigint, newest timestamptz)
language plpgsql stable as $function$
begin
    return query
    select case when theirs.merchant is not null then 'unknown merchant' when theirs.clinic is not null then 'clinic without merchant'
                else 'no merchant and no clinic' end,
           coalesce(theirs.merchant, theirs.clinic, ''), count(*), max(theirs.made)
    from (select {merchant} as merchant, {clinic} as clinic, {made} as made from {table} theirs) theirs
    where not exists (select 1 from {merchants} known where known.id::text = theirs.merchant)
      and not (theirs.merchant is null
               and exists (select 1 from {merchants} known where known.clinic_id::text = theirs.clinic))
    group by 1, 2
    union all
    select 'configured and not there', named.id, 0, null::timestamptz
    from jsonb_array_elements_text(configured) named(id)
    where not exists (select 1 from {merchants} known where known.id::text = named.id or known.clinic_id::text = named.id)
    order by 3 desc, 1, 2;
end
$function$

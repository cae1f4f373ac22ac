create function afluente.{name}(after text, taken bigint, since timestamptz)
returns table (row_id text, columns jsonb)
language plpgsql stable as $function$
declare
    page {id_type}[];
begin
    if after is null then
        page := array(select theirs.id from {table} theirs where {since} order by theirs.id limit taken);
    else
        page := array(select theirs.id from {table} theirs where theirs.id > after::{id_type} and {since} order by theirs.id limit taken);
    end if;
    return query
    select theirs.id::text, jsonb_strip_nulls(jsonb_build_object({columns}))
    from {table} theirs{joins}
    where theirs.id = any (page)
    order by theirs.id;
end
$function$

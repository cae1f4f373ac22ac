create function afluente.legacy_find(asked jsonb)
returns table (place bigint, row_id text, order_id text, charge_id text, provider_now text, status_now text, word_now text)
language plpgsql stable as $function$
begin
    return query
    with one as (
        select (item ->> 'place')::bigint as place, array(select jsonb_array_elements_text(item -> 'spellings')) as spellings,
               jsonb_array_elements_text(item -> 'ids') as id
        from jsonb_array_elements(asked) item
    )
    select distinct on (found.place, found.row_id) found.*
    from (
        select one.place, {columns} from one
        join {table} theirs on theirs.provider_order_id = one.id and theirs.provider = any (one.spellings){more}
    ) found
    order by found.place, found.row_id;
end
$function$

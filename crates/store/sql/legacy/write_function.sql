create function afluente.legacy_write(wanted jsonb)
returns table (row_id text, provider_before text, status_before text, word_before text)
language plpgsql as $function$
begin
    return query
    with one as (
        select item ->> 'row' as id, item ->> 'provider' as provider, item ->> 'status' as status, item ->> 'word' as word
        from jsonb_array_elements(wanted) item
    ), before as (
        select theirs.id, {now}
        from {table} theirs
        where {id} in (select one.id from one)
        order by theirs.id
        for update
    )
    update {table} theirs set {set}
    from one, before
    where before.id = theirs.id and one.id = {id} and ({differs})
    returning {id}, before.provider_now, before.status_now, before.word_now;
end
$function$

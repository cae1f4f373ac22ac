do $$
declare
    holder oid := (select oid from pg_roles where rolname = '{role}');
    held text;
begin
    if holder is null then
        return;
    end if;
    -- Wherever its rights are now: a table may be called something else since.
    for held in
        select relation.oid::regclass::text
        from pg_class relation
        where exists (select from aclexplode(relation.relacl) given where given.grantee = holder)
           or exists (select from pg_attribute attribute, aclexplode(attribute.attacl) given
                      where attribute.attrelid = relation.oid and given.grantee = holder)
    loop
        execute format('revoke all on %s from {quoted}', held);
    end loop;
    for held in
        select quote_ident(schema.nspname) from pg_namespace schema
        where exists (select from aclexplode(schema.nspacl) given where given.grantee = holder)
    loop
        execute format('revoke all on schema %s from {quoted}', held);
    end loop;
    drop role {quoted};
end
$$

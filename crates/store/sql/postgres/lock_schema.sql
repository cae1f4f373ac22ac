select pg_advisory_xact_lock(4827119605);
create schema if not exists afluente;
set local search_path = afluente;

select current_setting('server_version_num')::bigint as version,
       current_setting('server_version') as version_text,
       pg_is_in_recovery() as in_recovery,
       current_user::text as role,
       coalesce(current_schema()::text, '') as searched,
       current_setting('fsync') = 'on' as fsync,
       current_setting('full_page_writes') = 'on' as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('autovacuum') = 'on' as autovacuum,
       current_setting('default_transaction_read_only') = 'on' as read_only,
       current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint as connections_allowed,
       (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections_used,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted,
       coalesce(host(inet_server_addr()), '') as address,
       clock_timestamp() as clock,
       pg_database_size(current_database()) as bytes,
       coalesce((select extract(epoch from max(now() - xact_start))::bigint from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'), 0)
           as oldest_transaction_seconds

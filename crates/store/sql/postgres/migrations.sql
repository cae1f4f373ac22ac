select version from afluente._sqlx_migrations where success order by version

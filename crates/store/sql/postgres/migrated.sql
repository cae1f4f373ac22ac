select to_regclass('afluente._sqlx_migrations') is not null

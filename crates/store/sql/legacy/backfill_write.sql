insert into afluente.legacy_backfills as held (kind, after, since, taken, started_at, updated_at, finished_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (kind) do update set
    after = excluded.after, since = excluded.since, taken = excluded.taken, started_at = excluded.started_at,
    updated_at = excluded.updated_at, finished_at = excluded.finished_at

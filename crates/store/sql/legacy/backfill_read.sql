select after, taken, started_at from afluente.legacy_backfills
where kind = $1 and finished_at is null and since is not distinct from $2

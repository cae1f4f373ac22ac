select row_id, columns::text as columns from afluente.legacy_sessions($1, $2, $3)

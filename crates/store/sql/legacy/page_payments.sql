select row_id, columns::text as columns from afluente.legacy_payments($1, $2, $3)

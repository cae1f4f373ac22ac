select row_id, columns::text as columns from afluente.legacy_customers($1, $2, $3)

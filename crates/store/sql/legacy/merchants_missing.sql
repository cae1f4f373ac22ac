select kind, reference, found, newest from afluente.legacy_merchants_missing($1::text::jsonb) limit $2

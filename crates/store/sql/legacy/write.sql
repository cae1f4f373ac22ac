select row_id, provider_before, status_before, word_before from afluente.legacy_write($1::text::jsonb)

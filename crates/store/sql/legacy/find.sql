select place, row_id, order_id, charge_id, provider_now, status_now, word_now from afluente.legacy_find($1::text::jsonb)

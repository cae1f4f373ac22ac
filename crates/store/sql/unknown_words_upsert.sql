insert into unknown_words (account, field, word, first_seen_at, last_seen_at, seen, receipt_id)
select account, field, word, now, now, seen, receipt_id from input where true
on conflict (account, field, word) do update set
    last_seen_at = excluded.last_seen_at, seen = unknown_words.seen + excluded.seen, receipt_id = excluded.receipt_id

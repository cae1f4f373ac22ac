insert into unknown_words (account, field, word, first_seen_at, last_seen_at, seen)
select account, field, word, min(now), max(now), count(*) from input where true group by account, field, word order by account, field, word
on conflict (account, field, word) do update set
    last_seen_at = excluded.last_seen_at, seen = unknown_words.seen + excluded.seen

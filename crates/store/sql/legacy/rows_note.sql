insert into afluente.legacy_rows as held (
    row_id, account, tenant, provider_payment_id, provider_label, status_label, word, provider_before, status_before, word_before,
    provider_written, status_written, word_written, differs, seen_at, written_at)
select row_id, account, tenant, provider_payment_id, provider_label, status_label, word, provider_before, status_before, word_before,
       provider_written, status_written, word_written, differs, now, case when written then now end
from input
on conflict (row_id) do update set
    account = excluded.account, tenant = excluded.tenant, provider_payment_id = excluded.provider_payment_id,
    provider_label = excluded.provider_label, status_label = excluded.status_label, word = excluded.word,
    provider_before = case when held.written_at is not null and excluded.provider_before is not distinct from held.provider_written
        then held.provider_before else excluded.provider_before end,
    status_before = case when held.written_at is not null and excluded.status_before is not distinct from held.status_written
        then held.status_before else excluded.status_before end,
    word_before = case when held.written_at is not null and excluded.word_before is not distinct from held.word_written
        then held.word_before else excluded.word_before end,
    provider_written = coalesce(excluded.provider_written, held.provider_written),
    status_written = coalesce(excluded.status_written, held.status_written),
    word_written = coalesce(excluded.word_written, held.word_written),
    differs = excluded.differs, seen_at = excluded.seen_at, written_at = coalesce(excluded.written_at, held.written_at)

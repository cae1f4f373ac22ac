-- Which rows of theirs are of which payment of ours, and what was written: made by `adopt`, gone with it.
create table afluente.legacy_rows (
    row_id text collate "C" primary key,
    account text collate "C" not null,
    tenant text collate "C" not null,
    provider_payment_id text collate "C" not null,
    -- What should stand there; null where nothing of theirs means it.
    provider_label text collate "C",
    status_label text collate "C",
    word text collate "C",
    -- What stood there before our first write.
    provider_before text collate "C",
    status_before text collate "C",
    word_before text collate "C",
    -- What was written last; null before the first time.
    provider_written text collate "C",
    status_written text collate "C",
    word_written text collate "C",
    -- What was seen there last, when it was not what should be.
    differs text collate "C",
    seen_at timestamptz not null,
    written_at timestamptz
) with (fillfactor = 85);
create index legacy_rows_of on afluente.legacy_rows (account, tenant, provider_payment_id);

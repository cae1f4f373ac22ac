-- How far each backfill has come: made by `adopt`, gone with it.
create table if not exists afluente.legacy_backfills (
    kind text collate "C" primary key,
    -- The last row that was taken in; null before the first.
    after text collate "C",
    since timestamptz,
    taken bigint not null,
    started_at timestamptz not null,
    updated_at timestamptz not null,
    -- When the last row there was was taken in.
    finished_at timestamptz
);

//! Everything else a batch leaves behind: events, outbox, words we do not know, contradictions.

use afluente_model::{AccountName, Timestamp};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Id;
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    struct EventInput<'a> {
        id: uuid,
        entity_type: text,
        entity_id: uuid,
        row_version: int,
        kind: text,
        detail: text,
        receipt_id: opt uuid,
        actor: text,
        now: moment,
    }
    EVENTS = "events_insert";
}

rows! {
    struct OutboxInput<'a> {
        id: uuid,
        topic: text,
        key: text,
        payload: text,
        now: moment,
    }
    OUTBOX = "outbox_insert";
}

rows! {
    struct UnknownWordInput<'a> {
        account: text,
        field: text,
        word: text,
        receipt_id: uuid,
        seen: int,
        now: moment,
    }
    UNKNOWN_WORDS = "unknown_words_upsert";
}

rows! {
    struct InconsistencyInput<'a> {
        id: uuid,
        kind: text,
        fingerprint: text,
        account: text,
        entity: text,
        detail: text,
        seen: int,
        now: moment,
    }
    INCONSISTENCIES = "inconsistencies_upsert";
}

rows! {
    struct ResolveInput<'a> {
        id: uuid,
        by: text,
        because: text,
        now: moment,
    }
    RESOLVE = "inconsistencies_resolve";
}

rows! {
    struct SettledInput<'a> {
        fingerprint: text,
        by: text,
        because: text,
        now: moment,
    }
    SETTLE = "inconsistencies_settle";
}

/// A change, for people.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// UUIDv7, ours.
    pub id: Uuid,
    /// `payment`, `subscription`, `dead_letter`, `inconsistency` or `want`.
    pub entity_type: &'static str,
    /// Its id.
    pub entity: Uuid,
    /// The version the change led to.
    pub row_version: i64,
    /// What happened.
    pub kind: &'static str,
    /// Old and new, as a JSON object.
    pub detail: String,
    /// The receipt that brought it, if one did.
    pub receipt: Option<Uuid>,
    /// `worker`, or who did it.
    pub actor: Box<str>,
}

/// An announcement, relayed after commit.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// UUIDv7, ours.
    pub id: Uuid,
    /// Where it belongs.
    pub topic: &'static str,
    /// What it is about; announcements of one key keep their order.
    pub key: Box<str>,
    /// A JSON object.
    pub payload: String,
}

/// A word of the gateway we do not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownWordRow {
    /// The account.
    pub account: AccountName,
    /// Object and field.
    pub field: &'static str,
    /// The word.
    pub word: Box<str>,
    /// A receipt in which it stood; of several the newest is kept.
    pub receipt: Uuid,
}

/// Something that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inconsistency {
    /// UUIDv7, ours; of two with one open fingerprint the first stays and is counted up.
    pub id: Uuid,
    /// Its kind, from a closed set.
    pub kind: &'static str,
    /// The same for the same contradiction.
    pub fingerprint: String,
    /// The account.
    pub account: AccountName,
    /// What it is about, e.g. `payment pi_1`.
    pub entity: String,
    /// A sentence for a person.
    pub detail: String,
}

impl Tx {
    /// Adds lifecycle events.
    pub async fn add_events(&mut self, rows: &[EventRow], now: Timestamp) -> Result<(), StoreError> {
        let inputs: Vec<EventInput<'_>> = rows
            .iter()
            .map(|row| EventInput {
                id: row.id.into(),
                entity_type: row.entity_type,
                entity_id: row.entity.into(),
                row_version: row.row_version,
                kind: row.kind,
                detail: &row.detail,
                receipt_id: row.receipt.map(Id::from),
                actor: &row.actor,
                now: now.into(),
            })
            .collect();
        self.execute(&EVENTS, &inputs).await?;
        Ok(())
    }

    /// Adds announcements.
    pub async fn add_outbox(&mut self, rows: &[OutboxRow], now: Timestamp) -> Result<(), StoreError> {
        let inputs: Vec<OutboxInput<'_>> = rows
            .iter()
            .map(|row| OutboxInput {
                id: row.id.into(),
                topic: row.topic,
                key: &row.key,
                payload: &row.payload,
                now: now.into(),
            })
            .collect();
        self.execute(&OUTBOX, &inputs).await?;
        Ok(())
    }

    /// Counts words we do not know, by where they stood.
    pub async fn count_unknown_words(&mut self, rows: &[UnknownWordRow], now: Timestamp) -> Result<(), StoreError> {
        let mut inputs: Vec<UnknownWordInput<'_>> = rows
            .iter()
            .map(|row| UnknownWordInput {
                account: row.account.as_str(),
                field: row.field,
                word: &row.word,
                receipt_id: row.receipt.into(),
                seen: 1,
                now: now.into(),
            })
            .collect();
        inputs.sort_by_key(|row| (row.account, row.field, row.word));
        // One statement may not change a row twice.
        inputs.dedup_by(|next, first| {
            let same = (next.account, next.field, next.word) == (first.account, first.field, first.word);
            first.seen += i64::from(same);
            same
        });
        self.execute(&UNKNOWN_WORDS, &inputs).await?;
        Ok(())
    }

    /// Marks inconsistencies as resolved; returns those that were open. What is seen again afterwards is a new one.
    pub async fn resolve_inconsistencies(
        &mut self,
        ids: &[Uuid],
        by: &str,
        because: &str,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let row = |id: &Uuid| ResolveInput { id: (*id).into(), by, because, now: now.into() };
        let resolved: Vec<(Uuid,)> = self.fetch(&RESOLVE, &ids.iter().map(row).collect::<Vec<_>>()).await?;
        Ok(resolved.into_iter().map(|(id,)| id).collect())
    }

    /// Marks contradictions as resolved that what came since has explained.
    pub async fn settle_inconsistencies(
        &mut self,
        fingerprints: &[String],
        by: &str,
        because: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = |fingerprint| SettledInput { fingerprint, by, because, now: now.into() };
        let mut rows: Vec<SettledInput<'_>> = fingerprints.iter().map(|one| row(one)).collect();
        rows.sort_by_key(|row| row.fingerprint);
        self.execute(&SETTLE, &rows).await?;
        Ok(())
    }

    /// Reports contradictions; one that is open already is counted up.
    pub async fn report_inconsistencies(&mut self, rows: &[Inconsistency], now: Timestamp) -> Result<(), StoreError> {
        let mut inputs: Vec<InconsistencyInput<'_>> = rows
            .iter()
            .map(|row| InconsistencyInput {
                id: row.id.into(),
                kind: row.kind,
                fingerprint: &row.fingerprint,
                account: row.account.as_str(),
                entity: &row.entity,
                detail: &row.detail,
                seen: 1,
                now: now.into(),
            })
            .collect();
        inputs.sort_by_key(|row| row.fingerprint);
        // One statement may not change a row twice: the same contradiction in one batch is one row that was seen more often.
        inputs.dedup_by(|next, first| {
            let same = next.fingerprint == first.fingerprint;
            first.seen += i64::from(same);
            same
        });
        self.execute(&INCONSISTENCIES, &inputs).await?;
        Ok(())
    }
}

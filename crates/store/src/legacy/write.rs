//! Statements of a dual write: whose rows are whose, what stands in them, what is written. Only on Postgres, and only where `adopt`
//! made what they need.

use std::collections::{BTreeMap, BTreeSet};

use afluente_model::{Gateway, PaymentStatus, Timestamp};
use serde_json::{Value, json};
use sqlx::FromRow;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::payment::{PaymentKey, word};
use crate::people::identity::account;
use crate::rows::{Statement, rows, text};

static FIND: Statement = text!("legacy/find");
static WRITE: Statement = text!("legacy/write");

rows! {
    struct PaymentInput<'a> {
        account: text,
        tenant: text,
        name: text,
    }
    FAMILY = "legacy/family";
}

rows! {
    struct RowInput<'a> {
        row_id: text,
    }
    ROWS_OF = "legacy/rows_of";
}

rows! {
    struct NoteInput<'a> {
        row_id: text,
        account: text,
        tenant: text,
        provider_payment_id: text,
        provider_label: opt text,
        status_label: opt text,
        word: opt text,
        provider_before: opt text,
        status_before: opt text,
        word_before: opt text,
        provider_written: opt text,
        status_written: opt text,
        word_written: opt text,
        differs: opt text,
        written: flag,
        now: moment,
    }
    NOTE = "legacy/rows_note";
}

/// A payment of ours, and every id by which a row of theirs may name it.
#[derive(Clone, Debug)]
pub struct Relative {
    /// The payment.
    pub key: PaymentKey,
    /// Its gateway.
    pub gateway: Gateway,
    /// What it is.
    pub status: PaymentStatus,
    /// Whether money was taken.
    pub took_money: bool,
    /// The newest time anything was said of it.
    pub as_of: Option<Timestamp>,
    /// Its own names.
    pub own: BTreeSet<Box<str>>,
    /// Orders and invoices it is one of.
    pub groups: BTreeSet<Box<str>>,
}

/// A row of theirs.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TheirRow {
    /// Which question found it.
    pub place: i64,
    /// Its id.
    pub row_id: String,
    /// Its order, or whatever stands there.
    pub order_id: Option<String>,
    /// Its charge.
    pub charge_id: Option<String>,
    /// Its `provider_v2`.
    pub provider_now: Option<String>,
    /// Its `status_v2`.
    pub status_now: Option<String>,
    /// Its `status`.
    pub word_now: Option<String>,
}

/// Three words for a row; none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words<'a> {
    /// For `provider_v2`.
    pub provider: Option<&'a str>,
    /// For `status_v2`.
    pub status: Option<&'a str>,
    /// For `status`.
    pub word: Option<&'a str>,
}

/// What is kept of a row of theirs.
#[derive(Clone, Debug)]
pub struct RowNote<'a> {
    /// The row.
    pub row: &'a str,
    /// Whose it is.
    pub payment: &'a PaymentKey,
    /// What should stand there.
    pub wanted: Words<'a>,
    /// What stood there until now.
    pub found: Words<'a>,
    /// What was written into it now; nothing where theirs is not written.
    pub written: Option<Words<'a>>,
    /// What stands there instead, for people.
    pub differs: Option<&'a str>,
}

/// What stood in a row of theirs until we wrote it, read under its lock.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Stood {
    /// The row.
    pub row_id: String,
    /// Its `provider_v2`.
    pub provider_before: Option<String>,
    /// Its `status_v2`.
    pub status_before: Option<String>,
    /// Its `status`.
    pub word_before: Option<String>,
}

/// What was written into a row of theirs last.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Written {
    /// The row.
    pub row_id: String,
    /// Into `provider_v2`; none where nothing was.
    pub provider_written: Option<String>,
    /// Into `status_v2`.
    pub status_written: Option<String>,
    /// Into `status`.
    pub word_written: Option<String>,
}

#[derive(FromRow)]
struct FamilyRecord {
    account: String,
    tenant: String,
    provider_payment_id: String,
    provider_v2: String,
    status_v2: String,
    took_money: bool,
    source_as_of: Option<Moment>,
    id: String,
    own: bool,
}

impl Tx {
    /// The payments of these names and those they share an order with, each with all its names.
    pub async fn legacy_family(&mut self, names: &[PaymentKey]) -> Result<Vec<Relative>, StoreError> {
        let mut rows: Vec<PaymentInput<'_>> = names
            .iter()
            .map(|key| PaymentInput { account: key.account.as_str(), tenant: &key.tenant, name: &key.id })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.name));
        let records: Vec<FamilyRecord> = self.fetch_there(&FAMILY, &rows).await?;
        let mut family: BTreeMap<PaymentKey, Relative> = BTreeMap::new();
        for record in records {
            let key = PaymentKey {
                account: account("payments", &record.account)?,
                tenant: record.tenant.into(),
                id: record.provider_payment_id.into(),
            };
            let relative = match family.entry(key.clone()) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => new.insert(Relative {
                    key,
                    gateway: word("payments", "provider_v2", &record.provider_v2)?,
                    status: word("payments", "status_v2", &record.status_v2)?,
                    took_money: record.took_money,
                    as_of: record.source_as_of.map(|at| at.read("payments", "source_as_of")).transpose()?,
                    own: BTreeSet::new(),
                    groups: BTreeSet::new(),
                }),
            };
            let ids = if record.own { &mut relative.own } else { &mut relative.groups };
            ids.insert(record.id.into());
        }
        Ok(family.into_values().collect())
    }

    /// The rows of theirs that name one of these ids under one of these spellings, question by question.
    pub async fn legacy_find(&mut self, asked: &[(&[&str], Vec<&str>)]) -> Result<Vec<TheirRow>, StoreError> {
        let asked: Vec<Value> = asked
            .iter()
            .enumerate()
            .map(|(place, (spellings, ids))| json!({"place": place, "spellings": spellings, "ids": ids}))
            .collect();
        self.call(&FIND, &asked).await
    }

    /// Writes words into rows of theirs where others stand; gives what stood in those that changed.
    pub async fn legacy_write(&mut self, wanted: &[(&str, Words<'_>)]) -> Result<Vec<Stood>, StoreError> {
        let wanted: Vec<Value> = wanted
            .iter()
            .map(|(row, words)| {
                json!({"row": row, "provider": words.provider, "status": words.status, "word": words.word})
            })
            .collect();
        self.call(&WRITE, &wanted).await
    }

    /// What was written into these rows last; nothing of those that were never looked at.
    pub async fn legacy_written(&mut self, rows: &[&str]) -> Result<Vec<Written>, StoreError> {
        let rows: Vec<RowInput<'_>> = rows.iter().map(|row_id| RowInput { row_id }).collect();
        self.fetch_there(&ROWS_OF, &rows).await
    }

    /// Keeps what is known of rows of theirs.
    pub async fn legacy_note(&mut self, notes: &[RowNote<'_>], now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<NoteInput<'_>> = notes.iter().map(|note| input(note, now)).collect();
        rows.sort_by_key(|row| row.row_id);
        self.execute(&NOTE, &rows).await?;
        Ok(())
    }
}

fn input<'a>(note: &RowNote<'a>, now: Timestamp) -> NoteInput<'a> {
    let written = note.written.unwrap_or_default();
    NoteInput {
        row_id: note.row,
        account: note.payment.account.as_str(),
        tenant: &note.payment.tenant,
        provider_payment_id: &note.payment.id,
        provider_label: note.wanted.provider,
        status_label: note.wanted.status,
        word: note.wanted.word,
        provider_before: note.found.provider,
        status_before: note.found.status,
        word_before: note.found.word,
        provider_written: written.provider,
        status_written: written.status,
        word_written: written.word,
        differs: note.differs,
        written: note.written.is_some(),
        now: now.into(),
    }
}

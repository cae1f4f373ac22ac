//! Receipts: the bytes we keep as evidence, once each.

use std::collections::{HashMap, HashSet};

use afluente_model::{Incoming, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Blob, Slice, json_text};
use crate::rows::rows;

mod call;
pub(crate) mod held;
mod proof;

pub use held::HeldReceipt;

rows! {
    #[derive(Clone, Copy)]
    struct ClaimInput<'a> {
        id: uuid,
        account: text,
        dedupe_key: text,
        body_hash: hash,
        now: moment,
    }
    CLAIM = "dedupe_claim";
    COUNT = "dedupe_count";
}

rows! {
    struct RereadInput<'a> {
        id: uuid,
        state: text,
        ignored_because: opt text,
        notes: opt text,
        event_type: text,
    }
    UPDATE = "receipts_update";
}

rows! {
    struct ReceiptInput<'a> {
        id: uuid,
        received_at: moment,
        now: moment,
        account: text,
        delivery_id: uuid,
        kind: text,
        event_id: opt text,
        event_type: text,
        state: text,
        ignored_because: opt text,
        notes: opt text,
        proof: text,
        proved_by: opt text,
        released_by: opt text,
        headers: string,
        query: opt text,
        traceparent: opt text,
        call: opt string,
        status: opt int,
        body_hash: hash,
        body: bytes,
    }
    INSERT = "receipts_insert";
}

/// What became of the delivery behind a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// Its facts, claims and wants are in the ledger.
    Applied,
    /// Kept, changed nothing; `ignored_because` says why.
    Ignored,
}

impl ReceiptState {
    /// The word stored in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReceiptState::Applied => "APPLIED",
            ReceiptState::Ignored => "IGNORED",
        }
    }
}

impl KnownRecord {
    fn claimed(&self) -> ((&str, &str, &[u8]), Claimed) {
        let key = (self.account.as_str(), self.dedupe_key.as_str(), self.body_hash.as_slice());
        let applied = self.state.as_deref() != Some(ReceiptState::Ignored.as_str());
        (key, Claimed::Seen { receipt: self.receipt_id, applied })
    }
}

/// One body as evidence.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// UUIDv7, ours.
    pub id: Uuid,
    /// The gateway's event id with its envelope kind; with the body's hash the dedupe key.
    pub event: Option<Box<str>>,
    /// The gateway's word for what happened.
    pub event_type: Box<str>,
    /// What became of it.
    pub state: ReceiptState,
    /// A word, for [`ReceiptState::Ignored`].
    pub ignored_because: Option<&'static str>,
    /// Parts that only decorate and could not be read, as a JSON list of texts; none if all could.
    pub notes: Option<Box<str>>,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// The body, and where it came from.
    pub incoming: Incoming,
}

/// Whether a receipt is the first of its delivery's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Stored now.
    First,
    /// The same event with the same bytes is in the ledger already; only its count went up.
    Seen {
        /// As this receipt.
        receipt: Uuid,
        /// Whether that one was applied. One that was ignored may be read again: seen means applied.
        applied: bool,
    },
}

/// A receipt that was read again with another end.
#[derive(Clone, Debug)]
pub struct Reread {
    /// The receipt.
    pub receipt: Uuid,
    /// What became of it.
    pub state: ReceiptState,
    /// A word, for [`ReceiptState::Ignored`].
    pub ignored_because: Option<&'static str>,
    /// What could not be read, as a JSON list of texts.
    pub notes: Option<Box<str>>,
    /// The gateway's word for what happened, as it is read today.
    pub event_type: Box<str>,
}

#[derive(FromRow)]
struct KnownRecord {
    account: String,
    dedupe_key: String,
    body_hash: Vec<u8>,
    receipt_id: Uuid,
    /// Of its receipt; none if that is not held any more, or comes with this batch.
    state: Option<String>,
}

impl Tx {
    /// Claims and stores the receipts of a batch. Two of the same content in one batch: the first is First.
    pub async fn claim(&mut self, receipts: &[Receipt], now: Timestamp) -> Result<Vec<Claimed>, StoreError> {
        let claims: Vec<ClaimInput<'_>> = receipts.iter().map(|receipt| claim_input(receipt, now)).collect();
        let mut sorted = claims.clone();
        sorted.sort_by_key(|row| (row.account, row.dedupe_key, row.body_hash));
        let stored: Vec<(Uuid,)> = self.fetch(&CLAIM, &sorted).await?;
        let first: HashSet<Uuid> = stored.into_iter().map(|(id,)| id).collect();
        let repeated: Vec<ClaimInput<'_>> = claims
            .iter()
            .zip(receipts)
            .filter(|(_, receipt)| !first.contains(&receipt.id))
            .map(|(claim, _)| *claim)
            .collect();
        let known: Vec<KnownRecord> = self.fetch(&COUNT, &repeated).await?;
        let known: HashMap<(&str, &str, &[u8]), Claimed> = known.iter().map(KnownRecord::claimed).collect();
        let claimed: Vec<Claimed> = receipts
            .iter()
            .map(|receipt| {
                if first.contains(&receipt.id) {
                    return Ok(Claimed::First);
                }
                let key = (receipt.incoming.account().as_str(), dedupe_key(receipt), receipt.body_hash.as_slice());
                known.get(&key).copied().ok_or(StoreError::Missed { table: "webhook_dedupe", expected: 1, got: 0 })
            })
            .collect::<Result<_, _>>()?;
        let fresh = receipts.iter().zip(&claimed).filter(|(_, claimed)| **claimed == Claimed::First);
        self.insert_receipts(fresh.map(|(receipt, _)| receipt), now).await?;
        Ok(claimed)
    }

    /// Writes what became of receipts that were read again.
    pub async fn save_reread(&mut self, rows: &[Reread]) -> Result<(), StoreError> {
        let rows: Vec<RereadInput<'_>> = rows
            .iter()
            .map(|row| RereadInput {
                id: row.receipt.into(),
                state: row.state.as_str(),
                ignored_because: row.ignored_because,
                notes: row.notes.as_deref(),
                event_type: &row.event_type,
            })
            .collect();
        self.execute(&UPDATE, &rows).await?;
        Ok(())
    }

    async fn insert_receipts(
        &mut self,
        receipts: impl Iterator<Item = &Receipt>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut blob = Blob::default();
        let rows: Vec<ReceiptInput<'_>> = receipts
            .map(|receipt| receipt_input(receipt, blob.push(receipt.incoming.body())?, now))
            .collect::<Result<_, _>>()?;
        self.execute_with(&INSERT, &rows, Some(blob)).await?;
        Ok(())
    }
}

fn claim_input(receipt: &Receipt, now: Timestamp) -> ClaimInput<'_> {
    ClaimInput {
        id: receipt.id.into(),
        account: receipt.incoming.account().as_str(),
        dedupe_key: dedupe_key(receipt),
        body_hash: receipt.body_hash.into(),
        now: now.into(),
    }
}

/// Without an event id the content alone is the key.
fn dedupe_key(receipt: &Receipt) -> &str {
    receipt.event.as_deref().unwrap_or("content")
}

fn receipt_input<'a>(receipt: &'a Receipt, body: Slice<'a>, now: Timestamp) -> Result<ReceiptInput<'a>, StoreError> {
    let incoming = &receipt.incoming;
    let pairs: Vec<[&str; 2]> = incoming.headers().iter().map(|(name, value)| [&**name, &**value]).collect();
    let input = ReceiptInput {
        id: receipt.id.into(),
        received_at: incoming.received_at().into(),
        now: now.into(),
        account: incoming.account().as_str(),
        // What was asked or taken in was delivered by nobody.
        delivery_id: receipt.id.into(),
        kind: "ANSWER",
        event_id: receipt.event.as_deref(),
        event_type: &receipt.event_type,
        state: receipt.state.as_str(),
        ignored_because: receipt.ignored_because,
        notes: receipt.notes.as_deref(),
        proof: "none",
        proved_by: None,
        released_by: None,
        headers: json_text(&pairs)?,
        query: None,
        traceparent: None,
        call: None,
        status: None,
        body_hash: receipt.body_hash.into(),
        body,
    };
    match incoming {
        Incoming::Statement(_) => Ok(ReceiptInput { kind: "OPERATOR", ..input }),
        Incoming::Answer(answer) => {
            Ok(ReceiptInput { call: Some(call::text(&answer.asked)?), status: Some(i64::from(answer.status)), ..input })
        }
        Incoming::Delivery(delivery) => {
            let (proof, proved_by) = proof::words(&delivery.proof);
            Ok(ReceiptInput {
                delivery_id: delivery.id.0.into(),
                kind: "WEBHOOK",
                proof,
                proved_by,
                released_by: delivery.released_by.as_deref(),
                query: delivery.query.as_deref(),
                traceparent: delivery.traceparent.as_deref(),
                ..input
            })
        }
    }
}

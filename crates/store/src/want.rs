//! Questions for the gateways: one open row for each thing that is to be read back.

use afluente_model::{AccountName, Timestamp};
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    struct WantInput<'a> {
        id: uuid,
        account: text,
        tenant: text,
        kind: text,
        reference: text,
        context: opt text,
        reason: text,
        strength: int,
        not_before: moment,
        raised: int,
        receipt_id: uuid,
        now: moment,
    }
    WANTS = "wants_insert";
}

rows! {
    struct MomentInput {
        now: moment,
    }
    KNOWN = "wants_known";
}

/// A question for the gateway.
#[derive(Clone, Debug)]
pub struct WantRow {
    /// UUIDv7, ours; of two wants for one open reference the first stays.
    pub id: Uuid,
    /// The account whose credentials answer it.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// Kind of object at the gateway; `disputes` for the disputes of a payment.
    pub kind: Box<str>,
    /// Its id there.
    pub reference: Box<str>,
    /// The path to the sub-account as the gateway wrote it, if it wrote one.
    pub context: Option<Box<str>>,
    /// Why it must be read.
    pub reason: &'static str,
    /// Of two reasons the stronger stays.
    pub strength: i64,
    /// Not to be asked before.
    pub not_before: Timestamp,
    /// The receipt that raised it.
    pub receipt: Uuid,
}

impl Tx {
    /// Opens wants. One that is open for the same reference is raised: it counts how often, keeps the stronger reason and
    /// the earlier moment.
    pub async fn open_wants(&mut self, rows: &[WantRow], now: Timestamp) -> Result<(), StoreError> {
        let mut inputs: Vec<WantInput<'_>> = rows.iter().map(|row| input(row, now)).collect();
        inputs.sort_by_key(|row| (row.account, row.tenant, row.kind, row.reference));
        // One statement may not change a row twice: what one batch asks several times is one row that was raised as often.
        inputs.dedup_by(|next, first| {
            let same = (next.account, next.tenant, next.kind, next.reference)
                == (first.account, first.tenant, first.kind, first.reference);
            if same {
                join(first, next);
            }
            same
        });
        self.execute(&WANTS, &inputs).await?;
        Ok(())
    }

    /// Closes wants that are due, asked only whether a payment is what something else said of it, and were answered by what
    /// came since: its money, or its dispute. How many.
    pub async fn close_known_wants(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(&KNOWN, &[MomentInput { now: now.into() }]).await
    }
}

fn input(row: &WantRow, now: Timestamp) -> WantInput<'_> {
    WantInput {
        id: row.id.into(),
        account: row.account.as_str(),
        tenant: &row.tenant,
        kind: &row.kind,
        reference: &row.reference,
        context: row.context.as_deref(),
        reason: row.reason,
        strength: row.strength,
        not_before: row.not_before.into(),
        raised: 1,
        receipt_id: row.receipt.into(),
        now: now.into(),
    }
}

fn join<'a>(first: &mut WantInput<'a>, next: &WantInput<'a>) {
    first.raised += next.raised;
    first.not_before = first.not_before.min(next.not_before);
    first.context = first.context.or(next.context);
    if next.strength > first.strength {
        (first.strength, first.reason) = (next.strength, next.reason);
    }
}

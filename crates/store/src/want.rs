//! Questions for the gateways: one open row for each thing that is to be read back.

use afluente_model::{AccountName, Timestamp, WantKind, WantReason};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::rows;

pub(crate) mod asking;

pub use asking::{Settled, TakenWant};

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
        fresh_from: moment,
        rests_until: moment,
        proved: int,
    }
    WANTS = "wants_insert";
}

rows! {
    struct PlaceInput {
        id: uuid,
        not_before: moment,
        now: moment,
    }
    DUE = "wants_due";
}

rows! {
    struct DueInput {
        id: uuid,
        now: moment,
    }
    KNOWN = "wants_known" "wants_ids";
}

/// How far a look at due wants has come: by the moment they became due, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    not_before: Moment,
    id: Uuid,
}

impl Place {
    /// Before every want that is due by then: none is older than the years we know.
    fn before_all(now: Timestamp) -> Place {
        Place { not_before: now.shifted(i64::MIN).into(), id: Uuid::nil() }
    }
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
    /// Kind of object at the gateway.
    pub kind: WantKind,
    /// Its id there.
    pub reference: Box<str>,
    /// The path to the sub-account as the gateway wrote it, if it wrote one.
    pub context: Option<Box<str>>,
    /// Why it must be read.
    pub reason: WantReason,
    /// Not to be asked before.
    pub not_before: Timestamp,
    /// Whether what raised it was proved: signed, from a proved channel, or read back. What nobody signed waits for the rest.
    pub is_proved: bool,
    /// The receipt that raised it.
    pub receipt: Uuid,
}

impl Tx {
    /// Opens wants. One that is open for the same reference is raised: it counts how often, keeps the stronger reason and
    /// the earlier moment; hints rest together until none came for a moment, and no longer than five such moments.
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

    /// Looks at the next few hundred wants that are due and ask only whether a payment is what something else said of it, and
    /// closes those that were answered by what came since: its money, or its dispute. How many, and where to go on; no place
    /// where none was left.
    ///
    /// A few at a time: a ledger may hold very many that nobody has answered, and a statement must end in time.
    pub async fn close_known_wants(
        &mut self,
        after: Option<Place>,
        now: Timestamp,
    ) -> Result<(u64, Option<Place>), StoreError> {
        let after = after.unwrap_or_else(|| Place::before_all(now));
        let place = PlaceInput { id: after.id.into(), not_before: after.not_before, now: now.into() };
        let due: Vec<(Uuid, Moment)> = self.fetch(&DUE, &[place]).await?;
        let ids: Vec<Uuid> = due.iter().map(|(id, _)| *id).collect();
        let closed = self.close_known(&ids, now).await?.len() as u64;
        Ok((closed, due.last().map(|(id, not_before)| Place { not_before: *not_before, id: *id })))
    }
}

impl Tx {
    /// Closes those of these wants whose payment is what something else said of it; returns them.
    async fn close_known(&mut self, ids: &[Uuid], now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<DueInput> = ids.iter().map(|id| DueInput { id: (*id).into(), now: now.into() }).collect();
        let closed: Vec<(Uuid,)> = self.fetch(&KNOWN, &rows).await?;
        Ok(closed.into_iter().map(|(id,)| id).collect())
    }
}

/// So many times as long as one hint rests, hints of one object may rest together.
const LONGEST_REST: i64 = 5;

fn input(row: &WantRow, now: Timestamp) -> WantInput<'_> {
    // A gateway's own answers lag behind its notices, no longer than a hint rests.
    let (fresh_from, rest) = if row.reason == WantReason::Hint {
        (row.not_before, row.reason.wait_micros() * (LONGEST_REST - 1))
    } else {
        (now, 0)
    };
    WantInput {
        id: row.id.into(),
        account: row.account.as_str(),
        tenant: &row.tenant,
        kind: row.kind.as_str(),
        reference: &row.reference,
        context: row.context.as_deref(),
        reason: row.reason.as_str(),
        strength: row.reason.strength(),
        not_before: row.not_before.into(),
        raised: 1,
        receipt_id: row.receipt.into(),
        now: now.into(),
        fresh_from: fresh_from.into(),
        rests_until: fresh_from.shifted(rest).into(),
        proved: i64::from(row.is_proved),
    }
}

fn join<'a>(first: &mut WantInput<'a>, next: &WantInput<'a>) {
    first.raised += next.raised;
    first.not_before = first.not_before.min(next.not_before);
    first.fresh_from = first.fresh_from.max(next.fresh_from);
    first.rests_until = first.rests_until.max(next.rests_until);
    first.proved = first.proved.max(next.proved);
    first.context = first.context.or(next.context);
    if next.strength > first.strength {
        (first.strength, first.reason) = (next.strength, next.reason);
    }
}

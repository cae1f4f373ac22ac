//! Gaps: what could not be written beside the facts and has to be made again.

use afluente_model::{AccountName, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::{Hex, Id};
use crate::error::StoreError;
use crate::input::id_rows;
use crate::people::IdentityKey;
use crate::people::identity::account;
use crate::rows::{ids, rows};

/// How many gaps are taken at once.
pub const GAPS_AT_ONCE: usize = 200;

rows! {
    struct OpenInput<'a> {
        id: uuid,
        target: text,
        account: text,
        tenant: text,
        subject_kind: text,
        subject_id: text,
        reason: text,
        detail: text,
        receipt_id: opt uuid,
        now: moment,
    }
    OPEN = "gaps_open";
}

rows! {
    struct DueInput<'a> {
        target: text,
        soon: moment,
        now: moment,
    }
    DUE = "gaps_due", take dual_write_gaps;
}

rows! {
    struct CloseInput {
        id: uuid,
        enough: moment,
        now: moment,
    }
    CLOSE = "gaps_close";
}

ids! {
    LEFT = "gaps_left";
}

rows! {
    struct SettleInput<'a> {
        target: text,
        account: text,
        tenant: text,
        subject_kind: text,
        subject_id: text,
        now: moment,
    }
    SETTLE = "gaps_settle";
}

rows! {
    struct SubjectInput<'a> {
        account: text,
        tenant: text,
        subject_kind: text,
        subject_id: text,
    }
    IDENTITIES = "people/identities_of_subjects";
}

#[derive(FromRow)]
struct Record {
    id: Id,
    account: String,
    tenant: String,
    subject_kind: String,
    subject_id: String,
}

/// What a gap is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapTarget {
    /// Our customers and their links.
    Customers,
    /// A legacy application's columns.
    Legacy,
}

impl GapTarget {
    /// Both, in the order in which a unit of work writes them.
    pub const ALL: [GapTarget; 2] = [GapTarget::Legacy, GapTarget::Customers];

    /// The word stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            GapTarget::Customers => "customers",
            GapTarget::Legacy => "legacy",
        }
    }
}

/// What a gap is about: whatever claims were made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GapSubject {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// `payment`, `subscription`, `customer`, `method`, `checkout` or `invoice`.
    pub kind: Box<str>,
    /// The gateway's id.
    pub id: Box<str>,
}

/// The reason of a gap that waits for nothing of ours: what is said has no word there. It closes when another word is said.
pub const NO_LABEL: &str = "no_label";

/// The reason of a gap that waits for a row of theirs: their checkout makes it after our first delivery, or never. It is looked for
/// after ten seconds, then after as long again as was waited, for half an hour.
pub const NO_ROW: &str = "no_row";
const ROW_FIRST_MICROS: i64 = 10 * 1_000_000;
/// How long a row of theirs is waited for.
const ROW_WITHIN_MICROS: i64 = 2_000 * 1_000_000;

/// Why something is a gap.
#[derive(Clone, Copy, Debug)]
pub struct GapReason<'a> {
    /// What is missing.
    pub target: GapTarget,
    /// A word from a closed set: the class of the error.
    pub reason: &'static str,
    /// The error in the database's words, never a value.
    pub detail: &'a str,
}

impl Tx {
    /// Notes that something is to be made again, each with a receipt that says it, or the nil one. What is open already is counted up.
    pub async fn open_gaps(
        &mut self,
        gaps: &[(GapSubject, Uuid)],
        why: GapReason<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows: Vec<OpenInput<'_>> = gaps
            .iter()
            .map(|(subject, receipt)| OpenInput {
                id: Uuid::now_v7().into(),
                target: why.target.as_str(),
                account: subject.account.as_str(),
                tenant: &subject.tenant,
                subject_kind: &subject.kind,
                subject_id: &subject.id,
                reason: why.reason,
                detail: why.detail,
                receipt_id: (!receipt.is_nil()).then(|| (*receipt).into()),
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.subject_kind, row.subject_id));
        rows.dedup_by_key(|row| (row.account, row.tenant, row.subject_kind, row.subject_id));
        self.execute(&OPEN, &rows).await?;
        Ok(())
    }

    /// The oldest gaps that are due, held for this unit of work; those that another holds are passed over.
    pub async fn take_gaps(
        &mut self,
        target: GapTarget,
        now: Timestamp,
    ) -> Result<Vec<(Uuid, GapSubject)>, StoreError> {
        let due = DueInput { target: target.as_str(), soon: now.shifted(-ROW_FIRST_MICROS).into(), now: now.into() };
        let records: Vec<Record> = self.fetch(&DUE, &[due]).await?;
        let subject = |row: Record| {
            let account = account("dual_write_gaps", &row.account)?;
            let (tenant, kind, id) = (row.tenant.into(), row.subject_kind.into(), row.subject_id.into());
            Ok((row.id.into(), GapSubject { account, tenant, kind, id }))
        };
        records.into_iter().map(subject).collect()
    }

    /// Marks gaps as repaired, those that wait for a row of theirs only once it was waited for long enough. Gives how many of them
    /// are open still.
    pub async fn close_gaps(&mut self, ids: &[Uuid], now: Timestamp) -> Result<usize, StoreError> {
        let enough = now.shifted(-ROW_WITHIN_MICROS).into();
        let rows: Vec<CloseInput> =
            ids.iter().map(|id| CloseInput { id: (*id).into(), enough, now: now.into() }).collect();
        self.execute(&CLOSE, &rows).await?;
        let left: Vec<(i64,)> = self.fetch(&LEFT, &id_rows(ids)).await?;
        Ok(left.first().map_or(0, |(left,)| usize::try_from(*left).unwrap_or(0)))
    }

    /// Marks whatever is open of these subjects as repaired.
    pub async fn settle_gaps(
        &mut self,
        target: GapTarget,
        subjects: &[GapSubject],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows: Vec<SettleInput<'_>> = subjects
            .iter()
            .map(|subject| SettleInput {
                target: target.as_str(),
                account: subject.account.as_str(),
                tenant: &subject.tenant,
                subject_kind: &subject.kind,
                subject_id: &subject.id,
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.subject_kind, row.subject_id));
        self.execute(&SETTLE, &rows).await?;
        Ok(())
    }

    /// The identities that were claimed of these.
    pub async fn identities_of(&mut self, subjects: &[&GapSubject]) -> Result<Vec<IdentityKey>, StoreError> {
        let rows: Vec<SubjectInput<'_>> = subjects
            .iter()
            .map(|one| SubjectInput {
                account: one.account.as_str(),
                tenant: &one.tenant,
                subject_kind: &one.kind,
                subject_id: &one.id,
            })
            .collect();
        let keys: Vec<(Hex<16>,)> = self.fetch(&IDENTITIES, &rows).await?;
        Ok(keys.into_iter().map(|(key,)| IdentityKey(key.bytes())).collect())
    }
}

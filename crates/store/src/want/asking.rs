//! Wants on their way through a look-up: taken by one, asked, settled.

use afluente_model::{AccountName, ProviderId, Timestamp, WantKind, WantReason};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, Tx, fetch};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::rows::{Statement, rows, text};

pub(crate) static IS_DUE: Statement = text!("report/want_due");
pub(crate) static CALLS: Statement = text!("report/lookup_calls");

rows! {
    struct DueInput<'a> {
        account: text,
        proved: int,
        most: int,
        now: moment,
    }
    DUE = "wants_select", take wants;
}

rows! {
    struct TakeInput {
        id: uuid,
        until: moment,
    }
    TAKE = "wants_take";
}

rows! {
    struct SettledInput<'a> {
        id: uuid,
        raised: opt int,
        began: moment,
        outcome: text,
        held_until: moment,
        now: moment,
    }
    SETTLE = "wants_settle";
}

rows! {
    struct RetryInput {
        id: uuid,
        now: moment,
    }
    RETRY = "wants_retry";
}

rows! {
    struct DropInput<'a> {
        id: uuid,
        because: text,
        by: text,
        now: moment,
    }
    DROP = "wants_drop";
}

rows! {
    struct CallsInput<'a> {
        account: text,
        month: text,
        calls: int,
    }
    COUNT = "lookup_calls_add";
}

/// A want that is ours to ask until the moment it was taken for is over.
#[derive(Clone, Debug)]
pub struct TakenWant {
    /// The want.
    pub id: Uuid,
    /// The account whose credentials answer it.
    pub account: AccountName,
    /// The gateway's sub-account.
    pub tenant: Option<ProviderId>,
    /// Kind of object at the gateway.
    pub kind: WantKind,
    /// Its id there.
    pub reference: ProviderId,
    /// The path to the sub-account as the gateway wrote it.
    pub context: Option<ProviderId>,
    /// Why it must be read.
    pub reason: WantReason,
    /// How often it had been raised when it was taken: what is raised after that is another question.
    pub raised: i64,
    /// How often it was asked before.
    pub attempts: i64,
    /// How often the gateway said that there is no such thing.
    pub absences: i64,
    /// The receipt that raised it first.
    pub receipt: Uuid,
}

/// What became of asking once.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The want.
    pub id: Uuid,
    /// How often it had been raised when it was taken, if this answers it. If it was raised since, or so shortly before that the
    /// answer may not know of it, it stays open.
    pub answers: Option<i64>,
    /// When the first call was made.
    pub began: Timestamp,
    /// A word: how asking ended; `absent` where the gateway says that there is no such thing.
    pub outcome: &'static str,
    /// Not to be asked again before, if it stays open; a new question does not shorten it.
    pub held_until: Timestamp,
}

#[derive(FromRow)]
struct Record {
    id: Uuid,
    account: String,
    tenant: String,
    kind: String,
    reference: String,
    context: Option<String>,
    reason: String,
    raised: i64,
    attempts: i64,
    absences: i64,
    receipt_id: Uuid,
}

const TABLE: &str = "wants";

impl TryFrom<Record> for TakenWant {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<TakenWant, StoreError> {
        let bad = |column, got: &str| StoreError::unreadable(TABLE, column, got);
        let id = |column, text: &str| ProviderId::parse(text).map_err(|_| bad(column, text));
        Ok(TakenWant {
            id: row.id,
            account: AccountName::parse(&row.account).map_err(|_| bad("account", &row.account))?,
            tenant: Some(&*row.tenant)
                .filter(|tenant| !tenant.is_empty())
                .map(|text| id("tenant", text))
                .transpose()?,
            kind: WantKind::parse(&row.kind).ok_or_else(|| bad("kind", &row.kind))?,
            reference: id("reference", &row.reference)?,
            context: row.context.as_deref().map(|text| id("context", text)).transpose()?,
            reason: WantReason::parse(&row.reason).ok_or_else(|| bad("reason", &row.reason))?,
            raised: row.raised,
            attempts: row.attempts,
            absences: row.absences,
            receipt: row.receipt_id,
        })
    }
}

impl Store {
    /// Whether any want of this account is to be asked now.
    pub async fn is_want_due(&self, account: &AccountName, now: Timestamp) -> Result<bool, StoreError> {
        let due: Option<(i32,)> = fetch!(self, fetch_optional, IS_DUE, account.as_str(), Moment::from(now))?;
        Ok(due.is_some())
    }

    /// How many calls an account made in this month (`YYYY-MM`, UTC).
    pub async fn lookup_calls(&self, account: &AccountName, month: &str) -> Result<i64, StoreError> {
        let calls: Option<(i64,)> = fetch!(self, fetch_optional, CALLS, account.as_str(), month)?;
        Ok(calls.map_or(0, |(calls,)| calls))
    }
}

impl Tx {
    /// Takes wants of an account that are due, those due the longest first: nobody else is given them until `until`. What
    /// answered itself meanwhile is closed instead. Those that nobody signed come after all others, and only `with_hints`.
    pub async fn take_wants(
        &mut self,
        account: &AccountName,
        most: u32,
        with_hints: bool,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Vec<TakenWant>, StoreError> {
        let mut wants = self.due(account, true, most, now).await?;
        let left = most.saturating_sub(u32::try_from(wants.len()).unwrap_or(most));
        if with_hints && left > 0 {
            wants.extend(self.due(account, false, left, now).await?);
        }
        let unconfirmed = wants.iter().filter(|want| want.reason == WantReason::Unconfirmed);
        let unconfirmed: Vec<Uuid> = unconfirmed.map(|want| want.id).collect();
        let known = self.close_known(&unconfirmed, now).await?;
        wants.retain(|want| !known.contains(&want.id));
        let takes: Vec<TakeInput> =
            wants.iter().map(|want| TakeInput { id: want.id.into(), until: until.into() }).collect();
        self.execute(&TAKE, &takes).await?;
        Ok(wants)
    }

    async fn due(
        &mut self,
        account: &AccountName,
        is_proved: bool,
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<TakenWant>, StoreError> {
        let (account, proved) = (account.as_str(), i64::from(is_proved));
        let due = DueInput { account, proved, most: i64::from(most), now: now.into() };
        let rows: Vec<Record> = self.fetch(&DUE, &[due]).await?;
        rows.into_iter().map(TakenWant::try_from).collect()
    }

    /// Writes what became of asking. A want that a person closed meanwhile stays closed.
    pub async fn settle_wants(&mut self, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<SettledInput<'_>> = settled
            .iter()
            .map(|one| SettledInput {
                id: one.id.into(),
                raised: one.answers,
                began: one.began.into(),
                outcome: one.outcome,
                held_until: one.held_until.into(),
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| row.id);
        self.execute(&SETTLE, &rows).await?;
        Ok(())
    }

    /// Makes open wants due at once, whatever was answered last; returns those that were open. One that somebody asks at this
    /// moment may be asked twice, which changes nothing.
    pub async fn retry_wants(&mut self, ids: &[Uuid], now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<RetryInput> = ids.iter().map(|id| RetryInput { id: (*id).into(), now: now.into() }).collect();
        let open: Vec<(Uuid,)> = self.fetch(&RETRY, &rows).await?;
        Ok(open.into_iter().map(|(id,)| id).collect())
    }

    /// Gives open wants up on behalf of a person; returns those that were open. What is raised again is a new one.
    pub async fn drop_wants(
        &mut self,
        ids: &[Uuid],
        by: &str,
        because: &str,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let row = |id: &Uuid| DropInput { id: (*id).into(), because, by, now: now.into() };
        let open: Vec<(Uuid,)> = self.fetch(&DROP, &ids.iter().map(row).collect::<Vec<_>>()).await?;
        Ok(open.into_iter().map(|(id,)| id).collect())
    }

    /// Counts calls an account made in a month (`YYYY-MM`, UTC).
    pub async fn count_lookup_calls(
        &mut self,
        account: &AccountName,
        month: &str,
        calls: u32,
    ) -> Result<(), StoreError> {
        let row = CallsInput { account: account.as_str(), month, calls: i64::from(calls) };
        self.execute(&COUNT, &[row]).await?;
        Ok(())
    }
}

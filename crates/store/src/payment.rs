//! Payment rows: created blank, locked in id order, written as projected.

use std::collections::HashSet;

use afluente_model::money::BadMoney;
use afluente_model::{
    AccountName, Amount, Amounts, CaptureState, ClosedReason, Currency, DisputeState, Evidence, FundingState, Gateway,
    Payment, PaymentStatus, RiskState, SettlementState, Timestamp,
};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::folded::{self, FoldedInput};
use crate::input::id_rows;
use crate::people::IdentityKey;
use crate::rows::{ids, records, rows};

rows! {
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct KeyInput<'a> {
        account: text,
        tenant: text,
        provider_payment_id: text,
    }
}

rows! {
    struct BlankInput<'a> {
        id: uuid,
        account: text,
        tenant: text,
        provider_payment_id: text,
        provider_v2: text,
        identity: opt key,
        now: moment,
    }
    BLANK = "payments_blank";
}

records! {
    /// A payment's columns.
    #[allow(clippy::struct_excessive_bools, reason = "the columns are what they are")]
    pub(crate) struct Record {
        id: uuid,
        account: string,
        tenant: string,
        provider_payment_id: string,
        provider_v2: string,
        status_v2: string,
        legacy_word: opt string,
        currency: opt string,
        authorized_amount: int,
        captured_amount: int,
        refunded_amount: int,
        refund_pending_amount: int,
        disputed_amount: int,
        charged_back_amount: int,
        capture_state: string,
        funding_state: string,
        dispute_state: string,
        dispute_stage: int,
        risk_state: string,
        settlement_state: string,
        closed_reason: opt string,
        scheduled_for: opt moment,
        expires_at: opt moment,
        evidence: string,
        capture_inferred: flag,
        attempt_count: int,
        last_failure_code: opt string,
        contested: flag,
        returned_more_than_captured: flag,
        mixed_currency: flag,
        amount_doubted: flag,
        source_as_of: opt moment,
        fold_version: int,
        fact_count: int,
        row_version: int,
        created_at: moment,
        updated_at: moment,
    }
    from { account: text, tenant: text, provider_payment_id: text }
    LOCK = "payments_select" "payments_lock", lock payments;
    from { id: uuid } LOCK_IDS = "payments_select" "payments_lock_ids", lock payments;
}

ids! {
    DELETE = "payments_delete";
}

/// The natural key of a payment: what stays the same on every machine and in every rebuild.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// The gateway's id of the payment.
    pub id: Box<str>,
}

/// A payment as the ledger holds it.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    /// Ours.
    pub id: Uuid,
    /// Its natural key.
    pub key: PaymentKey,
    /// Its gateway.
    pub gateway: Gateway,
    /// What its facts project to.
    pub payment: Payment,
    /// How many facts it was folded from.
    pub fact_count: i64,
    /// Counts its changes; 0 for a row that was only just created.
    pub row_version: i64,
    /// When the row was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A payment whose row must be there.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// Its id, if it is not there yet.
    pub id: Uuid,
    /// Its natural key.
    pub key: PaymentKey,
    /// Its gateway.
    pub gateway: Gateway,
    /// Whom a new one follows from the start. Whoever else was claimed of it is seen to by [`Tx::link`].
    pub identity: Option<IdentityKey>,
}

impl Tx {
    /// Makes sure a row exists for each of `make`, then locks those and the rows of `also` that exist, all in the order of
    /// their ids. The same row for the same key, however often. A row made here says nothing yet: UNKNOWN,
    /// version 0.
    ///
    /// The row comes first because a lock on a row that does not exist locks nothing, and two first deliveries of one
    /// payment would both fold into a blank one.
    pub async fn lock_payments(
        &mut self,
        make: &[NewPayment],
        also: &[PaymentKey],
        now: Timestamp,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut blank: Vec<BlankInput<'_>> = make
            .iter()
            .map(|new| BlankInput {
                id: new.id.into(),
                account: new.key.account.as_str(),
                tenant: &new.key.tenant,
                provider_payment_id: &new.key.id,
                provider_v2: new.gateway.as_str(),
                identity: new.identity.map(|identity| identity.0.into()),
                now: now.into(),
            })
            .collect();
        // Concurrent inserts that skip what exists deadlock unless they go in one order.
        blank.sort_by_key(|row| (row.account, row.tenant, row.provider_payment_id));
        self.execute(&BLANK, &blank).await?;
        let mut keys: Vec<KeyInput<'_>> = make.iter().map(|new| &new.key).chain(also).map(key_input).collect();
        keys.sort_unstable();
        keys.dedup();
        let records: Vec<Record> = self.gather(&LOCK, &keys).await?;
        let rows: Vec<PaymentRow> = records.into_iter().map(PaymentRow::try_from).collect::<Result<_, _>>()?;
        let found: HashSet<&PaymentKey> = rows.iter().map(|row| &row.key).collect();
        let missing = make.iter().filter(|new| !found.contains(&new.key)).count();
        if missing > 0 {
            return Err(StoreError::Missed { table: "payments", expected: make.len(), got: make.len() - missing });
        }
        Ok(rows)
    }

    /// Writes projected rows; each `row_version` given is the new one.
    pub async fn save_payments(&mut self, rows: &[PaymentRow]) -> Result<(), StoreError> {
        let inputs: Vec<FoldedInput<'_>> = rows.iter().map(FoldedInput::from).collect();
        self.execute(&folded::UPDATE, &inputs).await?;
        Ok(())
    }

    /// Removes rows whose every fact has moved to the payment they turned out to be another name of.
    pub async fn delete_payments(&mut self, ids: &[Uuid]) -> Result<(), StoreError> {
        self.execute(&DELETE, &id_rows(ids)).await?;
        Ok(())
    }

    /// Locks rows by their ids, in that order; one that is gone is left out. For a rebuild, which knows rows and not names.
    pub async fn lock_payment_ids(&mut self, ids: &[Uuid]) -> Result<Vec<PaymentRow>, StoreError> {
        let records: Vec<Record> = self.gather(&LOCK_IDS, &id_rows(ids)).await?;
        records.into_iter().map(PaymentRow::try_from).collect()
    }
}

fn key_input(key: &PaymentKey) -> KeyInput<'_> {
    KeyInput { account: key.account.as_str(), tenant: &key.tenant, provider_payment_id: &key.id }
}

/// Reads a word of a closed enum out of a column.
pub(crate) fn word<T: std::str::FromStr>(
    table: &'static str,
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::unreadable(table, column, text))
}

fn amount(column: &'static str, minor: i64) -> Result<Amount, StoreError> {
    Amount::new(minor).map_err(|_| StoreError::unreadable("payments", column, &minor.to_string()))
}

/// Reads a currency out of a column.
pub(crate) fn currency(table: &'static str, code: Option<&str>) -> Result<Option<Currency>, StoreError> {
    code.map(|code| Currency::parse(code).map_err(|_: BadMoney| StoreError::unreadable(table, "currency", code)))
        .transpose()
}

impl Record {
    /// What its facts project to.
    fn payment(self) -> Result<Payment, StoreError> {
        let row = self;
        let table = "payments";
        let time = |column, at: Option<Moment>| at.map(|at| at.read(table, column)).transpose();
        Ok(Payment {
            status: word::<PaymentStatus>(table, "status_v2", &row.status_v2)?,
            currency: currency(table, row.currency.as_deref())?,
            amounts: Amounts {
                authorized: amount("authorized_amount", row.authorized_amount)?,
                captured: amount("captured_amount", row.captured_amount)?,
                refunded: amount("refunded_amount", row.refunded_amount)?,
                refund_pending: amount("refund_pending_amount", row.refund_pending_amount)?,
                disputed: amount("disputed_amount", row.disputed_amount)?,
                charged_back: amount("charged_back_amount", row.charged_back_amount)?,
            },
            capture_state: word::<CaptureState>(table, "capture_state", &row.capture_state)?,
            funding_state: word::<FundingState>(table, "funding_state", &row.funding_state)?,
            dispute_state: word::<DisputeState>(table, "dispute_state", &row.dispute_state)?,
            dispute_stage: u8::try_from(row.dispute_stage)
                .map_err(|_| StoreError::unreadable(table, "dispute_stage", &row.dispute_stage.to_string()))?,
            risk_state: word::<RiskState>(table, "risk_state", &row.risk_state)?,
            settlement_state: word::<SettlementState>(table, "settlement_state", &row.settlement_state)?,
            closed_reason: row
                .closed_reason
                .map(|reason| word::<ClosedReason>(table, "closed_reason", &reason))
                .transpose()?,
            scheduled_for: time("scheduled_for", row.scheduled_for)?,
            expires_at: time("expires_at", row.expires_at)?,
            evidence: word::<Evidence>(table, "evidence", &row.evidence)?,
            capture_inferred: row.capture_inferred,
            attempt_count: u32::try_from(row.attempt_count)
                .map_err(|_| StoreError::unreadable(table, "attempt_count", &row.attempt_count.to_string()))?,
            last_failure_code: row.last_failure_code.map(Into::into),
            contested: row.contested,
            returned_more_than_captured: row.returned_more_than_captured,
            mixed_currency: row.mixed_currency,
            amount_doubted: row.amount_doubted,
            word: row.legacy_word.map(Into::into),
            source_as_of: time("source_as_of", row.source_as_of)?,
        })
    }
}

impl TryFrom<Record> for PaymentRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<PaymentRow, StoreError> {
        let account = AccountName::parse(&row.account)
            .map_err(|_| StoreError::unreadable("payments", "account", &row.account))?;
        Ok(PaymentRow {
            id: row.id.into(),
            key: PaymentKey { account, tenant: (&*row.tenant).into(), id: (&*row.provider_payment_id).into() },
            gateway: word::<Gateway>("payments", "provider_v2", &row.provider_v2)?,
            fact_count: row.fact_count,
            row_version: row.row_version,
            created_at: row.created_at.read("payments", "created_at")?,
            updated_at: row.updated_at.read("payments", "updated_at")?,
            payment: row.payment()?,
        })
    }
}

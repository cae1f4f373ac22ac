//! What persons decided of who somebody is: a register, of which the newest holds.

use std::collections::BTreeMap;

use afluente_model::identity::{Decided, GatewayCustomer, Verdict};
use afluente_model::{AccountName, MerchantName, Timestamp};

use crate::backend::{Store, Tx, fetch};
use crate::cell::{Hex, Moment};
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::gap::GapSubject;
use crate::people::identity::{CustomerInput, account, merchant};
use crate::people::owner::since;
use crate::people::value::{Value, ValueInput};
use crate::rows::{Statement, records, rows, text};

const TABLE: &str = "identity_decisions";
/// What a claim of a decision is about.
const SUBJECT: &str = "decision";

static ALL: Statement = text!("people/decisions_select" "report/decisions");

rows! {
    struct DecisionInput<'a> {
        key: key,
        account: text,
        tenant: text,
        kind: text,
        value: text,
        verdict: text,
        target: text,
        at: moment,
        decided_by: text,
        because: text,
        now: moment,
    }
    JOIN = "people/decisions_join";
}

rows! {
    struct KeyInput {
        key: key,
    }
}

records! {
    struct Record {
        merchant: string,
        account: string,
        tenant: string,
        kind: string,
        value: string,
        verdict: string,
        target: string,
        at: moment,
        decided_by: string,
        because: string,
    }
    from { key: key } BY_KEY = "people/decisions_select" "people/decisions_by_key";
    from { account: text, tenant: text, provider_customer_id: text }
    ON_CUSTOMERS = "people/decisions_select" "people/decisions_on_customers";
    from { merchant: text, value: text } ON_EMAILS = "people/decisions_select" "people/decisions_on_emails";
    from { merchant: text, value: text } TO_EMAILS = "people/decisions_select" "people/decisions_to_emails";
}

/// A decision as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// The merchant.
    pub merchant: MerchantName,
    /// The account it was said to: of a gateway's customer its own, of an address any of the merchant's.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// What is decided of.
    pub of: Decided,
    /// Whose it is.
    pub verdict: Verdict,
    /// Our clock when it was decided.
    pub at: Timestamp,
    /// Who decided.
    pub decided_by: String,
    /// Why.
    pub because: String,
}

/// The key of the decision that a claim makes; none if it makes none.
pub(crate) fn key_of_decision(row: &ClaimRow<'_>) -> Option<[u8; 16]> {
    input(row, Timestamp::EPOCH).map(|input| input.key.bytes())
}

fn input<'a>(row: &ClaimRow<'a>, now: Timestamp) -> Option<DecisionInput<'a>> {
    if row.subject_kind != SUBJECT {
        return None;
    }
    let of = |kind: &str| row.claims.iter().filter(|(claim, _)| *claim == kind).map(|(_, value)| *value).max();
    let (kind, value) = row.claims.iter().find(|(kind, _)| matches!(*kind, "customer" | "email"))?;
    let (verdict, target) = (of("decided")?, of("target").unwrap_or_default());
    Verdict::of(verdict, target)?;
    let key = key(row.account, row.tenant, row.subject_id);
    Some(DecisionInput {
        key: key.into(),
        account: row.account.as_str(),
        tenant: row.tenant,
        kind,
        value,
        verdict,
        target,
        at: since(row.at),
        decided_by: of("by").unwrap_or_default(),
        because: of("because").unwrap_or_default(),
        now: now.into(),
    })
}

/// What is decided of has a name of its own.
fn key(account: &AccountName, tenant: &str, subject: &str) -> [u8; 16] {
    key_of([account.as_str(), tenant, subject].into_iter())
}

impl Tx {
    /// Keeps what claims decide; gives the decisions that hold now and did not before.
    pub(crate) async fn join_decisions(
        &mut self,
        rows: &[ClaimRow<'_>],
        now: Timestamp,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let mut newest: BTreeMap<Hex<16>, DecisionInput<'_>> = BTreeMap::new();
        for new in rows.iter().filter_map(|row| input(row, now)) {
            let held = newest.remove(&new.key).filter(|held| rank(held) > rank(&new));
            newest.insert(new.key, held.unwrap_or(new));
        }
        if newest.is_empty() {
            return Ok(Vec::new());
        }
        let changed: Vec<(Hex<16>,)> = self.fetch(&JOIN, &newest.into_values().collect::<Vec<_>>()).await?;
        self.decisions(&changed.into_iter().map(|(key,)| key.bytes()).collect::<Vec<_>>()).await
    }

    /// These decisions.
    pub async fn decisions(&mut self, keys: &[[u8; 16]]) -> Result<Vec<DecisionRow>, StoreError> {
        let mut rows: Vec<KeyInput> = keys.iter().map(|key| KeyInput { key: (*key).into() }).collect();
        rows.sort_unstable_by_key(|row| row.key);
        read(self.gather(&BY_KEY, &rows).await?)
    }

    /// The decisions among what could not be written.
    pub async fn decisions_of(&mut self, subjects: &[&GapSubject]) -> Result<Vec<DecisionRow>, StoreError> {
        let decided = subjects.iter().filter(|one| &*one.kind == SUBJECT);
        self.decisions(&decided.map(|one| key(&one.account, &one.tenant, &one.id)).collect::<Vec<_>>()).await
    }

    /// What was decided of these customers of gateways.
    pub async fn decisions_on_customers(
        &mut self,
        customers: &[&GatewayCustomer],
    ) -> Result<Vec<DecisionRow>, StoreError> {
        let rows: Vec<CustomerInput<'_>> = customers.iter().map(|customer| CustomerInput::from(*customer)).collect();
        read(self.gather(&ON_CUSTOMERS, &rows).await?)
    }

    /// What was decided of these addresses, and what of others for them.
    pub async fn decisions_around(&mut self, emails: &[Value]) -> Result<Vec<DecisionRow>, StoreError> {
        let rows: Vec<ValueInput<'_>> = emails.iter().map(ValueInput::from).collect();
        let mut around = read(self.gather(&ON_EMAILS, &rows).await?)?;
        around.extend(read(self.gather(&TO_EMAILS, &rows).await?)?);
        Ok(around)
    }
}

impl Store {
    /// Every decision, the newest first, those that were taken back too.
    pub async fn all_decisions(&self) -> Result<Vec<DecisionRow>, StoreError> {
        read(fetch!(self, fetch_all, ALL)?)
    }
}

/// Of two decisions on one thing the greater holds.
fn rank<'a>(one: &DecisionInput<'a>) -> (Moment, [&'a str; 4]) {
    (one.at, [one.verdict, one.target, one.decided_by, one.because])
}

fn read(records: Vec<Record>) -> Result<Vec<DecisionRow>, StoreError> {
    records.into_iter().map(DecisionRow::try_from).collect()
}

impl TryFrom<Record> for DecisionRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<DecisionRow, StoreError> {
        let (account, tenant) = (account(TABLE, &row.account)?, Box::<str>::from(row.tenant));
        let of = match &*row.kind {
            "email" => Decided::Email(row.value.into()),
            "customer" => Decided::Customer(GatewayCustomer {
                account: account.clone(),
                tenant: tenant.clone(),
                id: row.value.into(),
            }),
            other => return Err(StoreError::unreadable(TABLE, "kind", other)),
        };
        let verdict = Verdict::of(&row.verdict, &row.target);
        Ok(DecisionRow {
            merchant: merchant(TABLE, &row.merchant)?,
            account,
            tenant,
            of,
            verdict: verdict.ok_or_else(|| StoreError::unreadable(TABLE, "verdict", &row.verdict))?,
            at: row.at.read(TABLE, "at")?,
            decided_by: row.decided_by,
            because: row.because,
        })
    }
}

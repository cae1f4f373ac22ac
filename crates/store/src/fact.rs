//! Facts: a grow-only set per payment and per subscription.

use afluente_model::{
    Amount, Currency, Detail, DetailKey, Fact, FactKey, Kind, PaymentFact, PaymentKind, Source, SubscriptionFact,
    SubscriptionKind, Timestamp,
};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Input, Statement, hex, json_text, statement};
use crate::payment::{currency, moment, word};

static INSERT: Statement = statement!("facts_insert");
static READ: Statement = statement!("facts_read");
static MOVE: Statement = statement!("facts_move");
static DROP: Statement = statement!("facts_drop");
static SUBSCRIPTION_DROP: Statement = statement!("subscription_facts_drop");
static UNNAME: Statement = statement!("facts_unname");
static SUBSCRIPTION_INSERT: Statement = statement!("subscription_facts_insert");
static SUBSCRIPTION_READ: Statement = statement!("subscription_facts_read");

/// A fact of a payment, to be stored.
#[derive(Clone, Debug)]
pub struct FactRow {
    /// The payment.
    pub payment: Uuid,
    /// The name under which it came: the payment's own or an alias.
    pub named: Box<str>,
    /// The fact.
    pub fact: PaymentFact,
    /// Where it was read.
    pub receipt: Uuid,
}

/// A fact of a subscription, to be stored.
#[derive(Clone, Debug)]
pub struct SubscriptionFactRow {
    /// The subscription.
    pub subscription: Uuid,
    /// The fact.
    pub fact: SubscriptionFact,
    /// Where it was read.
    pub receipt: Uuid,
}

/// The facts that came under one name go from a payment to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactMove {
    /// The name.
    pub named: Box<str>,
    /// Where they are.
    pub from: Uuid,
    /// Where they belong.
    pub to: Uuid,
}

/// A fact as stored, with where and when.
#[derive(Clone, Debug)]
pub struct StoredFact<K> {
    /// The payment or subscription it is of.
    pub owner: Uuid,
    /// The name under which it came.
    pub named: Box<str>,
    /// The key it was stored under.
    pub key: FactKey,
    /// The fact.
    pub fact: Fact<K>,
    /// The receipt it was first read in.
    pub receipt: Uuid,
    /// When it was stored.
    pub recorded_at: Timestamp,
}

#[derive(Serialize)]
struct FactInput<'a> {
    owner: String,
    key: String,
    named: &'a str,
    family: &'static str,
    op: &'a str,
    kind: &'static str,
    at: Option<i64>,
    op_at: Option<i64>,
    amount: Option<i64>,
    currency: Option<&'a str>,
    source: &'static str,
    detail: String,
    receipt: String,
    now: i64,
}

#[derive(Serialize)]
struct OwnerInput {
    owner: String,
}

#[derive(Serialize)]
struct MoveInput<'a> {
    from: String,
    to: String,
    named: &'a str,
}

#[derive(FromRow)]
pub(crate) struct Record {
    owner: Uuid,
    named: String,
    fact_key: Vec<u8>,
    family: String,
    op: String,
    kind: String,
    at: Option<i64>,
    op_at: Option<i64>,
    amount: Option<i64>,
    currency: Option<String>,
    source: String,
    detail: String,
    receipt_id: Uuid,
    recorded_at: i64,
}

impl Tx {
    /// Adds facts; returns the payments that gained at least one. A fact that is there already adds nothing.
    pub async fn add_facts(&mut self, rows: &[FactRow], now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let inputs = rows.iter().map(|row| input(row.payment, &row.named, &row.fact, row.receipt, now));
        let inputs = inputs.collect::<Result<_, _>>()?;
        self.insert_facts(&INSERT, inputs).await
    }

    /// All facts of these payments.
    pub async fn facts_of(&mut self, payments: &[Uuid]) -> Result<Vec<StoredFact<PaymentKind>>, StoreError> {
        let records: Vec<Record> = self.fetch(&READ, owners(payments)).await?;
        records.into_iter().map(|record| record.read("payment_facts")).collect()
    }

    /// Moves facts between payments. What is there already is not doubled.
    pub async fn move_facts(&mut self, moves: &[FactMove]) -> Result<(), StoreError> {
        let rows: Vec<MoveInput<'_>> = moves
            .iter()
            .map(|one| MoveInput { from: hex(one.from.as_bytes()), to: hex(one.to.as_bytes()), named: &one.named })
            .collect();
        self.execute(&MOVE, Input::of(&rows)).await?;
        self.execute(&UNNAME, Input::of(&rows)).await?;
        Ok(())
    }

    /// Takes facts out: for a rebuild that found no receipt to say them. Never on the way of a delivery.
    pub async fn drop_facts(&mut self, facts: &[(Uuid, FactKey)]) -> Result<(), StoreError> {
        self.execute(&DROP, keys(facts)).await?;
        Ok(())
    }

    /// The same for subscriptions.
    pub async fn drop_subscription_facts(&mut self, facts: &[(Uuid, FactKey)]) -> Result<(), StoreError> {
        self.execute(&SUBSCRIPTION_DROP, keys(facts)).await?;
        Ok(())
    }

    /// Adds facts of subscriptions; as [`Tx::add_facts`].
    pub async fn add_subscription_facts(
        &mut self,
        rows: &[SubscriptionFactRow],
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let inputs = rows.iter().map(|row| input(row.subscription, "", &row.fact, row.receipt, now));
        let inputs = inputs.collect::<Result<_, _>>()?;
        self.insert_facts(&SUBSCRIPTION_INSERT, inputs).await
    }

    /// All facts of these subscriptions.
    pub async fn subscription_facts_of(
        &mut self,
        subscriptions: &[Uuid],
    ) -> Result<Vec<StoredFact<SubscriptionKind>>, StoreError> {
        let records: Vec<Record> = self.fetch(&SUBSCRIPTION_READ, owners(subscriptions)).await?;
        records.into_iter().map(|record| record.read("subscription_facts")).collect()
    }

    async fn insert_facts(
        &mut self,
        statement: &Statement,
        mut rows: Vec<FactInput<'_>>,
    ) -> Result<Vec<Uuid>, StoreError> {
        rows.sort_by(|a, b| (&a.owner, &a.key).cmp(&(&b.owner, &b.key)));
        rows.dedup_by(|a, b| (&a.owner, &a.key) == (&b.owner, &b.key));
        let gained: Vec<(Uuid,)> = self.fetch(statement, Input::of(&rows)).await?;
        let mut gained: Vec<Uuid> = gained.into_iter().map(|(id,)| id).collect();
        gained.sort_unstable();
        gained.dedup();
        Ok(gained)
    }
}

#[derive(Serialize)]
struct KeyInput {
    owner: String,
    key: String,
}

fn keys(facts: &[(Uuid, FactKey)]) -> Input {
    let row = |(owner, key): &(Uuid, FactKey)| KeyInput { owner: hex(owner.as_bytes()), key: key.to_string() };
    Input::of(&facts.iter().map(row).collect::<Vec<_>>())
}

fn owners(ids: &[Uuid]) -> Input {
    let rows: Vec<OwnerInput> = ids.iter().map(|id| OwnerInput { owner: hex(id.as_bytes()) }).collect();
    Input::of(&rows)
}

fn input<'a, K: Kind>(
    owner: Uuid,
    named: &'a str,
    fact: &'a Fact<K>,
    receipt: Uuid,
    now: Timestamp,
) -> Result<FactInput<'a>, StoreError> {
    Ok(FactInput {
        owner: hex(owner.as_bytes()),
        key: fact.key().to_string(),
        named,
        family: fact.kind.family(),
        op: &fact.op,
        kind: fact.kind.word(),
        at: fact.at.map(Timestamp::as_micros),
        op_at: fact.op_at.map(Timestamp::as_micros),
        amount: fact.amount.map(Amount::minor),
        currency: fact.currency.as_ref().map(Currency::as_str),
        source: fact.source.as_str(),
        detail: detail_json(&fact.detail)?,
        receipt: hex(receipt.as_bytes()),
        now: now.as_micros(),
    })
}

fn detail_json(detail: &Detail) -> Result<String, StoreError> {
    let entries: std::collections::BTreeMap<&str, &str> =
        detail.iter().map(|(key, value)| (key.as_str(), value)).collect();
    json_text(&entries)
}

impl Record {
    pub(crate) fn read<K: Kind>(self, table: &'static str) -> Result<StoredFact<K>, StoreError> {
        let kind = K::parse(&self.family, &self.kind)
            .ok_or_else(|| StoreError::unreadable(table, "kind", &format!("{}.{}", self.family, self.kind)))?;
        let time = |column, at: Option<i64>| at.map(|at| moment(table, column, at)).transpose();
        let amount = self
            .amount
            .map(|minor| Amount::new(minor).map_err(|_| StoreError::unreadable(table, "amount", &minor.to_string())))
            .transpose()?;
        let key: [u8; 16] = self
            .fact_key
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::unreadable(table, "fact_key", &hex(&self.fact_key)))?;
        let fact = Fact::new(kind, &self.op, time("at", self.at)?, word::<Source>(table, "source", &self.source)?)
            .counted_from(time("op_at", self.op_at)?)
            .money(amount, currency(table, self.currency.as_deref())?)
            .detail(read_detail(table, &self.detail)?);
        Ok(StoredFact {
            owner: self.owner,
            named: self.named.into(),
            key: FactKey(key),
            fact,
            receipt: self.receipt_id,
            recorded_at: moment(table, "recorded_at", self.recorded_at)?,
        })
    }
}

fn read_detail(table: &'static str, json: &str) -> Result<Detail, StoreError> {
    let bad = || StoreError::unreadable(table, "detail", json);
    let entries: std::collections::BTreeMap<String, String> = serde_json::from_str(json).map_err(|_| bad())?;
    entries.iter().try_fold(Detail::none(), |detail, (key, value)| {
        DetailKey::parse(key).map(|key| detail.with(key, value)).ok_or_else(bad)
    })
}

//! Facts: a grow-only set per payment and per subscription.

use afluente_model::{
    Amount, Currency, Detail, DetailKey, Fact, FactKey, Kind, PaymentFact, PaymentKind, Source, SubscriptionFact,
    SubscriptionKind, Timestamp,
};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::input::{id_rows, json_text};
use crate::payment::{currency, word};
use crate::rows::{Statement, records, rows};

rows! {
    struct FactInput<'a> {
        owner: uuid,
        fact_key: key,
        named: text,
        family: text,
        op: text,
        kind: text,
        at: opt moment,
        op_at: opt moment,
        amount: opt int,
        currency: opt text,
        source: text,
        detail: string,
        receipt_id: uuid,
        now: moment,
    }
    INSERT = "facts_insert";
    SUBSCRIPTION_INSERT = "subscription_facts_insert";
}

rows! {
    struct KeyInput {
        owner: uuid,
        fact_key: key,
    }
    DROP = "facts_drop";
    SUBSCRIPTION_DROP = "subscription_facts_drop";
}

rows! {
    struct MoveInput<'a> {
        source_id: uuid,
        target_id: uuid,
        named: text,
    }
    MOVE = "facts_move";
    UNNAME = "facts_unname";
}

records! {
    pub(crate) struct Record {
        owner: uuid,
        named: string,
        fact_key: key,
        family: string,
        op: string,
        kind: string,
        at: opt moment,
        op_at: opt moment,
        amount: opt int,
        currency: opt string,
        source: string,
        detail: string,
        receipt_id: uuid,
        recorded_at: moment,
    }
    from { id: uuid } READ = "facts_select" "facts_read";
    from { id: uuid } SUBSCRIPTION_READ = "subscription_facts_select" "subscription_facts_read";
}

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

impl Tx {
    /// Adds facts; returns the payments that gained at least one. A fact that is there already adds nothing.
    pub async fn add_facts(&mut self, rows: &[FactRow], now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let inputs = rows.iter().map(|row| input(row.payment, &row.named, &row.fact, row.receipt, now));
        let inputs = inputs.collect::<Result<_, _>>()?;
        self.insert_facts(&INSERT, inputs).await
    }

    /// All facts of these payments.
    pub async fn facts_of(&mut self, payments: &[Uuid]) -> Result<Vec<StoredFact<PaymentKind>>, StoreError> {
        let records: Vec<Record> = self.gather(&READ, &id_rows(payments)).await?;
        records.into_iter().map(|record| record.read("payment_facts")).collect()
    }

    /// Moves facts between payments. What is there already is not doubled.
    pub async fn move_facts(&mut self, moves: &[FactMove]) -> Result<(), StoreError> {
        let rows: Vec<MoveInput<'_>> = moves
            .iter()
            .map(|one| MoveInput { source_id: one.from.into(), target_id: one.to.into(), named: &one.named })
            .collect();
        self.execute(&MOVE, &rows).await?;
        self.execute(&UNNAME, &rows).await?;
        Ok(())
    }

    /// Takes facts out: for a rebuild that found no receipt to say them. Never on the way of a delivery.
    pub async fn drop_facts(&mut self, facts: &[(Uuid, FactKey)]) -> Result<(), StoreError> {
        self.execute(&DROP, &keys(facts)).await?;
        Ok(())
    }

    /// The same for subscriptions.
    pub async fn drop_subscription_facts(&mut self, facts: &[(Uuid, FactKey)]) -> Result<(), StoreError> {
        self.execute(&SUBSCRIPTION_DROP, &keys(facts)).await?;
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
        let records: Vec<Record> = self.gather(&SUBSCRIPTION_READ, &id_rows(subscriptions)).await?;
        records.into_iter().map(|record| record.read("subscription_facts")).collect()
    }

    async fn insert_facts(
        &mut self,
        statement: &Statement,
        mut rows: Vec<FactInput<'_>>,
    ) -> Result<Vec<Uuid>, StoreError> {
        rows.sort_by_key(|row| (row.owner, row.fact_key));
        rows.dedup_by_key(|row| (row.owner, row.fact_key));
        let gained: Vec<(Uuid,)> = self.fetch(statement, &rows).await?;
        let mut gained: Vec<Uuid> = gained.into_iter().map(|(id,)| id).collect();
        gained.sort_unstable();
        gained.dedup();
        Ok(gained)
    }
}

fn keys(facts: &[(Uuid, FactKey)]) -> Vec<KeyInput> {
    let row = |(owner, key): &(Uuid, FactKey)| KeyInput { owner: (*owner).into(), fact_key: key.0.into() };
    facts.iter().map(row).collect()
}

fn input<'a, K: Kind>(
    owner: Uuid,
    named: &'a str,
    fact: &'a Fact<K>,
    receipt: Uuid,
    now: Timestamp,
) -> Result<FactInput<'a>, StoreError> {
    Ok(FactInput {
        owner: owner.into(),
        fact_key: fact.key().0.into(),
        named,
        family: fact.kind.family(),
        op: &fact.op,
        kind: fact.kind.word(),
        at: fact.at.map(Moment::from),
        op_at: fact.op_at.map(Moment::from),
        amount: fact.amount.map(Amount::minor),
        currency: fact.currency.as_ref().map(Currency::as_str),
        source: fact.source.as_str(),
        detail: detail_json(&fact.detail)?,
        receipt_id: receipt.into(),
        now: now.into(),
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
        let time = |column, at: Option<Moment>| at.map(|at| at.read(table, column)).transpose();
        let amount = self
            .amount
            .map(|minor| Amount::new(minor).map_err(|_| StoreError::unreadable(table, "amount", &minor.to_string())))
            .transpose()?;
        let fact = Fact::new(kind, &self.op, time("at", self.at)?, word::<Source>(table, "source", &self.source)?)
            .counted_from(time("op_at", self.op_at)?)
            .money(amount, currency(table, self.currency.as_deref())?)
            .detail(read_detail(table, &self.detail)?);
        Ok(StoredFact {
            owner: self.owner.into(),
            named: self.named.into(),
            key: FactKey(self.fact_key.bytes()),
            fact,
            receipt: self.receipt_id.into(),
            recorded_at: self.recorded_at.read(table, "recorded_at")?,
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

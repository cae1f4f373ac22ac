//! What was said together of who somebody is: a register a row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use afluente_model::identity::{GatewayCustomer, Identity};
use afluente_model::{AccountName, MerchantName, Timestamp};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::{Hex, Moment};
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::people::value::{Value, ValueInput};
use crate::rows::{records, rows};

const TABLE: &str = "identities";

rows! {
    struct IdentityInput<'a> {
        key: key,
        account: text,
        tenant: text,
        provider_customer_id: text,
        document: text,
        email: text,
        own: flag,
        at: opt moment,
        name: opt text,
        name_at: opt moment,
        phone: opt text,
        phone_at: opt moment,
        now: moment,
    }
    JOIN = "people/identities_join";
}

rows! {
    struct KeyInput {
        key: key,
    }
    FOLLOWERS = "people/followers";
    SETTLED = "people/identities_settled";
}

rows! {
    pub(crate) struct CustomerInput<'a> {
        account: text,
        tenant: text,
        provider_customer_id: text,
    }
}

records! {
    pub(crate) struct Record {
        key: key,
        merchant: string,
        account: string,
        tenant: string,
        provider_customer_id: string,
        document: string,
        email: string,
        own: flag,
        at: opt moment,
        customer_id: opt uuid,
    }
    from { key: key } BY_KEY = "people/identities_select" "people/identities_by_key", lock identities;
    from { account: text, tenant: text, provider_customer_id: text }
    BY_CUSTOMER = "people/identities_select" "people/identities_by_customer";
    from { merchant: text, value: text } BY_DOCUMENT = "people/identities_select" "people/identities_by_document";
    from { merchant: text, value: text } BY_EMAIL = "people/identities_select" "people/identities_by_email";
}

/// The key of an identity: a hash of whose it is and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityKey(pub [u8; 16]);

impl fmt::Display for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_bytes(self.0).simple())
    }
}

/// An identity as the ledger holds it.
#[derive(Clone, Debug)]
pub struct IdentityRow {
    /// Its key.
    pub key: IdentityKey,
    /// The merchant.
    pub merchant: MerchantName,
    /// The account it was said to.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// What was said.
    pub identity: Identity,
    /// The person, once assigned.
    pub customer: Option<Uuid>,
}

/// What a claim says of who somebody is; nothing of when.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SaidBy<'a> {
    account: &'a str,
    tenant: &'a str,
    customer: &'a str,
    document: &'a str,
    email: &'a str,
}

/// The identity in a claim; of several values of one kind the smallest, so that their order does not matter.
pub(crate) fn said_by<'a>(row: &ClaimRow<'a>) -> Option<SaidBy<'a>> {
    let of = |kind: &str| row.claims.iter().filter(|(claim, _)| *claim == kind).map(|(_, value)| *value).min();
    let customer = if row.subject_kind == "customer" { Some(row.subject_id) } else { of("customer") };
    let said = SaidBy {
        account: row.account.as_str(),
        tenant: row.tenant,
        customer: customer.unwrap_or_default(),
        document: of("document").unwrap_or_default(),
        email: of("email").unwrap_or_default(),
    };
    let is_said =
        !matches!(row.subject_kind, "account" | "decision") && [said.customer, said.document, said.email] != [""; 3];
    is_said.then_some(said)
}

impl SaidBy<'_> {
    pub(crate) fn names_customer(&self) -> bool {
        !self.customer.is_empty()
    }

    pub(crate) fn names_document(&self) -> bool {
        !self.document.is_empty()
    }

    pub(crate) fn key(&self) -> IdentityKey {
        IdentityKey(key_of([self.account, self.tenant, self.customer, self.document, self.email].into_iter()))
    }
}

/// A text with the newest time it was said at.
fn newest<'a>(
    one: (Option<&'a str>, Option<Moment>),
    other: (Option<&'a str>, Option<Moment>),
) -> (Option<&'a str>, Option<Moment>) {
    match (one.0, other.0) {
        (Some(_), None) => one,
        (None, _) => other,
        (Some(text), Some(other_text)) => {
            if (other.1, other_text) > (one.1, text) {
                other
            } else {
                one
            }
        }
    }
}

fn input<'a>(row: &ClaimRow<'a>, said: SaidBy<'a>, now: Timestamp) -> IdentityInput<'a> {
    let of = |kind: &str| row.claims.iter().filter(|(claim, _)| *claim == kind).map(|(_, value)| *value).max();
    let at = row.at.map(Moment::from);
    let (name, phone) = (of("name"), of("phone"));
    IdentityInput {
        key: said.key().0.into(),
        account: said.account,
        tenant: said.tenant,
        provider_customer_id: said.customer,
        document: said.document,
        email: said.email,
        own: row.subject_kind == "customer",
        at,
        name,
        name_at: name.and(at),
        phone,
        phone_at: phone.and(at),
        now: now.into(),
    }
}

/// The join of two registers of one identity.
fn join<'a>(one: &mut IdentityInput<'a>, other: &IdentityInput<'a>) {
    one.own |= other.own;
    one.at = one.at.max(other.at);
    (one.name, one.name_at) = newest((one.name, one.name_at), (other.name, other.name_at));
    (one.phone, one.phone_at) = newest((one.phone, one.phone_at), (other.phone, other.phone_at));
}

impl Tx {
    /// Joins what claims say into the identities; gives those that changed or have nobody yet. Nobody else changes these until
    /// this unit of work ends.
    pub(crate) async fn join_identities(
        &mut self,
        rows: &[ClaimRow<'_>],
        now: Timestamp,
    ) -> Result<Vec<IdentityRow>, StoreError> {
        let mut joined: BTreeMap<IdentityKey, IdentityInput<'_>> = BTreeMap::new();
        for row in rows {
            let Some(said) = said_by(row) else { continue };
            let new = input(row, said, now);
            joined.entry(said.key()).and_modify(|one| join(one, &new)).or_insert(new);
        }
        let inputs: Vec<IdentityInput<'_>> = joined.into_values().collect();
        read(self.fetch(&JOIN, &inputs).await?)
    }

    /// These identities, which nobody else changes until this unit of work ends.
    pub async fn identities(&mut self, keys: &[IdentityKey]) -> Result<Vec<IdentityRow>, StoreError> {
        let rows: Vec<KeyInput> = keys.iter().map(|key| KeyInput { key: key.0.into() }).collect();
        read(self.gather(&BY_KEY, &rows).await?)
    }

    /// Of these identities those that are all there is of a customer whose row says what they say: a newer time of one of them
    /// changes nothing. To be asked under the locks of the gateways' customers they name.
    pub async fn settled_identities(&mut self, keys: &[IdentityKey]) -> Result<BTreeSet<IdentityKey>, StoreError> {
        let rows: Vec<KeyInput> = keys.iter().map(|key| KeyInput { key: key.0.into() }).collect();
        let settled: Vec<(Hex<16>,)> = self.fetch(&SETTLED, &rows).await?;
        Ok(settled.into_iter().map(|(key,)| IdentityKey(key.bytes())).collect())
    }

    /// How many payments and how many subscriptions follow each of these.
    pub async fn followers_of(&mut self, keys: &[IdentityKey]) -> Result<BTreeMap<IdentityKey, [i64; 2]>, StoreError> {
        let rows: Vec<KeyInput> = keys.iter().map(|key| KeyInput { key: key.0.into() }).collect();
        let counted: Vec<(Hex<16>, i64, i64)> = self.fetch(&FOLLOWERS, &rows).await?;
        let one =
            |(key, payments, subscriptions): (Hex<16>, i64, i64)| (IdentityKey(key.bytes()), [payments, subscriptions]);
        Ok(counted.into_iter().map(one).collect())
    }

    /// All identities that name these customers of gateways.
    pub async fn identities_of_customers(
        &mut self,
        customers: &[&GatewayCustomer],
    ) -> Result<Vec<IdentityRow>, StoreError> {
        let rows: Vec<CustomerInput<'_>> = customers.iter().map(|customer| CustomerInput::from(*customer)).collect();
        read(self.gather(&BY_CUSTOMER, &rows).await?)
    }

    /// All identities with these documents.
    pub async fn identities_with_documents(&mut self, values: &[Value]) -> Result<Vec<IdentityRow>, StoreError> {
        let rows: Vec<ValueInput<'_>> = values.iter().map(ValueInput::from).collect();
        read(self.gather(&BY_DOCUMENT, &rows).await?)
    }

    /// All identities with these addresses.
    pub async fn identities_with_emails(&mut self, values: &[Value]) -> Result<Vec<IdentityRow>, StoreError> {
        let rows: Vec<ValueInput<'_>> = values.iter().map(ValueInput::from).collect();
        read(self.gather(&BY_EMAIL, &rows).await?)
    }
}

impl<'a> From<&'a GatewayCustomer> for CustomerInput<'a> {
    fn from(customer: &'a GatewayCustomer) -> CustomerInput<'a> {
        CustomerInput {
            account: customer.account.as_str(),
            tenant: &customer.tenant,
            provider_customer_id: &customer.id,
        }
    }
}

fn read(records: Vec<Record>) -> Result<Vec<IdentityRow>, StoreError> {
    records.into_iter().map(IdentityRow::try_from).collect()
}

/// An account's name in a column of this table.
pub(crate) fn account(table: &'static str, text: &str) -> Result<AccountName, StoreError> {
    AccountName::parse(text).map_err(|_| StoreError::unreadable(table, "account", text))
}

/// A merchant's name in a column of this table.
pub(crate) fn merchant(table: &'static str, text: &str) -> Result<MerchantName, StoreError> {
    MerchantName::parse(text).map_err(|_| StoreError::unreadable(table, "merchant", text))
}

impl TryFrom<Record> for IdentityRow {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<IdentityRow, StoreError> {
        let said = |text: String| (!text.is_empty()).then(|| Box::from(text));
        let (account, tenant) = (account(TABLE, &row.account)?, Box::from(row.tenant));
        let named = |id| GatewayCustomer { account: account.clone(), tenant: Box::clone(&tenant), id };
        let identity = Identity {
            customer: said(row.provider_customer_id).map(named),
            document: said(row.document),
            email: said(row.email),
            at: row.at.map(|at| at.read(TABLE, "at")).transpose()?,
            is_own: row.own,
        };
        let merchant = merchant(TABLE, &row.merchant)?;
        let key = IdentityKey(row.key.bytes());
        Ok(IdentityRow { key, merchant, account, tenant, identity, customer: row.customer_id.map(Uuid::from) })
    }
}

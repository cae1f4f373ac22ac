//! Customers: people, found by what makes them the same.

use afluente_model::identity::PersonKey;
use afluente_model::{MerchantName, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::{Hex, Id};
use crate::error::StoreError;
use crate::people::identity::IdentityKey;
use crate::rows::rows;

rows! {
    struct CustomerInput<'a> {
        id: uuid,
        merchant: text,
        key_kind: text,
        key_value: string,
        document: opt text,
        now: moment,
    }
    INSERT = "people/customers_insert";
    FIND = "people/customers_find";
}

rows! {
    struct RefreshInput {
        id: uuid,
        merged_into: opt uuid,
        now: moment,
    }
    REFRESH = "people/customers_refresh";
}

rows! {
    struct AssignInput {
        key: key,
        customer_id: opt uuid,
    }
    ASSIGN = "people/identities_assign";
}

#[derive(FromRow)]
struct FoundRecord {
    id: Id,
    merchant: String,
    key_kind: String,
    key_value: String,
}

#[derive(FromRow)]
struct RefreshedRecord {
    id: Id,
    row_version: i64,
    merged_into: Option<Id>,
}

/// What makes a customer the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey {
    /// The merchant.
    pub merchant: MerchantName,
    /// The person.
    pub person: PersonKey,
}

/// A customer whose row became another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Its id.
    pub customer: Uuid,
    /// Counts its changes; 1 for a new one.
    pub row_version: i64,
    /// Where whoever it was went.
    pub merged_into: Option<Uuid>,
}

impl Tx {
    /// The ids of these customers, in the order of the keys; made where there is none yet.
    pub async fn customers(&mut self, keys: &[CustomerKey], now: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        let mut rows: Vec<CustomerInput<'_>> = keys.iter().map(|key| input(key, now)).collect();
        rows.sort_by(|one, other| {
            (one.merchant, one.key_kind, &one.key_value).cmp(&(other.merchant, other.key_kind, &other.key_value))
        });
        self.execute(&INSERT, &rows).await?;
        let found: Vec<FoundRecord> = self.fetch(&FIND, &rows).await?;
        let find = |key: &CustomerKey| {
            let value = key.person.value();
            let is = |row: &&FoundRecord| {
                row.key_value == value && row.key_kind == key.person.kind() && row.merchant == key.merchant.as_str()
            };
            let missed = StoreError::Missed { table: "customers", expected: keys.len(), got: found.len() };
            found.iter().find(is).map(|row| row.id.into()).ok_or(missed)
        };
        keys.iter().map(find).collect()
    }

    /// Says whose these identities are; nobody's where there is no customer.
    pub async fn assign_identities(&mut self, rows: &[(IdentityKey, Option<Uuid>)]) -> Result<(), StoreError> {
        let mut rows: Vec<AssignInput> = rows
            .iter()
            .map(|(key, customer)| AssignInput { key: Hex::from(key.0), customer_id: customer.map(Id::from) })
            .collect();
        rows.sort_unstable_by_key(|row| row.key);
        self.execute(&ASSIGN, &rows).await?;
        Ok(())
    }

    /// Writes what is known of these customers from their identities. One that has none any more is merged into the other it is
    /// given with. Gives those that changed.
    pub async fn refresh_customers(
        &mut self,
        customers: &[(Uuid, Option<Uuid>)],
        now: Timestamp,
    ) -> Result<Vec<Refreshed>, StoreError> {
        let mut rows: Vec<RefreshInput> = customers
            .iter()
            .map(|(id, into)| RefreshInput { id: (*id).into(), merged_into: into.map(Id::from), now: now.into() })
            .collect();
        rows.sort_unstable_by_key(|row| row.id);
        let changed: Vec<RefreshedRecord> = self.fetch(&REFRESH, &rows).await?;
        let refreshed = |row: RefreshedRecord| Refreshed {
            customer: row.id.into(),
            row_version: row.row_version,
            merged_into: row.merged_into.map(Uuid::from),
        };
        Ok(changed.into_iter().map(refreshed).collect())
    }
}

fn input(key: &CustomerKey, now: Timestamp) -> CustomerInput<'_> {
    let document = match &key.person {
        PersonKey::Document(document) => Some(&**document),
        PersonKey::Email(_) | PersonKey::Customer(_) => None,
    };
    CustomerInput {
        id: Uuid::now_v7().into(),
        merchant: key.merchant.as_str(),
        key_kind: key.person.kind(),
        key_value: key.person.value(),
        document,
        now: now.into(),
    }
}

//! Identities and the people they were given to, for a walk over all of them.

use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, fetch};
use crate::cell::{Hex, Id};
use crate::error::StoreError;
use crate::people::identity::{IdentityKey, IdentityRow, Record, account};
use crate::people::{Linked, Subject};
use crate::rows::{Statement, text};

static PAYMENT_LINKS: Statement =
    text!("report/payment_links" "people/payment_claimed" "people/greatest_claimed" "report/payment_links_after");
static SUBSCRIPTION_LINKS: Statement = text!(
    "report/subscription_links" "people/customer_subscription_claimed" "people/greatest_claimed" "report/subscription_links_after"
);
static PEOPLE_AFTER: Statement = text!("report/people_after");

#[derive(FromRow)]
struct PersonRecord {
    #[sqlx(flatten)]
    row: Record,
    key_kind: Option<String>,
    key_value: Option<String>,
}

/// An identity and whose it is.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// The identity.
    pub row: IdentityRow,
    /// What makes its person the same, as stored: kind and value; `None` where it is nobody's.
    pub person: Option<(String, String)>,
}

#[derive(FromRow)]
struct FollowRecord {
    id: Id,
    account: String,
    tenant: String,
    subject_id: String,
    identity: Option<Hex<16>>,
    claimed: Option<Hex<16>>,
}

/// Whom a payment or a subscription follows, and whom it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowView {
    /// Our id of its row.
    pub id: Uuid,
    /// The payment or subscription.
    pub subject: Subject,
    /// The identity it follows.
    pub follows: Option<IdentityKey>,
    /// The greatest of those that were claimed of it.
    pub claimed: Option<IdentityKey>,
}

impl Store {
    /// Payments or subscriptions after this one, in the order of their ids, each with whom it follows.
    pub async fn follows_after(&self, of: Linked, after: Uuid, limit: u32) -> Result<Vec<FollowView>, StoreError> {
        let limit = i64::from(limit);
        let records: Vec<FollowRecord> = match of {
            Linked::Payments => fetch!(self, fetch_all, PAYMENT_LINKS, after, limit)?,
            Linked::Subscriptions => fetch!(self, fetch_all, SUBSCRIPTION_LINKS, after, limit)?,
        };
        let view = |row: FollowRecord| {
            let subject = Subject {
                account: account("payments", &row.account)?,
                tenant: row.tenant.into(),
                id: row.subject_id.into(),
            };
            let key = |key: Option<Hex<16>>| key.map(|key| IdentityKey(key.bytes()));
            Ok(FollowView { id: row.id.into(), subject, follows: key(row.identity), claimed: key(row.claimed) })
        };
        records.into_iter().map(view).collect()
    }

    /// Identities after this one, in the order of their keys.
    pub async fn people_after(&self, after: IdentityKey, limit: u32) -> Result<Vec<PersonView>, StoreError> {
        let records: Vec<PersonRecord> = fetch!(self, fetch_all, PEOPLE_AFTER, after.0.to_vec(), i64::from(limit))?;
        let view = |record: PersonRecord| {
            Ok(PersonView { row: record.row.try_into()?, person: record.key_kind.zip(record.key_value) })
        };
        records.into_iter().map(view).collect()
    }
}

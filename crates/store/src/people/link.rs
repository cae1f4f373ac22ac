//! From payments and subscriptions to whoever is behind them.

use afluente_model::{AccountName, Timestamp};

use crate::backend::Tx;
use crate::error::StoreError;
use crate::people::identity::{IdentityKey, account};
use crate::rows::{records, rows};

rows! {
    struct SubjectInput<'a> {
        account: text,
        tenant: text,
        subject_id: text,
    }
}

rows! {
    struct LinkInput<'a> {
        account: text,
        tenant: text,
        subject_id: text,
        identity: opt key,
    }
    LINK_PAYMENTS = "people/payments_link";
    LINK_SUBSCRIPTIONS = "people/customer_subscriptions_link";
}

records! {
    struct Record {
        account: string,
        tenant: string,
        subject_id: string,
        identity: key,
        by_customer: flag,
        by_document: flag,
        at: opt moment,
    }
    from { account: text, tenant: text, subject_id: text } OF_PAYMENTS = "people/payments_claimed";
    from { account: text, tenant: text, subject_id: text } OF_SUBSCRIPTIONS = "people/customer_subscriptions_claimed";
}

/// What somebody is behind: a payment by any of its names, or a subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// The gateway's id.
    pub id: Box<str>,
}

/// An identity that was said of a subject. The greatest is the one it follows: a gateway's own customer before a document, that
/// before an address, and of several the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claimed {
    /// The subject, under the name that stays.
    pub subject: Subject,
    /// Whether it names a gateway's customer.
    pub by_customer: bool,
    /// Whether it names a document.
    pub by_document: bool,
    /// When it was said.
    pub at: Option<Timestamp>,
    /// The identity.
    pub identity: IdentityKey,
}

/// Which of the two is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// Payments.
    Payments,
    /// Subscriptions.
    Subscriptions,
}

impl Tx {
    /// Everything that was said of who is behind these, under all their names.
    pub async fn identities_claimed(&mut self, of: Linked, subjects: &[Subject]) -> Result<Vec<Claimed>, StoreError> {
        let rows: Vec<SubjectInput<'_>> = subjects
            .iter()
            .map(|one| SubjectInput { account: one.account.as_str(), tenant: &one.tenant, subject_id: &one.id })
            .collect();
        let statement = match of {
            Linked::Payments => &OF_PAYMENTS,
            Linked::Subscriptions => &OF_SUBSCRIPTIONS,
        };
        let records: Vec<Record> = self.gather(statement, &rows).await?;
        records.into_iter().map(Claimed::try_from).collect()
    }

    /// Lets each follow an identity, and with it whoever that is; or nobody.
    pub async fn link(&mut self, of: Linked, rows: &[(&Subject, Option<IdentityKey>)]) -> Result<(), StoreError> {
        let mut rows: Vec<LinkInput<'_>> = rows
            .iter()
            .map(|(one, identity)| LinkInput {
                account: one.account.as_str(),
                tenant: &one.tenant,
                subject_id: &one.id,
                identity: identity.map(|identity| identity.0.into()),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.subject_id));
        let statement = match of {
            Linked::Payments => &LINK_PAYMENTS,
            Linked::Subscriptions => &LINK_SUBSCRIPTIONS,
        };
        self.execute(statement, &rows).await?;
        Ok(())
    }
}

impl TryFrom<Record> for Claimed {
    type Error = StoreError;

    fn try_from(row: Record) -> Result<Claimed, StoreError> {
        let subject = Subject {
            account: account("identity_claims", &row.account)?,
            tenant: row.tenant.into(),
            id: row.subject_id.into(),
        };
        Ok(Claimed {
            subject,
            by_customer: row.by_customer,
            by_document: row.by_document,
            at: row.at.map(|at| at.read("identity_claims", "at")).transpose()?,
            identity: IdentityKey(row.identity.bytes()),
        })
    }
}

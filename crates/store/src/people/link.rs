//! From payments and subscriptions to whoever is behind them.

use std::collections::BTreeSet;

use afluente_model::AccountName;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    struct SubjectInput<'a> {
        account: text,
        tenant: text,
        subject_id: text,
    }
    LINK_PAYMENTS = "people/payments_subject" "people/payment_claimed" "people/greatest_claimed" "people/payments_link";
    LINK_SUBSCRIPTIONS = "people/customer_subscriptions_subject" "people/customer_subscription_claimed" "people/greatest_claimed"
        "people/customer_subscriptions_link";
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

/// Which of the two is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// Payments.
    Payments,
    /// Subscriptions.
    Subscriptions,
}

impl Tx {
    /// Lets each follow the greatest of the identities that were claimed of it under all its names, and with it whoever that is: a
    /// gateway's own customer before a document, that before an address, and of several the newest. Nobody where none was.
    pub async fn link(&mut self, of: Linked, subjects: &BTreeSet<Subject>) -> Result<(), StoreError> {
        let rows: Vec<SubjectInput<'_>> = subjects
            .iter()
            .map(|one| SubjectInput { account: one.account.as_str(), tenant: &one.tenant, subject_id: &one.id })
            .collect();
        let statement = match of {
            Linked::Payments => &LINK_PAYMENTS,
            Linked::Subscriptions => &LINK_SUBSCRIPTIONS,
        };
        self.execute(statement, &rows).await?;
        Ok(())
    }
}

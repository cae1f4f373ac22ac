//! From payments and subscriptions to whoever is behind them.

use std::collections::{BTreeSet, HashMap};

use afluente_model::AccountName;

use crate::backend::Tx;
use crate::claim::ClaimRow;
use crate::error::StoreError;
use crate::payment::PaymentKey;
use crate::people::identity::IdentityKey;
use crate::people::owner::Owner;
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

/// Of each payment these claims are of, by the name they use, the greatest identity among them.
#[must_use]
pub fn claimed_of_payments(claims: &[ClaimRow<'_>]) -> HashMap<PaymentKey, IdentityKey> {
    let mut greatest: HashMap<PaymentKey, Owner> = HashMap::new();
    for claim in claims.iter().filter(|claim| claim.subject_kind == "payment") {
        let key =
            PaymentKey { account: claim.account.clone(), tenant: claim.tenant.into(), id: claim.subject_id.into() };
        let owner = Owner::of(claim);
        greatest.entry(key).and_modify(|held| *held = owner.max(*held)).or_insert(owner);
    }
    let identity = |(key, owner): (PaymentKey, Owner)| Some((key, IdentityKey(owner.identity?.bytes())));
    greatest.into_iter().filter_map(identity).collect()
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

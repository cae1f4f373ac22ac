//! Whoever is behind what a batch speaks of: recomputes only what its identities touch, and ends where
//! [`afluente_model::identity::assign`] over everything would.
//!
//! What makes that possible: a person follows from an identity's own values, from what is known of the gateway's customer it
//! names, and from whose its address is. So a change travels from an identity to its customer, from both to their addresses, from
//! an address that changed hands to those who have nothing else, and no further.

mod assignment;
mod census;

use std::collections::{BTreeMap, BTreeSet};

use afluente_model::Timestamp;
use afluente_store::people::{IdentityKey, Linked, Subject};
use afluente_store::{ClaimRow, StoreError, Tx};

use crate::entry::Entry;
use crate::followup::Followups;
use census::Census;

/// What a batch says of people.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Identities of which something is new.
    pub(crate) identities: Vec<IdentityKey>,
    /// Payments of which somebody is claimed, or that got another name.
    pub(crate) payments: BTreeSet<Subject>,
    /// Subscriptions of which somebody is claimed.
    pub(crate) subscriptions: BTreeSet<Subject>,
}

impl Touched {
    /// By the claims and names of these entries.
    pub(crate) fn of(entries: &[Entry<'_>], claims: &[ClaimRow<'_>], identities: Vec<IdentityKey>) -> Touched {
        let of = |kind: &str| claims.iter().filter(move |claim| claim.subject_kind == kind).map(subject).collect();
        let mut touched = Touched { identities, payments: of("payment"), subscriptions: of("subscription") };
        let renamed =
            entries.iter().flat_map(|entry| entry.reading.aliases.iter().map(|alias| (entry.account, &alias.alias)));
        touched.payments.extend(renamed.map(|(account, named)| Subject {
            account: account.clone(),
            tenant: named.tenant.as_ref().map_or("", |tenant| tenant.as_str()).into(),
            id: named.id.as_str().into(),
        }));
        touched
    }
}

fn subject(claim: &ClaimRow<'_>) -> Subject {
    Subject { account: claim.account.clone(), tenant: claim.tenant.into(), id: claim.subject_id.into() }
}

/// Assigns people anew where something is new, and lets payments and subscriptions follow what is claimed of them.
pub(crate) async fn write(
    tx: &mut Tx,
    touched: &Touched,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    if !touched.identities.is_empty() {
        let mut census = Census::take(tx, &touched.identities, now).await?;
        census.settle_emails(tx).await?;
        assignment::write(tx, &census, now, followups).await?;
    }
    link(tx, Linked::Payments, &touched.payments).await?;
    link(tx, Linked::Subscriptions, &touched.subscriptions).await
}

/// Each follows the greatest of the identities that were claimed of it.
async fn link(tx: &mut Tx, of: Linked, subjects: &BTreeSet<Subject>) -> Result<(), StoreError> {
    let subjects: Vec<Subject> = subjects.iter().cloned().collect();
    let mut claimed = tx.identities_claimed(of, &subjects).await?;
    claimed.sort_unstable();
    let chosen: BTreeMap<&Subject, IdentityKey> = claimed.iter().map(|one| (&one.subject, one.identity)).collect();
    tx.link(of, &chosen.into_iter().collect::<Vec<_>>()).await
}

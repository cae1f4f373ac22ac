//! Whoever is behind what a batch speaks of: recomputes only what its identities touch, and ends where
//! [`afluente_model::identity::assign`] over everything would.
//!
//! What makes that possible: a person follows from an identity's own values, from what is known of the gateway's customer it
//! names, and from whose its address is. So a change travels from an identity to its customer, from both to their addresses, from
//! an address that changed hands to those who have nothing else, and no further.

mod assignment;
mod census;

use std::collections::BTreeSet;

use afluente_model::identity::Decided;
use afluente_model::{AccountName, Timestamp, chain};
use afluente_store::people::{DecisionRow, IdentityKey, IdentityRow, Linked, Subject};
use afluente_store::{
    ClaimRow, GapReason, GapSubject, GapTarget, Moving, PaymentKey, Register, StoreError, SubscriptionKey, Switch,
    Switches, Tx,
};
use tracing::warn;
use uuid::Uuid;

use crate::entry::{Entry, SubscribedFact};
use crate::followup::Followups;
use crate::measure;
pub(crate) use assignment::Moved;
use census::Census;

/// What a batch says of people.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Identities of which something is new, held by this unit of work.
    pub(crate) identities: Vec<IdentityRow>,
    /// Decisions that are new.
    pub(crate) decisions: Vec<DecisionRow>,
    /// Payments of which somebody is claimed, or whose row or names may be new.
    pub(crate) payments: BTreeSet<Subject>,
    /// Subscriptions of which somebody is claimed, or whose row may be new.
    pub(crate) subscriptions: BTreeSet<Subject>,
    /// All of it by what it is about, with a receipt that says so, for the case that it cannot be written now.
    subjects: Vec<(GapSubject, Uuid)>,
}

impl Touched {
    /// By the claims and names of these entries.
    pub(crate) fn of(entries: &[Entry<'_>], claims: &[ClaimRow<'_>], moving: Moving) -> Touched {
        let of = |kind: &str| claims.iter().filter(move |claim| claim.subject_kind == kind).map(subject).collect();
        let mut touched = Touched {
            identities: moving.identities,
            decisions: moving.decisions,
            payments: of("payment"),
            subscriptions: of("subscription"),
            subjects: claims.iter().map(|claim| (gap(&subject(claim), claim.subject_kind), claim.receipt)).collect(),
        };
        // Whoever was claimed before there was a row to link is linked when there is one.
        for entry in entries {
            for PaymentKey { account, tenant, id } in entry.names() {
                let named = Subject { account, tenant, id };
                touched.subjects.push((gap(&named, "payment"), entry.receipt));
                touched.payments.insert(named);
            }
            for SubscribedFact { key, receipt, .. } in entry.subscription_facts() {
                let SubscriptionKey { account, tenant, id } = key;
                let named = Subject { account, tenant, id };
                touched.subjects.push((gap(&named, "subscription"), receipt));
                touched.subscriptions.insert(named);
            }
        }
        touched
    }

    /// Without those for whom nothing is written; and of those in shadow without what would follow them.
    pub(crate) fn only(mut self, switches: &Switches, claims: &[ClaimRow<'_>]) -> Touched {
        if *switches == Switches::all(Switch::On) {
            return self;
        }
        let off = |account: &AccountName| switches.of(account) == Switch::Off;
        let silent: BTreeSet<IdentityKey> = claims
            .iter()
            .filter(|claim| off(claim.account))
            .flat_map(Register::rows_of)
            .filter(|(register, _)| *register == Register::Identities)
            .map(|(_, key)| IdentityKey(key))
            .collect();
        self.identities.retain(|row| !silent.contains(&row.key));
        self.decisions.retain(|one| matches!(one.of, Decided::Email(_)) || !off(&one.account));
        self.payments.retain(|subject| switches.of(&subject.account) == Switch::On);
        self.subscriptions.retain(|subject| switches.of(&subject.account) == Switch::On);
        self.subjects.retain(|(subject, _)| !off(&subject.account));
        self
    }

    /// What has to be linked anew, by kind, account, sub-account and id.
    pub(crate) fn linked(subjects: &[[String; 4]]) -> Touched {
        let mut touched = Touched::default();
        for [kind, account, tenant, id] in subjects {
            let Ok(account) = AccountName::parse(account) else { continue };
            let subject = Subject { account, tenant: tenant.as_str().into(), id: id.as_str().into() };
            let of = if kind == "payment" { &mut touched.payments } else { &mut touched.subscriptions };
            of.insert(subject);
        }
        touched
    }

    /// What is behind gaps, to be made again.
    pub(crate) fn again(
        subjects: &[&GapSubject],
        identities: Vec<IdentityRow>,
        decisions: Vec<DecisionRow>,
    ) -> Touched {
        let of = |kind: &str| {
            let named = subjects.iter().filter(|one| &*one.kind == kind);
            named
                .map(|one| Subject { account: one.account.clone(), tenant: one.tenant.clone(), id: one.id.clone() })
                .collect()
        };
        let (payments, subscriptions) = (of("payment"), of("subscription"));
        Touched { identities, decisions, payments, subscriptions, subjects: Vec::new() }
    }
}

fn subject(claim: &ClaimRow<'_>) -> Subject {
    Subject { account: claim.account.clone(), tenant: claim.tenant.into(), id: claim.subject_id.into() }
}

fn gap(subject: &Subject, kind: &str) -> GapSubject {
    let Subject { account, tenant, id } = subject.clone();
    GapSubject { account, tenant, kind: kind.into(), id }
}

/// Writes what a batch says of people as a part of its own: it may fail, and costs no fact. What failed is a gap, to be made again
/// from the claims.
pub(crate) async fn write_apart(
    tx: &mut Tx,
    touched: &Touched,
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    if touched.subjects.is_empty() {
        return Ok(());
    }
    tx.begin_part().await?;
    let written = async {
        write(tx, touched, now, &mut followups).await?;
        followups.save(tx, now).await
    }
    .await;
    let Err(error) = tx.end_part(written).await? else { return Ok(()) };
    let (class, detail) = (error.class(), chain(&error));
    warn!(subjects = touched.subjects.len(), error = %detail, "Customers could not be written; noted as gaps and made again");
    measure::gaps(GapTarget::Customers, class, touched.subjects.len());
    let why = GapReason { target: GapTarget::Customers, reason: class.as_str(), detail: &detail };
    tx.open_gaps(&touched.subjects, why, now).await
}

/// Assigns people anew where something is new, and lets payments and subscriptions follow what is claimed of them. Gives who
/// went to another person.
pub(crate) async fn write(
    tx: &mut Tx,
    touched: &Touched,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<Vec<Moved>, StoreError> {
    let mut moved = Vec::new();
    if !touched.identities.is_empty() || !touched.decisions.is_empty() {
        let mut census = Census::take(tx, &touched.identities, &touched.decisions, now).await?;
        census.settle_emails(tx).await?;
        moved = assignment::write(tx, &census, now, followups).await?;
    }
    tx.link(Linked::Payments, &touched.payments).await?;
    tx.link(Linked::Subscriptions, &touched.subscriptions).await?;
    Ok(moved)
}

/// Takes these identities from whoever has them, and gives them to whom the law says.
pub(crate) async fn assign_anew(
    tx: &mut Tx,
    identities: Vec<IdentityKey>,
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    let nobody: Vec<_> = identities.iter().map(|key| (*key, None)).collect();
    tx.assign_identities(&nobody).await?;
    let identities = tx.identities(&identities).await?;
    write(tx, &Touched { identities, ..Touched::default() }, now, &mut followups).await?;
    followups.save(tx, now).await
}

/// Lets everybody go where these decisions no longer put them: they are gone, or others.
pub(crate) async fn decided_anew(
    tx: &mut Tx,
    decisions: Vec<DecisionRow>,
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    write(tx, &Touched { decisions, ..Touched::default() }, now, &mut followups).await?;
    followups.save(tx, now).await
}

/// Writes customers anew that lost identities which are no more.
pub(crate) async fn lost(
    tx: &mut Tx,
    customers: &BTreeSet<Uuid>,
    now: Timestamp,
    mut followups: Followups,
) -> Result<(), StoreError> {
    let customers: Vec<Uuid> = customers.iter().copied().collect();
    let rows: Vec<(Uuid, Option<Uuid>)> = customers.iter().map(|customer| (*customer, None)).collect();
    for one in tx.refresh_customers(&rows, now).await? {
        followups.customer_changed(&one);
    }
    let unnamed = tx.unnamed_of(&customers).await?;
    tx.save_unnamed(&customers, &unnamed, now).await?;
    followups.save(tx, now).await
}

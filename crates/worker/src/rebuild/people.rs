//! Whether everybody is who the law over everything says, and every payment and subscription follows whom it should.

use std::collections::BTreeMap;

use afluente_model::MerchantName;
use afluente_model::identity::{Decisions, Identity, assign};
use afluente_store::people::{IdentityKey, Linked, Subject};
use afluente_store::report::{FollowView, PersonView};
use afluente_store::{Store, StoreError, Switch};
use uuid::Uuid;

use super::{PAGE, Report};

/// Compares every identity's person. All identities of the ledger are held in memory: some 200 bytes each.
pub(super) async fn compare(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let mut by_merchant: BTreeMap<MerchantName, Vec<PersonView>> = BTreeMap::new();
    let mut after = IdentityKey([0; 16]);
    loop {
        let rows = store.people_after(after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.row.key;
        for one in rows {
            by_merchant.entry(one.row.merchant.clone()).or_default().push(one);
        }
    }
    let mut decisions: BTreeMap<MerchantName, Decisions> = BTreeMap::new();
    for one in store.all_decisions().await? {
        decisions.entry(one.merchant).or_default().add(one.of, one.at, one.verdict);
    }
    for (merchant, rows) in &by_merchant {
        report.identities += rows.len() as u64;
        let identities: Vec<Identity> = rows.iter().map(|one| one.row.identity.clone()).collect();
        let decided = decisions.remove(merchant).unwrap_or_default();
        for (one, person) in rows.iter().zip(assign(&identities, &decided)) {
            if store.customers_of().of(&one.row.account) == Switch::Off {
                continue;
            }
            let person = person.map(|person| (person.kind().to_owned(), person.value()));
            if one.person != person {
                // Who it is stays in the ledger: a report is printed.
                let kind = |person: &Option<(String, String)>| {
                    person.as_ref().map_or_else(|| "nobody".to_owned(), |(kind, _)| format!("a person by {kind}"))
                };
                let name = format!("identity {}", one.row.key);
                report.differs(&name, "customer", kind(&one.person), kind(&person));
                report.plan.assign(one.row.key);
            }
        }
    }
    Ok(())
}

/// Compares whom every payment and subscription follows with what was claimed of it.
pub(super) async fn compare_links(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    for (of, kind) in [(Linked::Payments, "payment"), (Linked::Subscriptions, "subscription")] {
        let mut after = Uuid::nil();
        loop {
            let rows = store.follows_after(of, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            report.links += rows.len() as u64;
            let is_followed = |one: &FollowView| store.customers_of().of(&one.subject.account) == Switch::On;
            for one in rows.into_iter().filter(|one| is_followed(one) && one.follows != one.claimed) {
                let Subject { account, tenant, id } = &one.subject;
                let name = format!("{kind} {account}/{}{id}", super::tenant(tenant));
                let shown = |key: Option<IdentityKey>| key.map_or_else(|| "nobody".to_owned(), |key| key.to_string());
                report.differs(&name, "identity", shown(one.follows), shown(one.claimed));
                report.plan.link(kind, &one.subject);
            }
        }
    }
    Ok(())
}

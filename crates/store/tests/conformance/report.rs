//! What people look at reads the same from both databases, with every filter and with none.

use afluente_model::SubscriptionBase;
use afluente_store::report::{EventFilter, InconsistencyFilter, SubscriptionFilter};
use afluente_store::{EventRow, Inconsistency, SubscriptionKey, UnknownWordRow};
use uuid::Uuid;

use super::content::{account, at, claim, key, payment, stored_receipt};
use crate::site::site;

#[tokio::test]
async fn inconsistencies_are_found_by_every_filter_and_resolved_once() {
    let site = site().await;
    let one = |kind: &'static str| Inconsistency {
        id: Uuid::now_v7(),
        kind,
        fingerprint: kind.to_owned(),
        account: account("shop"),
        entity: "payment pi_1".to_owned(),
        detail: "Two words of one second.".to_owned(),
    };
    let mut tx = site.store.begin().await.unwrap();
    let rows = [one("first"), one("second"), one("third")];
    tx.report_inconsistencies(&rows, at(1)).await.unwrap();
    let ids = [rows[0].id];
    assert_eq!(tx.resolve_inconsistencies(&ids, "ana", "looked at", at(2)).await.unwrap(), [rows[0].id]);
    assert!(tx.resolve_inconsistencies(&ids, "bia", "again", at(3)).await.unwrap().is_empty());
    tx.settle_inconsistencies(&["third".to_owned(), "nobody".to_owned()], "worker", "explained", at(4)).await.unwrap();
    tx.commit().await.unwrap();
    let all = InconsistencyFilter { resolved: true, limit: 10, ..InconsistencyFilter::default() };
    let found = |filter: InconsistencyFilter| {
        let store = site.store.clone();
        async move {
            let found = store.inconsistencies(&filter).await.unwrap();
            let mut kinds: Vec<String> = found.into_iter().map(|one| one.kind).collect();
            kinds.sort_unstable();
            kinds
        }
    };
    assert_eq!(found(InconsistencyFilter { resolved: false, ..all.clone() }).await, ["second"]);
    assert_eq!(found(all.clone()).await, ["first", "second", "third"]);
    assert_eq!(found(InconsistencyFilter { kind: Some("first".into()), ..all.clone() }).await, ["first"]);
    assert!(found(InconsistencyFilter { account: Some("other".into()), ..all.clone() }).await.is_empty());
    let by_id = InconsistencyFilter { id: Some(rows[0].id), resolved: false, ..all };
    let shown = site.store.inconsistencies(&by_id).await.unwrap().remove(0);
    assert_eq!((shown.resolved_at, shown.resolved_by.as_deref()), (Some(at(2)), Some("ana")));
}

#[tokio::test]
async fn events_are_found_by_every_filter_with_the_gateway_s_id_of_what_they_are_of() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let of_payment = payment(&mut tx, &key("shop", "", "pi_1")).await.id;
    let of_subscription = Uuid::now_v7();
    let named = SubscriptionKey { account: account("shop"), tenant: "".into(), id: "sub_1".into() };
    tx.lock_subscriptions(&[(named, of_subscription)], at(1)).await.unwrap();
    let event = |entity_type, entity, actor: &str| EventRow {
        id: Uuid::now_v7(),
        entity_type,
        entity,
        row_version: 1,
        kind: "created",
        detail: "{}".to_owned(),
        receipt: None,
        actor: actor.into(),
    };
    tx.add_events(&[event("payment", of_payment, "worker"), event("subscription", of_subscription, "ana")], at(5))
        .await
        .unwrap();
    tx.add_events(&[event("dead_letter", Uuid::now_v7(), "ana")], at(9)).await.unwrap();
    tx.commit().await.unwrap();
    let all = EventFilter { limit: 10, ..EventFilter::default() };
    let references = |filter: EventFilter| {
        let store = site.store.clone();
        async move {
            let found = store.events(&filter).await.unwrap();
            found.into_iter().map(|one| one.reference.unwrap_or(one.entity_type)).collect::<Vec<_>>()
        }
    };
    assert_eq!(references(all.clone()).await, ["dead_letter", "sub_1", "pi_1"]);
    assert_eq!(references(EventFilter { entity_type: Some("payment".into()), ..all.clone() }).await, ["pi_1"]);
    assert_eq!(references(EventFilter { actor: Some("ana".into()), limit: 1, ..all.clone() }).await, ["dead_letter"]);
    assert_eq!(references(EventFilter { since: Some(at(6)), ..all.clone() }).await, ["dead_letter"]);
    assert!(references(EventFilter { kind: Some("merged".into()), ..all }).await.is_empty());
}

#[tokio::test]
async fn subscriptions_claims_and_unknown_words_are_found() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let named =
        |id: &str| (SubscriptionKey { account: account("shop"), tenant: "".into(), id: id.into() }, Uuid::now_v7());
    tx.lock_subscriptions(&[named("sub_1"), named("sub_2")], at(1)).await.unwrap();
    let shop = account("shop");
    let claim = |kind, id, claims| claim(&shop, receipt, kind, id, claims);
    let claims = [
        claim("customer", "cus_1", vec![("email", "a@example.com"), ("name", "Ana")]),
        claim("payment", "pi_1", vec![("customer", "cus_1")]),
        claim("payment", "pi_2", vec![("customer", "cusx1")]),
        claim("account", "acct_1", vec![("access", "ended")]),
    ];
    tx.add_claims(&claims, at(2)).await.unwrap();
    let word = UnknownWordRow { account: account("shop"), field: "charge.status", word: "odd".into(), receipt };
    tx.count_unknown_words(&[word], at(3)).await.unwrap();
    tx.commit().await.unwrap();
    let all = SubscriptionFilter { limit: 10, ..SubscriptionFilter::default() };
    let of = |base| SubscriptionFilter { account: Some("shop".into()), base: Some(base), ..all.clone() };
    assert_eq!(site.store.subscriptions(&all).await.unwrap().len(), 2);
    assert_eq!(site.store.subscriptions(&of(SubscriptionBase::Unknown)).await.unwrap().len(), 2);
    assert!(site.store.subscriptions(&of(SubscriptionBase::Active)).await.unwrap().is_empty());
    assert_eq!(site.store.subscriptions_named("sub_1", 10).await.unwrap().len(), 1);
    let said = site.store.claims_of("cus_1", 10).await.unwrap().remove(0);
    assert_eq!(said.claims, [("email".into(), "a@example.com".into()), ("name".into(), "Ana".into())]);
    // An underscore of an id stands for itself.
    let naming = site.store.claims_naming_customer("cus_1", 10).await.unwrap();
    assert_eq!(naming.into_iter().map(|said| said.subject_id).collect::<Vec<_>>(), ["pi_1"]);
    let words = site.store.unknown_words(10).await.unwrap();
    assert_eq!((words[0].provider_v2.as_str(), words[0].receipt), ("STRIPE", Some(receipt)));
    assert_eq!((words[0].first_seen_at, words[0].last_seen_at), (at(3), at(3)));
}

//! Facts: a set that only grows, and other names of one payment.

use afluente_model::{
    Amount, CaptureKind, Currency, Detail, DetailKey, Fact, PaymentFact, PaymentKind, RefundKind, Source,
};
use afluente_store::{FactMove, FactRow, NameRow, Tx};
use uuid::Uuid;

use super::content::{at, key, payment, stored_receipt};
use crate::site::site;

fn captured(op: &str) -> PaymentFact {
    Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), op, Some(at(2)), Source::Webhook)
        .money(Some(Amount::new(1_000).unwrap()), Some(Currency::parse("BRL").unwrap()))
        .detail(Detail::word("succeeded").with(DetailKey::Reason, "ação \"x\""))
}

fn row(payment: Uuid, named: &str, fact: PaymentFact, receipt: Uuid) -> FactRow {
    FactRow { payment, named: named.into(), fact, receipt }
}

async fn two(tx: &mut Tx) -> (Uuid, Uuid) {
    (payment(tx, &key("shop", "", "pi_1")).await.id, payment(tx, &key("shop", "", "pi_2")).await.id)
}

#[tokio::test]
async fn a_fact_is_there_once_however_often_it_is_added_and_comes_back_equal() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let (one, two) = two(&mut tx).await;
    let bare = Fact::new(PaymentKind::Refund(RefundKind::Pending), "", None, Source::Fetch);
    let facts = [captured("ch_1"), captured("ch_2"), bare];
    let rows: Vec<FactRow> = facts.iter().map(|fact| row(one, "pi_1", fact.clone(), receipt)).collect();
    let doubled: Vec<FactRow> = rows.iter().chain(&rows).cloned().collect();
    assert_eq!(tx.add_facts(&doubled, at(3)).await.unwrap(), [one]);
    let more = [rows[0].clone(), row(two, "pi_2", captured("ch_1"), receipt)];
    assert_eq!(tx.add_facts(&more, at(4)).await.unwrap(), [two], "only what gained a fact");
    let stored = tx.facts_of(&[one]).await.unwrap();
    assert_eq!(stored.len(), 3);
    for fact in &facts {
        let stored = stored.iter().find(|stored| stored.fact == *fact).unwrap();
        assert_eq!(stored.key, fact.key());
        assert_eq!((stored.owner, stored.receipt, stored.recorded_at), (one, receipt, at(3)));
    }
    assert_eq!(tx.facts_of(&[one, two]).await.unwrap().len(), 4);
}

#[tokio::test]
async fn facts_move_by_the_name_they_came_under_and_never_double() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let (alias, own) =
        (payment(&mut tx, &key("shop", "", "ch_1")).await.id, payment(&mut tx, &key("shop", "", "pi_1")).await.id);
    let rows = [
        row(alias, "ch_1", captured("a"), receipt),
        row(alias, "ch_1", captured("shared"), receipt),
        row(alias, "ch_9", captured("stays"), receipt),
        row(own, "pi_1", captured("shared"), receipt),
    ];
    tx.add_facts(&rows, at(3)).await.unwrap();
    for _ in 0..2 {
        tx.move_facts(&[FactMove { named: "ch_1".into(), from: alias, to: own }]).await.unwrap();
        let left: Vec<Box<str>> = tx.facts_of(&[alias]).await.unwrap().into_iter().map(|one| one.fact.op).collect();
        assert_eq!(left, ["stays".into()]);
        let mut there: Vec<Box<str>> = tx.facts_of(&[own]).await.unwrap().into_iter().map(|one| one.fact.op).collect();
        there.sort_unstable();
        assert_eq!(there, ["a".into(), "shared".into()]);
    }
}

#[tokio::test]
async fn a_fact_that_is_taken_out_is_gone_from_its_own_payment_alone() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let receipt = stored_receipt(&mut tx).await;
    let (one, two) = two(&mut tx).await;
    let both = |op: &str| [row(one, "pi_1", captured(op), receipt), row(two, "pi_2", captured(op), receipt)];
    tx.add_facts(&[both("a"), both("b")].concat(), at(3)).await.unwrap();
    tx.drop_facts(&[(one, captured("a").key())]).await.unwrap();
    let mut left: Vec<(Uuid, Box<str>)> =
        tx.facts_of(&[one, two]).await.unwrap().into_iter().map(|stored| (stored.owner, stored.fact.op)).collect();
    left.sort_unstable();
    assert_eq!(left, [(one, "b".into()), (two, "a".into()), (two, "b".into())]);
}

#[tokio::test]
async fn a_payment_whose_facts_have_moved_can_go() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let gone = payment(&mut tx, &key("shop", "", "ch_1")).await.id;
    tx.delete_payments(&[gone]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().payments, 0);
}

#[tokio::test]
async fn a_name_stands_for_itself_until_it_is_pointed_elsewhere() {
    let site = site().await;
    let names = [key("shop", "", "ch_1"), key("shop", "", "pi_1"), key("other", "", "ch_1")];
    let mut tx = site.store.begin().await.unwrap();
    let stands_for = |rows: Vec<NameRow>| -> Vec<String> {
        rows.into_iter().map(|row| format!("{} {} {}", row.name.account, row.name.id, row.payment)).collect()
    };
    let alone = ["other ch_1 ch_1", "shop ch_1 ch_1", "shop pi_1 pi_1"];
    for _ in 0..2 {
        assert_eq!(stands_for(tx.lock_names(&names, at(1)).await.unwrap()), alone);
    }
    for payment in ["pi_2", "pi_1"] {
        let row = NameRow { name: names[0].clone(), payment: payment.into() };
        tx.save_names(&[row], at(2)).await.unwrap();
    }
    let pointed = ["other ch_1 ch_1", "shop ch_1 pi_1", "shop pi_1 pi_1"];
    assert_eq!(stands_for(tx.lock_names(&names, at(3)).await.unwrap()), pointed);
    tx.commit().await.unwrap();
    let aliases = site.store.all_aliases().await.unwrap();
    assert_eq!(aliases.len(), 1, "a name of its own is no alias: {aliases:?}");
}

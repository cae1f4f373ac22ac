//! Payment rows: one a key, every column both ways, and no row that contradicts itself.

use afluente_model::{
    Amount, AttemptKind, CaptureKind, Conventions, Currency, Detail, DetailKey, DisputeKind, Fact, Gateway, Payment,
    PaymentFact, PaymentKind, PaymentStatus, RefundKind, Source, fold, project,
};
use afluente_store::{Class, NewPayment, PaymentRow, StoreError};
use uuid::Uuid;

use super::content::{at, key, payment};
use crate::site::site;

fn fact(kind: PaymentKind, op: &str, seconds: i64, minor: Option<i64>) -> PaymentFact {
    let amount = minor.map(|minor| Amount::new(minor).unwrap());
    Fact::new(kind, op, Some(at(seconds)), Source::Webhook)
        .money(amount, amount.map(|_| Currency::parse("BRL").unwrap()))
        .detail(Detail::word("word").with_time(DetailKey::ExpiresAt, Some(at(900))))
}

fn lives() -> Vec<Vec<PaymentFact>> {
    let created = fact(PaymentKind::Attempt(AttemptKind::Created), "pi", 0, Some(1_000));
    let declined = fact(PaymentKind::Attempt(AttemptKind::Declined), "ch_1", 1, None);
    let captured = fact(PaymentKind::Capture(CaptureKind::Succeeded), "ch_2", 2, Some(1_000));
    let refunded = fact(PaymentKind::Refund(RefundKind::Succeeded), "re_1", 3, Some(400));
    let rest = fact(PaymentKind::Refund(RefundKind::Succeeded), "re_2", 4, Some(600));
    let disputed = fact(PaymentKind::Dispute(DisputeKind::Opened), "dp_1", 5, Some(1_000));
    vec![
        vec![],
        vec![created.clone()],
        vec![created.clone(), declined.clone()],
        vec![created.clone(), declined, captured.clone()],
        vec![created.clone(), captured.clone(), refunded.clone()],
        vec![created.clone(), captured.clone(), refunded, rest],
        vec![created, captured, disputed],
    ]
}

fn projected(facts: &[PaymentFact]) -> Payment {
    project(&fold(facts), Conventions::PLAIN)
}

#[tokio::test]
async fn one_key_is_one_row_and_accounts_and_tenants_are_apart() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let first = payment(&mut tx, &key("shop", "", "pi_1")).await;
    assert_eq!((first.row_version, first.payment.status), (0, PaymentStatus::Unknown));
    assert_eq!(payment(&mut tx, &key("shop", "", "pi_1")).await.id, first.id);
    assert_ne!(payment(&mut tx, &key("shop", "acct_1", "pi_1")).await.id, first.id);
    assert_ne!(payment(&mut tx, &key("other", "", "pi_1")).await.id, first.id);
    let only = tx.lock_payments(&[], &[key("shop", "", "pi_1"), key("shop", "", "pi_absent")], at(1)).await.unwrap();
    assert_eq!(only.iter().map(|row| row.id).collect::<Vec<_>>(), [first.id]);
    tx.commit().await.unwrap();
    assert_eq!(site.store.counts().await.unwrap().payments, 3);
}

#[tokio::test]
async fn rows_are_locked_in_the_order_of_their_ids_whatever_order_they_are_asked_in() {
    let site = site().await;
    let mut make: Vec<_> = (0..20)
        .map(|n| NewPayment {
            id: Uuid::from_u128(1 + n * 7 % 20),
            key: key("shop", "", &format!("pi_{n:02}")),
            gateway: Gateway::Stripe,
            identity: None,
        })
        .collect();
    let mut tx = site.store.begin().await.unwrap();
    let rows = tx.lock_payments(&make, &[], at(1)).await.unwrap();
    assert_eq!(rows.len(), 20);
    assert!(rows.is_sorted_by_key(|row| row.id));
    make.reverse();
    let again = tx.lock_payments(&make, &[], at(2)).await.unwrap();
    assert_eq!(again.iter().map(|row| row.id).collect::<Vec<_>>(), rows.iter().map(|row| row.id).collect::<Vec<_>>());
    let by_id = tx.lock_payment_ids(&[3, 1, 99].map(Uuid::from_u128)).await.unwrap();
    assert_eq!(by_id.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 3].map(Uuid::from_u128), "99 is gone");
}

#[tokio::test]
async fn what_is_projected_comes_back_as_it_was_written() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let mut written = Vec::new();
    for (n, facts) in lives().iter().enumerate() {
        let row = payment(&mut tx, &key("shop", "", &format!("pi_{n}"))).await;
        let fact_count = i64::try_from(facts.len()).unwrap();
        written.push(PaymentRow { payment: projected(facts), fact_count, row_version: 1, updated_at: at(9), ..row });
    }
    tx.save_payments(&written).await.unwrap();
    let keys: Vec<_> = written.iter().map(|row| row.key.clone()).collect();
    let read = tx.lock_payments(&[], &keys, at(10)).await.unwrap();
    assert_eq!(read.len(), written.len());
    for wrote in &written {
        let read = read.iter().find(|row| row.key == wrote.key).unwrap();
        assert_eq!(read.payment, wrote.payment);
        assert_eq!((read.fact_count, read.row_version, read.updated_at), (wrote.fact_count, 1, at(9)));
    }
    let statuses: std::collections::BTreeSet<String> =
        written.iter().map(|row| row.payment.status.to_string()).collect();
    assert!(statuses.len() >= 6, "the lives should end differently: {statuses:?}");
}

#[tokio::test]
async fn a_row_that_contradicts_itself_is_refused_by_name() {
    let paid = projected(&lives()[3]);
    let nothing = projected(&lives()[1]);
    let amount = |minor| Amount::new(minor).unwrap();
    let with = |base: &Payment, change: &dyn Fn(&mut Payment)| {
        let mut payment = base.clone();
        change(&mut payment);
        payment
    };
    let cases = [
        // It leaves no room for a pending refund either, and which of the two is named first is the database's choice.
        ("_within_captured", with(&paid, &|row| row.amounts.refunded = amount(1_001))),
        ("payments_pending_within_captured", with(&paid, &|row| row.amounts.refund_pending = amount(1_001))),
        ("payments_refunded_means_all", with(&paid, &|row| row.status = PaymentStatus::Refunded)),
        ("payments_partially_means_between", with(&paid, &|row| row.status = PaymentStatus::PartiallyRefunded)),
        ("payments_succeeded_means_kept", with(&nothing, &|row| row.status = PaymentStatus::Succeeded)),
        ("payments_disputes_need_money", with(&nothing, &|row| row.status = PaymentStatus::Disputed)),
        ("payments_no_money_taken", with(&paid, &|row| row.status = PaymentStatus::Failed)),
        ("payments_dispute_stage", with(&paid, &|row| row.dispute_stage = 4)),
    ];
    for (constraint, broken) in cases {
        let site = site().await;
        let mut tx = site.store.begin().await.unwrap();
        let row = payment(&mut tx, &key("shop", "", "pi_1")).await;
        let error = tx.save_payments(&[PaymentRow { payment: broken, row_version: 1, ..row }]).await.unwrap_err();
        assert_eq!(error.class(), Class::Refused);
        let StoreError::Refused { constraint: named } = error else { panic!("{constraint}: {error}") };
        assert!(named.contains(constraint), "expected {constraint}, got {named}");
    }
}

#[tokio::test]
async fn a_payment_of_an_account_without_a_row_waits_for_it_instead_of_being_refused() {
    let site = site().await;
    let mut tx = site.store.begin().await.unwrap();
    let make =
        [NewPayment { id: Uuid::now_v7(), key: key("stranger", "", "pi_1"), gateway: Gateway::Stripe, identity: None }];
    let locked = tx.lock_payments(&make, &[], at(1)).await;
    let refused = match locked {
        Err(error) => error,
        Ok(_) => tx.commit().await.unwrap_err(),
    };
    assert!(matches!(refused, StoreError::Orphaned { .. }), "{refused}");
    assert_eq!(refused.class(), Class::Unsettled);
}

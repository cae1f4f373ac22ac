//! What the application reads is the same with us beside it: pages, revenue, plan limits, customers, stored cards, renewals.

use afluente_store::Switch;
use afluente_testkit::at_full_size;
use afluente_testkit::legacy::Shape;
use afluente_worker::repair_gaps;

use super::backfill::beside;
use super::legacy::{adopt, charge, hand_over, intent, theirs};
use crate::suite::bench::Bench;

/// What its readers depend on, as they ask it. Its pages order by when a row was touched, its revenue by the day it was paid.
const READERS: [(&str, &str); 7] = [
    (
        "page",
        "select id, clinic_id, status, amount_cents, updated_at, raw_payload from public.payment_transactions order by clinic_id, updated_at desc, id",
    ),
    (
        "revenue",
        "select coalesce(paid_at, updated_at, created_at)::date, count(*), sum(amount_cents) from public.payment_transactions \
         where upper(status) = 'PAID' group by 1 order by 1",
    ),
    (
        "plan limit",
        "select clinic_id, count(*) from public.payment_transactions \
         where status in ('paid', 'authorized', 'captured', 'confirmed') and created_at > '2025-01-01' group by 1 order by 1",
    ),
    (
        "customers",
        "select buyer.*, (select count(*) from public.payment_transactions paid where paid.customer_id = buyer.id and \
         upper(paid.status) in ('PAID', 'REFUNDED')) from public.customers buyer order by buyer.updated_at, buyer.id",
    ),
    ("cards", "select * from public.customer_payment_methods where status = 'ACTIVE' order by is_default desc, id"),
    (
        "renewals",
        "select * from public.customer_subscriptions where not is_native and status::text in ('ACTIVE', 'PAST_DUE') \
         and canceled_at is null and current_period_end < now() order by id",
    ),
    (
        "poll",
        "select id, upper(status) in ('PAID', 'SUCCEEDED', 'AUTHORIZED', 'CAPTURED') from public.payment_transactions order by id",
    ),
];

/// What each reader sees, in its own order.
pub(crate) async fn read(bench: &Bench) -> Vec<(&'static str, String)> {
    let mut seen = Vec::new();
    for (name, query) in READERS {
        let sql = format!("select coalesce(string_agg(one::text, e'\\n'), '') from ({query}) one");
        seen.push((name, bench.ledger.text(&sql).await));
    }
    seen
}

/// Webhooks of payments that have rows there: of those that are paid, that they were.
async fn traffic(bench: &Bench, only_paid: bool) {
    let of = |provider: &str, column: &str, prefix: &str| {
        format!(
            "select coalesce(string_agg({column} || ' ' || provider_order_id, ','), '') from (select * from public.payment_transactions \
             where {provider} and {column} like '{prefix}%' and (not {only_paid} or upper(status) = 'PAID') order by id limit {}) row_of",
            at_full_size(60, 5_000)
        )
    };
    let named = bench.ledger.text(&of("provider = 'stripe'", "provider_order_id", "pi_")).await;
    let mut all: Vec<_> =
        named.split(',').filter_map(|one| one.split_once(' ')).map(|(id, _)| intent(id, "succeeded", 60)).collect();
    let named = bench.ledger.text(&of("provider in ('pagarme', 'krxpay')", "provider_charge_id", "ch_")).await;
    let charges = named.split(',').filter_map(|one| one.split_once(' '));
    all.extend(charges.map(|(id, order)| charge(id, order, "paid", 50)));
    assert!(all.len() >= 20, "{}", all.len());
    for part in all.chunks(40) {
        hand_over(bench, part).await;
    }
    while repair_gaps(&bench.store).await.unwrap() > 0 {}
}

#[tokio::test]
async fn every_reader_of_theirs_sees_what_it_saw() {
    for shape in Shape::BOTH {
        let mut bench = beside(shape, at_full_size(818, 20_000)).await;
        adopt(&mut bench, Switch::On, false).await;
        let (before, words) = (read(&bench).await, theirs(&bench).await);
        traffic(&bench, false).await;
        for (before, after) in before.iter().zip(read(&bench).await) {
            assert!(*before == after, "{} of {shape:?} sees something else", after.0);
        }
        let changed = theirs(&bench).await.into_iter().filter(|(id, said)| words[id] != *said).count();
        assert!(changed >= 20, "{changed} rows have other words of ours");
    }
}

#[tokio::test]
async fn with_their_own_status_asked_for_revenue_stays_and_no_word_of_a_gateway_lands() {
    let mut bench = beside(Shape::Scripts, 818).await;
    adopt(&mut bench, Switch::On, true).await;
    let before = read(&bench).await;
    traffic(&bench, true).await;
    for (before, after) in before.iter().zip(read(&bench).await) {
        // A twin of a row that was paid is counted no more than before.
        assert!(*before == after, "{} sees something else", after.0);
    }
    traffic(&bench, false).await;
    let gateways = "select count(*)::text from public.payment_transactions where status = 'succeeded' and provider_order_id in \
                    (select provider_payment_id from payments)";
    assert_eq!(bench.ledger.text(gateways).await, "0", "it would make their revenue zero");
    let twice = "select count(*)::text from (select 1 from afluente.legacy_rows held join public.payment_transactions theirs \
                 on theirs.id = held.row_id where held.word_written = 'paid' and held.word_before <> 'paid' \
                 group by held.provider_payment_id having count(*) > 1) doubled";
    assert_eq!(bench.ledger.text(twice).await, "0", "no payment begins to be counted in two rows");
    let told = "select count(*)::text from afluente.legacy_rows where word_written = 'paid' and word_before <> 'paid'";
    assert_ne!(bench.ledger.text(told).await, "0");
}

#[tokio::test]
async fn an_id_as_long_as_it_gets_is_found_written_and_taken_in() {
    for shape in Shape::BOTH {
        let mut bench = beside(shape, 0).await;
        adopt(&mut bench, Switch::On, false).await;
        let long = "x".repeat(200);
        bench
            .ledger
            .run(&format!(
                "insert into public.payment_transactions (id, provider, provider_order_id, status, amount_cents, updated_at) \
                 values ('{long}', 'stripe', 'pi_1', 'paid', 500, '2025-05-01')"
            ))
            .await;
        hand_over(&bench, &[intent("pi_1", "succeeded", 60)]).await;
        assert_eq!(theirs(&bench).await[&long], "STRIPE SUCCEEDED paid");
        let page = bench.store.legacy_page(afluente_store::legacy::Rows::Payments, None, 10, None).await.unwrap();
        assert_eq!(page[0].row_id, long);
        let after =
            bench.store.legacy_page(afluente_store::legacy::Rows::Payments, Some(&long), 10, None).await.unwrap();
        assert!(after.is_empty());
    }
}

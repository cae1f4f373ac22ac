//! Rows of an application from before us, taken in once: what they say stands until a gateway says it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::adapter;
use afluente_model::{AccountName, Gateway, MerchantName, Mode, Timestamp};
use afluente_store::legacy::PageRow;
use afluente_store::{StoreOptions, Switch};
use afluente_testkit::legacy::{Shape, build};
use afluente_worker::backfill::{Backfill, Kind, Sellers, Tally};
use afluente_worker::{Account, rebuild};

use super::legacy::{adopt, charge, hand_over};
use crate::suite::bench::{Bench, account, accounts};

/// A ledger with an account of each gateway, beside an application with so many payments.
pub(crate) async fn beside(shape: Shape, payments: u32) -> Bench {
    beside_with(shape, payments, StoreOptions::default().lock_timeout).await
}

/// The same with a patience of its own for locks of others.
pub(crate) async fn beside_with(shape: Shape, payments: u32, lock_timeout: Duration) -> Bench {
    let mut bench = Bench::with(StoreOptions { lock_timeout, ..StoreOptions::default() }).await;
    build(&bench.ledger.database, shape, payments).await;
    let mut all = accounts(&["shop"], Mode::Test);
    let others = [
        ("loja", Gateway::Pagarme),
        ("caixa", Gateway::Appmax),
        ("banco", Gateway::OpenFinance),
        ("mp", Gateway::MercadoPago),
    ];
    for (name, gateway) in others {
        let one = Account { gateway, adapter: adapter(gateway), ..account(Mode::Test) };
        all.0.insert(AccountName::parse(name).unwrap(), one);
    }
    let mut tx = bench.store.begin().await.unwrap();
    tx.save_accounts(&all.rows(), Timestamp::EPOCH).await.unwrap();
    tx.commit().await.unwrap();
    bench.accounts = Arc::new(all);
    adopt(&mut bench, Switch::Shadow, false).await;
    bench
}

async fn take_with(bench: &Bench, kind: Kind, sellers: &Sellers, is_dry: bool) -> Tally {
    let backfill = Backfill { store: &bench.store, accounts: &bench.accounts, sellers, is_dry };
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let page: Vec<PageRow> = bench.store.legacy_page(kind.rows(), after.as_deref(), 100, None).await.unwrap();
        let Some(last) = page.last() else { return tally };
        after = Some(last.row_id.clone());
        backfill.take(kind, &page, &mut tally).await.unwrap();
    }
}

async fn take(bench: &Bench, kind: Kind) -> Tally {
    take_with(bench, kind, &Sellers::default(), false).await
}

pub(crate) async fn take_all(bench: &Bench) -> Vec<Tally> {
    let mut all = Vec::new();
    for kind in [Kind::Payments, Kind::Customers, Kind::Buyers, Kind::Sessions] {
        all.push(take(bench, kind).await);
    }
    all
}

fn count(tally: &Tally, word: &str) -> u64 {
    tally.counts.get(word).copied().unwrap_or(0)
}

/// A row of theirs with these columns, the values as SQL writes them.
async fn insert(bench: &Bench, table: &str, columns: &[(&str, &str)]) {
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|(_, value)| if value.starts_with('(') { (*value).to_owned() } else { format!("'{value}'") })
        .collect();
    bench
        .ledger
        .run(&format!("insert into public.{table} ({}) values ({})", names.join(", "), values.join(", ")))
        .await;
}

async fn payment(bench: &Bench, id: &str, provider: &str, order: &str, columns: &[(&str, &str)]) {
    let mut all = vec![("id", id), ("provider", provider), ("provider_order_id", order), ("updated_at", "2025-05-01")];
    all.extend(columns);
    insert(bench, "payment_transactions", &all).await;
}

/// `STATUS captured` of every payment of ours.
async fn ours(bench: &Bench) -> BTreeMap<String, String> {
    let rows = bench
        .ledger
        .text("select coalesce(string_agg(provider_payment_id || '=' || status_v2 || ' ' || captured_amount, '|'), '') from payments")
        .await;
    rows.split('|').filter_map(|row| row.split_once('=')).map(|(id, said)| (id.to_owned(), said.to_owned())).collect()
}

async fn wants(bench: &Bench) -> String {
    bench
        .ledger
        .text("select coalesce(string_agg(kind || ' ' || reference, ', ' order by reference), '') from wants where closed_at is null")
        .await
}

/// What a rebuild finds, which reads every row's receipt again.
async fn differences(bench: &Bench) -> Vec<String> {
    let report = rebuild::check(&bench.store, &bench.accounts, |_| {}).await.unwrap();
    let facts = bench.ledger.text("select cast(count(*) as text) from payment_facts").await;
    assert_eq!((report.facts.to_string(), report.uncovered), (facts, 0), "every fact is in a receipt");
    report.differences.iter().map(|one| format!("{one:?}")).collect()
}

/// Everything of ours that a backfill writes, without times of ours.
async fn everything(bench: &Bench) -> String {
    let tables = [
        ("payments", "provider_payment_id, status_v2, captured_amount, refunded_amount, row_version, identity"),
        ("payment_facts", "fact_key"),
        ("identity_claims", "key"),
        ("identities", "key"),
        ("customers", "key_kind, key_value, email, row_version"),
        ("customer_providers", "account, tenant, provider_customer_id, linked_by"),
        ("checkout_sessions", "key, status_v2"),
        ("relations", "key"),
        ("wants", "kind, reference, raised"),
        ("webhook_receipts", "id"),
    ];
    let mut all = String::new();
    for (table, columns) in tables {
        let sql = format!(
            "select coalesce(md5(string_agg(one::text, ',' order by one::text)), '') from (select {columns} from {table}) one"
        );
        all.push_str(&format!("{table} {}\n", bench.ledger.text(&sql).await));
    }
    all
}

#[tokio::test]
async fn a_whole_application_is_taken_in_once_and_a_second_time_changes_nothing() {
    for shape in Shape::BOTH {
        let bench = beside(shape, 818).await;
        let dry = take_with(&bench, Kind::Payments, &Sellers::default(), true).await;
        assert!(count(&dry, "rows") > 800 && ours(&bench).await.is_empty(), "{dry:?}");
        let first = take_all(&bench).await;
        let [payments, customers, buyers, sessions] = &first[..] else { panic!("four kinds") };
        assert_eq!(count(payments, "rows"), count(&dry, "rows"));
        assert!(count(payments, "taken") > 700, "{payments:?}");
        assert!(count(payments, "unknown_word") > 0 && count(payments, "asked") > 0, "{payments:?}");
        assert!(count(payments, "body_passed_over") > 0, "a list or a number is no body: {payments:?}");
        assert_eq!(count(customers, "rows"), 81);
        assert!(count(customers, "taken") >= 81, "{customers:?}");
        assert!(count(buyers, "customer_disagrees") > 0 && count(sessions, "taken") > 0, "{buyers:?} {sessions:?}");
        assert_eq!(differences(&bench).await, Vec::<String>::new());

        let before = everything(&bench).await;
        for tally in take_all(&bench).await {
            assert_eq!(count(&tally, "taken"), 0, "{tally:?}");
        }
        assert_eq!(everything(&bench).await, before);
        // No digit of a card stored at theirs is in anything of ours.
        let seen = bench.ledger.text(
            "select count(*)::text from webhook_receipts where encode(body, 'escape') like '%4000000000000010%' or encode(body, 'escape') like '%cvv%'",
        );
        assert_eq!(seen.await, "0");
        let stored =
            "select count(*)::text from public.payment_transactions where raw_payload::text like '%4000000000000010%'";
        assert_ne!(bench.ledger.text(stored).await, "0");
    }
}

#[tokio::test]
async fn a_row_says_what_it_means_until_the_gateway_does() {
    let bench = beside(Shape::Scripts, 0).await;
    let amount = ("amount_cents", "900");
    payment(
        &bench,
        "a",
        "krxpay",
        "or_1",
        &[("provider_charge_id", "ch_1"), ("status", "paid"), ("status_v2", "PROCESSING"), amount],
    )
    .await;
    payment(&bench, "wh_ch_2_5", "krxpay", "ch_2", &[("status", "paid"), ("amount_cents", "0")]).await;
    payment(
        &bench,
        "c",
        "pagarme",
        "or_3",
        &[("provider_charge_id", "ch_3"), ("status", "failed"), ("paid_at", "2025-05-02"), amount],
    )
    .await;
    payment(&bench, "d", "pagarme", "or_4", &[("provider_charge_id", "ch_4"), ("status", "active"), amount]).await;
    let accepted = r#"{"response": {"status": "ACCP"}}"#;
    payment(&bench, "e", "LINA_OB", "pay-5", &[("status", "paid"), ("raw_payload", accepted), amount]).await;
    payment(&bench, "f", "adyen", "x", &[("status", "paid"), amount]).await;
    let tally = take(&bench, Kind::Payments).await;
    let said: Vec<(String, String)> = ours(&bench).await.into_iter().collect();
    let said: Vec<String> = said.into_iter().map(|(id, said)| format!("{id} {said}")).collect();
    assert_eq!(said, ["ch_1 SUCCEEDED 900", "ch_4 UNKNOWN 0", "pay-5 PROCESSING 0"]);
    assert_eq!(wants(&bench).await, "payment ch_2, payment ch_3, payment ch_4");
    assert_eq!(
        (tally.listed["other_gateway"].as_slice(), tally.listed["unknown_word"].as_slice()),
        (&["f".to_owned()][..], &["d".to_owned()][..])
    );
    let evidence = "select evidence from payments where provider_payment_id = 'ch_1'";
    assert_eq!(bench.ledger.text(evidence).await, "LEGACY");

    // What the gateway says goes before it, whatever it is.
    let answered = [("ch_1", "or_1", 50), ("ch_2", "or_2", 45), ("ch_4", "or_4", 40)];
    hand_over(&bench, &answered.map(|(id, order, second)| charge(id, order, "paid", second))).await;
    let after = ours(&bench).await;
    assert_eq!(after["ch_2"], "SUCCEEDED 500", "with an amount, once somebody knows it");
    let unknown = "select amount_cents::text from public.payment_transactions where id = 'wh_ch_2_5'";
    assert_eq!(bench.ledger.text(unknown).await, "0", "theirs stays");
    assert_eq!((after["ch_1"].as_str(), after["ch_4"].as_str()), ("SUCCEEDED 500", "SUCCEEDED 500"));
    assert_eq!(bench.ledger.text(evidence).await, "VERIFIED");
    assert_eq!(differences(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn people_of_theirs_link_by_what_is_theirs_and_not_by_whom_a_row_was_given_to() {
    let bench = beside(Shape::Scripts, 0).await;
    let customer = |id: &'static str, email: &'static str, document: &'static str| {
        let bench = &bench;
        async move {
            let null = |text: &'static str| if text == "-" { "(null)" } else { text };
            let columns = [("id", id), ("merchant_id", "m"), ("email", null(email)), ("document", null(document))];
            insert(bench, "customers", &columns).await;
        }
    };
    customer("c1", "ana@x.com", "11144477735").await;
    customer("c2", "Ana@X.com", "-").await;
    customer("c3", "", "-").await;
    customer("c4", "bia@x.com", "52998224725").await;
    let link = [("id", "l"), ("customer_id", "c1"), ("provider", "STRIPE"), ("provider_customer_id", "cus_1")];
    insert(&bench, "customer_providers", &link).await;
    let link = [("id", "k"), ("customer_id", "c1"), ("provider", "KRXPAY"), ("provider_customer_id", "cus_k")];
    insert(&bench, "customer_providers", &link).await;
    let paid = |customer: &'static str| [("status", "paid"), ("amount_cents", "900"), ("customer_id", customer)];
    payment(&bench, "p1", "stripe", "pi_1", &[&paid("c4")[..], &[("client_email", "ana@x.com")]].concat()).await;
    payment(&bench, "p2", "stripe", "pi_2", &[&paid("gone")[..], &[("client_email", "ana@x.com")]].concat()).await;
    payment(&bench, "p3", "stripe", "pi_3", &paid("c4")).await;
    let theirs = "select md5(string_agg(t::text, ',' order by id)) from public.customer_providers t";
    let before = bench.ledger.text(theirs).await;
    let tallies = take_all(&bench).await;
    let who = |payment: &str| {
        format!(
            "select coalesce((select customers.key_value from payments join identities on identities.key = payments.identity \
             join customers on customers.id = identities.customer_id where provider_payment_id = '{payment}'), '-')"
        )
    };
    assert_eq!(bench.ledger.text(&who("pi_1")).await, "11144477735", "by the row's own address");
    assert_eq!(bench.ledger.text(&who("pi_3")).await, "-", "whom their code gave it to is nobody's claim");
    assert_eq!(tallies[2].listed["customer_disagrees"], ["p1", "p3"]);
    let shown = "select count(*)::text from identity_claims where claims like '%their_customer%'";
    assert_eq!(bench.ledger.text(shown).await, "2", "of a customer who is gone nothing is claimed");
    let links = "select string_agg(account || ' ' || coalesce(provider_customer_id, '-'), ', ' order by account, provider_customer_id) \
                 from customer_providers links join customers on customers.id = links.customer_id \
                 where customers.key_value = '11144477735' and provider_customer_id is not null";
    assert_eq!(bench.ledger.text(links).await, "banco c2, loja cus_k, shop cus_1");
    let people =
        "select string_agg(key_kind || ' ' || key_value, ', ' order by key_value) from customers where not vacant";
    assert_eq!(bench.ledger.text(people).await, "document 11144477735, document 52998224725");
    assert_eq!(bench.ledger.text(theirs).await, before, "theirs stay as they were");
    assert_eq!(differences(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn one_address_with_two_documents_is_two_people_of_ours_and_one_of_theirs() {
    let bench = beside(Shape::Scripts, 0).await;
    for (id, merchant, document) in [("c1", "m1", "11144477735"), ("c2", "m2", "52998224725")] {
        let columns = [("id", id), ("merchant_id", merchant), ("email", "ana@x.com"), ("document", document)];
        insert(&bench, "customers", &columns).await;
    }
    let alone = [("status", "paid"), ("amount_cents", "900"), ("client_email", "ANA@x.com")];
    payment(&bench, "p1", "stripe", "pi_1", &alone).await;
    take_all(&bench).await;
    let people =
        "select string_agg(key_kind || ' ' || key_value, ', ' order by key_value) from customers where not vacant";
    let expected = "document 11144477735, document 52998224725, email ana@x.com";
    assert_eq!(bench.ledger.text(people).await, expected, "and who has only the address is a third");
}

#[tokio::test]
async fn a_stored_body_of_any_shape_or_size_costs_only_what_stood_in_it() {
    let bench = beside(Shape::Scripts, 0).await;
    let huge = format!(r#"{{"buyer": {{"email": "ana@x.com"}}, "noise": "{}"}}"#, noise(5_000_000));
    let nested = r#"{"data": {"customer": "cus_1", "charges": 7, "object": [1]}, "buyer": {"email": {"no": 1}}}"#;
    for (place, body) in ["[1, 2]", "17", "null", "\"text\"", "{}", nested, &huge].into_iter().enumerate() {
        let columns = [("status", "paid"), ("amount_cents", "900"), ("raw_payload", body)];
        payment(&bench, &format!("row{place}"), "stripe", &format!("pi_{place}"), &columns).await;
    }
    let (payments, buyers) = (take(&bench, Kind::Payments).await, take(&bench, Kind::Buyers).await);
    assert_eq!((count(&payments, "rows"), count(&payments, "taken"), count(&payments, "unreadable")), (7, 7, 0));
    assert_eq!(count(&payments, "body_passed_over"), 5, "{payments:?}");
    assert_eq!(count(&buyers, "unreadable"), 0, "{buyers:?}");
    assert_eq!(ours(&bench).await.values().filter(|said| *said == "SUCCEEDED 900").count(), 7);
}

/// Letters no compression makes small.
fn noise(length: usize) -> String {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut random = StdRng::seed_from_u64(5);
    (0..length).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}

#[tokio::test]
async fn sessions_find_their_payment_by_order_charge_or_row_and_a_paid_one_is_completed() {
    let bench = beside(Shape::Prisma, 0).await;
    hand_over(&bench, &[charge("ch_1", "or_1", "paid", 50), charge("ch_2", "or_2", "failed", 50)]).await;
    let session = |id: &'static str, column: &'static str, value: &'static str, status: &'static str| {
        let bench = &bench;
        async move {
            let columns =
                [("id", id), ("resume_token", id), (column, value), ("status", status), ("updated_at", "2025-05-01")];
            insert(bench, "checkout_sessions", &columns).await;
        }
    };
    session("s1", "pix_order_id", "ch_1", "abandoned").await;
    session("s2", "order_id", "or_1", "started").await;
    session("s3", "order_id", "or_2", "abandoned").await;
    session("s4", "order_id", "or_9", "started").await;
    let tally = take(&bench, Kind::Sessions).await;
    assert_eq!((count(&tally, "taken"), tally.listed["no_payment"].as_slice()), (3, &["s4".to_owned()][..]));
    let shown = "select string_agg(provider_session_id || ' ' || status_v2, ', ' order by provider_session_id) from checkout_sessions";
    assert_eq!(bench.ledger.text(shown).await, "s1 COMPLETED, s2 COMPLETED, s3 EXPIRED");
    let abandoned = "select string_agg(id || ' ' || status::text, ', ' order by id) from public.checkout_sessions where status::text = 'abandoned'";
    assert_eq!(bench.ledger.text(abandoned).await, "s1 abandoned, s3 abandoned", "theirs stay as they were");
    assert_eq!(differences(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_row_without_a_seller_of_ours_is_listed_and_taken_in_once_it_has_one() {
    let bench = beside(Shape::Scripts, 0).await;
    let seller = |id: &'static str, clinic: &'static str| [("id", id), ("clinic_id", clinic)];
    insert(&bench, "merchants", &seller("m1", "clinic_1")).await;
    let paid = |clinic: &'static str| [("status", "paid"), ("amount_cents", "900"), ("clinic_id", clinic)];
    payment(&bench, "a", "stripe", "pi_1", &paid("clinic_1")).await;
    payment(&bench, "b", "stripe", "pi_2", &[&paid("clinic_2")[..], &[("merchant_id", "")]].concat()).await;
    let mine = MerchantName::parse("default").unwrap();
    let sellers = Sellers([("m1".to_owned(), mine.clone()), ("m2".to_owned(), mine)].into());
    let tally = take_with(&bench, Kind::Payments, &sellers, false).await;
    assert_eq!((count(&tally, "taken"), tally.listed["unknown_merchant"].as_slice()), (1, &["b".to_owned()][..]));
    let missing = bench.store.legacy_merchants_missing(["m1", "m9"].into_iter(), 10).await.unwrap();
    assert_eq!(
        (missing.len(), missing[0].kind.as_str(), missing[0].reference.as_str()),
        (2, "clinic without merchant", "clinic_2")
    );
    assert_eq!((missing[1].kind.as_str(), missing[1].reference.as_str()), ("configured and not there", "m9"));

    insert(&bench, "merchants", &seller("m2", "clinic_2")).await;
    let tally = take_with(&bench, Kind::Payments, &sellers, false).await;
    assert_eq!((count(&tally, "taken"), count(&tally, "known")), (1, 1));
    assert_eq!(ours(&bench).await.len(), 2);
    assert!(bench.store.legacy_merchants_missing(["m1", "m2"].into_iter(), 10).await.unwrap().is_empty());
}

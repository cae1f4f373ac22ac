//! People: the same customers, links and payments of theirs, whatever order deliveries come in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use afluente_gateways::adapter;
use afluente_model::identity::{Decisions, Identity, assign};
use afluente_model::{AccountName, Delivery, Gateway, Mode, Timestamp};
use afluente_queue::Sealed;
use afluente_store::people::IdentityKey;
use afluente_store::{GapTarget, StoreOptions, Switch, Switches};
use afluente_testkit::at_full_size;
use afluente_worker::rebuild::plan;
use afluente_worker::{Account, repair_gaps};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::suite::bench::{Bench, NOW, account, accounts, delivery, event};

const DOCUMENTS: [&str; 4] = ["52998224725", "11144477735", "39053344705", "12345678909"];

/// A bench with a second gateway, which knows documents.
pub(crate) async fn bench() -> Bench {
    lined_up(StoreOptions::default()).await
}

pub(crate) async fn lined_up(options: StoreOptions) -> Bench {
    let mut bench = Bench::with(options).await;
    let mut all = accounts(&["shop"], Mode::Test);
    let brazilian = Account { gateway: Gateway::Pagarme, adapter: adapter(Gateway::Pagarme), ..account(Mode::Test) };
    all.0.insert(AccountName::parse("loja").unwrap(), brazilian);
    let mut tx = bench.store.begin().await.unwrap();
    tx.save_accounts(&all.rows(), Timestamp::EPOCH).await.unwrap();
    tx.commit().await.unwrap();
    bench.accounts = Arc::new(all);
    bench
}

/// One delivery: a payment of whoever this is, at a second.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    name: usize,
    customer: Option<String>,
    document: Option<String>,
    email: Option<String>,
    /// The card it was paid with; a Pix where there is none.
    card: Option<usize>,
    second: i64,
}

fn quoted(text: Option<&String>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("\"{text}\""))
}

impl Said {
    /// With a document it is a charge at Pagar.me, without one an intent at Stripe.
    fn delivery(&self) -> Delivery {
        let (name, second) = (self.name, self.second);
        let (customer, email) = (quoted(self.customer.as_ref()), quoted(self.email.as_ref()));
        if self.document.is_none() {
            let method = quoted(self.card.map(|card| format!("pm_{card}")).as_ref());
            let object = format!(
                r#"{{"id":"pi_{name}","object":"payment_intent","amount":500,"amount_received":500,"currency":"brl","status":"succeeded","customer":{customer},"receipt_email":{email},"payment_method":{method}}}"#
            );
            return delivery(
                "shop",
                &event(&format!("{name}_{second}"), "payment_intent.succeeded", NOW - second, &object),
            );
        }
        let document = quoted(self.document.as_ref());
        let at = Timestamp::from_seconds(NOW - second).unwrap();
        let (kind, card) = match self.card {
            None => ("pix", String::new()),
            Some(card) => (
                "credit_card",
                format!(
                    r#","card":{{"id":"card_{card}","brand":"visa","last_four_digits":"424{card}","exp_month":{month},"exp_year":2031}}"#,
                    month = 1 + second % 12
                ),
            ),
        };
        let body = format!(
            r#"{{"id":"hook_{name}_{second}","account":{{"id":"acc_1"}},"type":"charge.paid","created_at":"{at}","data":{{"id":"ch_{name}","amount":500,"paid_amount":500,"status":"paid","currency":"BRL","payment_method":"{kind}","created_at":"{at}","updated_at":"{at}","customer":{{"id":{customer},"name":"Ana {name}","email":{email},"document":{document}}},"last_transaction":{{"transaction_type":"{kind}"{card}}}}}}}"#
        );
        Delivery { gateway: Gateway::Pagarme, ..delivery("loja", &body) }
    }
}

/// Sixty deliveries of four people who share addresses and gateways' customers in every way there is.
pub(crate) fn history(random: &mut StdRng) -> Vec<Said> {
    let emails = ["ana@x.com", "bia@x.com", "casa@x.com", "loja@x.com", "so@x.com", "outra@x.com"];
    let pick = |random: &mut StdRng, from: &[&str], often: f64| {
        random.random_bool(often).then(|| from[random.random_range(0..from.len())].to_owned())
    };
    (0..60)
        .map(|_| {
            let document = pick(random, &DOCUMENTS, 0.5);
            let customers: &[&str] =
                if document.is_some() { &["cus_p1", "cus_p2", "cus_p3"] } else { &["cus_s1", "cus_s2", "cus_s3"] };
            Said {
                name: random.random_range(0..25),
                customer: pick(random, customers, 0.6),
                document,
                email: pick(random, &emails, 0.7),
                card: random.random_bool(0.6).then(|| random.random_range(0..6)),
                second: random.random_range(50..80),
            }
        })
        .collect()
}

/// The CPF of this number, with its two check digits.
fn cpf(number: u32) -> String {
    let mut digits: Vec<u32> = format!("{number:09}").chars().filter_map(|digit| digit.to_digit(10)).collect();
    for _ in 0..2 {
        let weights = (2..=u32::try_from(digits.len()).unwrap() + 1).rev();
        let rest = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11;
        digits.push(if rest < 2 { 0 } else { 11 - rest });
    }
    digits.into_iter().map(|digit| digit.to_string()).collect()
}

/// Everything about people, by nothing of ours.
pub(crate) async fn people(bench: &Bench) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let of = [
        // Who is who, and what is known of each.
        "select coalesce(string_agg(key_kind || ':' || key_value || ' ' || coalesce(document, '-') || ' ' || coalesce(email, '-') || ' ' || coalesce(name, '-'), '|'), '') \
         from customers where not vacant",
        "select coalesce(string_agg(p.account || ' ' || coalesce(p.provider_customer_id, '-') || ' ' || p.linked_by || ' ' || c.key_value, '|'), '') \
         from customer_providers p join customers c on c.id = p.customer_id",
        "select coalesce(string_agg(p.provider_payment_id || ' ' || coalesce(c.key_value, '-'), '|'), '') \
         from payments p left join identities i on i.key = p.identity left join customers c on c.id = i.customer_id",
        "select coalesce(string_agg(m.account || ' ' || coalesce(m.provider_method_id, m.kind) || ' ' || coalesce(c.key_value, '-') || ' ' || m.brand || m.last4 || m.expiry || ' ' || m.state || ' ' || case when m.is_default then 'default' else 'other' end, '|'), '') \
         from customer_payment_methods m left join customers c on c.id = m.customer_id",
        "select coalesce(string_agg(s.provider_session_id || ' ' || s.status_v2 || ' ' || coalesce(c.key_value, '-'), '|'), '') \
         from checkout_sessions s left join identities i on i.key = s.identity left join customers c on c.id = i.customer_id",
        "select coalesce(string_agg(p.payment || ' ' || p.provider_subscription_id, '|'), '') from payment_subscriptions p",
        "select coalesce(string_agg(r.subject_kind || r.subject_id || ' ' || r.kind || r.value, '|'), '') from relations r",
    ];
    for (place, sql) in of.into_iter().enumerate() {
        let rows = bench.ledger.text(sql).await;
        found.extend(rows.split('|').map(|row| format!("{place} {row}")));
    }
    found
}

/// That every identity has the person the law over everything gives it.
pub(crate) async fn agrees_with_the_law(bench: &Bench) {
    agrees_with_the_law_over(bench, 1).await;
}

/// The same over at least so many identities.
async fn agrees_with_the_law_over(bench: &Bench, least: usize) {
    let rows = bench.store.people_after(IdentityKey([0; 16]), 100_000).await.unwrap();
    assert!(rows.len() >= least, "{}", rows.len());
    let identities: Vec<Identity> = rows.iter().map(|one| one.row.identity.clone()).collect();
    // One merchant's, as all of this is.
    let mut decisions = Decisions::default();
    for one in bench.store.all_decisions().await.unwrap() {
        decisions.add(one.of, one.at, one.verdict);
    }
    for (row, person) in rows.iter().zip(assign(&identities, &decisions)) {
        let person = person.map(|person| (person.kind().to_owned(), person.value()));
        assert_eq!(row.person, person, "{:?}", row.row);
    }
}

async fn deliver(bench: &Bench, history: &[Said], size: usize) {
    let deliveries: Vec<Delivery> = history.iter().map(Said::delivery).collect();
    hand_over(bench, &deliveries, size).await;
}

pub(crate) async fn hand_over(bench: &Bench, deliveries: &[Delivery], size: usize) {
    for part in deliveries.chunks(size) {
        let messages: Vec<Sealed> = part.iter().map(|one| bench.keys.seal(one)).collect();
        bench.handle(messages, true).await;
    }
}

/// What gateways say beside payments: cards that come and go, sessions, and an invoice that says whose a payment is.
pub(crate) fn beside_payments() -> Vec<Delivery> {
    let card = |id: usize, customer: &str, month: u8| {
        format!(
            r#"{{"id":"pm_{id}","object":"payment_method","type":"card","customer":{customer},"card":{{"brand":"visa","last4":"424{id}","exp_month":{month},"exp_year":2030,"fingerprint":"fp{id}"}}}}"#
        )
    };
    let session = |status: &str, email: &str| {
        format!(
            r#"{{"id":"cs_1","object":"checkout.session","status":"{status}","payment_status":"unpaid","payment_intent":"pi_1","customer":null,"client_reference_id":"pedido-7","customer_details":{{"email":{email}}}}}"#
        )
    };
    let invoice = r#"{"id":"in_1","object":"invoice","status":"paid","customer":"cus_s1","subscription":"sub_1","payment_intent":"pi_2","currency":"brl","amount_paid":500}"#;
    let subscription = r#"{"id":"sub_1","object":"subscription","status":"active","customer":"cus_s1","default_payment_method":"pm_1"}"#;
    let all = [
        ("payment_method.attached", 90, card(1, "\"cus_s1\"", 3)),
        ("payment_method.updated", 40, card(1, "\"cus_s1\"", 9)),
        ("payment_method.attached", 90, card(2, "\"cus_s2\"", 5)),
        ("payment_method.detached", 30, card(2, "null", 5)),
        ("payment_method.attached", 90, card(3, "\"cus_s1\"", 6)),
        ("checkout.session.expired", 20, session("expired", "null")),
        ("checkout.session.completed", 25, session("complete", "\"so@x.com\"")),
        ("invoice.paid", 20, invoice.to_owned()),
        ("customer.subscription.updated", 20, subscription.to_owned()),
    ];
    let delivery = |(place, (kind, second, object)): (usize, &(&str, i64, String))| {
        delivery("shop", &event(&format!("beside_{place}"), kind, NOW - second, object))
    };
    all.iter().enumerate().map(delivery).collect()
}

/// A history of people who share values, with what gateways say beside payments.
pub(crate) fn everything_said(random: &mut StdRng) -> Vec<Delivery> {
    let mut said: Vec<Delivery> = history(random).iter().map(Said::delivery).collect();
    said.extend(beside_payments());
    said
}

/// How many orders are tried: fewer where a ledger costs more, more where somebody asks.
pub(crate) fn orders() -> usize {
    std::env::var("AFLUENTE_ORDERS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[tokio::test]
async fn any_order_of_deliveries_gives_the_same_people_and_the_ones_the_law_gives() {
    let mut random = StdRng::seed_from_u64(18);
    let mut history = everything_said(&mut random);
    let mut first: Option<BTreeSet<String>> = None;
    for order in 0..orders() {
        let bench = bench().await;
        hand_over(&bench, &history, [1, 7, 60][order % 3]).await;
        agrees_with_the_law(&bench).await;
        let found = people(&bench).await;
        assert!(found.len() > 40, "{found:?}");
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "order {order}");
        history.shuffle(&mut random);
    }
}

#[tokio::test]
async fn an_address_that_turns_out_to_be_a_placeholder_lets_everybody_go_and_is_reported_once() {
    let said = |name: usize, document: Option<&str>, customer: Option<&str>| Said {
        name,
        customer: customer.map(Into::into),
        document: document.map(Into::into),
        email: Some("nao@tem.com".into()),
        card: None,
        second: 60,
    };
    let documents: Vec<String> = (1..=11).map(cpf).collect();
    let mut all: Vec<Said> = documents.iter().enumerate().map(|(n, document)| said(n, Some(document), None)).collect();
    all.push(said(90, None, None));
    // Whoever has nothing else: a person while it was one, and nobody afterwards, as if there had been none.
    let mut seen: BTreeMap<bool, BTreeSet<String>> = BTreeMap::new();
    for turned in [false, true] {
        let bench = bench().await;
        let mut all = all.clone();
        if turned {
            all.reverse();
        }
        deliver(&bench, &all, 1).await;
        seen.insert(turned, people(&bench).await);
    }
    assert_eq!(seen[&false], seen[&true]);
    all.push(said(91, None, Some("cus_s1")));
    for turned in [false, true] {
        let bench = bench().await;
        if turned {
            all.reverse();
        }
        deliver(&bench, &all, 1).await;
        agrees_with_the_law(&bench).await;
        let reported = "select cast(count(*) as text) from inconsistencies where kind = 'shared_value'";
        assert_eq!(bench.ledger.text(reported).await, "1");
        let found = people(&bench).await;
        assert!(found.contains("2 pi_90 -"), "nobody's: {found:?}");
        assert!(found.contains("2 pi_91 shop//cus_s1"), "{found:?}");
        seen.insert(turned, found);
    }
    assert_eq!(seen[&false], seen[&true]);
}

#[tokio::test]
async fn one_address_on_thousands_of_documents_and_one_customer_of_thousands_of_claims_cost_no_more_than_others() {
    let (documents, claims) = (at_full_size(600, 5_000), at_full_size(1_000, 10_000));
    let said = |name: usize, document: Option<String>, email: String, customer: Option<&str>| Said {
        name,
        customer: customer.map(Into::into),
        document,
        email: Some(email),
        card: None,
        second: 60,
    };
    let bench = bench().await;
    let shared = |name| said(name, Some(cpf(u32::try_from(name).unwrap() + 1)), "nao@tem.com".to_owned(), None);
    deliver(&bench, &(0..documents).map(shared).collect::<Vec<_>>(), 250).await;
    // Another address each time: every one is an identity that names the same customer.
    let many = |name| said(documents + name, None, format!("a{name}@x.com"), Some("cus_s1"));
    deliver(&bench, &(0..claims).map(many).collect::<Vec<_>>(), 250).await;
    agrees_with_the_law_over(&bench, documents + claims).await;
    let found = people(&bench).await;
    let people = found.iter().filter(|one| one.starts_with("0 ")).count();
    assert!(people > documents, "each document its own: {people}");
    let told = "select cast(count(*) as text) from inconsistencies where kind = 'shared_value'";
    assert_eq!(bench.ledger.text(told).await, "1");
}

#[tokio::test]
async fn people_who_cannot_be_written_cost_no_fact_and_are_made_again() {
    let history = history(&mut StdRng::seed_from_u64(7));
    let well = bench().await;
    deliver(&well, &history, 9).await;
    let ill = bench().await;
    let (before, during) = history.split_at(20);
    deliver(&ill, before, 9).await;
    for table in ["customers", "identity_values", "customer_providers"] {
        ill.ledger.run(&format!("alter table {table} rename to away")).await;
        deliver(&ill, &during[..13], 9).await;
        ill.ledger.run(&format!("alter table away rename to {table}")).await;
    }
    deliver(&ill, &during[13..], 9).await;
    assert_eq!(ill.rows().await, well.rows().await, "payments as if nothing had failed");
    let open = ill.store.open_gaps(GapTarget::Customers).await.unwrap();
    assert!(open.open > 5 && open.oldest.is_some(), "{open:?}");
    assert_ne!(people(&ill).await, people(&well).await);
    assert_eq!(repair_gaps(&ill.store).await.unwrap() as u64, open.open);
    agrees_with_the_law(&ill).await;
    assert_eq!(people(&ill).await, people(&well).await);
    assert_eq!(ill.store.open_gaps(GapTarget::Customers).await.unwrap().open, 0);
    assert_eq!(repair_gaps(&ill.store).await.unwrap(), 0);
}

#[tokio::test]
async fn an_identity_somebody_gave_to_another_is_found_and_given_back() {
    let bench = bench().await;
    deliver(&bench, &history(&mut StdRng::seed_from_u64(3)), 60).await;
    let before = people(&bench).await;
    bench
        .ledger
        .run("update identities set customer_id = (select customer_id from identities where customer_id is not null and email = 'ana@x.com' order by key limit 1)")
        .await;
    let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
    assert!(report.identities > 20 && report.differences.len() > 5, "{:?}", report.differences);
    let shown = format!("{:?}", report.differences);
    assert!(!shown.contains("ana@x.com") && !shown.contains(DOCUMENTS[0]), "who it is stays in the ledger");
    for part in report.plan.parts() {
        part.write(&bench.store, &bench.accounts, "ana").await.unwrap();
    }
    agrees_with_the_law(&bench).await;
    assert_eq!(people(&bench).await, before);
    assert!(plan(&bench.store, &bench.accounts, |_| {}).await.unwrap().differences.is_empty());
}

#[tokio::test]
async fn a_payment_whose_row_comes_after_its_claims_gets_its_person_too() {
    let said = Said {
        name: 1,
        customer: Some("cus_s1".into()),
        document: None,
        email: Some("ana@x.com".into()),
        card: None,
        second: 60,
    };
    let late = Said { customer: None, email: None, second: 55, ..said.clone() };
    let bench = bench().await;
    deliver(&bench, &[said], 1).await;
    // As if what was said first had named the payment and told nothing of it.
    bench.ledger.run("update payments set identity = null").await;
    deliver(&bench, &[late], 1).await;
    assert!(people(&bench).await.contains("2 pi_1 ana@x.com"));
}

#[tokio::test]
async fn a_person_has_one_default_method_the_newest_used_that_may_be_used() {
    let said = |name: usize, card: Option<usize>, second: i64| Said {
        name,
        customer: Some("cus_s1".into()),
        document: None,
        email: None,
        card,
        second,
    };
    let bench = bench().await;
    deliver(&bench, &[said(1, Some(2), 60), said(2, Some(1), 70)], 1).await;
    let default =
        "select coalesce(string_agg(provider_method_id, '|'), '-') from customer_payment_methods where is_default";
    assert_eq!(bench.ledger.text(default).await, "pm_2", "used last");
    let state = "select string_agg(provider_method_id || ' ' || state, '|' order by provider_method_id) from customer_payment_methods";
    hand_over(&bench, &beside_payments(), 9).await;
    assert_eq!(bench.ledger.text(state).await, "pm_1 ACTIVE|pm_2 DETACHED|pm_3 ACTIVE");
    assert_eq!(bench.ledger.text(default).await, "pm_1", "of those that are left");
    let described = "select brand || ' ' || last4 || ' ' || expiry || ' ' || fingerprint from customer_payment_methods where provider_method_id = 'pm_1'";
    assert_eq!(bench.ledger.text(described).await, "visa 4241 2030-09 fp1", "the newest word of each field");
    let subscription = "select payment || ' ' || provider_subscription_id from payment_subscriptions";
    assert_eq!(bench.ledger.text(subscription).await, "pi_2 sub_1", "by its invoice");
}

async fn mend(bench: &Bench) {
    for _ in 0..3 {
        let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
        for part in report.plan.parts() {
            part.write(&bench.store, &bench.accounts, "ana").await.unwrap();
        }
    }
    let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
    assert!(report.differences.is_empty() && report.claims > 20, "{:?}", report.differences);
}

#[tokio::test]
async fn a_ledger_that_lost_what_is_joined_of_claims_gets_all_of_it_back() {
    let bench = bench().await;
    let mut all: Vec<Delivery> = history(&mut StdRng::seed_from_u64(5)).iter().map(Said::delivery).collect();
    all.extend(beside_payments());
    hand_over(&bench, &all, 9).await;
    let before = people(&bench).await;
    // As after an upgrade to the first version that knows people.
    for table in
        ["payment_methods", "checkout_sessions", "relations", "customer_providers", "identity_values", "identities"]
    {
        bench.ledger.run(&format!("delete from {table}")).await;
    }
    bench.ledger.run("update payments set identity = null").await;
    bench.ledger.run("update identity_claims set identity = null, merchant = null").await;
    bench.ledger.run("delete from customers").await;
    mend(&bench).await;
    agrees_with_the_law(&bench).await;
    assert_eq!(people(&bench).await, before);
}

#[tokio::test]
async fn what_nobody_said_of_a_method_an_identity_or_a_payment_is_found_and_taken_out() {
    let bench = bench().await;
    let mut all: Vec<Delivery> = history(&mut StdRng::seed_from_u64(6)).iter().map(Said::delivery).collect();
    all.extend(beside_payments());
    hand_over(&bench, &all, 60).await;
    let before = people(&bench).await;
    bench
        .ledger
        .run("update payment_methods set last4 = '6666', last4_at = recorded_at where provider_method_id = 'pm_1'")
        .await;
    bench.ledger.run("update checkout_sessions set status_v2 = 'OPEN', status_rank = 9").await;
    bench.ledger.run("delete from identity_claims where subject_id = 'in_1'").await;
    bench.ledger.run("update identities set email = 'eve@x.com' where email = 'ana@x.com' and document = ''").await;
    bench.ledger.run("update payments set identity = (select key from identities order by key limit 1)").await;
    assert_ne!(people(&bench).await, before);
    let report = plan(&bench.store, &bench.accounts, |_| {}).await.unwrap();
    let shown = format!("{:?}", report.differences);
    for word in ["method ", "session ", "claim ", "identity ", "payment "] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    assert!(!shown.contains("@x.com") && !shown.contains("6666"), "who it is stays in the ledger");
    mend(&bench).await;
    agrees_with_the_law(&bench).await;
    assert_eq!(people(&bench).await, before);
}

#[tokio::test]
async fn customers_are_written_for_whom_they_are_on_and_made_up_for_everybody_once_they_are() {
    let all: Vec<Delivery> = history(&mut StdRng::seed_from_u64(9)).iter().map(Said::delivery).collect();
    let well = bench().await;
    hand_over(&well, &all, 9).await;
    let mut late = bench().await;
    late.store = late.store.clone().with_customers(Switches::all(Switch::Off));
    hand_over(&late, &all, 9).await;
    assert_eq!(late.rows().await, well.rows().await);
    let customers = "select cast((select count(*) from customers) as text) || ' ' || cast((select count(*) from payments where identity is not null) as text)";
    assert_eq!(late.ledger.text(customers).await, "0 0", "nobody is made up");
    assert!(plan(&late.store, &late.accounts, |_| {}).await.unwrap().differences.is_empty(), "and nobody is missed");

    let mut shadow = bench().await;
    shadow.store = shadow.store.clone().with_customers(Switches::all(Switch::Shadow));
    hand_over(&shadow, &all, 9).await;
    let said = shadow.ledger.text(customers).await;
    assert!(said.ends_with(" 0") && !said.starts_with("0 "), "people without followers: {said}");

    for bench in [&mut late, &mut shadow] {
        bench.store = bench.store.clone().with_customers(Switches::all(Switch::On));
        mend(bench).await;
        agrees_with_the_law(bench).await;
        assert_eq!(people(bench).await, people(&well).await);
    }
}

#[tokio::test]
async fn one_merchant_may_have_customers_before_another() {
    let all: Vec<Delivery> = history(&mut StdRng::seed_from_u64(11)).iter().map(Said::delivery).collect();
    let mut bench = bench().await;
    let only = [(AccountName::parse("loja").unwrap(), Switch::On)].into();
    bench.store = bench.store.clone().with_customers(Switches { default: Switch::Off, accounts: only });
    hand_over(&bench, &all, 9).await;
    let followed = "select min(account) || max(account) from payments where identity is not null";
    assert_eq!(bench.ledger.text(followed).await, "lojaloja");
}

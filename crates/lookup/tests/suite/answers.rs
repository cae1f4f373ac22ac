//! What is answered is in the ledger, and the question is closed with it.

use std::time::Duration;

use afluente_model::{WantKind, WantReason};

use super::gateway::{Gateway, Say};
use super::site::{Site, TOKEN, access, intent, settings};

#[tokio::test]
async fn an_answer_is_a_receipt_a_row_and_the_end_of_its_question() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(200, &intent("pi_1"))]).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let running = site.asks(access(&gateway.base()));
    site.all_answered().await;
    running.stop().await;
    assert_eq!(site.payment("pi_1").await, Some(("SUCCEEDED".to_owned(), 1_000)));
    assert_eq!(site.store.counts().await.unwrap().receipts, 1);
    let asked = gateway.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/v1/payment_intents/pi_1");
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(asked[0].headers.contains_key("stripe-version"));
}

#[tokio::test]
async fn a_question_of_a_connected_account_is_asked_in_its_name_or_on_its_path() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(200, &intent("pi_1"))]).await;
    let hint = WantReason::Hint;
    site.wants_of("acct_1", None, WantKind::PaymentIntent, "pi_1", hint).await;
    site.wants_of("acct_2", Some("acct_org/acct_2"), WantKind::PaymentIntent, "pi_1", hint).await;
    let running = site.asks(access(&gateway.base()));
    site.all_answered().await;
    running.stop().await;
    let mut named: Vec<_> = gateway
        .asked()
        .iter()
        .map(|asked| ["stripe-account", "stripe-context"].map(|name| asked.headers.get(name).cloned()))
        .map(|[account, context]| (account.is_some(), account.or(context).unwrap()))
        .collect();
    named.sort();
    let value = http::HeaderValue::from_static;
    assert_eq!(named, [(false, value("acct_org/acct_2")), (true, value("acct_1"))]);
    assert_eq!(site.store.payments_named("pi_1", 9).await.unwrap().len(), 2, "one each");
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let site = Site::open().await;
    let refund = |id: &str| {
        format!(
            r#"{{"id":"{id}","object":"refund","amount":100,"charge":"ch_pi_1","payment_intent":"pi_1","currency":"brl","created":1767225700,"status":"succeeded"}}"#
        )
    };
    let page = |id: &str, more: bool| format!(r#"{{"object":"list","data":[{}],"has_more":{more}}}"#, refund(id));
    let script = [intent("pi_1"), page("re_1", true), page("re_2", false)];
    let gateway = Gateway::that_says(script.iter().map(|body| Say::json(200, body)).collect()).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Incomplete).await;
    let running = site.asks(access(&gateway.base()));
    site.all_answered().await;
    running.stop().await;
    let list = "/v1/refunds?limit=100&payment_intent=pi_1";
    assert_eq!(
        gateway.paths(),
        ["/v1/payment_intents/pi_1".to_owned(), list.to_owned(), format!("{list}&starting_after=re_1")]
    );
    let rows = site.store.payments_named("pi_1", 2).await.unwrap();
    assert_eq!(rows[0].payment.amounts.refunded.minor(), 200);
}

#[tokio::test]
async fn a_question_raised_while_it_is_asked_stays_open_and_is_asked_again() {
    let site = Site::open().await;
    let slow = Say::Late(Duration::from_millis(300), Box::new(Say::json(200, &intent("pi_1"))));
    let gateway = Gateway::that_says(vec![slow, Say::json(200, &intent("pi_1"))]).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let running = site.asks(access(&gateway.base()));
    gateway.asked_times(1).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let open = site.asked_times(1).await;
    assert_eq!(open.last_outcome.as_deref(), Some("answered"));
    site.all_answered().await;
    running.stop().await;
    assert_eq!(gateway.asked().len(), 2);
}

#[tokio::test]
async fn equal_calls_under_way_are_made_once() {
    let site = Site::open().await;
    let slow = Say::Late(Duration::from_millis(200), Box::new(Say::json(200, &intent("pi_1"))));
    let gateway = Gateway::that_says(vec![slow]).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    site.wants(WantKind::Payment, "pi_1", WantReason::Hint).await;
    let running = site.asks(access(&gateway.base()));
    site.all_answered().await;
    running.stop().await;
    assert_eq!(gateway.paths(), ["/v1/payment_intents/pi_1"]);
}

#[tokio::test]
async fn whoever_is_killed_while_it_asks_leaves_the_question_to_the_next() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![
        Say::Late(Duration::from_secs(60), Box::new(Say::HangUp)),
        Say::json(200, &intent("pi_1")),
    ])
    .await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let patient = afluente_lookup::Settings { lease: Duration::from_secs(1), ..settings() };
    let running = site.asks_with(access(&gateway.base()), patient);
    gateway.asked_times(1).await;
    running.kill();
    let running = site.asks_with(access(&gateway.base()), patient);
    site.all_answered().await;
    running.stop().await;
    assert_eq!(site.payment("pi_1").await, Some(("SUCCEEDED".to_owned(), 1_000)));
}

//! Tokens the gateway gives out: asked for once, renewed when they are not taken any more.

use afluente_gateways::Secret;
use afluente_lookup::{Access, Auth};
use afluente_model::{WantKind, WantReason};

use super::gateway::{Gateway, Say};
use super::site::{Site, access, intent};

fn client(base: &str) -> Access {
    let secret = Secret::new("secret-of-the-client").unwrap();
    Access { auth: Auth::Client { id: "client-1".into(), secret, path: "/oauth/token" }, ..access(base) }
}

fn token(text: &str) -> Say {
    Say::json(200, &format!(r#"{{"access_token":"{text}","expires_in":21600,"token_type":"Bearer"}}"#))
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_not_taken_any_more() {
    let site = Site::open().await;
    let own = || Say::json(200, &intent("pi_1"));
    let gateway = Gateway::that_says(vec![token("one"), own(), Say::json(401, "{}"), token("two"), own()]).await;
    let running = site.asks(client(&gateway.base()));
    for _ in 0..2 {
        site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
        site.all_answered().await;
    }
    running.stop().await;
    let asked = gateway.asked();
    let said: Vec<String> = asked
        .iter()
        .map(|asked| match asked.headers.get("authorization") {
            Some(token) => token.to_str().unwrap().to_owned(),
            None => format!("{} {}", asked.path, asked.body.contains("client_credentials")),
        })
        .collect();
    assert_eq!(said, ["/oauth/token true", "Bearer one", "Bearer one", "/oauth/token true", "Bearer two"]);
}

#[tokio::test]
async fn many_who_need_a_token_ask_for_it_once() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![token("one"), Say::json(404, "{}")]).await;
    for n in 0..8 {
        site.wants(WantKind::PaymentIntent, &format!("pi_{n}"), WantReason::Hint).await;
    }
    let running = site.asks(client(&gateway.base()));
    site.open_when(|open| open.iter().all(|want| want.attempts >= 1)).await;
    running.stop().await;
    assert_eq!(gateway.paths().iter().filter(|path| *path == "/oauth/token").count(), 1);
}

#[tokio::test]
async fn a_client_that_is_not_known_leaves_the_question_open() {
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![Say::json(400, r#"{"error":"invalid_client"}"#)]).await;
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    let running = site.asks(client(&gateway.base()));
    assert_eq!(site.asked_times(1).await.last_outcome.as_deref(), Some("unauthorized"));
    running.stop().await;
}

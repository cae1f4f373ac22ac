//! Tokens the gateway gives out: asked for once, renewed when they are not taken any more.

use afluente_gateways::Secret;
use afluente_gateways::profile::{Shown, TokensAt};
use afluente_lookup::{Access, Auth, Base};
use afluente_model::{WantKind, WantReason};

use super::gateway::{Gateway, Say};
use super::site::{Site, access, intent};

static TOKENS: TokensAt = TokensAt { base: None, hosts: &[], path: "/oauth/token", shown: Shown::Json };

fn client(base: &str) -> Access {
    let secret = Secret::new("secret-of-the-client").unwrap();
    let auth = Auth::Client { id: "client-1".into(), secret, base: Base::parse(base).unwrap(), tokens: &TOKENS };
    Access { auth, ..access(base) }
}

fn token(text: &str) -> Say {
    Say::json(200, &format!(r#"{{"access_token":"{text}","expires_in":21600,"token_type":"Bearer"}}"#))
}

#[tokio::test]
async fn a_key_is_the_user_of_basic_and_a_token_may_stand_in_the_query() {
    let key = || Secret::new("sk_test_key").unwrap();
    for (auth, header, path) in [
        (Auth::Key(key()), Some("Basic c2tfdGVzdF9rZXk6"), "/v1/payment_intents/pi_1"),
        (Auth::Query { name: "access-token", token: key() }, None, "/v1/payment_intents/pi_1?access-token=sk_test_key"),
    ] {
        let site = Site::open().await;
        let gateway = Gateway::that_says(vec![Say::json(200, &intent("pi_1"))]).await;
        let running = site.asks(Access { auth, ..access(&gateway.base()) });
        site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
        site.all_answered().await;
        running.stop().await;
        let asked = &gateway.asked()[0];
        assert_eq!(asked.headers.get("authorization").map(|value| value.to_str().unwrap()), header);
        assert_eq!(asked.path, path);
    }
}

#[tokio::test]
async fn clients_of_a_gateway_that_takes_forms_ask_for_tokens_at_an_address_of_its_own() {
    static FORM: TokensAt = TokensAt { base: None, hosts: &[], path: "/oauth2/token", shown: Shown::Form };
    let site = Site::open().await;
    let tokens = Gateway::that_says(vec![token("one")]).await;
    let gateway = Gateway::that_says(vec![Say::json(200, &intent("pi_1"))]).await;
    let secret = Secret::new("secret&of=it").unwrap();
    let base = Base::parse(&tokens.base()).unwrap();
    let auth = Auth::Client { id: "client-1".into(), secret, base, tokens: &FORM };
    let running = site.asks(Access { auth, ..access(&gateway.base()) });
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    site.all_answered().await;
    running.stop().await;
    let asked = tokens.asked();
    assert_eq!(asked[0].path, "/oauth2/token");
    assert_eq!(asked[0].body, "grant_type=client_credentials&client_id=client-1&client_secret=secret%26of%3Dit");
    assert_eq!(gateway.asked()[0].headers["authorization"], "Bearer one");
}

#[tokio::test]
async fn a_client_may_have_to_show_its_secret_in_basic() {
    static BASIC: TokensAt = TokensAt { base: None, hosts: &[], path: "/v1/oauth/token", shown: Shown::Basic };
    let site = Site::open().await;
    let gateway = Gateway::that_says(vec![token("one"), Say::json(200, &intent("pi_1"))]).await;
    let secret = Secret::new("secret-of-it").unwrap();
    let auth =
        Auth::Client { id: "client-1".into(), secret, base: Base::parse(&gateway.base()).unwrap(), tokens: &BASIC };
    let running = site.asks(Access { auth, ..access(&gateway.base()) });
    site.wants(WantKind::PaymentIntent, "pi_1", WantReason::Hint).await;
    site.all_answered().await;
    running.stop().await;
    let asked = &gateway.asked()[0];
    assert_eq!((&*asked.path, &*asked.body), ("/v1/oauth/token", r#"{"grant_type":"client_credentials"}"#));
    assert_eq!(asked.headers["authorization"], "Basic Y2xpZW50LTE6c2VjcmV0LW9mLWl0");
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

//! What is refused, with which status and word, and that nothing of it reaches the queue.

use crate::client::{Client, chunked, post, request, signature, signed, signed_with};
use crate::site::{NOON, OTHER_SECRET, SECRET, Site};

/// One connection, one request, one answer; afterwards the queue is empty.
async fn refused(bytes: Vec<u8>) -> (u16, String) {
    let site = Site::open().await;
    let answer = Client::connect(site.address).await.call(bytes).await;
    let error = answer.error();
    for secret in [SECRET, OTHER_SECRET, "whsec", "v1="] {
        assert!(!answer.body.contains(secret), "{answer:?}");
    }
    assert!(site.deliveries().await.is_empty());
    site.close().await;
    (answer.status, error)
}

fn is(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[tokio::test]
async fn a_signature_by_another_secret_is_refused() {
    assert_eq!(refused(signed_with(b"{}", OTHER_SECRET)).await, is(400, "wrong_signature"));
}

#[tokio::test]
async fn one_changed_byte_is_refused() {
    let mut bytes = signed(b"{\"amount\":100}");
    let last = bytes.len() - 3;
    bytes[last] = b'1';
    assert_eq!(refused(bytes).await, is(400, "wrong_signature"));
}

#[tokio::test]
async fn a_body_without_signature_is_refused() {
    assert_eq!(refused(post("/webhooks/stripe/main", &[], b"{}")).await, is(400, "no_signature"));
}

#[tokio::test]
async fn a_replayed_or_future_stamp_is_refused() {
    let stamped =
        |seconds| post("/webhooks/stripe/main", &[("Stripe-Signature", &signature(b"{}", SECRET, seconds))], b"{}");
    assert_eq!(refused(stamped(NOON - 301)).await, is(400, "too_old"));
    assert_eq!(refused(stamped(NOON + 301)).await, is(400, "from_future"));
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    assert_eq!(refused(signed(b"")).await, is(400, "empty_body"));
    assert_eq!(refused(chunked(b"", 1)).await, is(400, "empty_body"));
}

#[tokio::test]
async fn other_methods_on_a_known_path_are_refused_with_the_one_allowed() {
    let site = Site::open().await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        let answer = Client::connect(site.address).await.call(request(method, "/webhooks/stripe/main", &[], b"")).await;
        assert_eq!((answer.status, answer.error().as_str()), (405, "method_not_allowed"), "{method}");
        assert!(answer.has("allow: POST"), "{answer:?}");
    }
    let with_body = request("GET", "/webhooks/stripe/main", &[("Content-Length", "2")], b"{}");
    assert_eq!(Client::connect(site.address).await.call(with_body).await.status, 405);
    site.close().await;
}

#[tokio::test]
async fn unknown_paths_gateways_and_accounts_get_one_and_the_same_answer() {
    let site = Site::open().await;
    let mut answers = Vec::new();
    for path in [
        "/webhooks/openfinances/main",
        "/webhooks/nogateway/main",
        "/webhooks/stripe/main/",
        "/webhooks/stripe/main/a-gateway-that-signs-has-no-token",
        "/webhooks/stripe//main",
        "//webhooks/stripe/main",
        "/webhooks/stripe%2fmain",
        "/webhooks/STRIPE/main",
        "/webhooks/./stripe/main",
        "/webhooks",
        "/",
        "/healthz",
        "/metrics",
    ] {
        let header = [("Stripe-Signature", &*signature(b"{}", SECRET, NOON))];
        let answer = Client::connect(site.address).await.call(post(path, &header, b"{}")).await;
        assert_eq!(answer.status, 404, "{path}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    site.close().await;
}

#[tokio::test]
async fn a_gateway_that_asks_whether_anybody_is_here_is_told_so_and_nothing_is_kept() {
    let site = Site::open().await;
    site.reload_profile("transfeera", "tf-secret-afluente-01");
    for (path, status) in [("/webhooks/openfinance/main", 200), ("/webhooks/openfinance/nobody", 401)] {
        let probe = request("POST", path, &[("Content-Length", "0")], b"");
        let answer = Client::connect(site.address).await.call(probe).await;
        assert_eq!(answer.status, status, "{path}");
        let unsigned = request("POST", path, &[("Content-Length", "2"), ("Content-Type", "application/json")], b"{}");
        assert_eq!(Client::connect(site.address).await.call(unsigned).await.status, 401, "{path}");
    }
    assert!(site.deliveries().await.is_empty());
    site.close().await;
}

/// Method, headers, body.
type Probe<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8]);

#[tokio::test]
async fn whoever_probes_for_an_account_is_told_the_same_whether_there_is_one() {
    let site = Site::open().await;
    let stranger = signature(b"{}", "whsec_of_a_stranger", NOON);
    let good = signature(b"{}", SECRET, NOON);
    let old = signature(b"{}", "whsec_of_a_stranger", NOON - 9_999);
    let json = ("Content-Type", "application/json");
    let probes: [Probe<'_>; 8] = [
        ("GET", vec![], b""),
        ("DELETE", vec![], b""),
        ("POST", vec![json], b"{}"),
        ("POST", vec![json, ("Stripe-Signature", "t=1")], b"{}"),
        ("POST", vec![json, ("Stripe-Signature", &stranger)], b"{}"),
        ("POST", vec![json, ("Stripe-Signature", &old)], b"{}"),
        ("POST", vec![json, ("Stripe-Signature", &stranger)], b""),
        ("POST", vec![("Content-Type", "text/plain")], b"{}"),
    ];
    for (method, headers, body) in &probes {
        let mut answers = Vec::new();
        for name in ["main", "nobody", "Main", "%6dain", "main;x"] {
            let length = body.len().to_string();
            let headers = [&headers[..], &[("Content-Length", length.as_str())]].concat();
            let path = format!("/webhooks/stripe/{name}");
            let answer = Client::connect(site.address).await.call(request(method, &path, &headers, body)).await;
            answers.push((answer.status, answer.body.clone()));
        }
        let first = answers[0].clone();
        assert!(first.0 >= 400, "{method} {headers:?}: {first:?}");
        assert!(answers.iter().all(|answer| *answer == first), "{method} {headers:?}: {answers:?}");
    }
    // And what is signed for one account proves nothing about another.
    let path = "/webhooks/stripe/nobody";
    let answer = Client::connect(site.address).await.call(post(path, &[("Stripe-Signature", &good)], b"{}")).await;
    assert_eq!((answer.status, answer.error().as_str()), (400, "wrong_signature"));
    assert!(site.deliveries().await.is_empty());
    site.close().await;
}

#[tokio::test]
async fn what_the_gateway_never_sends_is_refused_by_type_and_encoding() {
    let path = "/webhooks/stripe/main";
    let with = |headers: &[(&str, &str)]| {
        let signature = signature(b"{}", SECRET, NOON);
        let always = [("Stripe-Signature", signature.as_str()), ("Content-Length", "2")];
        request("POST", path, &[&always, headers].concat(), b"{}")
    };
    assert_eq!(refused(with(&[])).await, is(415, "unsupported_type"));
    assert_eq!(refused(with(&[("Content-Type", "text/plain")])).await, is(415, "unsupported_type"));
    let twice = [("Content-Type", "application/json"), ("Content-Type", "application/json")];
    assert_eq!(refused(with(&twice)).await, is(415, "unsupported_type"));
    let gzip = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    assert_eq!(refused(with(&gzip)).await, is(415, "unsupported_encoding"));
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread_and_the_answer_gets_through() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    let body = vec![b' '; 10 << 20];
    let answer = client.call(signed(&body)).await;
    assert_eq!((answer.status, answer.error().as_str()), (413, "too_large"));
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(client.is_closed().await);
    assert!(site.deliveries().await.is_empty());
    site.close().await;
}

#[tokio::test]
async fn a_body_in_chunks_is_refused_where_it_grows_too_large() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    let answer = client.call(chunked(&vec![b' '; 10 << 20], 64 << 10)).await;
    assert_eq!((answer.status, answer.error().as_str()), (413, "too_large"));
    assert!(client.is_closed().await);
    site.close().await;
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_refused() {
    let site = Site::open().await;
    for headers in [
        &[("Content-Length", "2"), ("Content-Length", "3")][..],
        &[("Content-Length", "-1")],
        &[("Content-Length", "two")],
        &[("Transfer-Encoding", "gzip")],
    ] {
        let mut client = Client::connect(site.address).await;
        let answer = client.call(request("POST", "/webhooks/stripe/main", headers, b"{}")).await;
        assert_eq!(answer.status, 400, "{headers:?}");
        assert!(client.is_closed().await);
    }
    site.close().await;
}

/// RFC 9112 section 6.3: the transfer coding decides, the length is ignored, and the connection is closed after the
/// answer, so that whatever follows cannot be taken for a second request.
#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let site = Site::open().await;
    let mut client = Client::connect(site.address).await;
    let headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", "7"),
        ("Transfer-Encoding", "chunked"),
        ("Stripe-Signature", &signature(b"{}", SECRET, NOON)),
    ];
    let mut bytes = request("POST", "/webhooks/stripe/main", &headers, b"2\r\n{}\r\n0\r\n\r\n");
    bytes.extend(signed(b"{\"second\":true}"));
    let answer = client.call(bytes).await;
    assert_eq!(answer.status, 200);
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(client.is_closed().await);
    assert_eq!(site.deliveries().await.len(), 1);
    site.close().await;
}

#[tokio::test]
async fn a_token_opens_its_own_account_alone_and_a_wrong_one_is_told_like_an_account_that_is_not_there() {
    let site = Site::open().await;
    site.reload_unsigned(&[("loja", "token-of-loja"), ("other", "token-of-other")]);
    let mut client = Client::connect(site.address).await;
    let forwarded = &[("X-Forwarded-For", "127.0.0.1"), ("X-Appmax-Token", "token-of-loja")];
    let mut told = Vec::new();
    for path in [
        "/webhooks/appmax/loja/token-of-other",
        "/webhooks/appmax/loja",
        "/webhooks/appmax/loja/token-of-loj",
        "/webhooks/appmax/loja?token=token-of-loja",
        "/webhooks/appmax/nobody/token-of-loja",
    ] {
        let answer = client.call(post(path, forwarded, b"{}")).await;
        told.push((answer.status, answer.error()));
    }
    assert!(told.iter().all(|answer| *answer == (401, "wrong_path_token".to_owned())), "{told:?}");
    let taken = client.call(post("/webhooks/appmax/loja/token-of-loja?order_id=1", forwarded, b"{}")).await;
    assert_eq!(taken.status, 200);
    let deliveries = site.deliveries().await;
    assert_eq!((deliveries.len(), deliveries[0].query.as_deref()), (1, None), "the panel's variables go no further");
    assert!(!site.metrics().contains("token-of"));
    site.close().await;
}

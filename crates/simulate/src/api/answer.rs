//! One request, one answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use uuid::Uuid;

use super::conditions::Trouble;
use super::{Key, State, is_open, locked};
use crate::openfinance;

type Body = BoxBody<Bytes, std::io::Error>;

/// The token that is given out for a client's id and secret.
const GIVEN_OUT: &str = "TEST-given-out-by-the-simulated-api";
/// How late an answer comes that is late.
const LATE: Duration = Duration::from_secs(3);

/// Answers a request.
pub(super) async fn to(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.method() == Method::POST && token_path(&state.key) == Some(request.uri().path()) {
        return Ok(token(&state, request).await);
    }
    if request.method() != Method::GET {
        state.count(request.uri().path(), "405");
        return Ok(says(405, &json!({"message": "only GET", "status": 405})));
    }
    if is_open(request.uri().path()) {
        return Ok(well(&state, request.uri().path()));
    }
    if !is_let_in(&state.key, &request) {
        state.count(request.uri().path(), "401");
        return Ok(unauthorized());
    }
    let trouble = locked(&state.weather).next();
    Ok(match trouble {
        None => well(&state, request.uri().path()),
        Some(Trouble::Slow) => {
            tokio::time::sleep(LATE).await;
            well(&state, request.uri().path())
        }
        Some(trouble) => troubled(&state, request.uri().path(), trouble),
    })
}

/// The object, or that there is none.
fn well(state: &State, path: &str) -> Response<Body> {
    if let Some(object) = state.object(path) {
        state.count(path, "200");
        return match signed(&state.key, &object).filter(|_| !is_open(path)) {
            Some(signed) => response(200, "application/jwt", whole(Bytes::from(signed))),
            None => response(200, "application/json", whole(object)),
        };
    }
    state.count(path, "404");
    absent()
}

fn troubled(state: &State, path: &str, trouble: Trouble) -> Response<Body> {
    let (what, answer) = match trouble {
        Trouble::Unauthorized => ("401", unauthorized()),
        Trouble::Absent => ("404", absent()),
        Trouble::Limited(seconds) => {
            let mut answer =
                says(429, &json!({"message": "too many requests", "error": "too_many_requests", "status": 429}));
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            ("429", answer)
        }
        Trouble::Failing => ("500", says(500, &json!({"message": "internal error", "status": 500}))),
        Trouble::Unavailable => ("503", response(503, "text/html", whole(Bytes::from_static(b"<html>busy</html>")))),
        Trouble::Cut | Trouble::Slow => ("cut", response(200, "application/json", cut())),
        Trouble::Garbage if matches!(state.key, Key::Signer { .. }) => ("garbage", missigned(state, path)),
        Trouble::Garbage => {
            ("garbage", response(200, "text/html", whole(Bytes::from_static(b"<html><title>Log in</title></html>"))))
        }
    };
    state.count(path, what);
    answer
}

fn is_let_in(key: &Key, request: &Request<Incoming>) -> bool {
    let header = request.headers().get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    let bearer = |token: &[u8]| header.and_then(|shown| shown.strip_prefix(b"Bearer ")) == Some(token);
    match key {
        Key::Token(token) => bearer(token.expose()),
        Key::Client { .. } | Key::Signer { .. } => bearer(GIVEN_OUT.as_bytes()),
        Key::Basic(key) => {
            let shown = STANDARD.encode([key.expose(), b":"].concat());
            header.and_then(|header| header.strip_prefix(b"Basic ")) == Some(shown.as_bytes())
        }
        Key::Query { name, token } => {
            let mut pairs = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            pairs.any(|(key, value)| key == *name && value.as_bytes() == token.expose())
        }
    }
}

/// Gives out the token to who shows id and secret.
async fn token(state: &State, request: Request<Incoming>) -> Response<Body> {
    let body = Limited::new(request.into_body(), 64 << 10).collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let path = token_path(&state.key).unwrap_or_default();
    let right = match &state.key {
        Key::Client { id, secret, is_form, .. } => {
            let shown: Value = if *is_form {
                form_urlencoded::parse(&body).collect()
            } else {
                serde_json::from_slice(&body).unwrap_or_default()
            };
            let shown_secret = shown["client_secret"].as_str().map(str::as_bytes);
            shown["client_id"] == **id && shown_secret == Some(secret.expose())
        }
        Key::Signer { client_id, endpoint, .. } => {
            let form: Value = form_urlencoded::parse(&body).collect();
            signs_for(form["client_assertion"].as_str().unwrap_or_default(), client_id, endpoint)
        }
        Key::Token(_) | Key::Basic(_) | Key::Query { .. } => false,
    };
    if !right {
        state.count(path, "token 401");
        return unauthorized();
    }
    state.count(path, "token 200");
    says(200, &json!({"access_token": GIVEN_OUT, "token_type": "bearer", "expires_in": 15_552_000}))
}

/// Where tokens are given out, if they are.
fn token_path(key: &Key) -> Option<&str> {
    match key {
        Key::Client { path, .. } => Some(path),
        Key::Signer { endpoint, .. } => {
            let behind = endpoint.split_once("://")?.1;
            behind.find('/').map(|at| &behind[at..])
        }
        Key::Token(_) | Key::Basic(_) | Key::Query { .. } => None,
    }
}

/// Whether a client's signed text names it, and is for this address and for now. Its signature is checked in the tests of who signs.
fn signs_for(text: &str, client_id: &str, endpoint: &str) -> bool {
    let Some(claims) = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()) else { return false };
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    claims["iss"] == *client_id && claims["aud"] == *endpoint && claims["exp"].as_i64().is_some_and(|end| end > now())
}

/// The object as a bank signs it, now.
fn signed(key: &Key, object: &[u8]) -> Option<String> {
    let Key::Signer { issuer, audience, .. } = key else { return None };
    let claims = openfinance::claims(object, issuer, audience, now(), &Uuid::new_v4().to_string())?;
    Some(openfinance::key().sign(&claims))
}

/// What must not be believed though it looks like an answer: in turns unsigned, under another algorithm, for somebody else, of an hour
/// ago, and about another object.
fn missigned(state: &State, path: &str) -> Response<Body> {
    let Some(object) = state.object(path) else { return absent() };
    let Key::Signer { issuer, audience, .. } = &state.key else { return absent() };
    let turn = locked(&state.tally).requests() % 5;
    let (audience, at) = match turn {
        2 => (&**issuer, now()),
        3 => (&**audience, now() - 3_600),
        _ => (&**audience, now()),
    };
    let Some(mut claims) = openfinance::claims(&object, issuer, audience, at, &Uuid::new_v4().to_string()) else {
        return absent();
    };
    if turn == 4 {
        claims["data"]["paymentId"] = json!("another");
        claims["data"]["recurringPaymentId"] = json!("another");
        claims["data"]["consentId"] = json!("another");
        claims["data"]["recurringConsentId"] = json!("another");
    }
    let key = openfinance::key();
    match turn {
        0 => says(200, &claims),
        1 => response(200, "application/jwt", whole(Bytes::from(key.sign_with_rs256(&claims)))),
        _ => response(200, "application/jwt", whole(Bytes::from(key.sign(&claims)))),
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

fn unauthorized() -> Response<Body> {
    says(401, &json!({"message": "invalid access token", "error": "unauthorized", "status": 401}))
}

fn absent() -> Response<Body> {
    says(404, &json!({"message": "not found", "error": "not_found", "status": 404, "cause": [{"code": 2_000}]}))
}

fn says(status: u16, body: &Value) -> Response<Body> {
    response(status, "application/json", whole(Bytes::from(body.to_string())))
}

fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// The beginning of an object, and then the connection ends.
fn cut() -> Body {
    let begun = stream::once(async { Ok(Frame::data(Bytes::from_static(b"{\"id\":1384724"))) });
    let gone = stream::once(async { Err(std::io::Error::other("cut")) });
    BodyExt::boxed(StreamBody::new(begun.chain(gone)))
}

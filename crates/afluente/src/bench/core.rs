//! The pure core: verify, normalise and fold one body, against hashing and parsing the same bytes once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use afluente_gateways::{AccountView, Credentials, Envelope, Request, Tenants, adapter, read};
use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Incoming, Mode, Payment, fold, project};
use afluente_simulate::{Whole, samples};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Figure;
use super::body::{BenchAccount, event};

/// Different bodies, so that no branch is learned by heart.
const BODIES: usize = 512;
/// How long each side is measured, in turns.
const TURN: Duration = Duration::from_millis(100);
const TURNS: u32 = 5;

/// Bodies of one kind, and what they are checked with.
struct Kind {
    what: String,
    gateway: Gateway,
    credentials: Credentials,
    requests: Vec<Whole>,
}

/// Measures every kind of body.
pub(super) fn measure() -> Vec<Figure> {
    let Ok(account) = BenchAccount::new() else { return Vec::new() };
    let stripe = Kind {
        what: "Stripe, HMAC-SHA-256".to_owned(),
        gateway: Gateway::Stripe,
        credentials: account.credentials(),
        requests: (0..BODIES).filter_map(|number| signed(&account, event(number))).collect(),
    };
    let others = samples(BODIES / 4).unwrap_or_default().into_iter().map(|sample| Kind {
        what: format!("{}, {}", adapter(sample.gateway).profile().title, sample.proof),
        gateway: sample.gateway,
        credentials: sample.credentials,
        requests: sample.requests,
    });
    std::iter::once(stripe).chain(others).flat_map(|kind| figures(&account.name, &kind)).collect()
}

fn signed(account: &BenchAccount, body: Vec<u8>) -> Option<Whole> {
    let signature = http::HeaderValue::from_str(&account.signature(&body)).ok()?;
    let headers = http::HeaderMap::from_iter([(http::HeaderName::from_static("stripe-signature"), signature)]);
    Some(Whole { token: None, headers, body })
}

/// Both sides in turns, so that a change of clock speed meets both.
#[allow(clippy::cast_precision_loss, reason = "for display")]
fn figures(account: &AccountName, kind: &Kind) -> [Figure; 2] {
    let (mut ours, mut bare) = ((0_u64, Duration::ZERO), (0_u64, Duration::ZERO));
    for _ in 0..TURNS {
        turn(&mut bare, &kind.requests, |whole| hashed_and_parsed(&whole.body));
        turn(&mut ours, &kind.requests, |whole| {
            black_box(one(account, kind, whole));
        });
    }
    let micros = |(count, took): (u64, Duration)| took.as_secs_f64() * 1e6 / count as f64;
    let (ours, bare) = (micros(ours), micros(bare));
    let bytes = kind.requests.iter().map(|whole| whole.body.len()).sum::<usize>() / kind.requests.len().max(1);
    let figure = |what: String, micros: f64, compared| Figure {
        what,
        rate: 1e6 / micros,
        unit: "/s",
        p50_ms: None,
        p99_ms: None,
        compared,
    };
    [
        figure(
            format!("SHA-256 + one parse of {bytes} bytes ({})", kind.what),
            bare,
            Some(format!("{bare:.1} µs each")),
        ),
        figure(
            "verify + normalise + fold of the same".to_owned(),
            ours,
            Some(format!("{ours:.1} µs each, {:.2} × that", ours / bare)),
        ),
    ]
}

/// What nobody can do without: a hash of the bytes, and a tree or a list of what they hold.
fn hashed_and_parsed(body: &[u8]) {
    black_box(Sha256::digest(body));
    if body.starts_with(b"{") {
        black_box(serde_json::from_slice::<serde_json::Value>(body).is_ok());
    } else {
        let fields: std::collections::BTreeMap<_, _> = form_urlencoded::parse(body).collect();
        black_box(fields.len());
    }
}

fn turn(total: &mut (u64, Duration), requests: &[Whole], mut work: impl FnMut(&Whole)) {
    let started = Instant::now();
    while started.elapsed() < TURN {
        requests.iter().for_each(&mut work);
        total.0 += requests.len() as u64;
    }
    total.1 += started.elapsed();
}

fn one(account: &AccountName, kind: &Kind, whole: &Whole) -> Option<Payment> {
    let adapter = adapter(kind.gateway);
    let request = Request {
        method: &http::Method::POST,
        path_token: whole.token.as_deref(),
        peer: None,
        query: None,
        headers: &whole.headers,
        body: &whole.body,
    };
    let now = afluente_worker::now();
    let proof = adapter.verify(&request, &kind.credentials, now).ok()?;
    let is_form = whole.body.first().is_some_and(|first| *first != b'{');
    let content_type = is_form.then(|| ("content-type".into(), "application/x-www-form-urlencoded".into()));
    let delivery = Delivery {
        id: DeliveryId(Uuid::nil()),
        gateway: kind.gateway,
        account: account.clone(),
        received_at: now,
        proof,
        headers: content_type.into_iter().collect(),
        query: None,
        traceparent: None,
        released_by: None,
        body: Bytes::copy_from_slice(&whole.body),
    };
    let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    let reading = read(adapter, &Envelope::of(&Incoming::Delivery(delivery), &view)).ok()?;
    let state = fold(reading.facts.iter().map(|(_, fact)| fact));
    Some(project(&state, adapter.profile().conventions))
}

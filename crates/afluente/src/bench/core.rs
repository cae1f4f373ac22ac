//! The pure core: verify, normalise and fold one event, against hashing and parsing the same bytes once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use afluente_gateways::{Envelope, Request, adapter, read};
use afluente_model::{Delivery, DeliveryId, Gateway, Incoming, fold, project};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Figure;
use super::body::{BenchAccount, event};

/// Different bodies, so that no branch is learned by heart.
const BODIES: usize = 512;
/// How long each side is measured, in turns.
const TURN: Duration = Duration::from_millis(200);
const TURNS: u32 = 5;

/// Measures both sides in turns, so that a change of clock speed meets both.
#[allow(clippy::cast_precision_loss, reason = "for display")]
pub(super) fn measure() -> Vec<Figure> {
    let Ok(account) = BenchAccount::new() else { return Vec::new() };
    let bodies: Vec<(Vec<u8>, http::HeaderMap)> = (0..BODIES)
        .filter_map(|number| {
            let body = event(number);
            let signature = http::HeaderValue::from_str(&account.signature(&body)).ok()?;
            Some((body, http::HeaderMap::from_iter([(http::HeaderName::from_static("stripe-signature"), signature)])))
        })
        .collect();
    let (mut ours, mut bare) = ((0_u64, Duration::ZERO), (0_u64, Duration::ZERO));
    for _ in 0..TURNS {
        turn(&mut bare, &bodies, |body, _| {
            black_box(Sha256::digest(body));
            black_box(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        });
        turn(&mut ours, &bodies, |body, headers| {
            black_box(one(&account, body, headers));
        });
    }
    let micros = |(count, took): (u64, Duration)| took.as_secs_f64() * 1e6 / count as f64;
    let (ours, bare) = (micros(ours), micros(bare));
    let bytes = bodies.iter().map(|(body, _)| body.len()).sum::<usize>() / bodies.len().max(1);
    let figure = |what: String, micros: f64, compared| Figure {
        what,
        rate: 1e6 / micros,
        unit: "/s",
        p50_ms: None,
        p99_ms: None,
        compared,
    };
    vec![
        figure(format!("SHA-256 + one JSON parse of {bytes} bytes"), bare, Some(format!("{bare:.1} µs each"))),
        figure(
            "verify + normalise + fold of the same".to_owned(),
            ours,
            Some(format!("{ours:.1} µs each, {:.2} × that", ours / bare)),
        ),
    ]
}

fn turn(
    total: &mut (u64, Duration),
    bodies: &[(Vec<u8>, http::HeaderMap)],
    mut work: impl FnMut(&[u8], &http::HeaderMap),
) {
    let started = Instant::now();
    while started.elapsed() < TURN {
        for (body, headers) in bodies {
            work(body, headers);
        }
        total.0 += bodies.len() as u64;
    }
    total.1 += started.elapsed();
}

fn one(account: &BenchAccount, body: &[u8], headers: &http::HeaderMap) -> Option<afluente_model::Payment> {
    let adapter = adapter(Gateway::Stripe)?;
    let request = Request { method: &http::Method::POST, path_token: None, query: None, headers, body };
    let now = afluente_worker::now();
    let proof = adapter.verify(&request, &account.credentials(), now).ok()?;
    let delivery = Delivery {
        id: DeliveryId(Uuid::nil()),
        gateway: Gateway::Stripe,
        account: account.name.clone(),
        received_at: now,
        proof,
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: bytes::Bytes::copy_from_slice(body),
    };
    let reading = read(adapter, &Envelope::of(&Incoming::Delivery(delivery), &account.view)).ok()?;
    let state = fold(reading.facts.iter().map(|(_, fact)| fact));
    Some(project(&state, adapter.profile().conventions))
}

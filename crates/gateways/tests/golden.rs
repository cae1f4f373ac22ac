//! Golden cases: what gateways send, and the rows that must come of it in any order and any repetition.
//!
//! A case is a folder `golden/<gateway>/<case>/` with the bodies that were posted (`NN_<name>.json`), what they must
//! become (`expected.json`) and, where it differs from a plain test account, the account (`account.json`). A body that was not
//! simply posted has `NN_<name>.came.json` beside it: its query, or what it answers. Adding a case adds files here and no
//! code.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "golden/case.rs"]
mod case;
#[path = "golden/gateway.rs"]
mod gateway;
#[path = "golden/order.rs"]
mod order;
#[path = "golden/row.rs"]
mod row;

use std::collections::BTreeSet;

use afluente_gateways::{Rejection, Request, Secret};
use afluente_model::{Gateway, Proof, Timestamp};
use case::{Case, Outcome};
use gateway::Posted;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

/// What every gateway must show, or say in `cannot.json` why it does not exist there.
const NEEDED: &[&str] = &[
    "paid",
    "declined_then_paid",
    "expired_then_paid_late",
    "authorised_captured_twice_rest_voided",
    "partial_refunds_to_full",
    "refund_failed",
    "dispute_opened_then_won",
    "dispute_lost_then_appealed",
    "chargeback_after_refund",
    "canceled_while_held",
    "canceled_while_not_held",
    "subscription_life",
    "unknown_word",
    "unknown_payment",
    "two_notices_in_one_body",
    "same_second",
    "body_without_time",
    "wrong_account",
    "wrong_mode",
    "wrong_currency",
];

const SECRET: &str = "whsec_golden_secret";
const CLOCK: i64 = 1_764_000_000;

#[test]
fn every_case_gives_one_row_in_any_order_and_any_repetition_and_it_is_the_right_one() {
    for case in Case::all() {
        let outcomes: Vec<Outcome> = case.bodies.iter().map(|body| case.read(body)).collect();
        case.expect(&case::said(&case, &outcomes));
        let seeded = order::all_or_some(outcomes.len());
        let rows = |order: &[usize]| row::rows(&case, &outcomes, order);
        let first = rows(&seeded[0]);
        case.expect_rows(&first);
        for order in &seeded {
            for sequence in [order.clone(), order::twice_each(order), order::again(order)] {
                assert_eq!(rows(&sequence), first, "{}: in the order {sequence:?}", case.name);
            }
            assert_eq!(row::joined_halves(&case, &outcomes, order), first, "{}: split over two workers", case.name);
        }
    }
}

#[test]
fn reading_twice_says_the_same_and_an_unproved_body_asserts_nothing() {
    for case in Case::all() {
        for body in &case.bodies {
            assert_eq!(case.read(body), case.read(body), "{}/{}", case.name, body.name);
            if body.is_answer() {
                continue;
            }
            if let Ok(reading) = case.read_as(body, &body.bytes, Proof::None) {
                assert!(reading.facts.is_empty() && reading.subscriptions.is_empty(), "{}/{}", case.name, body.name);
                assert!(reading.claims.is_empty() && reading.aliases.is_empty(), "{}/{}", case.name, body.name);
            }
        }
    }
}

#[test]
fn every_body_is_refused_when_it_is_forged_unsigned_stale_or_cut() {
    let secret = Secret::new(SECRET).unwrap();
    for case in Case::all() {
        let verify = |posted: &Posted, clock| verify(&case, posted, clock);
        for body in case.bodies.iter().filter(|body| body.is_signed()) {
            let posted = gateway::posted(case.gateway, &secret, CLOCK, body);
            let place = format!("{}/{}", case.name, body.name);
            assert!(verify(&posted, CLOCK).is_ok(), "{place}");
            for forged in gateway::changed(case.gateway, &posted) {
                assert_eq!(verify(&forged, CLOCK), Err(Rejection::WrongSignature { secrets: 1 }), "{place}");
            }
            let kind = posted.headers.get(CONTENT_TYPE).cloned();
            let headers = kind.map(|kind| (CONTENT_TYPE, kind)).into_iter().collect();
            let unsigned = Posted { headers, ..posted.clone() };
            assert_eq!(verify(&unsigned, CLOCK), Err(Rejection::NoSignature), "{place}");
            let later = verify(&posted, CLOCK + 301);
            let is_stale = matches!(later, Err(Rejection::TooOld { .. }));
            assert!(if gateway::stamps(case.gateway) { is_stale } else { later.is_ok() }, "{place}");
        }
    }
}

fn verify(case: &Case, posted: &Posted, clock: i64) -> Result<Proof, Rejection> {
    let Posted { query, headers, body } = posted;
    let request =
        Request { method: &Method::POST, path_token: None, peer: None, query: query.as_deref(), headers, body };
    let credentials = gateway::credentials(case.gateway, Secret::new(SECRET).unwrap());
    case.adapter().verify(&request, &credentials, Timestamp::from_seconds(clock).unwrap())
}

/// A status that no table lists may only stand in a case that expects it as unmapped.
#[test]
fn every_status_in_a_body_is_in_the_vocabulary() {
    for case in Case::all() {
        let known: BTreeSet<(String, String)> = case
            .adapter()
            .vocabulary()
            .into_iter()
            .map(|entry| (entry.field.to_owned(), entry.word.split(" (").next().unwrap().to_owned()))
            .collect();
        let unmapped = case.expected["unmapped"].as_array().cloned().unwrap_or_default();
        for body in &case.bodies {
            let parsed: Value = serde_json::from_slice(&body.bytes).unwrap_or_default();
            let Some((field, status)) = gateway::status(&case, &parsed) else { continue };
            if !known.iter().any(|(known, _)| *known == field) {
                continue;
            }
            let listed = known.contains(&(field.clone(), status.clone()));
            let expected = unmapped.contains(&json!(format!("{field} {status}")));
            assert!(listed || expected, "{}/{}: {field} {status}", case.name, body.name);
        }
    }
}

#[test]
fn every_gateway_shows_what_it_must_or_says_why_it_cannot() {
    let shown: BTreeSet<String> = Case::all().into_iter().map(|case| case.name).collect();
    for gateway in Gateway::ALL {
        let cannot = case::json(&case::root().join(gateway.slug()).join("cannot.json"));
        for needed in NEEDED {
            let named = format!("{}/{needed}", gateway.slug());
            let says_why = cannot[*needed].is_string();
            assert!(shown.contains(&named) != says_why, "{named}: a folder, or a reason in cannot.json");
        }
    }
}

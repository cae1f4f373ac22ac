//! Every documented word of Stripe, and what it becomes.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use afluente_gateways::{AccountView, Envelope, Reading, Tenants, adapter, read};
use afluente_model::{
    AccountName, Delivery, DeliveryId, Gateway, Incoming, Kind, Mode, Proof, SecretName, Timestamp, fold, project,
};
use bytes::Bytes;
use serde_json::{Value, json};

/// The vocabularies Stripe documents, object by object.
const DOCUMENTED: &[(&str, &str)] = &[
    (
        "payment_intent.status",
        "requires_payment_method requires_confirmation requires_action processing requires_capture succeeded canceled",
    ),
    (
        "payment_intent.cancellation_reason",
        "abandoned automatic duplicate expired failed_invoice fraudulent requested_by_customer void_invoice",
    ),
    ("charge.status", "pending succeeded failed"),
    ("charge.outcome.type", "authorized manual_review issuer_declined blocked invalid"),
    ("refund.status", "pending requires_action succeeded failed canceled null"),
    ("refund.reason", "duplicate fraudulent requested_by_customer expired_uncaptured_charge"),
    (
        "refund.failure_reason",
        "lost_or_stolen_card expired_or_canceled_card charge_for_pending_refund_disputed insufficient_funds declined \
         merchant_request unknown",
    ),
    (
        "dispute.status",
        "warning_needs_response warning_under_review warning_closed needs_response under_review appeal_needs_response \
         appeal_under_review won lost prevented charge_refunded",
    ),
    ("invoice.status", "draft open paid uncollectible void deleted"),
    (
        "invoice.uncollectible_reason",
        "max_payment_attempts payment_not_received subscription_canceled subscription_paused user_forgiven",
    ),
    (
        "invoice.billing_reason",
        "manual subscription subscription_create subscription_cycle subscription_threshold subscription_update \
         quote_accept automatic_pending_invoice_item_invoice upcoming",
    ),
    ("invoice_payment.status", "open paid canceled"),
    (
        "setup_intent.status",
        "requires_payment_method requires_confirmation requires_action processing succeeded canceled",
    ),
    ("subscription.status", "incomplete incomplete_expired trialing active past_due unpaid paused canceled"),
    (
        "subscription.cancellation_details.reason",
        "cancellation_requested payment_failed payment_disputed canceled_by_retention_policy",
    ),
    (
        "subscription.status_details.paused.subscription.type",
        "final_payment_failure first_payment_failure pause_requested system trial_end_without_payment_method",
    ),
    ("checkout.session.status", "open complete expired"),
    ("checkout.session.payment_status", "paid unpaid no_payment_required"),
    (
        "review.closed_reason",
        "approved refunded refunded_as_fraud disputed redacted canceled payment_never_settled acknowledged",
    ),
];

#[test]
fn every_documented_word_has_an_entry() {
    let vocabulary = adapter(Gateway::Stripe).vocabulary();
    for (field, words) in DOCUMENTED {
        for word in words.split_whitespace() {
            let named = |entry: &str| entry == word || entry.starts_with(&format!("{word} ("));
            assert!(vocabulary.iter().any(|entry| entry.field == *field && named(&entry.word)), "{field} {word}");
        }
    }
}

#[test]
fn no_entry_stands_twice_and_every_fact_is_one_of_ours() {
    let vocabulary = adapter(Gateway::Stripe).vocabulary();
    let names: BTreeSet<_> = vocabulary.iter().map(|entry| (entry.field, entry.word.clone())).collect();
    assert_eq!(names.len(), vocabulary.len());
    let payment =
        afluente_model::PaymentKind::all().into_iter().map(|kind| format!("{}.{}", kind.family(), kind.word()));
    let subscription =
        afluente_model::SubscriptionKind::all().into_iter().map(|kind| format!("{}.{}", kind.family(), kind.word()));
    let kinds: BTreeSet<String> = payment.chain(subscription).collect();
    for fact in vocabulary
        .iter()
        .flat_map(|entry| &entry.facts)
        .filter(|fact| !fact.starts_with("reason ") && !fact.starts_with("as ") && !fact.starts_with("access "))
    {
        assert!(kinds.contains(&**fact), "{fact}");
    }
}

const AT: i64 = 1_763_900_000;

fn reading(kind: &str, object: &Value) -> Reading {
    let event = json!({
        "id": "evt_1", "object": "event", "type": kind, "created": AT, "livemode": false, "data": {"object": object},
    });
    let delivery = Delivery {
        id: DeliveryId(uuid::Uuid::nil()),
        gateway: Gateway::Stripe,
        account: AccountName::parse("words").unwrap(),
        received_at: Timestamp::from_seconds(AT).unwrap(),
        proof: Proof::Signed { secret: SecretName::of(b"words") },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: Bytes::from(event.to_string()),
    };
    let account = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
    read(adapter(Gateway::Stripe), &Envelope::of(&Incoming::Delivery(delivery), &account)).unwrap()
}

/// The facts as `family.kind op amount`, sorted.
fn facts(reading: &Reading) -> Vec<String> {
    let shown = reading.facts.iter().map(|(_, fact)| {
        let amount = fact.amount.map_or(String::new(), |amount| format!(" {amount}"));
        format!("{}.{} {}{amount}", fact.kind.family(), fact.kind.word(), fact.op)
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

fn status(reading: &Reading) -> &'static str {
    let facts = reading.facts.iter().map(|(_, fact)| fact);
    project(&fold(facts), adapter(Gateway::Stripe).profile().conventions).status.as_str()
}

/// Merges what a row says differently into an object.
fn with(mut object: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn intent(changes: &Value) -> Value {
    let plain =
        json!({"id": "pi_1", "object": "payment_intent", "amount": 100, "currency": "brl", "latest_charge": "ch_1"});
    with(plain, changes)
}

fn charge(changes: &Value) -> Value {
    let plain = json!({
        "id": "ch_1", "object": "charge", "amount": 100, "currency": "brl", "payment_intent": "pi_1", "created": AT - 9,
        "captured": true, "amount_captured": 100, "amount_refunded": 0, "refunded": false,
    });
    with(plain, changes)
}

#[test]
fn every_word_of_an_intent() {
    let error = |code: &str| json!({"code": code, "charge": "ch_1"});
    for (changes, said, reads_as) in [
        (json!({"status": "requires_payment_method"}), "attempt.created pi", "PENDING"),
        (json!({"status": "requires_source"}), "attempt.created pi", "PENDING"),
        (json!({"status": "requires_confirmation"}), "attempt.created pi", "PENDING"),
        (
            json!({"status": "requires_payment_method", "last_payment_error": error("card_declined")}),
            "attempt.declined ch_1,attempt.declined pi",
            "FAILED",
        ),
        (
            json!({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}),
            "attempt.declined pi",
            "FAILED",
        ),
        (
            json!({"status": "requires_payment_method", "last_payment_error": error("payment_intent_payment_attempt_expired")}),
            "attempt.expired ch_1,attempt.expired pi",
            "EXPIRED",
        ),
        (json!({"status": "requires_action"}), "attempt.requires_action pi", "REQUIRES_ACTION"),
        (json!({"status": "requires_source_action"}), "attempt.requires_action pi", "REQUIRES_ACTION"),
        (json!({"status": "processing"}), "attempt.pending pi", "PROCESSING"),
        (json!({"status": "requires_capture", "amount_capturable": 80}), "auth.authorized ch_1 80", "AUTHORIZED"),
        (
            json!({"status": "succeeded", "amount_received": 70}),
            "capture.succeeded ch_1 70,totals.captured t 70",
            "SUCCEEDED",
        ),
        (json!({"status": "succeeded"}), "capture.succeeded ch_1 100,totals.captured t 100", "SUCCEEDED"),
        (
            json!({"status": "succeeded", "amount_received": 70, "latest_charge": null}),
            "totals.captured t 70",
            "SUCCEEDED",
        ),
        (json!({"status": "canceled"}), "attempt.canceled pi,auth.voided ch_1 0", "CANCELED"),
        (
            json!({"status": "canceled", "cancellation_reason": "automatic"}),
            "attempt.expired pi,auth.expired ch_1 0",
            "EXPIRED",
        ),
        (
            json!({"status": "canceled", "cancellation_reason": "expired"}),
            "attempt.expired pi,auth.expired ch_1 0",
            "EXPIRED",
        ),
    ] {
        let reading = reading("payment_intent.updated", &intent(&changes));
        assert_eq!(facts(&reading).join(","), said, "{changes}");
        assert_eq!(status(&reading), reads_as, "{changes}");
        assert!(reading.unmapped.is_empty() && reading.wants.is_empty(), "{changes}");
    }
}

#[test]
fn every_reason_of_a_cancellation_is_one_of_ours() {
    for (word, ours) in [
        ("abandoned", "PAYER_LEFT"),
        ("automatic", "DEADLINE"),
        ("duplicate", "MERCHANT"),
        ("expired", "DEADLINE"),
        ("failed_invoice", "DECLINED"),
        ("fraudulent", "RISK"),
        ("requested_by_customer", "MERCHANT"),
        ("void_invoice", "MERCHANT"),
    ] {
        let changes = json!({"status": "canceled", "cancellation_reason": word});
        let reading = reading("payment_intent.canceled", &intent(&changes));
        let facts = reading.facts.iter().map(|(_, fact)| fact);
        let row = project(&fold(facts), adapter(Gateway::Stripe).profile().conventions);
        assert_eq!(row.closed_reason.map(afluente_model::ClosedReason::as_str), Some(ours), "{word}");
        assert!(reading.unmapped.is_empty(), "{word}");
    }
}

#[test]
fn every_word_of_a_charge() {
    let held = |more: Value| with(json!({"status": "succeeded", "captured": false, "amount_captured": 0}), &more);
    for (kind, changes, said, reads_as) in [
        (
            "charge.succeeded",
            json!({"status": "succeeded"}),
            "capture.succeeded ch_1 100,totals.captured t 100,totals.refunded t 0",
            "SUCCEEDED",
        ),
        (
            "charge.refunded",
            json!({"status": "succeeded", "amount_refunded": 30}),
            "capture.succeeded ch_1 100,totals.captured t 100,totals.refunded t 30",
            "PARTIALLY_REFUNDED",
        ),
        (
            "charge.captured",
            json!({"status": "succeeded", "amount_captured": 70}),
            "capture.succeeded ch_1 70,totals.captured t 70",
            "SUCCEEDED",
        ),
        ("charge.succeeded", held(json!({})), "auth.authorized ch_1 100", "AUTHORIZED"),
        ("charge.updated", held(json!({"amount_refunded": 40})), "auth.authorized ch_1 60", "AUTHORIZED"),
        (
            "charge.refunded",
            held(json!({"amount_refunded": 100, "refunded": true})),
            "attempt.canceled ch_1,auth.authorized ch_1 100,auth.voided ch_1",
            "CANCELED",
        ),
        (
            "charge.expired",
            held(json!({"amount_refunded": 100, "refunded": true})),
            "attempt.expired ch_1,auth.authorized ch_1 100,auth.expired ch_1",
            "EXPIRED",
        ),
        ("charge.pending", json!({"status": "pending"}), "attempt.pending ch_1", "PROCESSING"),
        ("charge.expired", json!({"status": "pending"}), "attempt.expired ch_1", "EXPIRED"),
        ("charge.failed", json!({"status": "failed", "failure_code": "x"}), "attempt.declined ch_1", "FAILED"),
        (
            "charge.failed",
            json!({"status": "failed", "failure_code": "payment_intent_payment_attempt_expired"}),
            "attempt.expired ch_1",
            "EXPIRED",
        ),
        (
            "charge.failed",
            json!({"status": "failed", "outcome": {"type": "blocked"}}),
            "attempt.declined ch_1,risk.rejected ch_1",
            "FAILED",
        ),
    ] {
        let reading = reading(kind, &charge(&changes));
        assert_eq!(facts(&reading).join(","), said, "{kind} {changes}");
        assert_eq!(status(&reading), reads_as, "{kind} {changes}");
    }
}

#[test]
fn a_partly_captured_charge_asks_for_its_refunds_as_soon_as_anything_went_back() {
    let wants = |returned: i64| {
        let changes = json!({"status": "succeeded", "amount_captured": 70, "amount_refunded": returned});
        reading("charge.updated", &charge(&changes)).wants.len()
    };
    assert_eq!((wants(0), wants(30), wants(50)), (0, 1, 1));
}

#[test]
fn every_word_of_a_refund() {
    for (word, said) in [
        (json!("pending"), "refund.pending re_1 30"),
        (json!("requires_action"), "refund.pending re_1 30"),
        (json!("succeeded"), "refund.succeeded re_1 30"),
        (json!("failed"), "refund.failed re_1 30"),
        (json!("canceled"), "refund.canceled re_1 30"),
        (Value::Null, "refund.requested re_1 30"),
    ] {
        let refund = json!({
            "id": "re_1", "object": "refund", "amount": 30, "currency": "brl", "charge": "ch_1", "payment_intent": "pi_1",
            "created": AT - 5, "status": word,
        });
        let reading = reading("refund.updated", &refund);
        assert_eq!(facts(&reading).join(","), said);
        let started = reading.facts[0].1.op_at;
        assert_eq!(started, Timestamp::from_seconds(AT - 5).ok(), "{word}: a total contains it from its creation on");
    }
}

#[test]
fn every_word_of_a_dispute() {
    for (word, said, stage) in [
        ("warning_needs_response", "dispute.inquiry", "0"),
        ("warning_under_review", "dispute.inquiry", "0"),
        ("warning_closed", "dispute.withdrawn", "0"),
        ("needs_response", "dispute.opened", "1"),
        ("under_review", "dispute.under_review", "1"),
        ("appeal_needs_response", "dispute.under_review", "3"),
        ("appeal_under_review", "dispute.under_review", "3"),
        ("won", "dispute.won", "1"),
        ("lost", "dispute.lost", "1"),
        ("prevented", "dispute.withdrawn", "0"),
        ("charge_refunded", "dispute.withdrawn", "0"),
    ] {
        let dispute = json!({
            "id": "du_1", "object": "dispute", "amount": 30, "currency": "brl", "charge": "ch_1",
            "payment_intent": "pi_1", "status": word,
        });
        let reading = reading("charge.dispute.updated", &dispute);
        assert_eq!(facts(&reading).join(","), format!("{said} du_1 30"));
        assert_eq!(reading.facts[0].1.detail.get(afluente_model::DetailKey::Stage), Some(stage), "{word}");
    }
}

#[test]
fn every_word_of_a_review() {
    for (open, closed, said) in [
        (true, Value::Null, "risk.review prv_1"),
        (false, json!("approved"), "risk.approved prv_1"),
        (false, json!("refunded_as_fraud"), "risk.rejected prv_1"),
        (false, json!("disputed"), "risk.rejected prv_1"),
    ] {
        let review = json!({
            "id": "prv_1", "object": "review", "charge": "ch_1", "payment_intent": "pi_1", "open": open,
            "closed_reason": closed,
        });
        assert_eq!(facts(&reading("review.closed", &review)).join(","), said);
    }
}

#[test]
fn every_word_of_a_subscription() {
    for (word, base) in [
        ("incomplete", "incomplete"),
        ("incomplete_expired", "expired"),
        ("trialing", "trialing"),
        ("active", "active"),
        ("past_due", "past_due"),
        ("unpaid", "suspended"),
        ("paused", "paused"),
        ("canceled", "canceled"),
        ("hibernating", "unknown"),
    ] {
        let reading =
            reading("customer.subscription.updated", &json!({"id": "sub_1", "object": "subscription", "status": word}));
        let said = reading.subscriptions.iter().map(|(_, fact)| fact.kind).find(|kind| kind.family() == "base");
        assert_eq!(said.map(Kind::word), Some(base), "{word}");
        assert_eq!(reading.unmapped.is_empty(), base != "unknown", "{word}");
    }
}

#[test]
fn a_nonsense_word_is_unknown_and_wanted_wherever_it_stands() {
    for object in [
        intent(&json!({"status": "nonsense"})),
        charge(&json!({"status": "nonsense"})),
        json!({"id": "re_1", "object": "refund", "payment_intent": "pi_1", "status": "nonsense"}),
        json!({"id": "du_1", "object": "dispute", "payment_intent": "pi_1", "status": "nonsense"}),
        json!({"id": "prv_1", "object": "review", "payment_intent": "pi_1", "open": false, "closed_reason": "nonsense"}),
    ] {
        let reading = reading("nonsense.happened", &object);
        assert_eq!(status(&reading), "UNKNOWN", "{object}");
        assert_eq!((reading.unmapped.len(), reading.wants.len()), (1, 1), "{object}");
        assert!(
            adapter(Gateway::Stripe).lookup(&reading.wants[0], &adapter(Gateway::Stripe).profile().apis[0]).is_ok(),
            "{object}"
        );
    }
}

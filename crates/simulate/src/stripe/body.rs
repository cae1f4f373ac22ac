//! Stripe's bodies: whole objects with the fields real ones have, in the state a step leaves them in.

use serde_json::{Value, json};

use super::life::{Life, Method, What};
use crate::plan::{self, Lot};

/// One payment being played.
pub(super) struct Played<'a> {
    pub(super) life: &'static Life,
    /// Makes the ids of one run differ from another's.
    pub(super) run: &'a str,
    pub(super) lot: Lot,
}

/// What has happened so far, as far as later bodies show it.
#[derive(Default, Clone)]
struct Past {
    try_number: u8,
    captured: i64,
    refunded: i64,
    /// Held and not taken. Stripe counts it under `amount_refunded`, beside what was really given back.
    released: i64,
}

/// The type of an event, and the object in it unless it is only a hint.
type Posted = (&'static str, Option<Value>);

/// One event: its type, its time, its object.
pub(super) struct Event {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) created: i64,
    pub(super) object: Option<Value>,
    pub(super) previous: Value,
}

impl Played<'_> {
    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}{:06}", self.run, self.lot.number)
    }

    /// The payment's id at the gateway.
    pub(super) fn intent_id(&self) -> String {
        self.id("pi")
    }

    fn charge_id(&self, try_number: u8) -> String {
        format!("{}{try_number}", self.id("ch"))
    }

    fn part(&self, hundredths: i64) -> i64 {
        plan::part(self.lot.amount, hundredths)
    }

    /// Everything Stripe posts about this payment, in the order it happened.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut past = Past { try_number: 1, ..Past::default() };
        let mut events = Vec::new();
        for step in self.life.steps {
            let created = self.lot.began + step.after;
            for (kind, object) in self.step(step.what, created, &mut past) {
                let id = format!("{}e{:02}", self.id("evt"), events.len());
                events.push(Event { id, kind: kind.to_owned(), created, object, previous: json!({}) });
            }
        }
        events
    }

    fn step(&self, what: What, created: i64, past: &mut Past) -> Vec<Posted> {
        match what {
            What::Created => vec![self.asks("payment_intent.created", "requires_payment_method", past, &json!({}))],
            What::Challenged => {
                let sdk = json!({"next_action": {"type": "use_stripe_sdk"}});
                vec![self.asks("payment_intent.requires_action", "requires_action", past, &sdk)]
            }
            What::Shown => {
                let shown = json!({"next_action": self.shown()});
                vec![self.asks("payment_intent.requires_action", "requires_action", past, &shown)]
            }
            What::Processing => vec![self.asks("payment_intent.processing", "processing", past, &json!({}))],
            What::RanOut => {
                let error = json!({"code": "payment_intent_payment_attempt_expired", "type": "invalid_request_error"});
                let error = json!({"last_payment_error": error});
                vec![self.asks("payment_intent.payment_failed", "requires_payment_method", past, &error)]
            }
            What::Declined(number) => self.declined(number, past),
            What::Paid(number) => {
                (past.try_number, past.captured) = (number, self.lot.amount);
                self.taken("charge.succeeded", past)
            }
            What::Held => self.held(past),
            What::Captured(hundredths) => {
                past.captured = self.part(hundredths);
                past.released = self.lot.amount - past.captured;
                self.taken("charge.captured", past)
            }
            What::Canceled => self.ended(past, "requested_by_customer", created),
            What::HoldExpired => self.hold_expired(past),
            What::Refund(number, hundredths, word) => {
                vec![self.refund_event(number, hundredths, word, created, past)]
            }
            What::TotalRefunded(hundredths) => {
                past.refunded = self.part(hundredths);
                vec![("charge.refunded", Some(self.charge("succeeded", past, &json!({}))))]
            }
            What::Dispute(number, hundredths, word) => {
                vec![(dispute_event(word), Some(self.dispute(number, hundredths, word, past)))]
            }
            What::ReviewOpened => vec![("review.opened", Some(self.review(past, true, Value::Null)))],
            What::ReviewClosed(reason) => vec![("review.closed", Some(self.review(past, false, json!(reason))))],
            What::Thin => vec![("v1.payment_intent.succeeded", None)],
        }
    }

    /// What an intent says before anything is charged.
    fn asks(&self, kind: &'static str, status: &str, past: &Past, more: &Value) -> Posted {
        (kind, Some(merged(self.intent(status, past, &json!({"latest_charge": null})), more)))
    }

    fn declined(&self, number: u8, past: &mut Past) -> Vec<Posted> {
        past.try_number = number;
        let error = json!({"code": "card_declined", "decline_code": "insufficient_funds", "charge": self.charge_id(number), "type": "card_error"});
        let failed = json!({"captured": false, "paid": false, "failure_code": "card_declined"});
        vec![
            ("charge.failed", Some(self.charge("failed", past, &failed))),
            (
                "payment_intent.payment_failed",
                Some(self.intent("requires_payment_method", past, &json!({"last_payment_error": error}))),
            ),
        ]
    }

    fn taken(&self, kind: &'static str, past: &Past) -> Vec<Posted> {
        vec![
            (kind, Some(self.charge("succeeded", past, &json!({})))),
            ("payment_intent.succeeded", Some(self.intent("succeeded", past, &json!({})))),
        ]
    }

    fn held(&self, past: &Past) -> Vec<Posted> {
        let held = json!({"captured": false, "amount_captured": 0});
        let capturable = json!({"amount_capturable": self.lot.amount});
        vec![
            ("charge.succeeded", Some(self.charge("succeeded", past, &held))),
            ("payment_intent.amount_capturable_updated", Some(self.intent("requires_capture", past, &capturable))),
        ]
    }

    /// What a charge says once nothing of it is held any more.
    fn released(&self) -> Value {
        json!({"captured": false, "amount_captured": 0, "amount_refunded": self.lot.amount, "refunded": true})
    }

    fn hold_expired(&self, past: &Past) -> Vec<Posted> {
        let why = json!({"cancellation_reason": "expired"});
        vec![
            ("charge.expired", Some(self.charge("succeeded", past, &self.released()))),
            ("payment_intent.canceled", Some(self.intent("canceled", past, &why))),
        ]
    }

    fn ended(&self, past: &Past, reason: &str, created: i64) -> Vec<Posted> {
        let held = self.life.steps.iter().any(|step| step.what == What::Held);
        let latest = if held { json!(self.charge_id(past.try_number)) } else { Value::Null };
        let canceled = json!({"cancellation_reason": reason, "canceled_at": created, "latest_charge": latest});
        let mut events = vec![("payment_intent.canceled", Some(self.intent("canceled", past, &canceled)))];
        if held {
            events.push(("charge.refunded", Some(self.charge("succeeded", past, &self.released()))));
        }
        events
    }

    fn intent(&self, status: &str, past: &Past, more: &Value) -> Value {
        let base = json!({
            "id": self.intent_id(), "object": "payment_intent", "amount": self.lot.amount, "amount_capturable": 0,
            "amount_details": {"tip": {}}, "amount_received": past.captured, "application": null,
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": true}, "canceled_at": null,
            "cancellation_reason": null, "capture_method": "automatic_async",
            "client_secret": format!("{}_secret_simulated", self.intent_id()), "confirmation_method": "automatic",
            "created": self.lot.began, "currency": self.lot.currency, "customer": self.id("cus"),
            "description": format!("Pedido {} – São Paulo", self.lot.number), "last_payment_error": null,
            "latest_charge": self.charge_id(past.try_number), "livemode": false,
            "metadata": {"order_id": format!("order-{}-{}", self.run, self.lot.number)}, "next_action": null,
            "payment_method": self.id("pm"), "payment_method_types": [self.method_word()],
            "receipt_email": format!("payer{}@example.com", self.lot.number), "status": status, "transfer_data": null,
        });
        merged(base, more)
    }

    fn charge(&self, status: &str, past: &Past, more: &Value) -> Value {
        let base = json!({
            "id": self.charge_id(past.try_number), "object": "charge", "amount": self.lot.amount, "amount_captured": past.captured,
            "amount_refunded": past.refunded + past.released, "application": null, "balance_transaction": null,
            "billing_details": {
                "address": {"city": "São Paulo", "country": "BR", "line1": null, "line2": null, "postal_code": "01310-100", "state": "SP"},
                "email": format!("payer{}@example.com", self.lot.number), "name": format!("Payer {}", self.lot.number), "phone": null, "tax_id": null,
            },
            "calculated_statement_descriptor": "LOJA", "captured": true, "created": self.lot.began, "currency": self.lot.currency,
            "customer": self.id("cus"), "disputed": false, "failure_code": null, "failure_message": null, "livemode": false,
            "metadata": {"order_id": format!("order-{}-{}", self.run, self.lot.number)},
            "outcome": {"network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12, "type": "authorized"},
            "paid": true, "payment_intent": self.intent_id(), "payment_method": self.id("pm"),
            "payment_method_details": self.method_details(), "receipt_email": null, "refunded": past.refunded + past.released == self.lot.amount,
            "refunds": null, "review": null, "status": status,
        });
        merged(base, more)
    }

    /// A refund's first word is told by `refund.created`, whatever it is; later ones by another event.
    fn refund_event(&self, number: u8, hundredths: i64, word: &'static str, created: i64, past: &Past) -> Posted {
        let this = What::Refund(number, hundredths, word);
        let first =
            self.life.steps.iter().find(|step| matches!(step.what, What::Refund(other, _, _) if other == number));
        let kind = match word {
            _ if first.is_some_and(|first| first.what == this) => "refund.created",
            "failed" => "refund.failed",
            _ => "refund.updated",
        };
        let began = first.map_or(created, |step| self.lot.began + step.after);
        (kind, Some(self.refund(number, hundredths, word, began, past)))
    }

    fn refund(&self, number: u8, hundredths: i64, word: &str, began: i64, past: &Past) -> Value {
        json!({
            "id": format!("{}{number}", self.id("re")), "object": "refund", "amount": self.part(hundredths),
            "balance_transaction": null, "charge": self.charge_id(past.try_number),
            "created": began, "currency": self.lot.currency,
            "destination_details": {"type": self.method_word()}, "failure_reason": if word == "failed" { json!("expired_or_canceled_card") } else { Value::Null },
            "metadata": {}, "payment_intent": self.intent_id(), "reason": "requested_by_customer", "receipt_number": null,
            "status": word,
        })
    }

    fn dispute(&self, number: u8, hundredths: i64, word: &str, past: &Past) -> Value {
        json!({
            "id": format!("{}{number}", self.id("dp")), "object": "dispute", "amount": self.part(hundredths),
            "balance_transactions": [], "charge": self.charge_id(past.try_number), "created": self.lot.began + 80_000,
            "currency": self.lot.currency, "evidence": {"product_description": null},
            "evidence_details": {"due_by": self.lot.began + 600_000, "has_evidence": false, "past_due": false, "submission_count": 0},
            "is_charge_refundable": word.starts_with("warning_"), "livemode": false, "metadata": {},
            "payment_intent": self.intent_id(), "reason": "fraudulent", "status": word,
        })
    }

    fn review(&self, past: &Past, open: bool, closed_reason: Value) -> Value {
        json!({
            "id": self.id("prv"), "object": "review", "charge": self.charge_id(past.try_number), "closed_reason": closed_reason,
            "created": self.lot.began + 4, "livemode": false, "open": open, "opened_reason": "rule",
            "payment_intent": self.intent_id(), "reason": if open { json!("rule") } else { closed_reason },
        })
    }

    fn method_word(&self) -> &'static str {
        match self.life.method {
            Method::Card => "card",
            Method::Pix => "pix",
            Method::Boleto => "boleto",
        }
    }

    fn method_details(&self) -> Value {
        match self.life.method {
            Method::Card => json!({"type": "card", "card": {
                "brand": "visa", "checks": {"cvc_check": "pass"}, "country": "BR", "exp_month": 12, "exp_year": 2030,
                "fingerprint": format!("fp{}", self.lot.number), "funding": "credit", "last4": "4242", "network": "visa", "wallet": null}}),
            Method::Pix => {
                json!({"type": "pix", "pix": {"bank_transaction_id": format!("E{:031}", self.lot.number), "fingerprint": null}})
            }
            Method::Boleto => json!({"type": "boleto", "boleto": {"tax_id": "529.982.247-25"}}),
        }
    }

    fn shown(&self) -> Value {
        match self.life.method {
            Method::Boleto => json!({"type": "boleto_display_details", "boleto_display_details": {
                "expires_at": self.lot.began + 259_200, "number": "01010101010101010101010101010101010101010101010"}}),
            Method::Card | Method::Pix => json!({"type": "pix_display_qr_code", "pix_display_qr_code": {
                "data": "00020126580014br.gov.bcb.pix", "expires_at": self.lot.began + 3_600}}),
        }
    }
}

fn dispute_event(word: &str) -> &'static str {
    match word {
        "needs_response" | "warning_needs_response" => "charge.dispute.created",
        "won" | "lost" | "warning_closed" => "charge.dispute.closed",
        _ => "charge.dispute.updated",
    }
}

fn merged(mut base: Value, more: &Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more.clone());
    }
    base
}

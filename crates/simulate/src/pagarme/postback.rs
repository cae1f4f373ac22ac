//! Transactions of v4: forms with an HMAC, tried again for hours.

use crate::plan::{Lot, Plan, Post, Proof, Traffic, chance, part};

use super::charge::time;
use super::life::{OldLife, Step};

/// Plays a transaction. What fails is tried again for a day, so that old words come after new ones; the order here is how they
/// happened.
pub(super) fn play(plan: &Plan, lot: Lot, life: &'static OldLife, traffic: &mut Traffic) {
    let id = format!("{}{:06}", 100_000 + chance(&plan.run) % 800_000, lot.number);
    let mut before = "";
    for step in life.steps {
        traffic.posts.push(post(&id, lot, life, step, before));
        before = step.1;
    }
    traffic.truth.push(life.end.of(id, life.name, lot.amount, lot.currency));
}

fn post(id: &str, lot: Lot, life: &OldLife, (after, status, paid, returned): &Step, before: &str) -> Post {
    let updated = time(lot.began + after).replace('Z', ".000Z");
    let held = if matches!(*status, "processing" | "waiting_payment") { 0 } else { lot.amount };
    let amounts =
        [lot.amount, held, part(lot.amount, *paid), part(lot.amount, *returned)].map(|amount| amount.to_string());
    let [amount, held, paid, returned] = &amounts;
    let email = format!("{id}@example.com");
    let fields = [
        ("id", id),
        ("fingerprint", "9e9496ef28d1154b2db9a446323db90103069330"),
        ("event", "transaction_status_changed"),
        ("old_status", before),
        ("desired_status", "paid"),
        ("current_status", status),
        ("object", "transaction"),
        ("transaction[object]", "transaction"),
        ("transaction[status]", status),
        ("transaction[refuse_reason]", "null"),
        ("transaction[acquirer_response_code]", "0000"),
        ("transaction[id]", id),
        ("transaction[tid]", id),
        ("transaction[date_updated]", &updated),
        ("transaction[amount]", amount),
        ("transaction[authorized_amount]", held),
        ("transaction[paid_amount]", paid),
        ("transaction[refunded_amount]", returned),
        ("transaction[payment_method]", life.method),
        ("transaction[card_last_digits]", "4242"),
        ("transaction[address]", ""),
        ("transaction[metadata]", "undefined"),
        ("transaction[customer][id]", "9001"),
        ("transaction[customer][name]", "José da Silva"),
        ("transaction[customer][email]", &email),
        ("transaction[customer][document_number]", "52998224725"),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Post {
        event: format!("v4:transaction:{id}:transaction_status_changed:{before}>{status}:{updated}"),
        proof: Proof::Form,
        query: None,
        body: body.into_bytes(),
        forgery: None,
        tells: Vec::new(),
    }
}

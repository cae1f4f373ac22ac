//! What comes along with payments and must not disturb them: customers, methods, sessions, invoices, subscriptions.

use serde_json::{Value, json};

use super::body::{Event, Played};
use super::{post, snapshot};
use crate::plan::Post;

/// For one payment in five each.
pub(super) fn posts(played: &Played<'_>) -> Vec<Post> {
    let (run, number) = (played.run, played.lot.number);
    let customer = format!("cus_{run}{number:06}");
    let made = |name: &str, kind: &str, after: i64, object: Value| {
        let id = format!("evt_{run}{number:06}{name}");
        let event =
            Event { id, kind: kind.to_owned(), created: played.lot.began + after, object: None, previous: json!({}) };
        post("snapshot", &event, &snapshot(&event, &object))
    };
    match number % 5 {
        0 => vec![made(
            "c",
            "customer.created",
            0,
            json!({
            "id": customer, "object": "customer", "email": format!("payer{number}@example.com"), "name": format!("Payer {number}"),
            "phone": null, "livemode": false, "metadata": {}}),
        )],
        1 => vec![made(
            "m",
            "payment_method.attached",
            1,
            json!({
            "id": format!("pm_{run}{number:06}"), "object": "payment_method", "type": "card", "customer": customer, "livemode": false,
            "billing_details": {"email": null, "name": null, "phone": null},
            "card": {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "fingerprint": format!("fp{number}")}}),
        )],
        2 => vec![made(
            "s",
            "checkout.session.completed",
            5,
            json!({
            "id": format!("cs_test_{run}{number:06}"), "object": "checkout.session", "mode": "payment", "status": "complete",
            "payment_status": if played.life.end.captured > 0 { "paid" } else { "unpaid" }, "payment_intent": played.intent_id(), "customer": customer, "livemode": false,
            "client_reference_id": format!("cart-{number}")}),
        )],
        3 => subscription_noise(played, &customer, made),
        _ => Vec::new(),
    }
}

fn subscription_noise(played: &Played<'_>, customer: &str, made: impl Fn(&str, &str, i64, Value) -> Post) -> Vec<Post> {
    let (run, number) = (played.run, played.lot.number);
    let subscription = |status: &str| {
        json!({
            "id": format!("sub_{run}{number:06}"), "object": "subscription", "status": status, "customer": customer,
            "cancel_at": null, "cancel_at_period_end": false, "trial_end": null, "pause_collection": null, "livemode": false,
            "ended_at": (status == "canceled").then_some(played.lot.began + 95_000), "items": {"object": "list", "data": [{"current_period_start": 1_767_225_600, "current_period_end": 1_769_904_000}]},
        })
    };
    let invoice = json!({
        "id": format!("in_{run}{number:06}"), "object": "invoice", "status": "paid", "customer": customer, "livemode": false,
        "parent": {"subscription_details": {"subscription": format!("sub_{run}{number:06}")}, "type": "subscription_details"}});
    vec![
        made("u0", "customer.subscription.created", 0, subscription("incomplete")),
        made("u1", "customer.subscription.updated", 1, subscription("active")),
        made("i", "invoice.paid", 1, invoice),
        made("u2", "customer.subscription.updated", 90_000, subscription("past_due")),
        made("u3", "customer.subscription.deleted", 95_000, subscription("canceled")),
    ]
}

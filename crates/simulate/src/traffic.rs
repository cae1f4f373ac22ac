//! All deliveries of a run, and the truth about every payment in it.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::body::{Event, Played};
use crate::life::{LIVES, Life};

/// What to play.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many payments.
    pub payments: usize,
    /// The same seed and run give the same deliveries.
    pub seed: u64,
    /// Makes the ids differ from another run's.
    pub run: String,
    /// Whether the deliveries of all payments come in any order.
    pub shuffle: bool,
    /// The share of deliveries sent a second time.
    pub duplicate: f64,
    /// The share of forged requests beside them.
    pub forge: f64,
    /// The moment the last thing happened, seconds since 1970.
    pub until: i64,
}

/// One request to make.
#[derive(Clone, Debug)]
pub struct Post {
    /// The event it carries, with its kind.
    pub(crate) event: String,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// What is wrong with it, if it is a forgery.
    pub(crate) forgery: Option<Forgery>,
}

impl Post {
    /// The event it carries, with its kind, as a receipt names it.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// What is posted.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Ways to forge a request. Each must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    WrongSecret,
    ChangedByte,
    StaleStamp,
    FutureStamp,
    FakeScheme,
    NoHeader,
    TwoStamps,
    CutBody,
}

impl Forgery {
    /// Every way.
    pub(crate) const ALL: [Forgery; 8] = [
        Forgery::WrongSecret,
        Forgery::ChangedByte,
        Forgery::StaleStamp,
        Forgery::FutureStamp,
        Forgery::FakeScheme,
        Forgery::NoHeader,
        Forgery::TwoStamps,
        Forgery::CutBody,
    ];
}

/// How one payment is known to end, minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The gateway's id.
    pub id: String,
    /// The kind of life it had.
    pub life: &'static str,
    /// Our word for how it ends.
    pub status: &'static str,
    /// Its currency.
    pub currency: String,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// On its way back.
    pub refund_pending: i64,
    /// In open disputes.
    pub disputed: i64,
    /// Lost in disputes.
    pub charged_back: i64,
}

/// A run.
pub struct Traffic {
    /// The requests, in the order they are made.
    pub posts: Vec<Post>,
    /// How each payment ends.
    pub truth: Vec<Truth>,
}

/// The longest life, so that every one fits before the end of the run.
const LONGEST_LIFE_SECONDS: i64 = 700_000;

/// Currencies with the decimals Stripe writes them in; mostly the real.
const CURRENCIES: [&str; 8] = ["brl", "brl", "brl", "brl", "usd", "mxn", "clp", "jpy"];

/// Plays a run.
#[must_use]
pub fn play(plan: &Plan) -> Traffic {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let (mut posts, mut truth) = (Vec::new(), Vec::new());
    for number in 0..plan.payments {
        let life = &LIVES[number % LIVES.len()];
        let played = Played {
            life,
            number,
            run: plan.run.clone(),
            // Whole hundreds, so that every hundredth is whole; currencies without decimals as well.
            amount: 100 * random.random_range(10..5_000),
            currency: CURRENCIES[random.random_range(0..CURRENCIES.len())],
            began: plan.until - LONGEST_LIFE_SECONDS - random.random_range(0..100_000),
        };
        posts.extend(played.events().iter().map(|event| post(&played, event)));
        posts.extend(noise(&played));
        truth.push(end(&played, life));
    }
    repeat_and_forge(plan, &mut random, &mut posts);
    if plan.shuffle {
        posts.shuffle(&mut random);
    }
    Traffic { posts, truth }
}

fn end(played: &Played, life: &'static Life) -> Truth {
    let end = &life.end;
    Truth {
        id: played.intent_id(),
        life: life.name,
        status: end.status.as_str(),
        currency: played.currency.to_uppercase(),
        captured: played.part(end.captured),
        refunded: played.part(end.refunded),
        refund_pending: played.part(end.refund_pending),
        disputed: played.part(end.disputed),
        charged_back: played.part(end.charged_back),
    }
}

fn post(played: &Played, event: &Event) -> Post {
    let (kind, body) = match &event.object {
        Some(object) => ("snapshot", snapshot(event, object)),
        None => ("thin", thin(played, event)),
    };
    Post { event: format!("{kind}:{}", event.id), body: body.to_string().into_bytes(), forgery: None }
}

fn snapshot(event: &Event, object: &Value) -> Value {
    json!({
        "id": event.id, "object": "event", "api_version": "2026-10-28.endive", "created": event.created,
        "data": {"object": object, "previous_attributes": event.previous}, "livemode": false, "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null}, "type": event.kind,
    })
}

fn thin(played: &Played, event: &Event) -> Value {
    let id = played.intent_id();
    let created =
        afluente_model::Timestamp::from_seconds(event.created).map_or_else(|_| String::new(), |at| at.to_string());
    json!({
        "id": event.id, "object": "v2.core.event", "type": event.kind, "created": created, "livemode": false,
        "related_object": {"id": id, "type": "payment_intent", "url": format!("/v1/payment_intents/{id}")},
    })
}

/// What comes along with payments and must not disturb them: customers, methods, sessions, invoices, subscriptions.
fn noise(played: &Played) -> Vec<Post> {
    let (run, number) = (&played.run, played.number);
    let customer = format!("cus_{run}{number:06}");
    let made = |name: &str, kind: &str, after: i64, object: Value| {
        let id = format!("evt_{run}{number:06}{name}");
        let event =
            Event { id, kind: kind.to_owned(), created: played.began + after, object: None, previous: json!({}) };
        Post {
            event: format!("snapshot:{}", event.id),
            body: snapshot(&event, &object).to_string().into_bytes(),
            forgery: None,
        }
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

fn subscription_noise(played: &Played, customer: &str, made: impl Fn(&str, &str, i64, Value) -> Post) -> Vec<Post> {
    let (run, number) = (&played.run, played.number);
    let subscription = |status: &str| {
        json!({
            "id": format!("sub_{run}{number:06}"), "object": "subscription", "status": status, "customer": customer,
            "cancel_at": null, "cancel_at_period_end": false, "trial_end": null, "pause_collection": null, "livemode": false,
            "ended_at": (status == "canceled").then_some(played.began + 95_000), "items": {"object": "list", "data": [{"current_period_start": 1_767_225_600, "current_period_end": 1_769_904_000}]},
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

fn repeat_and_forge(plan: &Plan, random: &mut StdRng, posts: &mut Vec<Post>) {
    let mut more = Vec::new();
    for post in posts.iter() {
        if random.random_bool(plan.duplicate) {
            more.push(post.clone());
        }
        if random.random_bool(plan.forge) {
            let forgery = Forgery::ALL[random.random_range(0..Forgery::ALL.len())];
            // A payment of its own: one forgery believed would be a row nobody expects.
            let text =
                String::from_utf8_lossy(&post.body).replace("\"pi_", "\"pi_forged").replace("\"evt_", "\"evt_forged");
            more.push(Post { event: "forged".to_owned(), body: text.into_bytes(), forgery: Some(forgery) });
        }
    }
    posts.extend(more);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan() -> Plan {
        Plan {
            payments: 200,
            seed: 7,
            run: "t".to_owned(),
            shuffle: true,
            duplicate: 0.3,
            forge: 0.1,
            until: 1_800_000_000,
        }
    }

    #[test]
    fn the_same_seed_plays_the_same_run() {
        let (one, other) = (play(&plan()), play(&plan()));
        assert_eq!(one.truth, other.truth);
        assert!(one.posts.iter().map(|post| &post.body).eq(other.posts.iter().map(|post| &post.body)));
        assert_ne!(play(&Plan { seed: 8, ..plan() }).truth, one.truth);
    }

    #[test]
    fn bodies_are_json_of_the_size_real_ones_have_and_event_ids_are_unique() {
        let traffic = play(&Plan { duplicate: 0.0, forge: 0.0, ..plan() });
        let events: BTreeSet<&str> = traffic.posts.iter().map(|post| post.event.as_str()).collect();
        assert_eq!(events.len(), traffic.posts.len());
        let sizes: Vec<usize> = traffic.posts.iter().map(|post| post.body.len()).collect();
        assert!(sizes.iter().all(|size| (200..8_000).contains(size)), "{sizes:?}");
        for post in &traffic.posts {
            let event: Value = serde_json::from_slice(&post.body).unwrap();
            assert!(event["id"].is_string() && event["type"].is_string());
        }
    }

    #[test]
    fn every_way_to_forge_is_used_and_none_names_a_payment_of_the_run() {
        let traffic = play(&Plan { forge: 0.5, ..plan() });
        for way in Forgery::ALL {
            assert!(traffic.posts.iter().any(|post| post.forgery == Some(way)), "{way:?}");
        }
        let forged = traffic.posts.iter().filter(|post| post.forgery.is_some());
        assert!(forged.map(|post| String::from_utf8_lossy(&post.body)).all(|body| !body.contains("\"pi_t")));
    }
}

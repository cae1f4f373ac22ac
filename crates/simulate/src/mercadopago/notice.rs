//! Notices of both channels.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{Ids, Played, time};
use crate::plan::{Post, Proof, Told, chance};

/// What a notice is about.
pub(super) struct About<'a> {
    pub(super) topic: &'a str,
    pub(super) id: &'a str,
    pub(super) action: &'a str,
    /// Seconds since 1970.
    pub(super) at: i64,
}

/// A notice of the channel that signs an id.
pub(super) fn webhook(about: &About<'_>, seller: Option<&str>, tells: Vec<Told>) -> Post {
    let About { topic, id, action, at } = about;
    let body = json!({
        "action": action, "api_version": "v1", "data": {"id": id}, "date_created": time(*at),
        "id": chance(&(topic, id, at)) % 1_000_000_000_000, "live_mode": true, "type": topic, "user_id": seller,
    });
    signed(about, "action", &body, tells)
}

/// The same of a subscription's family, which has a version and another name for its date.
pub(super) fn versioned(about: &About<'_>, version: u32, tells: Vec<Told>) -> Post {
    let About { topic, id, action, at } = about;
    let entity = if *topic == "subscription_preapproval" { "preapproval" } else { "authorized_payment" };
    let body = json!({
        "action": action, "application_id": "1", "data": {"id": id}, "date": time(*at), "entity": entity,
        "id": chance(&(topic, id, at)) % 1_000_000_000_000, "type": topic, "version": version,
    });
    signed(about, "version", &body, tells)
}

/// A chargeback names its payment beside it.
pub(super) fn chargeback(ids: Ids, at: i64, tells: Vec<Told>) -> Post {
    let (id, payment) = (ids.chargeback(), ids.payment());
    let about = About { topic: "topic_chargebacks_wh", id: &id, action: "", at };
    let body = json!({
        "actions": ["changed_case_status"], "api_version": "v1", "application_id": 1, "data": {"id": id, "payment_id": payment},
        "date_created": time(at), "id": chance(&(&id, at)) % 1_000_000_000_000, "live_mode": true, "type": about.topic,
    });
    signed(&about, "action", &body, tells)
}

/// A call of the panel's simulator: its ids and its date are always the same.
pub(super) fn simulated() -> Post {
    let about = About { topic: "payment", id: "123456", action: "payment.updated", at: 0 };
    let body = json!({
        "action": about.action, "api_version": "v1", "data": {"id": about.id}, "date_created": "2021-11-01T02:02:02Z",
        "id": "123456", "live_mode": false, "type": about.topic, "user_id": 1,
    });
    signed(&about, "action", &body, Vec::new())
}

fn signed(about: &About<'_>, told_by: &str, body: &Value, tells: Vec<Told>) -> Post {
    let again = body[told_by].as_str().map_or_else(|| body[told_by].to_string(), str::to_owned);
    let again = if again == "null" { String::new() } else { again };
    Post {
        event: format!("notice:{}/{}@{again}", about.topic, about.id),
        proof: Proof::Id(about.id.into()),
        query: Some(format!("data.id={}&type={}", about.id, about.topic)),
        body: body.to_string().into_bytes(),
        forgery: None,
        tells,
    }
}

/// A notice of the old channel, which nobody signs. Its resource is an id, or an address of an old host.
pub(super) fn ipn(topic: &str, id: &str, tells: Vec<Told>) -> Post {
    let resource = match topic {
        "payment" => id.to_owned(),
        _ => format!("https://api.mercadolibre.com/{topic}s/{id}"),
    };
    Post {
        event: format!("ipn:{topic}/{id}"),
        proof: Proof::Token,
        query: Some(format!("id={id}&topic={topic}")),
        body: json!({"resource": resource, "topic": topic}).to_string().into_bytes(),
        forgery: None,
        tells,
    }
}

/// Everything posted about one payment, in the order it happened.
pub(super) fn of(played: &Played<'_>, path: &Arc<str>) -> Vec<Post> {
    let (id, is_order) = (played.ids.payment(), path.starts_with("/v1/orders"));
    let mut posts = Vec::new();
    for (number, state) in played.life.states.iter().enumerate() {
        let tells = vec![Told { path: Arc::clone(path), state: number }];
        let at = played.lot.began + state.after;
        if is_order {
            let action = format!("order.{}", state.status);
            posts.push(webhook(
                &About { topic: "order", id: &played.ids.order(), action: &action, at },
                played.seller,
                tells,
            ));
            continue;
        }
        let action = if number == 0 { "payment.created" } else { "payment.updated" };
        // The old channel was first in half of the pairs that were measured.
        let old = ipn("payment", &id, tells.clone());
        let new = webhook(&About { topic: "payment", id: &id, action, at }, played.seller, tells);
        posts.extend(if (played.lot.number + number).is_multiple_of(2) { [old, new] } else { [new, old] });
    }
    posts
}

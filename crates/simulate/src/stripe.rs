//! Stripe: whole objects in signed bodies.

mod beside;
mod body;
mod life;

use afluente_gateways::stripe::sign;
use serde_json::{Value, json};

use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Traffic};
use crate::player::{Dressed, Keys, Player};
use crate::stamped;
use body::{Event, Played};
use life::LIVES;

/// The player.
pub(crate) struct Stripe;

impl Player for Stripe {
    /// With the decimals Stripe writes them in.
    fn currencies(&self) -> &'static [&'static str] {
        &["brl", "brl", "brl", "brl", "usd", "mxn", "clp", "jpy"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &["pi_forged"]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        stamped::WAYS
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        let life = &LIVES[lot.number % LIVES.len()];
        let played = Played { life, run: &plan.run, lot };
        traffic.posts.extend(played.events().iter().map(|event| match &event.object {
            Some(object) => post("snapshot", event, &snapshot(event, object)),
            None => post("thin", event, &thin(&played, event)),
        }));
        traffic.posts.extend(beside::posts(&played));
        traffic.truth.push(life.end.of(played.intent_id(), life.name, lot.amount, lot.currency));
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        let text = String::from_utf8_lossy(&post.body)
            .replace("\"pi_", "\"pi_forged")
            .replace("/pi_", "/pi_forged")
            .replace("\"evt_", "\"evt_forged");
        Post { event: "forged".to_owned(), body: text.into_bytes(), forgery: Some(way), ..post.clone() }
    }

    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, now: i64) -> Dressed<'a> {
        let (signature, body) = stamped::signed(post, keys, now, sign);
        let mut headers: Vec<(&str, String)> = [
            ("content-type", "application/json; charset=utf-8"),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            ("accept", "*/*; q=0.5, application/xml"),
            ("cache-control", "no-cache"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        headers.extend(signature.map(|signature| ("stripe-signature", signature)));
        Dressed { token: None, path: None, query: None, headers, body }
    }
}

/// One request, proved by a signature over its body.
fn post(kind: &str, event: &Event, body: &Value) -> Post {
    Post {
        event: format!("{kind}:{}", event.id),
        proof: Proof::Body,
        query: None,
        body: body.to_string().into_bytes(),
        forgery: None,
        tells: Vec::new(),
    }
}

fn snapshot(event: &Event, object: &Value) -> Value {
    json!({
        "id": event.id, "object": "event", "api_version": "2026-10-28.endive", "created": event.created,
        "data": {"object": object, "previous_attributes": event.previous}, "livemode": false, "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null}, "type": event.kind,
    })
}

fn thin(played: &Played<'_>, event: &Event) -> Value {
    let id = played.intent_id();
    let created =
        afluente_model::Timestamp::from_seconds(event.created).map_or_else(|_| String::new(), |at| at.to_string());
    json!({
        "id": event.id, "object": "v2.core.event", "type": event.kind, "created": created, "livemode": false,
        "related_object": {"id": id, "type": "payment_intent", "url": format!("/v1/payment_intents/{id}")},
    })
}

//! Stripe: whole objects in signed bodies.

mod beside;
mod body;
mod life;

use std::borrow::Cow;

use afluente_gateways::stripe::sign;
use serde_json::{Value, json};

use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Traffic};
use crate::player::{Dressed, Keys, Player};
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
        &[
            Forgery::WrongSecret,
            Forgery::ChangedByte,
            Forgery::StaleStamp,
            Forgery::FutureStamp,
            Forgery::FakeScheme,
            Forgery::NoHeader,
            Forgery::TwoStamps,
            Forgery::CutBody,
        ]
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
        let (signature, body) = signed(post, keys, now);
        let mut headers: Vec<(&str, String)> = [
            ("content-type", "application/json; charset=utf-8"),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
            ("accept", "*/*; q=0.5, application/xml"),
            ("cache-control", "no-cache"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        headers.extend(signature.map(|signature| ("stripe-signature", signature)));
        Dressed { token: None, query: None, headers, body }
    }
}

/// Header and body; for a forgery with what is wrong about it.
fn signed<'a>(post: &'a Post, keys: &Keys, now: i64) -> (Option<String>, Cow<'a, [u8]>) {
    let body = Cow::Borrowed(post.body.as_slice());
    let signature = sign(keys.secret(), now, &post.body);
    match post.forgery {
        Some(Forgery::WrongSecret) => (Some(sign(&keys.stranger, now, &post.body)), body),
        Some(Forgery::ChangedByte) => {
            let mut changed = post.body.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            (Some(signature), Cow::Owned(changed))
        }
        Some(Forgery::CutBody) => (Some(signature), Cow::Borrowed(&post.body[..post.body.len() - 1])),
        Some(Forgery::StaleStamp) => (Some(sign(keys.secret(), now - keys.stale_seconds, &post.body)), body),
        Some(Forgery::FutureStamp) => (Some(sign(keys.secret(), now + keys.stale_seconds, &post.body)), body),
        Some(Forgery::FakeScheme) => (Some(signature.replace("v1=", "v0=")), body),
        Some(Forgery::NoHeader) => (None, body),
        Some(Forgery::TwoStamps) => (Some(format!("t=1,{signature}")), body),
        // The other ways are other gateways'.
        Some(
            Forgery::TwoSignatures
            | Forgery::OtherId
            | Forgery::TwoIds
            | Forgery::JoinedParts
            | Forgery::OtherRequestId
            | Forgery::NoRequestId
            | Forgery::PaddedStamp
            | Forgery::NoToken
            | Forgery::WrongToken
            | Forgery::OtherKey
            | Forgery::UnknownKey
            | Forgery::NoAlgorithm
            | Forgery::PublicKeyHmac
            | Forgery::NoLogin
            | Forgery::WrongLogin
            | Forgery::Forwarded
            | Forgery::Stranger,
        )
        | None => (Some(signature), body),
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

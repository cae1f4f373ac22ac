//! Appmax: notices of three families that nobody signs, and two APIs that tell what is true.

mod life;
mod order;

use std::borrow::Cow;
use std::sync::Arc;

use afluente_gateways::Secret;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Told, Traffic, chance};
use crate::player::{Dressed, Keys, Player};
use life::{LIVES, State};
use order::Order;

/// The player.
pub(crate) struct Appmax;

/// What begins the numbers of orders that only forgers speak of, or that are no orders.
const FORGED: &str = "999";

impl Player for Appmax {
    fn currencies(&self) -> &'static [&'static str] {
        &["BRL"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &[FORGED]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        &[Forgery::NoToken, Forgery::WrongToken, Forgery::Forwarded, Forgery::Stranger]
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        let life = &LIVES[lot.number % LIVES.len()];
        let order = Order::new(plan, lot, life);
        let path = order.path();
        for (number, state) in life.states.iter().enumerate() {
            let tells = vec![Told { path: Arc::clone(&path), state: number }];
            let posts = state.events.iter().enumerate();
            traffic.posts.extend(posts.map(|(at, event)| notice(&order, state, event, lot.number + at, tells.clone())));
        }
        traffic.objects.insert(path, life.states.iter().map(|state| order.shown(state)).collect());
        beside(&order, traffic);
        let end = if order.is_of_apps { life.end_without_parts.unwrap_or(life.end) } else { life.end };
        traffic.truth.push(end.of(order.id(), life.name, lot.amount, lot.currency));
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        let id = format!("{FORGED}{:09}", chance(&post.body) % 1_000_000_000);
        let body = json!({"event": "OrderApproved", "event_type": "", "data": {
            "id": id, "customer_id": 7, "status": "aprovado", "total": 1000.5,
        }});
        Post { event: "forged".to_owned(), body: body.to_string().into_bytes(), forgery: Some(way), ..post.clone() }
    }

    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, _now: i64) -> Dressed<'a> {
        let mut headers: Vec<(&str, String)> = [("content-type", "application/json"), ("user-agent", "GuzzleHttp/7")]
            .map(|(name, value)| (name, value.to_owned()))
            .into();
        if post.forgery == Some(Forgery::Forwarded) {
            headers.extend([("x-forwarded-for", "127.0.0.1".to_owned()), ("x-real-ip", "127.0.0.1".to_owned())]);
        }
        // Variables the panel puts into the address, with names of fields a careless reader would take.
        let query = chance(&post.event).is_multiple_of(5).then_some(Cow::Borrowed("order_id=1&status=estornado"));
        Dressed { token: token(post, keys), path: None, query, headers, body: Cow::Borrowed(&post.body) }
    }
}

fn token<'a>(post: &Post, keys: &'a Keys) -> Option<&'a Secret> {
    match post.forgery {
        Some(Forgery::NoToken | Forgery::Forwarded) => None,
        Some(Forgery::WrongToken) => Some(&keys.stranger),
        _ => keys.token.as_ref(),
    }
}

/// One request, in the family whose turn it is.
fn notice(order: &Order, state: &State, event: &str, turn: usize, tells: Vec<Told>) -> Post {
    let name = event.split('|').next().unwrap_or_default().trim();
    let of_apps = name.contains('_');
    let body = match (of_apps, turn % 4) {
        (true, _) => order.of_apps(name, state),
        (false, 0 | 1) => order.of_panel(event, state),
        (false, 2) => order.flat(event, state),
        (false, _) => order.picked(event),
    };
    post(name, "payment", &order.id(), &body, tells)
}

fn post(name: &str, kind: &str, id: &str, body: &Value, tells: Vec<Told>) -> Post {
    Post {
        event: format!("notice:{name}:{kind}/{id}"),
        proof: Proof::Token,
        query: None,
        body: body.to_string().into_bytes(),
        forgery: None,
        tells,
    }
}

/// What comes along with orders and must not disturb them: people, and subscriptions.
fn beside(order: &Order, traffic: &mut Traffic) {
    if order.number.is_multiple_of(3) {
        let body = json!({"event": "CustomerCreated", "event_type": "", "data": order.customer()});
        let event = "notice:CustomerCreated:".to_owned();
        traffic.posts.push(Post { event, ..post("", "", "", &body, Vec::new()) });
    }
    if order.number % 10 == 4 && order.is_of_apps {
        let (path, object) = order.subscription();
        let tells = vec![Told { path: Arc::clone(&path), state: 0 }];
        traffic.objects.insert(path, vec![Bytes::from(object.to_string())]);
        for name in ["subscription_created", "subscription_charge_success"] {
            let body = json!({
                "event": name, "event_type": "subscription", "app_id": order::APP, "site_id": order::SITE,
                "data": {"subscription_id": order.subscription_id(), "customer_id": order.customer_id(), "total": 19_990},
            });
            let id = order.subscription_id().to_string();
            traffic.posts.push(post(name, "subscription", &id, &body, tells.clone()));
        }
    }
}

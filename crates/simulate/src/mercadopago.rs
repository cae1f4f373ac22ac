//! Mercado Pago: notices of two channels that prove little, and an API that tells what is true.

mod forge;
mod life;
mod notice;
mod object;

use std::borrow::Cow;
use std::sync::Arc;

use afluente_gateways::Secret;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Told, Traffic, chance};
use crate::player::{Dressed, Keys, Player};
use forge::Signed;
use life::{LIVES, Shape};
use notice::About;
use object::{Ids, Played};

/// The player.
pub(crate) struct MercadoPago;

/// What begins the ids of payments that only forgers speak of.
const FORGED: &str = "999";
/// What begins the ids of payments of nothing, which become no row.
const OF_NOTHING: &str = "998";

impl Player for MercadoPago {
    fn currencies(&self) -> &'static [&'static str] {
        &["BRL", "BRL", "BRL", "BRL", "ARS", "MXN", "CLP", "COP", "UYU", "PEN"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &[FORGED, OF_NOTHING]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        forge::WAYS
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        let life = &LIVES[lot.number % LIVES.len()];
        let played = Played { life, lot, ids: Ids::new(&plan.run, lot.number), seller: plan.seller.as_deref() };
        let path = path(&played);
        traffic.posts.extend(notice::of(&played, &path));
        let states = life.states.iter().map(|state| match life.shape {
            Shape::Order => played.order(state),
            Shape::Payment | Shape::Charged { .. } => played.payment(state),
        });
        traffic.objects.insert(Arc::clone(&path), states.collect());
        beside(&played, &path, traffic);
        traffic.truth.push(life.end.of(played.id(), life.name, lot.amount, lot.currency));
    }

    /// A repetition has another notice id on the one channel, and is the same on the other.
    fn again(&self, post: &Post, random: &mut StdRng) -> Post {
        let mut again = post.clone();
        let mut body: Value = serde_json::from_slice(&post.body).unwrap_or_default();
        if body["id"].is_u64() && random.random_bool(0.7) {
            body["id"] = json!(random.random_range(1_u64..1_000_000_000_000));
            again.body = body.to_string().into_bytes();
        }
        again
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        let id = forged_id(post);
        let tells = vec![Told { path: payment_path(&id), state: 0 }];
        let forged = if matches!(way, Forgery::NoToken | Forgery::WrongToken) {
            notice::ipn("payment", &id, tells)
        } else {
            notice::webhook(&About { topic: "payment", id: &id, action: "payment.updated", at: 0 }, None, tells)
        };
        Post { event: "forged".to_owned(), forgery: Some(way), ..forged }
    }

    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, now: i64) -> Dressed<'a> {
        let (agent, signed) = match &post.proof {
            Proof::Id(id) => ("MercadoPago WebHook v1.0 payment", forge::signed(id, post.forgery, keys, now)),
            _ => ("MercadoPago Feed v2.0 payment", unsigned(post, keys, now)),
        };
        let mut headers: Vec<(&str, String)> = [
            ("content-type", "application/json"),
            ("user-agent", agent),
            ("x-retry", "0"),
            ("x-socket-timeout", "22000"),
            ("accept-encoding", "*"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        headers.extend(signed.signature.map(|signature| ("x-signature", signature)));
        headers.extend(signed.request_id.map(|id| ("x-request-id", id)));
        let query = signed.query.map(Cow::Owned).or(post.query.as_deref().map(Cow::Borrowed));
        Dressed { token: token(post, keys), path: None, query, headers, body: Cow::Borrowed(&post.body) }
    }
}

fn payment_path(id: &str) -> Arc<str> {
    format!("/v1/payments/{id}").into()
}

fn path(played: &Played<'_>) -> Arc<str> {
    match played.life.shape {
        Shape::Order => format!("/v1/orders/{}", played.ids.order()).into(),
        Shape::Payment | Shape::Charged { .. } => payment_path(&played.ids.payment()),
    }
}

/// A payment of the forger's own; where the notice is about one of ours, the stranger's beside it.
fn forged_id(post: &Post) -> String {
    let about = match &post.proof {
        Proof::Id(id) => id.as_ref(),
        _ => post.query.as_deref().unwrap_or_default().trim_start_matches("id="),
    };
    let digits: String = about.chars().take_while(char::is_ascii_digit).collect();
    match digits.len() {
        12 => format!("{FORGED}{}", &digits[3..]),
        _ => format!("{FORGED}{:09}", chance(&about) % 1_000_000_000),
    }
}

/// Some of what comes on the old channel carries a signature all the same, which fits nothing.
fn unsigned(post: &Post, keys: &Keys, now: i64) -> Signed {
    if chance(&post.query).is_multiple_of(2) {
        Signed::default()
    } else {
        forge::signed("1", Some(Forgery::WrongSecret), keys, now)
    }
}

fn token<'a>(post: &Post, keys: &'a Keys) -> Option<&'a Secret> {
    match (&post.proof, post.forgery) {
        (Proof::Token, Some(Forgery::NoToken)) => None,
        (Proof::Token, Some(Forgery::WrongToken)) => Some(&keys.stranger),
        (Proof::Token, _) => keys.token.as_ref(),
        _ => None,
    }
}

/// What comes along with payments and must not disturb them.
fn beside(played: &Played<'_>, path: &Arc<str>, traffic: &mut Traffic) {
    let (ids, number) = (played.ids, played.lot.number);
    if played.seller.is_some() {
        let stranger = ids.beside(FORGED);
        traffic.objects.insert(payment_path(&stranger), vec![played.strangers(&stranger)]);
    }
    if number % 50 == 7 {
        traffic.posts.push(notice::simulated());
    }
    let last = Told { path: Arc::clone(path), state: played.life.states.len() - 1 };
    let at = played.lot.began + played.life.states[last.state].after;
    match played.life.shape {
        Shape::Charged { covered } => {
            let own: Arc<str> = format!("/v1/chargebacks/{}", ids.chargeback()).into();
            traffic.objects.insert(Arc::clone(&own), vec![played.chargeback(covered)]);
            traffic.posts.push(notice::chargeback(ids, at, vec![last, Told { path: own, state: 0 }]));
        }
        Shape::Payment => match number % 10 {
            1 => merchant_order(played, last, at, traffic),
            3 => subscription(played, last, at, traffic),
            4 => of_nothing(played, traffic),
            _ => {}
        },
        Shape::Order => {}
    }
}

/// A merchant order on both channels.
fn merchant_order(played: &Played<'_>, last: Told, at: i64, traffic: &mut Traffic) {
    let id = played.ids.merchant_order();
    let own: Arc<str> = format!("/merchant_orders/{id}").into();
    traffic.objects.insert(Arc::clone(&own), vec![played.merchant_order()]);
    let tells = vec![last, Told { path: own, state: 0 }];
    let about = About { topic: "topic_merchant_order_wh", id: &id, action: "update", at };
    traffic.posts.push(notice::ipn("merchant_order", &id, tells.clone()));
    traffic.posts.push(notice::webhook(&about, played.seller, tells));
}

/// The subscription a payment belongs to, and its instalment.
fn subscription(played: &Played<'_>, last: Told, at: i64, traffic: &mut Traffic) {
    let (id, instalment) = (played.ids.subscription(), played.ids.instalment());
    let (own, charged): (Arc<str>, Arc<str>) =
        (format!("/preapproval/{id}").into(), format!("/authorized_payments/{instalment}").into());
    traffic.objects.insert(Arc::clone(&own), vec![played.subscription()]);
    traffic.objects.insert(Arc::clone(&charged), vec![played.instalment()]);
    let own = Told { path: own, state: 0 };
    let about = About { topic: "subscription_preapproval", id: &id, action: "updated", at };
    traffic.posts.push(notice::versioned(&about, 2, vec![own.clone()]));
    let about = About { topic: "subscription_authorized_payment", id: &instalment, action: "created", at };
    traffic.posts.push(notice::versioned(&about, 1, vec![last, own, Told { path: charged, state: 0 }]));
}

/// A payment of nothing, made when a subscriber changes the card.
fn of_nothing(played: &Played<'_>, traffic: &mut Traffic) {
    let id = played.ids.beside(OF_NOTHING);
    let path = payment_path(&id);
    traffic.objects.insert(Arc::clone(&path), vec![played.validation(&id)]);
    let about = About { topic: "payment", id: &id, action: "payment.created", at: played.lot.began };
    traffic.posts.push(notice::webhook(&about, played.seller, vec![Told { path, state: 0 }]));
}

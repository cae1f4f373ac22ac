//! Pagar.me: both generations side by side, three channels, an API and the Hub's keys.

mod charge;
mod forge;
mod life;
mod postback;

pub(crate) use forge::key_sets;

use std::sync::Arc;

use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::forgery::Forgery;
use crate::plan::{Checks, Lot, Plan, Post, Proof, Told, Traffic, chance};
use crate::player::{Dressed, Keys, Player};
use charge::{Charge, bytes};
use life::{LIVES, OLD_LIVES, State};

/// The player.
pub(crate) struct Pagarme;

/// What begins the ids of charges that only forgers speak of.
const FORGED: &str = "ch_forged";
/// The same of v4.
const FORGED_OLD: &str = "999";

impl Player for Pagarme {
    fn currencies(&self) -> &'static [&'static str] {
        &["BRL"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &[FORGED, FORGED_OLD]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        forge::WAYS
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        traffic.objects.entry(forge::KEYS_PATH.into()).or_insert_with(forge::key_sets);
        let channels = channels(plan.checks);
        let Some(channel) = channels.get(lot.number % channels.len().max(1)) else { return };
        if *channel == Channel::Old {
            let life = &OLD_LIVES[lot.number / channels.len() % OLD_LIVES.len()];
            postback::play(plan, lot, life, traffic);
            return;
        }
        let life = &LIVES[lot.number / channels.len() % LIVES.len()];
        let played = Playing { charge: Charge::new(plan, lot, life), proof: channel.proof(lot.number, plan.payments) };
        played.play(traffic);
        traffic.truth.push(life.end.of(played.charge.id(), life.name, lot.amount, lot.currency));
    }

    /// A hook that comes again is the same, byte for byte.
    fn again(&self, post: &Post, _random: &mut StdRng) -> Post {
        post.clone()
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        forge::forged(post, way)
    }

    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, _now: i64) -> Dressed<'a> {
        forge::dressed(post, keys)
    }
}

/// How the webhooks of one payment come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// Signed by the Hub.
    Hub,
    /// Made in the dashboard, with a password.
    Login,
    /// Made in the dashboard, with a token.
    Token,
    /// Of v4.
    Old,
}

/// Those an account can check; what it gives its dashboard has to hold together.
fn channels(checks: Checks) -> Vec<Channel> {
    let dashboard = match (checks.login, checks.token) {
        (true, _) => Some(Channel::Login),
        (false, true) => Some(Channel::Token),
        (false, false) => None,
    };
    let hub = [Channel::Hub, Channel::Hub].into_iter().filter(|_| checks.keys);
    hub.chain(dashboard).chain(checks.secret.then_some(Channel::Old)).collect()
}

impl Channel {
    /// The Hub changes its key half-way.
    fn proof(self, number: usize, payments: usize) -> Proof {
        match self {
            Channel::Hub => Proof::Key(usize::from(number * 2 >= payments)),
            Channel::Login => Proof::Login,
            Channel::Token => Proof::Token,
            Channel::Old => Proof::Form,
        }
    }
}

/// One charge whose hooks come on one channel.
struct Playing<'a> {
    charge: Charge<'a>,
    proof: Proof,
}

impl Playing<'_> {
    fn play(&self, traffic: &mut Traffic) {
        let charge = &self.charge;
        let path = Charge::path(&charge.id());
        traffic
            .objects
            .insert(Arc::clone(&path), charge.life.states.iter().map(|state| bytes(&charge.object(state))).collect());
        for (number, state) in charge.life.states.iter().enumerate() {
            let tells = vec![Told { path: Arc::clone(&path), state: number }];
            let at = charge.lot.began + state.after;
            // The order first in half of the pairs.
            let order = self.order(state, at, tells.clone(), traffic);
            let own = self.hook(state.event, &format!("{number}"), at, &charge.object(state), tells);
            let posts = if charge.lot.number.is_multiple_of(2) { [order, Some(own)] } else { [Some(own), order] };
            traffic.posts.extend(posts.into_iter().flatten());
        }
        self.subscription(&path, traffic);
        self.people(traffic);
    }

    fn hook(&self, event: &str, salt: &str, at: i64, data: &Value, mut tells: Vec<Told>) -> Post {
        let (id, body) = self.charge.hook(event, salt, at, data);
        if let Proof::Key(number) = self.proof {
            tells.push(Told { path: forge::KEYS_PATH.into(), state: number });
        }
        Post {
            event: format!("hook:{id}"),
            proof: self.proof.clone(),
            query: None,
            body: body.to_string().into_bytes(),
            forgery: None,
            tells,
        }
    }

    /// The order's own hook for what its charge says: the payment of both is one. Some orders have a second card.
    fn order(&self, state: &State, at: i64, mut tells: Vec<Told>, traffic: &mut Traffic) -> Option<Post> {
        let charge = &self.charge;
        let number = charge.lot.number;
        let event = match state.event {
            "charge.paid" => "order.paid",
            "charge.payment_failed" => "order.payment_failed",
            "charge.refunded" => "order.canceled",
            _ => return None,
        };
        if number % 10 == 3 || number.is_multiple_of(4) {
            return None;
        }
        let with_second = number % 10 == 9 && event == "order.paid";
        if with_second {
            let path = Charge::path(&charge.second());
            tells.push(Told { path: Arc::clone(&path), state: 0 });
            let known = traffic.objects.insert(path, vec![bytes(&charge.second_object())]);
            if known.is_none() {
                let end = crate::plan::End::nothing(afluente_model::PaymentStatus::Failed);
                traffic.truth.push(end.of(charge.second(), "second card of an order", 4_000, "BRL"));
            }
        }
        Some(self.hook(event, &format!("order {}", state.after), at, &charge.order(state, with_second), tells))
    }

    /// The subscription a charge without an order belongs to.
    fn subscription(&self, path: &Arc<str>, traffic: &mut Traffic) {
        let charge = &self.charge;
        let paid = charge.life.states.iter().enumerate().find(|(_, state)| state.event == "charge.paid");
        let Some((number, state)) = paid.filter(|_| charge.lot.number % 10 == 3) else { return };
        let own: Arc<str> = format!("/subscriptions/{}", charge.subscription_id()).into();
        traffic.objects.insert(Arc::clone(&own), vec![bytes(&charge.subscription())]);
        let tells = vec![Told { path: own, state: 0 }, Told { path: Arc::clone(path), state: number }];
        let (began, at) = (charge.lot.began, charge.lot.began + state.after);
        traffic.posts.push(self.hook(
            "subscription.created",
            "subscription",
            began,
            &charge.subscription(),
            tells.clone(),
        ));
        traffic.posts.push(self.hook("invoice.paid", "invoice", at, &charge.invoice(state), tells));
    }

    /// What comes along and must not disturb payments.
    fn people(&self, traffic: &mut Traffic) {
        let (number, began) = (self.charge.lot.number, self.charge.lot.began);
        let mut tells = Vec::new();
        if number % 8 == 6 {
            let path: Arc<str> = format!("/orders/{}", self.charge.order_id()).into();
            traffic.objects.insert(Arc::clone(&path), vec![bytes(&self.charge.empty_order())]);
            tells.push(Told { path, state: 0 });
        }
        let (event, data) = match number % 8 {
            1 => (
                "customer.created",
                json!({"id": format!("cus_{:x}", chance(&number)), "name": "Bia", "document": "52998224725"}),
            ),
            4 => {
                ("recipient.updated", json!({"id": "rp_1", "status": "active", "kyc_details": {"status": "approved"}}))
            }
            // A name nobody knows, of an object everybody knows.
            6 => ("order.teleported", self.charge.empty_order()),
            _ => return,
        };
        traffic.posts.push(self.hook(event, event, began, &data, tells));
    }
}

//! Those who sign over their bytes: Transfeera, and a system of the house.

use afluente_gateways::openfinance::sign;
use serde_json::{Value, json};

use super::life::{Life, OF_A_HOUSE, OF_TRANSFEERA, Step};
use super::{FORGED, time};
use crate::forgery::Forgery;
use crate::plan::{Lot, Plan, Post, Proof, Traffic, chance};
use crate::player::{Dressed, Keys, Player};
use crate::stamped;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    Transfeera,
    House,
}

impl Signed {
    fn lives(self) -> &'static [Life] {
        match self {
            Signed::Transfeera => OF_TRANSFEERA,
            Signed::House => OF_A_HOUSE,
        }
    }

    fn header(self) -> &'static str {
        match self {
            Signed::Transfeera => "transfeera-signature",
            Signed::House => "x-open-finance-signature",
        }
    }

    fn word(self, step: Step) -> &'static str {
        match (self, step) {
            (Signed::Transfeera, Step::Waits) => "requires_confirmation",
            (Signed::Transfeera, Step::Paid) => "succeeded",
            (Signed::Transfeera, Step::CalledOff) => "not_consented",
            (Signed::House, Step::Paid) => "paid",
            (Signed::House, Step::CalledOff) => "canceled",
            (_, Step::Refused | Step::RefusedInSecret) => "failed",
            (_, Step::Waits | Step::Pending | Step::Held | Step::Scheduled) => "processing",
        }
    }

    fn body(self, event: &str, id: &str, step: Step, amount: i64, at: i64) -> Value {
        let word = self.word(step);
        match self {
            Signed::House => json!({
                "id": event, "createdAt": time(at),
                "data": {"paymentId": id, "status": word, "amount": reais(amount), "currency": "BRL"},
            }),
            Signed::Transfeera => {
                let next = json!({"redirect_to_url": {"url": "https://bank.example/consent"}});
                json!({
                    "id": event, "version": "v1", "account_id": "d95e7630-1b3c-4ac5-991d-d599d75efdd0",
                    "object": "PaymentInitiation", "date": time(at).replace('Z', ".250Z"),
                    "data": {
                        "id": id, "payer": {"person_type": "NATURAL_PERSON", "document": "52998224725"},
                        "amount": number(amount),
                        // The table of the documents is in small letters, their example in capitals.
                        "status": if amount % 200 == 0 { word.to_owned() } else { word.to_uppercase() },
                        "payment_method": "PIX", "next_action": (step == Step::Waits).then_some(next),
                        "error": (step == Step::Refused).then(|| json!({"code": "institution_error", "message": "x"})),
                    },
                })
            }
        }
    }
}

/// An amount in reais as a text.
pub(super) fn reais(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// An amount in reais as a number of JSON.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53, so that the shortest text is the exact one")]
fn number(minor: i64) -> Value {
    if minor % 100 == 0 { json!(minor / 100) } else { json!(minor as f64 / 100.0) }
}

impl Player for Signed {
    fn currencies(&self) -> &'static [&'static str] {
        &["BRL"]
    }

    fn rowless(&self) -> &'static [&'static str] {
        &[FORGED]
    }

    fn forgeries(&self) -> &'static [Forgery] {
        stamped::WAYS
    }

    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic) {
        let life = &self.lives()[lot.number % self.lives().len()];
        let id = format!("of-{}-{}", plan.run, lot.number);
        for (place, (after, step)) in life.steps.iter().enumerate() {
            let event = format!("evt-{}-{}-{place}", plan.run, lot.number);
            let body = self.body(&event, &id, *step, lot.amount, lot.began + after);
            traffic.posts.push(Post {
                event: format!("event:{event}"),
                proof: Proof::Body,
                query: None,
                body: body.to_string().into_bytes(),
                forgery: None,
                tells: Vec::new(),
            });
        }
        traffic.truth.push(life.end.of(id, life.name, lot.amount, lot.currency));
    }

    fn forged(&self, post: &Post, way: Forgery) -> Post {
        let id = format!("{FORGED}{}", chance(&post.body));
        let body = self.body(&format!("evt-{id}"), &id, Step::Paid, 100_000, 1_735_689_600);
        Post { event: "forged".to_owned(), body: body.to_string().into_bytes(), forgery: Some(way), ..post.clone() }
    }

    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, now: i64) -> Dressed<'a> {
        let (signature, body) =
            stamped::signed(post, keys, now, |secret, seconds, body| sign(secret, seconds * 1_000, body));
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(signature.map(|signature| (self.header(), signature)));
        Dressed { token: None, path: None, query: None, headers, body }
    }
}

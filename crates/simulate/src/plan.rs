//! What is played: a plan, the requests it becomes, and the truth about every payment in it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use afluente_model::{Gateway, PaymentStatus};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::api::Objects;
use crate::forgery::Forgery;
use crate::player::{self, NotPlayed, Player};

/// What to play.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose webhooks.
    pub gateway: Gateway,
    /// Who speaks, at a gateway that is spoken to in several ways.
    pub profile: &'static str,
    /// How many payments.
    pub payments: usize,
    /// The same seed and run give the same deliveries.
    pub seed: u64,
    /// Makes the ids differ from another run's.
    pub run: String,
    /// The account's id at the gateway, where objects name it.
    pub seller: Option<String>,
    /// What the account can check; nothing comes that it cannot.
    pub checks: Checks,
    /// Which of the gateway's APIs the account asks.
    pub api: &'static str,
    /// Whether the deliveries of all payments come in any order.
    pub shuffle: bool,
    /// The share of deliveries sent a second time.
    pub duplicate: f64,
    /// How often the whole is sent, so that one payment has a flood of notices; 1 for once.
    pub times: u32,
    /// The share of forged requests beside them.
    pub forge: f64,
    /// The moment the last thing happened, seconds since 1970.
    pub until: i64,
}

/// What an account has to check requests with.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent of one another")]
pub struct Checks {
    /// Secrets of signatures.
    pub secret: bool,
    /// A token at the end of the path.
    pub token: bool,
    /// User and password.
    pub login: bool,
    /// The gateway's public keys.
    pub keys: bool,
    /// Authorities of client certificates.
    pub certificate: bool,
}

impl Checks {
    /// Of an account that has secrets of signatures and nothing else.
    pub const SECRET: Checks = Checks { secret: true, ..Checks::NOTHING };
    /// Of an account that has nothing.
    pub const NOTHING: Checks = Checks { secret: false, token: false, login: false, keys: false, certificate: false };
}

/// One request to make.
#[derive(Clone, Debug)]
pub struct Post {
    /// The event it carries, as a receipt names it.
    pub(crate) event: String,
    /// What proves that the gateway sent it.
    pub(crate) proof: Proof,
    /// Behind the question mark.
    pub(crate) query: Option<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// What is wrong with it, if it is a forgery.
    pub(crate) forgery: Option<Forgery>,
    /// What the gateway's API shows from the first time this is sent on.
    pub(crate) tells: Vec<Told>,
}

/// What a gateway proves its requests with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A signature over the body.
    Body,
    /// A signature over this id, which stands in the query.
    Id(Arc<str>),
    /// The token at the end of the path.
    Token,
    /// User and password.
    Login,
    /// A signature over the body, by the key of this number.
    Key(usize),
    /// A signature over a body that is a form.
    Form,
    /// A client certificate, of who posts to this path.
    Certificate(Arc<str>),
}

impl Proof {
    /// Whether an account can check it.
    fn is_checked(&self, checks: Checks) -> bool {
        match self {
            Proof::Body | Proof::Id(_) | Proof::Form => checks.secret,
            Proof::Token => checks.token,
            Proof::Login => checks.login,
            Proof::Key(_) => checks.keys,
            Proof::Certificate(_) => checks.certificate,
        }
    }
}

/// An object of the gateway's API has come this far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) path: Arc<str>,
    pub(crate) state: usize,
}

impl Post {
    /// The event it carries, as a receipt names it.
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

/// How a life ends, in hundredths of its amount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) status: PaymentStatus,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) refund_pending: i64,
    pub(crate) disputed: i64,
    pub(crate) charged_back: i64,
}

impl End {
    /// Nothing moved.
    pub(crate) const fn nothing(status: PaymentStatus) -> End {
        End { status, captured: 0, refunded: 0, refund_pending: 0, disputed: 0, charged_back: 0 }
    }

    /// So much was taken, so much went back.
    pub(crate) const fn money(status: PaymentStatus, captured: i64, refunded: i64) -> End {
        End { captured, refunded, ..End::nothing(status) }
    }

    /// The same amounts under another word.
    pub(crate) const fn with(self, status: PaymentStatus) -> End {
        End { status, ..self }
    }

    pub(crate) const fn disputed(self, disputed: i64, charged_back: i64) -> End {
        End { disputed, charged_back, ..self }
    }

    /// Whether the word and the amounts say the same.
    #[cfg(test)]
    pub(crate) fn is_one_story(&self) -> bool {
        use PaymentStatus as S;
        match self.status {
            S::Refunded => self.refunded == self.captured && self.captured > 0,
            S::PartiallyRefunded => 0 < self.refunded && self.refunded < self.captured,
            S::Succeeded => self.captured > 0 && self.refunded == 0,
            S::Disputed => self.disputed > 0,
            S::ChargedBack => self.charged_back > 0,
            S::Pending
            | S::Processing
            | S::RequiresAction
            | S::InReview
            | S::Authorized
            | S::Failed
            | S::Canceled
            | S::Expired
            | S::Unknown => self.captured == 0,
        }
    }

    /// The end of a payment of this amount.
    pub(crate) fn of(&self, id: String, life: &'static str, amount: i64, currency: &str) -> Truth {
        let part = |hundredths| part(amount, hundredths);
        Truth {
            id,
            life,
            status: self.status.as_str(),
            currency: currency.to_uppercase(),
            captured: part(self.captured),
            refunded: part(self.refunded),
            refund_pending: part(self.refund_pending),
            disputed: part(self.disputed),
            charged_back: part(self.charged_back),
        }
    }
}

/// Hundredths of an amount in minor units; amounts are whole hundreds, so that every part is whole.
pub(crate) const fn part(amount: i64, hundredths: i64) -> i64 {
    amount / 100 * hundredths
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
    /// What the gateway's API shows; empty for one that puts everything into its webhooks.
    pub objects: Objects,
}

/// A number that a text, or whatever else, always leads to.
pub(crate) fn chance<T: Hash + ?Sized>(of: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The longest life, so that every one fits before the end of the run.
const LONGEST_LIFE_SECONDS: i64 = 700_000;

/// What chance decides about one payment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lot {
    pub(crate) number: usize,
    /// Minor units; whole hundreds, so that every hundredth is whole, in currencies without decimals as well.
    pub(crate) amount: i64,
    pub(crate) currency: &'static str,
    /// Seconds since 1970.
    pub(crate) began: i64,
}

/// Plays a run.
pub fn play(plan: &Plan) -> Result<Traffic, NotPlayed> {
    let player = player::of(plan.gateway, plan.profile)?;
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut traffic = Traffic { posts: Vec::new(), truth: Vec::new(), objects: Objects::new() };
    for number in 0..plan.payments {
        let lot = Lot {
            number,
            amount: 100 * random.random_range(10..5_000),
            currency: player.currencies()[random.random_range(0..player.currencies().len())],
            began: plan.until - LONGEST_LIFE_SECONDS - random.random_range(0..100_000),
        };
        player.payment(plan, lot, &mut traffic);
    }
    traffic.posts.retain(|post| post.proof.is_checked(plan.checks));
    repeat_and_forge(plan, player, &mut random, &mut traffic.posts);
    if plan.shuffle {
        traffic.posts.shuffle(&mut random);
    }
    Ok(traffic)
}

fn repeat_and_forge(plan: &Plan, player: &dyn Player, random: &mut StdRng, posts: &mut Vec<Post>) {
    let mut more = Vec::new();
    for post in posts.iter() {
        more.extend((1..plan.times).map(|_| player.again(post, random)));
        if random.random_bool(plan.duplicate) {
            more.push(player.again(post, random));
        }
        if random.random_bool(plan.forge) {
            let ways = player.forgeries();
            more.push(player.forged(post, ways[random.random_range(0..ways.len())]));
        }
    }
    posts.extend(more);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn plan(gateway: Gateway) -> Plan {
        Plan {
            gateway,
            profile: "",
            payments: 200,
            seed: 7,
            run: "t".to_owned(),
            seller: Some("700700".to_owned()),
            checks: Checks { secret: true, token: true, login: true, keys: true, certificate: true },
            api: "v1",
            shuffle: true,
            duplicate: 0.3,
            times: 1,
            forge: 0.1,
            until: 1_800_000_000,
        }
    }

    /// Every gateway, and every profile of the one that has several.
    fn plans() -> impl Iterator<Item = Plan> {
        let others = ["transfeera", "house"].map(|profile| Plan { profile, ..plan(Gateway::OpenFinance) });
        Gateway::ALL.iter().map(|gateway| plan(*gateway)).chain(others)
    }

    #[test]
    fn the_same_seed_plays_the_same_run() {
        for plan in plans() {
            let (one, other) = (play(&plan).unwrap(), play(&plan).unwrap());
            assert_eq!(one.truth, other.truth);
            assert!(one.posts.iter().map(|post| &post.body).eq(other.posts.iter().map(|post| &post.body)));
            assert_ne!(play(&Plan { seed: 8, ..plan.clone() }).unwrap().truth, one.truth);
        }
    }

    #[test]
    fn bodies_are_json_of_the_size_real_ones_have_and_what_is_signed_whole_comes_once() {
        for plan in plans() {
            let traffic = play(&Plan { duplicate: 0.0, forge: 0.0, ..plan.clone() }).unwrap();
            let is_whole = |post: &&Post| matches!(post.proof, Proof::Body | Proof::Key(_) | Proof::Form);
            let whole: Vec<_> = traffic.posts.iter().filter(is_whole).collect();
            assert_eq!(whole.iter().map(|post| &post.event).collect::<BTreeSet<_>>().len(), whole.len());
            let sizes: Vec<usize> = traffic.posts.iter().map(|post| post.body.len()).collect();
            assert!(sizes.iter().all(|size| (40..8_000).contains(size)), "{sizes:?}");
            for post in traffic.posts.iter().filter(|post| post.proof != Proof::Form) {
                let body: Value = serde_json::from_slice(&post.body).unwrap();
                assert!(body.is_object());
            }
        }
    }

    #[test]
    fn every_way_to_forge_is_used_and_none_speaks_of_a_payment_of_the_run() {
        for plan in plans() {
            // Of login and token a gateway's dashboard uses what the account has.
            let with = |login| {
                let checks = Checks { login, ..plan.checks };
                play(&Plan { forge: 0.5, checks, ..plan.clone() }).unwrap()
            };
            let runs = [with(true), with(false)];
            for way in player::of(plan.gateway, plan.profile).unwrap().forgeries() {
                let mut posts = runs.iter().flat_map(|traffic| &traffic.posts);
                assert!(posts.any(|post| post.forgery == Some(*way)), "{way:?}");
            }
            for traffic in runs {
                for post in traffic.posts.iter().filter(|post| post.forgery.is_some()) {
                    let body = String::from_utf8_lossy(&post.body).into_owned();
                    assert!(traffic.truth.iter().all(|truth| !body.contains(&truth.id)), "{body}");
                }
            }
        }
    }

    #[test]
    fn a_flood_is_the_same_notices_so_many_times() {
        for plan in plans() {
            let once = Plan { duplicate: 0.0, forge: 0.0, ..plan.clone() };
            let count = |times| play(&Plan { times, ..once.clone() }).unwrap().posts.len();
            assert_eq!(count(7), 7 * count(1));
        }
    }
}

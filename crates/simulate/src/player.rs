//! Who plays which gateway.

use std::borrow::Cow;

use afluente_gateways::Secret;
use afluente_model::Gateway;
use rand::rngs::StdRng;

use crate::appmax::Appmax;
use crate::forgery::Forgery;
use crate::mercadopago::MercadoPago;
use crate::openfinance::{Bank, Signed};
use crate::pagarme::Pagarme;
use crate::plan::{Lot, Plan, Post, Traffic};
use crate::stripe::Stripe;

/// What one gateway posts, and how.
pub(crate) trait Player: Sync {
    /// Currencies it is paid in, the usual ones more often.
    fn currencies(&self) -> &'static [&'static str];

    /// What begins the ids of payments that become no row: those that only forgers speak of, and those that are none.
    fn rowless(&self) -> &'static [&'static str];

    /// Ways its requests are forged.
    fn forgeries(&self) -> &'static [Forgery];

    /// Plays one payment: adds its requests in the order things happened, and its end.
    fn payment(&self, plan: &Plan, lot: Lot, traffic: &mut Traffic);

    /// The same again, as the gateway repeats it.
    fn again(&self, post: &Post, _random: &mut StdRng) -> Post {
        post.clone()
    }

    /// A request like this one, about a payment of the forger's own.
    fn forged(&self, post: &Post, way: Forgery) -> Post;

    /// What goes over the wire at this moment, seconds since 1970.
    fn dressed<'a>(&self, post: &'a Post, keys: &'a Keys, now: i64) -> Dressed<'a>;
}

/// What requests are proved with, and what forgers have in its place.
pub(crate) struct Keys {
    /// What bodies or ids are signed with, where they are.
    pub(crate) secret: Option<Secret>,
    /// What ends the path of requests that nothing else proves.
    pub(crate) token: Option<Secret>,
    /// User and password.
    pub(crate) login: Option<Secret>,
    /// Somebody else's.
    pub(crate) stranger: Secret,
    /// How far a stamp has to be away from now to be refused.
    pub(crate) stale_seconds: i64,
}

impl Keys {
    /// What signs; somebody else's where the account has none.
    pub(crate) fn secret(&self) -> &Secret {
        self.secret.as_ref().unwrap_or(&self.stranger)
    }
}

/// A request as it goes over the wire.
pub(crate) struct Dressed<'a> {
    /// A token at the end of the path.
    pub(crate) token: Option<&'a Secret>,
    /// What else stands behind the account in the path.
    pub(crate) path: Option<&'a str>,
    pub(crate) query: Option<Cow<'a, str>>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Cow<'a, [u8]>,
}

/// Nobody plays this profile of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a profile of {} that is played, got {profile}", gateway.slug())]
pub struct NotPlayed {
    /// The gateway.
    pub gateway: Gateway,
    /// The profile.
    pub profile: String,
}

/// The player of a gateway, as one of its profiles where it has several; without one, the first.
pub(crate) fn of(gateway: Gateway, profile: &str) -> Result<&'static dyn Player, NotPlayed> {
    match gateway {
        Gateway::Stripe => Ok(&Stripe),
        Gateway::MercadoPago => Ok(&MercadoPago),
        Gateway::Appmax => Ok(&Appmax),
        Gateway::Pagarme => Ok(&Pagarme),
        Gateway::OpenFinance => match profile {
            "" | "ofb" => Ok(&Bank),
            "transfeera" => Ok(&Signed::Transfeera),
            "house" => Ok(&Signed::House),
            _ => Err(NotPlayed { gateway, profile: profile.to_owned() }),
        },
    }
}

//! Open Finance, by several ways of speaking: an account says which of them is its own, and no body chooses.
//!
//! | Profile | Who posts | What is proved | Facts come of |
//! | --- | --- | --- | --- |
//! | `transfeera` | an initiator | an HMAC over its time and the body | the body |
//! | `house` | a system of the shop's own | the same | the body |

mod house;
mod payment;
mod transfeera;
mod words;

use afluente_model::money::Scale;
use afluente_model::{Conventions, Gateway, Proof, Resolution, Timestamp};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::json::Object;
use crate::profile::{Answers, Profile};
use crate::secret::{Secret, SecretForm};
use crate::stamped::{self, Unit};
use crate::{Adapter, Api, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// One way of speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Transfeera,
    House,
}

/// The adapter of a dialect.
#[derive(Debug)]
struct OpenFinance(Dialect);

pub(crate) static ADAPTERS: &[&dyn Adapter] = &[&OpenFinance(Dialect::Transfeera), &OpenFinance(Dialect::House)];

const SIGNATURE_SECRET: SecretForm =
    SecretForm { found: "the signature_secret that came back when the webhook was made", ..SecretForm::ANY };

static TRANSFEERA: Profile = Profile {
    name: "transfeera",
    title: "Open Finance (Transfeera)",
    // Its webhook is called once without a signature and a body when it is made, and is not made unless that succeeds.
    takes_empty_bodies: true,
    credentials: &[CredentialForm { kind: CredentialKind::Hmac, form: SIGNATURE_SECRET, is_required: true }],
    content_types: &["application/json", ""],
    ..HOUSE
};

const HOUSE: Profile = Profile {
    gateway: Gateway::OpenFinance,
    name: "house",
    title: "Open Finance (house)",
    page: "open-finance",
    conventions: Conventions { resolution: Resolution::Second, scale: Scale::iso4217 },
    credentials: &[CredentialForm { kind: CredentialKind::Hmac, form: SecretForm::ANY, is_required: true }],
    digests: &[Digest::Sha256],
    keys: None,
    signs_bodies: true,
    // Neither has a call that reads a payment back.
    apis: &[],
    answers: Answers { accepted: 200, rejected: 401, echoes: &[] },
    content_types: &["application/json"],
    takes_empty_bodies: false,
    body_limit_bytes: 64 << 10,
    kept_headers: &["user-agent", "content-type"],
    keeps_query: false,
    tolerance_seconds: 300,
};

static HOUSE_PROFILE: Profile = HOUSE;

impl Adapter for OpenFinance {
    fn profile(&self) -> &'static Profile {
        match self.0 {
            Dialect::Transfeera => &TRANSFEERA,
            Dialect::House => &HOUSE_PROFILE,
        }
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        let verify = |header| stamped::verify(request, header, Unit::Milliseconds, credentials, now);
        match self.0 {
            Dialect::Transfeera if is_probe(request)? => Err(Rejection::Probe),
            Dialect::Transfeera => verify(transfeera::HEADER),
            Dialect::House => verify(house::HEADER),
        }
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        let draft = match self.0 {
            Dialect::Transfeera => transfeera::read(envelope)?,
            Dialect::House => house::read(envelope)?,
        };
        Ok(draft.finish())
    }

    fn lookup(&self, want: &Want, _api: &Api) -> Result<Vec<Call>, Impossible> {
        Err(Impossible { kind: want.kind })
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

/// A moment, cut to whole seconds: all that the slowest of these clocks has.
fn moment(object: &Object<'_>, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
    Ok(object.rfc3339(key)?.map(|at| at.cut_to(Resolution::Second)))
}

/// Nothing to keep and nothing that claims to be somebody's: whoever asks whether the address answers.
fn is_probe(request: &Request<'_>) -> Result<bool, Rejection> {
    Ok(request.body.is_empty() && request.sole_header(transfeera::HEADER)?.is_none())
}

/// The `Transfeera-Signature` of a body, and the house's `X-Open-Finance-Signature`: for simulated traffic and tests.
#[must_use]
pub fn sign(secret: &Secret, stamp_millis: i64, body: &[u8]) -> String {
    stamped::sign(secret, stamp_millis, body)
}

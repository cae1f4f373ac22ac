//! Open Finance, by several ways of speaking: an account says which of them is its own, and no body chooses.
//!
//! | Profile | Who posts | What is proved | Facts come of |
//! | --- | --- | --- | --- |
//! | `ofb` | a bank, as regulated | the channel, by its certificate | the resource at that bank, signed |
//! | `efi` | an initiator | the channel by its certificate, or its address by a text | the list of payments |
//! | `transfeera` | an initiator | an HMAC over its time and the body | the body |
//! | `house` | a system of the shop's own | the same | the body |

mod answer;
mod bank;
mod consent;
mod efi;
mod house;
mod notice;
mod payment;
mod recurring;
mod resource;
mod transfeera;
mod words;

pub use bank::{BadBankKey, BankKey};

use afluente_model::money::Scale;
use afluente_model::{Conventions, Gateway, Proof, Resolution, Timestamp};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::json::Object;
use crate::profile::{Answers, Api, AuthForm, KeysAt, Profile, Shown, TokensAt};
use crate::request::PATH;
use crate::secret::{Secret, SecretForm};
use crate::stamped::{self, Unit};
use crate::{Adapter, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// One way of speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Ofb,
    Transfeera,
    Efi,
    House,
}

/// The adapter of a dialect.
#[derive(Debug)]
struct OpenFinance(Dialect);

/// The regulated one first: it is what an account is taken for that nobody configured.
pub(crate) static ADAPTERS: &[&dyn Adapter] = &[
    &OpenFinance(Dialect::Ofb),
    &OpenFinance(Dialect::Transfeera),
    &OpenFinance(Dialect::Efi),
    &OpenFinance(Dialect::House),
];

const SIGNATURE_SECRET: SecretForm =
    SecretForm { found: "the signature_secret that came back when the webhook was made", ..SecretForm::ANY };

const REGISTERED_TEXT: SecretForm =
    SecretForm { found: "the hash that was registered in webhookSecurity", ..SecretForm::ANY };

const CERTIFICATES: CredentialForm =
    CredentialForm { kind: CredentialKind::Authorities, form: SecretForm::ANY, is_required: true };

/// What all have in common, so that no answer to a stranger tells which of them an account speaks.
const COMMON: Profile = Profile {
    gateway: Gateway::OpenFinance,
    name: "",
    title: "Open Finance",
    page: "open-finance",
    conventions: Conventions { resolution: Resolution::Second, scale: Scale::iso4217 },
    credentials: &[],
    digests: &[Digest::Sha256],
    external_id: None,
    keys: None,
    signs_bodies: true,
    apis: &[],
    answers: Answers { accepted: 200, rejected: 401, echoes: &[] },
    content_types: &["application/json", ""],
    takes_paths: true,
    takes_empty_bodies: true,
    body_limit_bytes: 64 << 10,
    kept_headers: &["user-agent", "content-type"],
    keeps_query: false,
    tolerance_seconds: 300,
};

static OFB: Profile = Profile {
    name: "ofb",
    title: "Open Finance Brasil",
    credentials: &[CERTIFICATES],
    external_id: Some("the organisation id of the bank in the Directory, a UUID: one account is one bank's"),
    signs_bodies: false,
    apis: &[HOLDER],
    // Every other answer is tried twice more, within 72 seconds, and then never again.
    answers: Answers { accepted: 202, rejected: 401, echoes: &[INTERACTION] },
    kept_headers: &[
        PATH,
        INTERACTION,
        "x-authorization-server-id",
        "x-authorisation-server-id",
        "user-agent",
        "content-type",
    ],
    ..COMMON
};

static TRANSFEERA: Profile = Profile {
    name: "transfeera",
    title: "Open Finance (Transfeera)",
    credentials: &[CredentialForm { kind: CredentialKind::Hmac, form: SIGNATURE_SECRET, is_required: true }],
    ..COMMON
};

static EFI: Profile = Profile {
    name: "efi",
    title: "Open Finance (Efí)",
    credentials: &[
        CredentialForm { is_required: false, ..CERTIFICATES },
        CredentialForm { kind: CredentialKind::PathToken, form: REGISTERED_TEXT, is_required: false },
    ],
    signs_bodies: false,
    apis: &[EFI_API],
    ..COMMON
};

static HOUSE: Profile = Profile {
    name: "house",
    title: "Open Finance (house)",
    credentials: &[CredentialForm { kind: CredentialKind::Hmac, form: SecretForm::ANY, is_required: true }],
    ..COMMON
};

/// Names one notification, new with every try.
const INTERACTION: &str = "x-webhook-interaction-id";

/// A holder's API. Each holder has its own address, which the Directory knows.
const HOLDER: Api = Api {
    name: "holder",
    base: "",
    hosts: &[],
    auth: &[AuthForm::Assertion { scope: "payments recurring-payments" }],
    headers: &[("accept", "application/jwt")],
    interaction_header: Some("x-fapi-interaction-id"),
    shows_certificate: true,
    signed: Some(KeysAt {
        base: "https://keystore.directory.openbankingbrasil.org.br",
        hosts: &["keystore.directory.openbankingbrasil.org.br", "keystore.sandbox.directory.openbankingbrasil.org.br"],
        path: "/application.jwks",
    }),
    tenant_header: None,
    context_header: None,
    // Holders answer 429 to more than their share; no number is published for one initiator.
    calls_per_second: 8,
    calls_per_month: None,
};

const EFI_API: Api = Api {
    name: "openfinance",
    base: "https://openfinance.api.efipay.com.br",
    hosts: &["openfinance.api.efipay.com.br", "openfinance-h.api.efipay.com.br"],
    auth: &[AuthForm::Client(TokensAt { base: None, hosts: &[], path: "/v1/oauth/token", shown: Shown::Basic })],
    headers: &[],
    interaction_header: None,
    signed: None,
    calls_per_second: 5,
    ..HOLDER
};

impl Adapter for OpenFinance {
    fn profile(&self) -> &'static Profile {
        match self.0 {
            Dialect::Ofb => &OFB,
            Dialect::Transfeera => &TRANSFEERA,
            Dialect::Efi => &EFI,
            Dialect::House => &HOUSE,
        }
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        match self.0 {
            Dialect::Ofb => notice::verify(request, credentials, now),
            Dialect::Efi => efi::verify(request, credentials, now),
            Dialect::Transfeera if is_probe(request)? => Err(Rejection::Probe),
            Dialect::Transfeera => signed(request, transfeera::HEADER, credentials, now),
            Dialect::House => signed(request, house::HEADER, credentials, now),
        }
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        let draft = match (self.0, envelope.answer()) {
            (Dialect::Ofb, Some(answer)) => answer::read(envelope, answer)?,
            (Dialect::Efi, Some(answer)) => efi::answered(envelope, answer)?,
            (Dialect::Transfeera | Dialect::House, Some(_)) => return Err(Malformed::NotAsked),
            (Dialect::Ofb, None) => notice::read(envelope)?,
            (Dialect::Efi, None) => efi::notice(envelope)?,
            (Dialect::Transfeera, None) => transfeera::read(envelope)?,
            (Dialect::House, None) => house::read(envelope)?,
        };
        Ok(draft.finish())
    }

    fn lookup(&self, want: &Want, _api: &Api) -> Result<Vec<Call>, Impossible> {
        match self.0 {
            Dialect::Ofb => resource::calls(want),
            Dialect::Efi => efi::calls(want),
            Dialect::Transfeera | Dialect::House => Err(Impossible { kind: want.kind }),
        }
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

/// Nothing stands behind the account, and the body is signed.
fn signed(request: &Request<'_>, header: &str, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    let proof = stamped::verify(request, header, Unit::Milliseconds, credentials, now)?;
    if request.path_token.is_none() { Ok(proof) } else { Err(Rejection::UnknownPath) }
}

/// A moment, cut to whole seconds: all that the slowest of these clocks has.
fn moment(object: &Object<'_>, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
    let Some(text) = object.text(key)? else { return Ok(None) };
    let parsed = Timestamp::parse_rfc3339(text).ok();
    // Months and days may have one digit.
    let parsed = parsed.or_else(|| Timestamp::parse_rfc3339(&answer::padded(text)?).ok());
    parsed.map(|at| Some(at.cut_to(Resolution::Second))).ok_or(Malformed::Time { field: key })
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

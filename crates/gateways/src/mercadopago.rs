//! Mercado Pago. Nothing it posts is signed over its body: Webhooks sign an id, the old IPN nothing at all. Every notice is a
//! hint, and facts come of the object read back with our own token.
//!
//! `live_mode` tells nothing about the mode, `captured` nothing about the money; neither is read.

mod answer;
mod claim;
mod lookup;
mod notice;
mod order;
mod payment;
mod query;
mod subscription;
mod verify;
mod words;

pub use verify::sign;

use afluente_model::money::Scale;
use afluente_model::{Conventions, Gateway, Proof, Resolution, Timestamp};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::profile::{Answers, Api, AuthForm, Profile, Shown, TokensAt};
use crate::secret::SecretForm;
use crate::{Adapter, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// The adapter.
#[derive(Debug)]
pub(crate) struct MercadoPago;

/// 64 hex digits are what is seen; nothing is promised.
const SECRET: SecretForm =
    SecretForm { found: "the secret key shown at the application's webhooks", ..SecretForm::ANY };

const TOKEN: SecretForm = SecretForm {
    prefixes: &["APP_USR-", "TEST-"],
    found: "the access token shown at the application's credentials",
    ..SecretForm::ANY
};

static PROFILE: Profile = Profile {
    gateway: Gateway::MercadoPago,
    name: "",
    title: "Mercado Pago",
    page: "mercado-pago",
    conventions: Conventions { resolution: Resolution::Millisecond, scale: Scale::iso4217 },
    credentials: &[
        CredentialForm { kind: CredentialKind::Hmac, form: SECRET, is_required: true },
        CredentialForm { kind: CredentialKind::PathToken, form: SecretForm::ANY, is_required: false },
    ],
    digests: &[Digest::Sha256],
    external_id: None,
    keys: None,
    signs_bodies: false,
    apis: &[Api {
        name: "v1",
        base: "https://api.mercadopago.com",
        hosts: &["api.mercadopago.com"],
        auth: &[
            AuthForm::Bearer(TOKEN),
            AuthForm::Client(TokensAt { base: None, hosts: &[], path: "/oauth/token", shown: Shown::Json }),
        ],
        headers: &[],
        interaction_header: None,
        shows_certificate: false,
        signed: None,
        tenant_header: None,
        context_header: None,
        // No number is published; 429 exists.
        calls_per_second: 10,
        calls_per_month: None,
    }],
    // Only 200 and 201 are success; everything else comes again for two weeks.
    answers: Answers { accepted: 200, rejected: 401, echoes: &[] },
    content_types: &["application/json"],
    takes_paths: false,
    takes_empty_bodies: false,
    // 177 bytes for a payment, 2 KB for an order; no limit is published.
    body_limit_bytes: 64 << 10,
    kept_headers: &["user-agent", "content-type", "x-request-id", "x-retry"],
    keeps_query: true,
    tolerance_seconds: 300,
};

impl Adapter for MercadoPago {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        verify::verify(request, credentials, now)
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        match envelope.answer() {
            Some(answer) => answer::read(envelope, answer),
            None => notice::read(envelope),
        }
    }

    fn lookup(&self, want: &Want, _api: &Api) -> Result<Vec<Call>, Impossible> {
        lookup::calls(want)
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

//! Stripe. Facts and quirks are those of its documentation (docs.stripe.com/webhooks, /currencies, /api) and of what is
//! known from real deliveries.
//!
//! Stripe's objects carry no time of their last change, so a fact's `at` is its event's `created`: whole seconds, shared
//! by several events. The object's own status decides what an event means, not the event's name.

mod answer;
mod charge;
mod checkout;
mod claim;
mod context;
mod customer;
mod event;
mod invoice;
mod lookup;
mod payment_intent;
mod refund;
mod risk;
mod subscription;
mod thin;
mod words;

use afluente_model::money::Scale;
use afluente_model::{Conventions, Gateway, Proof, Resolution, Timestamp};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::profile::{Answers, Api, AuthForm, Profile};
use crate::secret::{Secret, SecretForm};
use crate::stamped::{self, Unit};
use crate::{Adapter, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// The adapter.
#[derive(Debug)]
pub(crate) struct Stripe;

const HEADER: &str = "stripe-signature";

/// The header Stripe would send for this body at this time: for simulated traffic and tests.
#[must_use]
pub fn sign(secret: &Secret, stamp_seconds: i64, body: &[u8]) -> String {
    stamped::sign(secret, stamp_seconds, body)
}

const SECRET: SecretForm = SecretForm {
    prefixes: &["whsec_"],
    found: "the signing secret of the webhook endpoint, shown at the endpoint in Stripe's dashboard",
    others: &[
        ("we_", "the endpoint's id"),
        ("sk_", "a secret API key"),
        ("rk_", "a restricted API key"),
        ("pk_", "a publishable API key"),
    ],
    ..SecretForm::ANY
};

const TOKEN: SecretForm = SecretForm {
    prefixes: &["rk_", "sk_"],
    found: "a restricted API key that may only read, made under Developers, API keys",
    others: &[("whsec_", "a signing secret"), ("we_", "the endpoint's id"), ("pk_", "a publishable API key")],
    ..SecretForm::ANY
};

static PROFILE: Profile = Profile {
    gateway: Gateway::Stripe,
    name: "",
    title: "Stripe",
    page: "stripe",
    conventions: Conventions { resolution: Resolution::Second, scale: Scale::stripe },
    credentials: &[CredentialForm { kind: CredentialKind::Hmac, form: SECRET, is_required: true }],
    digests: &[Digest::Sha256],
    external_id: None,
    keys: None,
    signs_bodies: true,
    apis: &[Api {
        name: "v1",
        base: "https://api.stripe.com",
        hosts: &["api.stripe.com"],
        auth: &[AuthForm::Bearer(TOKEN)],
        // What is under /v2/ is only read with a version; the shapes are those this adapter was written against.
        headers: &[("stripe-version", "2026-10-28.endive")],
        interaction_header: None,
        shows_certificate: false,
        signed: None,
        tenant_header: Some("stripe-account"),
        context_header: Some("stripe-context"),
        calls_per_second: 20,
        calls_per_month: None,
    }],
    // Any 2xx is success there; 4xx is tried again like 5xx, and 400 is what Stripe's own examples answer.
    answers: Answers { accepted: 200, rejected: 400, echoes: &[] },
    content_types: &["application/json"],
    takes_paths: false,
    takes_empty_bodies: false,
    // No limit is published; what is seen is 0.4 to 7 KB, invoices with many lines more.
    body_limit_bytes: 1 << 20,
    kept_headers: &["user-agent", "content-type"],
    keeps_query: false,
    tolerance_seconds: 300,
};

impl Adapter for Stripe {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        stamped::verify(request, HEADER, Unit::Seconds, credentials, now)
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        event::read(envelope)
    }

    fn lookup(&self, want: &Want, _api: &Api) -> Result<Vec<Call>, Impossible> {
        lookup::calls(want)
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

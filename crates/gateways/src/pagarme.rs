//! Pagar.me, both generations. v5 posts JSON: signed with RS256 where its Hub installed the webhook, proved by no more than HTTP
//! Basic where the dashboard did. v4 posts forms with an HMAC.
//!
//! An order is a parent and never a payment. A charge that was given back whole is called `canceled`. The number of decimals of a
//! time varies and its zone may be missing: all are UTC, and whole seconds are what orders them.

mod charge;
mod claim;
mod event;
mod hub;
mod invoice;
mod lookup;
mod postback;
mod subscription;
mod topic;
mod verify;
mod words;

use std::borrow::Cow;

pub use hub::{BadKey, HubKey};
pub use verify::sign_postback;

use afluente_model::money::Scale;
use afluente_model::{Answer, Conventions, Gateway, Proof, Resolution, Timestamp};

use crate::credentials::{CredentialForm, CredentialKind, Credentials, Digest};
use crate::draft::Draft;
use crate::json::{self, Object};
use crate::profile::{Answers, Api, AuthForm, KeysAt, Profile};
use crate::secret::SecretForm;
use crate::{Adapter, Call, Envelope, Impossible, Malformed, Reading, Rejection, Request, Want, vocabulary};

/// The adapter.
#[derive(Debug)]
pub(crate) struct Pagarme;

/// Times carry up to seven decimals, and most none: no finer order can be relied on.
const RESOLUTION: Resolution = Resolution::Second;

const API_KEY: SecretForm = SecretForm {
    prefixes: &["ak_"],
    found: "the API key of v4, shown at the dashboard's API keys",
    others: &[("ek_", "an encryption key"), ("sk_", "a secret key of v5"), ("pk_", "a public key of v5")],
    ..SecretForm::ANY
};

const SECRET_KEY: SecretForm = SecretForm {
    prefixes: &["sk_"],
    found: "the secret key of v5, shown at the dashboard's keys",
    others: &[("pk_", "a public key"), ("ak_", "an API key of v4"), ("ek_", "an encryption key of v4")],
    ..SecretForm::ANY
};

static PROFILE: Profile = Profile {
    gateway: Gateway::Pagarme,
    name: "",
    title: "Pagar.me",
    page: "pagarme",
    conventions: Conventions { resolution: RESOLUTION, scale: Scale::iso4217 },
    credentials: &[
        CredentialForm { kind: CredentialKind::Login, form: SecretForm::LOGIN, is_required: false },
        CredentialForm { kind: CredentialKind::PathToken, form: SecretForm::ANY, is_required: false },
        CredentialForm { kind: CredentialKind::Hmac, form: API_KEY, is_required: false },
    ],
    // v4 names its digest in the header; no fixture shows another than SHA-1.
    digests: &[Digest::Sha1, Digest::Sha256],
    external_id: None,
    keys: Some(KeysAt { base: "https://hubapi.pagar.me", hosts: &["hubapi.pagar.me"], path: "/.well-known/jwks.json" }),
    signs_bodies: true,
    apis: &[Api {
        name: "v5",
        base: "https://api.pagar.me/core/v5",
        hosts: &["api.pagar.me"],
        auth: &[AuthForm::Key(SECRET_KEY)],
        headers: &[],
        interaction_header: None,
        shows_certificate: false,
        signed: None,
        tenant_header: None,
        context_header: None,
        // 200 a minute are allowed.
        calls_per_second: 3,
        calls_per_month: None,
    }],
    answers: Answers { accepted: 200, rejected: 401, echoes: &[] },
    content_types: &["application/json", "application/x-www-form-urlencoded"],
    takes_paths: false,
    takes_empty_bodies: false,
    // An order carries all of its charges and items. No limit is published.
    body_limit_bytes: 1 << 20,
    kept_headers: &[
        "user-agent",
        "content-type",
        "x-webhook-asymmetric-signature",
        "x-hub-signature",
        "x-pagarme-event",
    ],
    keeps_query: false,
    tolerance_seconds: 300,
};

impl Adapter for Pagarme {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
        verify::verify(request, credentials, now)
    }

    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
        let is_form = envelope.header("content-type").is_some_and(verify::is_form);
        if is_form && envelope.answer().is_none() {
            return Ok(postback::read(envelope)?.finish());
        }
        let text = json::text(envelope.body())?;
        let object = json::object(&text)?;
        let mut draft = match envelope.answer() {
            Some(answer) => answered(envelope, answer, &object)?,
            None => event::read(envelope, &object)?,
        };
        if matches!(text, Cow::Owned(_)) {
            draft.note(Malformed::HalfPair);
        }
        Ok(draft.finish())
    }

    fn lookup(&self, want: &Want, _api: &Api) -> Result<Vec<Call>, Impossible> {
        lookup::calls(want)
    }

    fn vocabulary(&self) -> Vec<vocabulary::Entry> {
        words::vocabulary()
    }
}

/// An object that was read back: it has to be the one that was asked for. It has a time of its own; when it was read says nothing.
fn answered(envelope: &Envelope<'_>, answer: &Answer, object: &Object<'_>) -> Result<Draft, Malformed> {
    let asked = &answer.asked;
    let event = format!("answer:{}/{}", asked.kind, asked.id);
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{}", asked.kind));
    if object.id("id")?.as_ref() != Some(&asked.id) {
        return Err(Malformed::NotAsked);
    }
    event::answered(&mut draft, asked.kind, object)?;
    Ok(draft)
}

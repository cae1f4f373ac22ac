//! Sans-IO payment gateway adapters: bytes in, values out.
//!
//! One folder a gateway and one line in [`adapter`]. An adapter verifies a raw request, reads an envelope into facts,
//! claims and wants, and says which calls answer a want. It does no IO, has no clock and knows no history.
//!
//! **Invariants.** Verification has no default and cannot be turned off. Facts come only from bodies signed over their
//! bytes and from answers we fetched: [`read`] drops nothing silently, it refuses a reading that breaks this. An unknown
//! word never fails a delivery. Bodies, secrets and names never enter an error.

mod appmax;
mod certificate;
mod claim;
mod credentials;
mod document;
mod draft;
mod envelope;
mod error;
mod json;
pub mod jws;
mod key_set;
mod legacy;
pub mod mercadopago;
pub mod openfinance;
pub mod pagarme;
pub mod profile;
mod reading;
mod request;
mod secret;
mod signature;
mod stamped;
pub mod stripe;
mod text;
pub mod vocabulary;

pub use certificate::{Authorities, BadAuthorities, Certificates, PeerName, UnknownRevocation};
pub use claim::{Claim, ClaimKind, ClaimSubject, SubjectKind};
pub use credentials::{Credential, CredentialForm, CredentialKind, Credentials, Digest};
pub use envelope::{AccountView, Envelope, Tenants};
pub use error::{Malformed, Rejection};
pub use key_set::{BadKeys, KeySet};
pub use profile::{Api, Profile};
pub use reading::{Absent, Alias, Call, IgnoredBecause, Impossible, Raised, Reading, UnknownWord, Want};
pub use request::{PATH, Request};
pub use secret::{BadSecret, Secret, SecretForm};

use afluente_model::{Answer, Gateway, Proof, Timestamp};

/// One payment gateway, or one way of speaking to it.
pub trait Adapter: Send + Sync + std::fmt::Debug {
    /// What never changes about it.
    fn profile(&self) -> &'static Profile;

    /// Who sent this? Over the raw request and all configured credentials; `now` only for replay windows.
    fn verify(&self, request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection>;

    /// What does this envelope say? The same function for a webhook body and for an answer we fetched.
    fn normalise(&self, envelope: &Envelope<'_>) -> Result<Reading, Malformed>;

    /// Which calls of this API answer this question? Data, not IO.
    fn lookup(&self, want: &Want, api: &Api) -> Result<Vec<Call>, Impossible>;

    /// Every word of the gateway we know, and what it becomes.
    fn vocabulary(&self) -> Vec<vocabulary::Entry>;
}

/// The adapters of a gateway. Where there are several, an account says which of them speaks to it, by [`Profile::name`].
#[must_use]
pub fn adapters(gateway: Gateway) -> &'static [&'static dyn Adapter] {
    match gateway {
        Gateway::Stripe => &[&stripe::Stripe],
        Gateway::MercadoPago => &[&mercadopago::MercadoPago],
        Gateway::Pagarme => &[&pagarme::Pagarme],
        Gateway::Appmax => &[&appmax::Appmax],
        Gateway::OpenFinance => openfinance::ADAPTERS,
    }
}

/// The first adapter of a gateway: for what is the same for all of them, the conventions and the words among it.
#[must_use]
pub fn adapter(gateway: Gateway) -> &'static dyn Adapter {
    adapters(gateway)[0]
}

/// Reads an envelope and holds the adapter to two laws.
///
/// Facts need proof: a reading that asserts facts on a hint is a bug of the adapter; it is refused as
/// [`Malformed::UnprovedFacts`], so the delivery ends among the dead letters and nothing is believed. And no answer raises the
/// question it answers, or it would be asked for ever.
///
/// A row of an application beside us is read the same for every gateway: its words are the application's.
pub fn read(adapter: &dyn Adapter, envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
    if let Some(statement) = envelope.statement() {
        return legacy::read(statement);
    }
    let answer = envelope.answer();
    if let Some(answer) = answer.filter(|answer| answer.status == 404) {
        return Ok(absent(answer));
    }
    let mut reading = adapter.normalise(envelope)?;
    let asserts = !reading.facts.is_empty() || !reading.subscriptions.is_empty();
    let is_hint = envelope.source().is_none() || (answer.is_none() && !adapter.profile().signs_bodies);
    if asserts && is_hint {
        return Err(Malformed::UnprovedFacts);
    }
    if let Some(Answer { asked, .. }) = answer {
        reading.wants.retain(|want| (want.kind, &want.id, &want.tenant) != (asked.kind, &asked.id, &asked.tenant));
    }
    Ok(reading)
}

/// What an answer says that there is no such thing.
fn absent(answer: &Answer) -> Reading {
    let Answer { asked, .. } = answer;
    let tenant = asked.tenant.as_ref().map_or("", |tenant| tenant.as_str());
    let event_type = format!("{} absent", asked.kind);
    Reading {
        event: Some(format!("absent:{tenant}/{}/{}", asked.kind, asked.id).into()),
        event_type: event_type.into(),
        ignored: Some(IgnoredBecause::Absent),
        ..Reading::default()
    }
}

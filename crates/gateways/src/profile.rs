//! What never changes about a gateway.

use afluente_model::{Conventions, Gateway};

use crate::credentials::{CredentialForm, CredentialKind};

/// The constants of a gateway's adapter.
#[derive(Debug)]
pub struct Profile {
    /// The gateway.
    pub gateway: Gateway,
    /// Its name as its customers write it.
    pub title: &'static str,
    /// How it writes times and amounts.
    pub conventions: Conventions,
    /// What its requests are checked with.
    pub credentials: &'static [CredentialForm],
    /// The answers it expects.
    pub answers: Answers,
    /// Content types a body may come with, lower case, without parameters; an empty text where it may come without one.
    pub content_types: &'static [&'static str],
    /// Whether a request without a body means something.
    pub takes_empty_bodies: bool,
    /// The largest body accepted, bytes.
    pub body_limit_bytes: usize,
    /// Request headers that travel with a delivery, lower case.
    pub kept_headers: &'static [&'static str],
    /// Whether the query string travels with a delivery.
    pub keeps_query: bool,
    /// How far a signed time may lie from our clock by default, seconds.
    pub tolerance_seconds: i64,
}

impl Profile {
    /// Whether its requests are checked with credentials of this kind.
    #[must_use]
    pub fn takes(&self, kind: CredentialKind) -> bool {
        self.credentials.iter().any(|form| form.kind == kind)
    }
}

/// Status codes of one gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Once the delivery is durable.
    pub accepted: u16,
    /// For a signature, stamp or token that does not hold.
    pub rejected: u16,
    /// Request headers that go back with every answer, lower case.
    pub echoes: &'static [&'static str],
}

//! What never changes about a gateway.

use afluente_model::{Conventions, Gateway};

use crate::credentials::{CredentialForm, CredentialKind};
use crate::secret::SecretForm;

/// The constants of a gateway's adapter.
#[derive(Debug)]
pub struct Profile {
    /// The gateway.
    pub gateway: Gateway,
    /// Its name as its customers write it.
    pub title: &'static str,
    /// Its page under `docs/gateways`, without the ending.
    pub page: &'static str,
    /// How it writes times and amounts.
    pub conventions: Conventions,
    /// What its requests are checked with.
    pub credentials: &'static [CredentialForm],
    /// Whether its signatures cover bodies. Where they do not, a signed body is a hint all the same.
    pub signs_bodies: bool,
    /// Where its objects are read back.
    pub api: Api,
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

/// The API of one gateway, as far as reading needs it.
#[derive(Debug)]
pub struct Api {
    /// Its base address.
    pub base: &'static str,
    /// Its hosts: a base address elsewhere has to be allowed by whoever configures it.
    pub hosts: &'static [&'static str],
    /// How the tokens look that go into `Authorization: Bearer`.
    pub token: SecretForm,
    /// Where a client id and its secret become such a token, if they do there.
    pub oauth_path: Option<&'static str>,
    /// Headers of every call, lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// The header that names the sub-account a call is made for.
    pub tenant_header: Option<&'static str>,
    /// The header that takes what the gateway wrote as the path to the sub-account, instead.
    pub context_header: Option<&'static str>,
    /// How many calls a second an account makes at most, unless it is told otherwise.
    pub calls_per_second: u32,
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

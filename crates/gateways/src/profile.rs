//! What never changes about a gateway.

use afluente_model::{Conventions, Gateway};

use crate::credentials::{CredentialForm, CredentialKind, Digest};
use crate::secret::SecretForm;

/// The constants of a gateway's adapter.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a table of constants, each a question of its own")]
pub struct Profile {
    /// The gateway.
    pub gateway: Gateway,
    /// What tells this way of speaking from the gateway's others, where accounts have to choose; else empty.
    pub name: &'static str,
    /// Its name as its customers write it.
    pub title: &'static str,
    /// Its page under `docs/gateways`, without the ending.
    pub page: &'static str,
    /// How it writes times and amounts.
    pub conventions: Conventions,
    /// What its requests are checked with.
    pub credentials: &'static [CredentialForm],
    /// What its HMACs may be made with; the first unless the account says another.
    pub digests: &'static [Digest],
    /// What the external id of an account is, where no account may be without.
    pub external_id: Option<&'static str>,
    /// Where it shows its public keys, if it signs with such.
    pub keys: Option<KeysAt>,
    /// Whether its signatures cover bodies. Where they do not, a signed body is a hint all the same.
    pub signs_bodies: bool,
    /// Where its objects are read back: its APIs, the one to be preferred first.
    pub apis: &'static [Api],
    /// The answers it expects.
    pub answers: Answers,
    /// Content types a body may come with, lower case, without parameters; an empty text where it may come without one.
    pub content_types: &'static [&'static str],
    /// Whether what stands behind the account in the path is the gateway's to write.
    pub takes_paths: bool,
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

/// Where public keys are shown.
#[derive(Debug)]
pub struct KeysAt {
    /// The base address.
    pub base: &'static str,
    /// The gateway's hosts: another has to be allowed by whoever configures it.
    pub hosts: &'static [&'static str],
    /// The path on it.
    pub path: &'static str,
}

/// One API of a gateway, as far as reading needs it.
#[derive(Debug)]
pub struct Api {
    /// What tells it from the gateway's others.
    pub name: &'static str,
    /// Its base address.
    pub base: &'static str,
    /// Its hosts: a base address elsewhere has to be allowed by whoever configures it.
    pub hosts: &'static [&'static str],
    /// What makes a call ours: one of these.
    pub auth: &'static [AuthForm],
    /// Headers of every call, lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// The header that names a call, with a UUID of its own.
    pub interaction_header: Option<&'static str>,
    /// Whether calls show a certificate of ours.
    pub shows_certificate: bool,
    /// Where the keys are shown that its answers are signed with, if they are.
    pub signed: Option<KeysAt>,
    /// The header that names the sub-account a call is made for.
    pub tenant_header: Option<&'static str>,
    /// The header that takes what the gateway wrote as the path to the sub-account, instead.
    pub context_header: Option<&'static str>,
    /// How many calls a second an account makes at most, unless it is told otherwise.
    pub calls_per_second: u32,
    /// How many a month, unless it is told otherwise; none for as many as there are.
    pub calls_per_month: Option<u64>,
}

/// What makes calls of an API ours.
#[derive(Debug)]
pub enum AuthForm {
    /// `Authorization: Bearer`.
    Bearer(SecretForm),
    /// `Authorization: Basic`, with the key as the user and no password.
    Key(SecretForm),
    /// A parameter of the query.
    Query {
        /// Its name.
        name: &'static str,
        /// How it looks.
        form: SecretForm,
    },
    /// A client that signs for its tokens (`private_key_jwt`), and may read these scopes.
    Assertion {
        /// Words with blanks between.
        scope: &'static str,
    },
    /// A client's id and secret, for which tokens are given out that go into `Authorization: Bearer`.
    Client(TokensAt),
}

/// Where tokens are given out.
#[derive(Debug)]
pub struct TokensAt {
    /// The base address; the API's own if there is none.
    pub base: Option<&'static str>,
    /// The gateway's hosts for it.
    pub hosts: &'static [&'static str],
    /// The path on it.
    pub path: &'static str,
    /// How a client shows its secret there.
    pub shown: Shown,
}

/// How a client shows its id and secret to who gives out tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As fields of JSON.
    Json,
    /// As fields of a form.
    Form,
    /// In HTTP Basic, with the rest as JSON.
    Basic,
}

impl Api {
    /// How a token or key looks that is used as it is; none where only clients are let in.
    #[must_use]
    pub fn token(&self) -> Option<&'static SecretForm> {
        self.auth.iter().find_map(|form| match form {
            AuthForm::Bearer(form) | AuthForm::Key(form) | AuthForm::Query { form, .. } => Some(form),
            AuthForm::Client(_) | AuthForm::Assertion { .. } => None,
        })
    }

    /// What a client that signs for its tokens may read, if clients do so here.
    #[must_use]
    pub fn scope(&self) -> Option<&'static str> {
        self.auth.iter().find_map(|form| match form {
            AuthForm::Assertion { scope } => Some(*scope),
            AuthForm::Bearer(_) | AuthForm::Key(_) | AuthForm::Query { .. } | AuthForm::Client(_) => None,
        })
    }

    /// Where clients get their tokens, if they do.
    #[must_use]
    pub fn tokens(&self) -> Option<&'static TokensAt> {
        self.auth.iter().find_map(|form| match form {
            AuthForm::Client(tokens) => Some(tokens),
            AuthForm::Bearer(_) | AuthForm::Key(_) | AuthForm::Query { .. } | AuthForm::Assertion { .. } => None,
        })
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

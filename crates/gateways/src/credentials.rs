//! What an account checks requests with: of each kind several at once, while they are rotated.

use std::sync::Arc;

use afluente_model::SecretName;

use crate::certificate::Authorities;
use crate::key_set::KeySet;
use crate::secret::{Secret, SecretForm};

/// One thing that a request is checked with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Keys an HMAC over what the gateway signs.
    Hmac(Secret),
    /// Ends the path of a gateway that signs nothing.
    PathToken(Secret),
    /// `user:password` of HTTP Basic.
    Login(Secret),
    /// The gateway's own public keys.
    Keys(KeySet),
    /// Who vouches for its client certificate.
    Authorities(Arc<Authorities>),
}

impl Credential {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Credential::Hmac(_) => CredentialKind::Hmac,
            Credential::PathToken(_) => CredentialKind::PathToken,
            Credential::Login(_) => CredentialKind::Login,
            Credential::Keys(_) => CredentialKind::Keys,
            Credential::Authorities(_) => CredentialKind::Authorities,
        }
    }

    /// What is secret in it; nothing in public keys.
    #[must_use]
    pub const fn secret(&self) -> Option<&Secret> {
        match self {
            Credential::Hmac(secret) | Credential::PathToken(secret) | Credential::Login(secret) => Some(secret),
            Credential::Keys(_) | Credential::Authorities(_) => None,
        }
    }
}

/// What kinds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A secret of signatures.
    Hmac,
    /// A token at the end of the path.
    PathToken,
    /// User and password.
    Login,
    /// Public keys that the gateway shows at an address.
    Keys,
    /// Authorities of client certificates.
    Authorities,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: &'static [CredentialKind] = &[
        CredentialKind::Hmac,
        CredentialKind::PathToken,
        CredentialKind::Login,
        CredentialKind::Keys,
        CredentialKind::Authorities,
    ];

    /// The key in an account's configuration: of a list of references, or of the section about public keys.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            CredentialKind::Hmac => "secrets",
            CredentialKind::PathToken => "path_tokens",
            CredentialKind::Login => "logins",
            CredentialKind::Keys => "keys",
            CredentialKind::Authorities => "client_certificates",
        }
    }

    /// A credential of this kind that this secret is the whole of; none of public keys.
    #[must_use]
    pub fn of(self, secret: Secret) -> Option<Credential> {
        match self {
            CredentialKind::Hmac => Some(Credential::Hmac(secret)),
            CredentialKind::PathToken => Some(Credential::PathToken(secret)),
            CredentialKind::Login => Some(Credential::Login(secret)),
            CredentialKind::Keys | CredentialKind::Authorities => None,
        }
    }
}

/// What an HMAC is made with. The account says which: a request that chose for itself would choose the weakest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, of gateways that have nothing better.
    Sha1,
}

impl Digest {
    /// The word in configurations and in what gateways write before a signature.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Digest::Sha256 => "sha256",
            Digest::Sha1 => "sha1",
        }
    }
}

/// What a gateway takes of one kind: part of its profile.
#[derive(Clone, Copy, Debug)]
pub struct CredentialForm {
    /// The kind.
    pub kind: CredentialKind,
    /// How they look.
    pub form: SecretForm,
    /// Whether an account without one does not start. Where no kind is required, one of any kind is.
    pub is_required: bool,
}

/// Everything an account checks requests with.
#[derive(Clone, Debug)]
pub struct Credentials {
    all: Vec<Credential>,
    /// How far a signed time may lie from our clock, both ways, in seconds.
    pub tolerance_seconds: i64,
    /// What HMACs are made with, at gateways that have several.
    pub digest: Digest,
}

impl Credentials {
    /// One or more, newest first: every one of the kind that a request needs is tried.
    #[must_use]
    pub fn new(all: Vec<Credential>, tolerance_seconds: i64) -> Credentials {
        Credentials { all, tolerance_seconds, digest: Digest::default() }
    }

    /// The same, and the gateway's public keys.
    #[must_use]
    pub fn with_keys(mut self, keys: KeySet) -> Credentials {
        self.all.push(Credential::Keys(keys));
        self
    }

    /// The same, with HMACs made so.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Credentials {
        Credentials { digest, ..self }
    }

    /// Secrets of signatures and nothing else.
    pub fn hmac(secrets: impl IntoIterator<Item = Secret>, tolerance_seconds: i64) -> Credentials {
        Credentials::new(secrets.into_iter().map(Credential::Hmac).collect(), tolerance_seconds)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Credential] {
        &self.all
    }

    /// The secret parts of one kind.
    pub fn of(&self, kind: CredentialKind) -> impl Iterator<Item = &Secret> + Clone {
        self.all.iter().filter(move |one| one.kind() == kind).filter_map(Credential::secret)
    }

    /// Whether there is one of this kind.
    #[must_use]
    pub fn has(&self, kind: CredentialKind) -> bool {
        self.all.iter().any(|one| one.kind() == kind)
    }

    /// The gateway's public keys, if requests are checked with them.
    #[must_use]
    pub fn keys(&self) -> Option<&KeySet> {
        self.all.iter().find_map(|one| match one {
            Credential::Keys(keys) => Some(keys),
            Credential::Hmac(_) | Credential::PathToken(_) | Credential::Login(_) | Credential::Authorities(_) => None,
        })
    }

    /// Who vouches for the client certificate, if requests are checked with one.
    #[must_use]
    pub fn authorities(&self) -> Option<&Authorities> {
        self.all.iter().find_map(|one| match one {
            Credential::Authorities(authorities) => Some(&**authorities),
            Credential::Hmac(_) | Credential::PathToken(_) | Credential::Login(_) | Credential::Keys(_) => None,
        })
    }

    /// The names of one kind, which show nothing.
    pub fn names(&self, kind: CredentialKind) -> impl Iterator<Item = &SecretName> {
        self.of(kind).map(Secret::name)
    }
}

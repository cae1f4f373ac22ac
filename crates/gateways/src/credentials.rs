//! What an account checks requests with: of each kind several at once, while they are rotated.

use afluente_model::SecretName;

use crate::secret::{Secret, SecretForm};

/// One thing of ours that a request is checked with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Keys an HMAC over what the gateway signs.
    Hmac(Secret),
    /// Ends the path of a gateway that signs nothing.
    PathToken(Secret),
}

impl Credential {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Credential::Hmac(_) => CredentialKind::Hmac,
            Credential::PathToken(_) => CredentialKind::PathToken,
        }
    }

    /// Its secret part.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        match self {
            Credential::Hmac(secret) | Credential::PathToken(secret) => secret,
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
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: &'static [CredentialKind] = &[CredentialKind::Hmac, CredentialKind::PathToken];

    /// The key of the list in an account's configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            CredentialKind::Hmac => "secrets",
            CredentialKind::PathToken => "path_tokens",
        }
    }

    /// A credential of this kind.
    #[must_use]
    pub const fn of(self, secret: Secret) -> Credential {
        match self {
            CredentialKind::Hmac => Credential::Hmac(secret),
            CredentialKind::PathToken => Credential::PathToken(secret),
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
    /// Whether an account without one does not start.
    pub is_required: bool,
}

/// Everything an account checks requests with.
#[derive(Clone, Debug)]
pub struct Credentials {
    all: Vec<Credential>,
    /// How far a signed time may lie from our clock, both ways, in seconds.
    pub tolerance_seconds: i64,
}

impl Credentials {
    /// One or more, newest first: every one of the kind that a request needs is tried.
    #[must_use]
    pub fn new(all: Vec<Credential>, tolerance_seconds: i64) -> Credentials {
        Credentials { all, tolerance_seconds }
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
        self.all.iter().filter(move |one| one.kind() == kind).map(Credential::secret)
    }

    /// The names of one kind, which show nothing.
    pub fn names(&self, kind: CredentialKind) -> impl Iterator<Item = &SecretName> {
        self.of(kind).map(Secret::name)
    }
}

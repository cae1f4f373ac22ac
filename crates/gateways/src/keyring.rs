//! The secrets of one account, several at once while they are rotated.

use std::fmt;

use afluente_model::SecretName;

/// One shared secret. Never shown: Debug prints its name only.
#[derive(Clone)]
pub struct Secret {
    name: SecretName,
    bytes: Box<[u8]>,
}

/// A secret that cannot protect anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Empty or only white space.
    #[error("expected a secret, got an empty text")]
    Empty,
    /// Too short to be anything a gateway issues.
    #[error("expected a secret of at least {least} characters, got {got}")]
    TooShort {
        /// The least we accept.
        least: usize,
        /// What came.
        got: usize,
    },
}

/// The shortest text accepted as a secret.
const LEAST_SECRET_BYTES: usize = 8;

impl Secret {
    /// Takes the secret's text as a gateway shows it; white space around it (a trailing newline of a file) is removed.
    pub fn new(text: &str) -> Result<Secret, BadSecret> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadSecret::Empty);
        }
        if text.len() < LEAST_SECRET_BYTES {
            return Err(BadSecret::TooShort { least: LEAST_SECRET_BYTES, got: text.len() });
        }
        Ok(Secret { name: SecretName::of(text.as_bytes()), bytes: text.as_bytes().into() })
    }

    /// Its name: the first 8 hex digits of its SHA-256.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The bytes, for keying an HMAC.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

/// What an account can check a request with.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// One or more, newest first. Every one is tried.
    pub secrets: Vec<Secret>,
    /// How far a signed time may lie from our clock, both ways, in seconds.
    pub tolerance_seconds: i64,
}

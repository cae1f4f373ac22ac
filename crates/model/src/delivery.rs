//! One verified HTTP body and the proof of who sent it.

use std::fmt;

use bytes::Bytes;

use crate::gateway::Gateway;
use crate::id::{AccountName, BadId, DeliveryId};
use crate::time::Timestamp;

/// Names a secret without showing it: the first 8 hex digits of its SHA-256.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(Box<str>);

impl SecretName {
    /// The name of this secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> SecretName {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(secret);
        let [a, b, c, d] = [digest[0], digest[1], digest[2], digest[3]];
        SecretName(format!("{:08x}", u32::from_be_bytes([a, b, c, d])).into())
    }

    /// Reads a name back from the wire or the ledger.
    pub fn parse(text: &str) -> Result<SecretName, BadId> {
        let valid = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if valid {
            Ok(SecretName(text.into()))
        } else {
            Err(BadId { expected: "8 lower-case hex digits", got: text.chars().take(64).collect() })
        }
    }

    /// The 8 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

/// What the adapter checked when the request came in. Recorded once, never recomputed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The body is signed over its bytes with this secret of ours. The only proof a webhook body's facts may rest on.
    Signed {
        /// The secret that matched.
        secret: SecretName,
    },
    /// Who speaks is proved (mutual TLS, a password), the body is not.
    Channel {
        /// The peer's name in its certificate, or the name of the password.
        peer: Box<str>,
    },
    /// Only our own path token came with it.
    PathToken,
    /// Nothing proves it.
    None,
}

impl Proof {
    /// Whether it proves that the gateway sent it. A token in an address proves only that somebody knows the address.
    #[must_use]
    pub const fn is_of_the_gateway(&self) -> bool {
        match self {
            Proof::Signed { .. } | Proof::Channel { .. } => true,
            Proof::PathToken | Proof::None => false,
        }
    }

    /// Whether the body may be believed as it stands; everything else is a hint.
    #[must_use]
    pub const fn covers_body(&self) -> bool {
        match self {
            Proof::Signed { .. } => true,
            Proof::Channel { .. } | Proof::PathToken | Proof::None => false,
        }
    }
}

/// One HTTP body as it came, with what ingress learned about it. Made by ingress after verification, and by the queue's
/// wire format after its seal was checked; by nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Ours, unique per accepted body.
    pub id: DeliveryId,
    /// The gateway of the account.
    pub gateway: Gateway,
    /// The account whose path was called.
    pub account: AccountName,
    /// Our clock when the body was complete. It orders nothing; it bounds how far a gateway's clock may run ahead.
    pub received_at: Timestamp,
    /// What verification found.
    pub proof: Proof,
    /// Request headers the adapter asked to keep, lower-case names, in the order they came.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The query string without its question mark, if the adapter asked to keep it.
    pub query: Option<Box<str>>,
    /// W3C trace context of the request, if it came with one.
    pub traceparent: Option<Box<str>>,
    /// Who let a parked delivery through although its gateway's clock ran ahead.
    pub released_by: Option<Box<str>>,
    /// The body, byte for byte.
    pub body: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_s_name_is_the_beginning_of_its_hash_and_is_read_back() {
        let name = SecretName::of(b"abc");
        assert_eq!(name.as_str(), "ba7816bf");
        assert_eq!((name.to_string(), format!("{name:?}")), ("ba7816bf".to_owned(), "\"ba7816bf\"".to_owned()));
        assert_eq!(SecretName::parse("ba7816bf"), Ok(name));
        for bad in ["", "ba7816b", "ba7816bf0", "BA7816BF", "ba7816bg", "ba7816b/"] {
            assert_eq!(SecretName::parse(bad).unwrap_err().got, bad);
        }
    }

    #[test]
    fn only_a_signature_covers_a_body_and_only_a_channel_besides_says_who_speaks() {
        let signed = Proof::Signed { secret: SecretName::of(b"abc") };
        let proofs = [signed, Proof::Channel { peer: "peer".into() }, Proof::PathToken, Proof::None];
        assert_eq!(proofs.each_ref().map(Proof::is_of_the_gateway), [true, true, false, false]);
        assert_eq!(proofs.each_ref().map(Proof::covers_body), [true, false, false, false]);
    }
}

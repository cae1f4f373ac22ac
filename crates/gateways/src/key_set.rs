//! The public keys a gateway shows at an address (JWKS, RFC 7517), as far as RS256 and PS256 need them.
//!
//! An adapter only looks into the set; whoever can ask for it puts it there, again and again. What was looked for and is not
//! there is remembered, so that it is asked for sooner.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use afluente_model::SecretName;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents};
use serde::Deserialize;

/// How many keys of one set are looked at.
const MOST_KEYS: usize = 64;

/// `-_` in place of `+/`, with padding or without.
pub(crate) const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keys that are replaced as a whole when they are fetched. Clones share what they hold.
#[derive(Clone, Default)]
pub struct KeySet {
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    keys: RwLock<Arc<[PublicKey]>>,
    missed: AtomicBool,
}

/// One key, with the name a signature calls it by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PublicKey {
    id: Box<str>,
    /// What the ledger calls it.
    name: SecretName,
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
    /// What it is for; anything where it does not say.
    algorithm: Option<Algorithm>,
}

/// How a signature is made. Never the sender's to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
}

impl Algorithm {
    fn named(text: &str) -> Option<Algorithm> {
        match text {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            _ => None,
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        }
    }
}

/// Why a text is no set of keys. Nothing of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// Not JSON, or JSON of another shape.
    #[error("expected a JSON object with a list of keys")]
    Shape,
    /// Nothing in it can be used.
    #[error("expected at least one RSA key of 2048 bits or more for signatures, got {got} keys of other kinds")]
    Useless {
        /// How many there were.
        got: usize,
    },
}

/// What a signature by a named key is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// The key made it over these bytes; this is what the ledger calls the key.
    By(SecretName),
    /// It did not.
    No,
    /// There is no such key here, or not yet.
    UnknownKey,
}

impl KeySet {
    /// Puts the keys of a fetched set in the place of those held; a set without a usable key changes nothing. Returns how many
    /// there are now.
    pub fn replace(&self, jwks: &[u8]) -> Result<usize, BadKeys> {
        let keys = parsed(jwks)?;
        let count = keys.len();
        *self.held.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(count)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a key was missed, or did not fit, since this was last asked.
    #[must_use]
    pub fn was_missed(&self) -> bool {
        self.held.missed.swap(false, Ordering::Relaxed)
    }

    /// Whether the key of this name made a signature of this kind over these bytes.
    pub(crate) fn verify(&self, with: Algorithm, id: &str, message: &[u8], signature: &[u8]) -> Verified {
        let keys = self.keys();
        let verified = match keys.iter().find(|key| *key.id == *id) {
            None => Verified::UnknownKey,
            Some(PublicKey { algorithm: Some(other), .. }) if *other != with => Verified::No,
            Some(PublicKey { modulus: n, exponent: e, name, .. }) => {
                match (RsaPublicKeyComponents { n, e }).verify(with.parameters(), message, signature) {
                    Ok(()) => Verified::By(name.clone()),
                    Err(_) => Verified::No,
                }
            }
        };
        if !matches!(verified, Verified::By(_)) {
            self.miss();
        }
        verified
    }

    /// A key was missed.
    pub fn miss(&self) {
        self.held.missed.store(true, Ordering::Relaxed);
    }

    fn keys(&self) -> Arc<[PublicKey]> {
        Arc::clone(&self.held.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({} keys)", self.len())
    }
}

/// A key as it is shown. Members it does not need are passed over.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

fn parsed(jwks: &[u8]) -> Result<Arc<[PublicKey]>, BadKeys> {
    let Jwks { keys } = serde_json::from_slice(jwks).map_err(|_| BadKeys::Shape)?;
    let got = keys.len();
    let usable = keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key).ok().and_then(usable));
    let usable: Arc<[PublicKey]> = usable.collect();
    if usable.is_empty() { Err(BadKeys::Useless { got }) } else { Ok(usable) }
}

/// An RSA key for signatures, of a kind we know if it says for what.
fn usable(key: Jwk) -> Option<PublicKey> {
    let is_meant = key.kty == "RSA" && key.purpose.as_deref() == Some("sig");
    let algorithm = match key.alg.as_deref() {
        None => None,
        Some(named) => Some(Algorithm::named(named)?),
    };
    let number = |text: Option<String>| -> Option<Box<[u8]>> {
        let bytes = BASE64_URL.decode(text?).ok()?;
        let first = bytes.iter().position(|byte| *byte != 0)?;
        Some(bytes[first..].into())
    };
    let (modulus, exponent) = (number(key.n)?, number(key.e)?);
    let name = SecretName::of(&modulus);
    (is_meant && modulus.len() >= 256).then_some(PublicKey { id: key.kid?.into(), name, modulus, exponent, algorithm })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(change: &str) -> String {
        let n = format!("s{}A", "B".repeat(340));
        format!(r#"{{"kty":"RSA","use":"sig","alg":"RS256","kid":"a","n":"{n}","e":"AQAB"{change}}}"#)
    }

    #[test]
    fn only_rsa_keys_for_signatures_are_held() {
        let set = KeySet::default();
        let jwks = |keys: &[String]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let other = |from, to| key("").replace(from, to);
        let useless = [
            other("RSA", "EC"),
            other("\"sig\"", "\"enc\""),
            other("RS256", "HS256"),
            other("\"kid\":\"a\",", ""),
            other(&"B".repeat(340), "BBBB"),
            other("AQAB", "?"),
            other("\"RSA\"", "7"),
        ];
        assert_eq!(set.replace(jwks(&useless).as_bytes()), Err(BadKeys::Useless { got: useless.len() }));
        let with_others: Vec<String> = useless.iter().cloned().chain([key(""), key(r#","x5c":["…"]"#)]).collect();
        assert_eq!(set.replace(jwks(&with_others).as_bytes()), Ok(2));
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, "<html>"] {
            assert!(set.replace(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(set.len(), 2, "what cannot be used replaces nothing");
        assert!(!set.is_empty() && KeySet::default().is_empty());
        assert_eq!(format!("{set:?}"), "KeySet(2 keys)");
    }

    #[test]
    fn what_is_missed_is_remembered_once() {
        let set = KeySet::default();
        assert!(!set.was_missed());
        assert_eq!(set.clone().verify(Algorithm::Rs256, "nobody", b"", b""), Verified::UnknownKey);
        assert!(set.was_missed() && !set.was_missed());
    }
}

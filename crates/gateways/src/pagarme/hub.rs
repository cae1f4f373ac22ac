//! What the Hub does, for simulated traffic and tests: it signs bodies and shows its keys.

use base64::Engine;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};

use crate::key_set::BASE64_URL;

/// A key that signs.
pub struct HubKey {
    id: String,
    pair: RsaKeyPair,
}

/// A text that is no RSA key of 2048 bits or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an RSA private key of at least 2048 bits in PKCS #1 DER")]
pub struct BadKey;

impl HubKey {
    /// A key, and what signatures call it.
    pub fn from_der(id: &str, der: &[u8]) -> Result<HubKey, BadKey> {
        RsaKeyPair::from_der(der).map(|pair| HubKey { id: id.to_owned(), pair }).map_err(|_| BadKey)
    }

    /// The header it sends with this body.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        // It fails only where the length above is another; the padding takes nothing from chance.
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature);
        signed.unwrap_or_else(|_| signature.clear());
        format!("alg=RS256; kid={}; signature={}", self.id, BASE64_URL.encode(signature))
    }

    /// Its public half, as a set of keys shows it.
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let number = |bytes: &[u8]| BASE64_URL.encode(bytes).trim_end_matches('=').to_owned();
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        serde_json::json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(&n),
            "e": number(&e),
        })
    }
}

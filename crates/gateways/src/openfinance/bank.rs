//! A bank's own key, which signs what it answers: for simulated traffic and tests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

/// A key, and what the Directory calls it.
pub struct BankKey {
    id: String,
    pair: RsaKeyPair,
}

/// A text that is no RSA key of 2048 bits or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an RSA private key of at least 2048 bits in PKCS #1 DER")]
pub struct BadBankKey;

impl BankKey {
    /// A key in PKCS #1 DER, and what signatures call it.
    pub fn from_der(id: &str, der: &[u8]) -> Result<BankKey, BadBankKey> {
        RsaKeyPair::from_der(der).map(|pair| BankKey { id: id.to_owned(), pair }).map_err(|_| BadBankKey)
    }

    /// An answer with these claims, as banks sign them.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.signed("PS256", claims, &RSA_PSS_SHA256)
    }

    /// The same with the right key and an algorithm that is not allowed.
    #[must_use]
    pub fn sign_with_rs256(&self, claims: &Value) -> String {
        self.signed("RS256", claims, &RSA_PKCS1_SHA256)
    }

    fn signed(&self, algorithm: &str, claims: &Value, with: &'static dyn RsaEncoding) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": self.id});
        let message = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        // It fails only where the length above is another, or nothing random is to be had.
        let signed = self.pair.sign(with, &SystemRandom::new(), message.as_bytes(), &mut signature);
        signed.unwrap_or_else(|_| signature.clear());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Its public half, as a set of keys shows it.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "RSA", "use": "sig", "alg": "PS256", "kid": self.id, "n": number(&n), "e": number(&e)})
    }
}

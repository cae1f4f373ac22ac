//! How a client proves who it is without a secret that anybody else knows (RFC 7523): a short-lived text signed with its own key,
//! shown to whoever gives out tokens.

use std::fmt;
use std::sync::Arc;

use afluente_model::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::access::Base;

/// How long an assertion holds, seconds.
const LIFE_SECONDS: i64 = 60;

/// A client that signs for its tokens.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// Its id at who gives out tokens.
    pub client_id: Box<str>,
    /// What it signs with.
    pub key: SigningKey,
    /// Where tokens are given out: the whole address, which is also whom the assertion is for.
    pub endpoint: Base,
    /// What the tokens may read, words with blanks between.
    pub scope: Box<str>,
}

/// An RSA key for PS256. Never shown.
#[derive(Clone)]
pub struct SigningKey {
    id: Box<str>,
    pair: Arc<RsaKeyPair>,
    name: [u8; 32],
}

/// A text that is no signing key. Nothing of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// No private key in PEM.
    #[error("expected a private key in PEM (PKCS #8), got something else")]
    NotPem,
    /// Not RSA of 2048 bits or more.
    #[error("expected an RSA key of 2048 to 8192 bits, got another key")]
    NotRsa,
}

impl SigningKey {
    /// The key of a PEM text, with the name the Directory shows it under.
    pub fn from_pem(id: &str, text: &str) -> Result<SigningKey, BadKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| BadKey::NotPem)?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| BadKey::NotRsa)?;
        let name = Sha256::digest(der.secret_pkcs8_der()).into();
        Ok(SigningKey { id: id.into(), pair: Arc::new(pair), name })
    }

    pub(crate) fn is_same(&self, other: &SigningKey) -> bool {
        self.id == other.id && self.name == other.name
    }

    /// A text of this payload, signed with PS256.
    pub(crate) fn sign(&self, payload: &serde_json::Value) -> Option<String> {
        let header = json!({"alg": "PS256", "typ": "JWT", "kid": &*self.id});
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(payload));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let signed = self.pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
        signed.ok().map(|()| format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl Assertion {
    pub(crate) fn is_same(&self, other: &Assertion) -> bool {
        self.client_id == other.client_id
            && self.key.is_same(&other.key)
            && self.endpoint == other.endpoint
            && self.scope == other.scope
    }

    /// The form a token is asked for with, now.
    pub(crate) fn form(&self, now: Timestamp) -> Option<String> {
        let issued = now.as_seconds();
        let claims = json!({
            "iss": &*self.client_id, "sub": &*self.client_id, "aud": self.endpoint.to_string(),
            "jti": Uuid::new_v4().to_string(), "iat": issued, "exp": issued + LIFE_SECONDS,
        });
        let assertion = self.key.sign(&claims)?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", &self.scope),
            ("client_id", &self.client_id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
    }
}

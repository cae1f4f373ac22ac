//! The seal: whoever can write to the queue but does not hold the deployment's key cannot make a delivery.

use std::fmt;

use afluente_model::{Delivery, Proof};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// One key of the deployment. Never shown.
#[derive(Clone)]
pub struct SealKey(Hmac<Sha256>);

/// A text that is no seal key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a seal key of 64 hex digits, got {got} characters of which {hex} are hex digits")]
pub struct BadSealKey {
    /// How many characters came.
    pub got: usize,
    /// How many of them are hex digits.
    pub hex: usize,
}

impl SealKey {
    /// The key made of these 32 bytes, which must come from the system's random source.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> SealKey {
        SealKey(keyed(&bytes))
    }

    /// Reads a key file's text: 64 hex digits of either case, white space around them removed.
    pub fn parse(text: &str) -> Result<SealKey, BadSealKey> {
        let text = text.trim();
        decode_hex(text).map(SealKey::from_bytes).ok_or_else(|| BadSealKey {
            got: text.chars().count(),
            hex: text.chars().filter(char::is_ascii_hexdigit).count(),
        })
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

fn keyed(bytes: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(bytes).expect("HMAC takes a key of any length")
}

/// The keys in use. The first seals; all open, so that a key can be replaced without emptying the queue: put the new one
/// first, and remove the old one once everything sealed with it is settled and no dead letter of it is wanted back.
#[derive(Clone, Debug)]
pub struct SealKeys {
    first: SealKey,
    others: Vec<SealKey>,
}

impl SealKeys {
    /// These keys; `first` seals.
    #[must_use]
    pub fn new(first: SealKey, others: impl IntoIterator<Item = SealKey>) -> SealKeys {
        SealKeys { first, others: others.into_iter().collect() }
    }

    /// The seal of these headers and a body with this hash, by the first key.
    pub(crate) fn sign(&self, version: u32, delivery: &Delivery, body_hash: &[u8; 32]) -> [u8; 32] {
        let mut mac = self.first.0.clone();
        canonical(version, delivery, body_hash, None, |bytes| mac.update(bytes));
        mac.finalize().into_bytes().into()
    }

    /// Whether one of the keys made this seal, now or in the days when a seal covered the body's length beside its hash;
    /// compared in constant time.
    pub(crate) fn verify(&self, version: u32, delivery: &Delivery, body_hash: &[u8; 32], seal: &[u8; 32]) -> bool {
        let made_by = |key: &SealKey, body_bytes| {
            let mut mac = key.0.clone();
            canonical(version, delivery, body_hash, body_bytes, |bytes| mac.update(bytes));
            mac.verify_slice(seal).is_ok()
        };
        let body_bytes = delivery.body.len() as u64;
        std::iter::once(&self.first).chain(&self.others).any(|key| made_by(key, None) || made_by(key, Some(body_bytes)))
    }
}

/// Feeds everything a seal covers, each part with its length before it, so that no two deliveries feed the same bytes.
/// The JSON text is not what is sealed: two writers may space it differently. The body's length is there in what the first
/// version sealed alone.
fn canonical(
    version: u32,
    delivery: &Delivery,
    body_hash: &[u8; 32],
    body_bytes: Option<u64>,
    mut feed: impl FnMut(&[u8]),
) {
    let Delivery { id, gateway, account, received_at, proof, headers, query, traceparent, released_by, body: _ } =
        delivery;
    let mut part = |bytes: &[u8]| {
        feed(&(bytes.len() as u64).to_be_bytes());
        feed(bytes);
    };
    part(b"afluente delivery seal");
    part(&version.to_be_bytes());
    part(id.0.as_bytes());
    part(gateway.slug().as_bytes());
    part(account.as_str().as_bytes());
    part(&received_at.as_micros().to_be_bytes());
    let (kind, detail) = proof_words(proof);
    part(kind.as_bytes());
    part(detail.unwrap_or_default().as_bytes());
    part(&(headers.len() as u64).to_be_bytes());
    for (name, value) in headers {
        part(name.as_bytes());
        part(value.as_bytes());
    }
    for optional in [query, traceparent, released_by] {
        part(&[u8::from(optional.is_some())]);
        part(optional.as_deref().unwrap_or_default().as_bytes());
    }
    if let Some(bytes) = body_bytes {
        part(&bytes.to_be_bytes());
    }
    part(body_hash);
}

/// A proof as two words: its kind, and the secret's name or the peer.
pub(crate) fn proof_words(proof: &Proof) -> (&'static str, Option<&str>) {
    match proof {
        Proof::Signed { secret } => ("signed", Some(secret.as_str())),
        Proof::Channel { peer } => ("channel", Some(peer)),
        Proof::PathToken => ("path_token", None),
        Proof::None => ("none", None),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn encode_hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    pairs.map(char::from).collect()
}

/// 64 hex digits of either case.
pub(crate) fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_hex_and_never_shown() {
        let text = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let key = SealKey::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(format!("{key:?}"), "SealKey(..)");
        assert_eq!(encode_hex(&decode_hex(text).unwrap()), text.to_lowercase());
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_showing_it() {
        for (text, got, hex) in
            [("", 0, 0), ("abc", 3, 3), ("é", 1, 0), (&"g".repeat(64), 64, 0), (&"a".repeat(65), 65, 65)]
        {
            assert_eq!(SealKey::parse(text).unwrap_err(), BadSealKey { got, hex }, "{text:?}");
        }
    }
}

//! The sealed message, the same for every backend: a head of JSON and the body as it came.

use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Proof, SecretName, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::rabbit::has_hints;
use crate::seal::{SealKeys, decode_hex, encode_hex, proof_words, sha256};

/// The version of the head this program writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// A delivery as the queue carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The delivery's id, also in the head; here for logs, not covered by the seal.
    pub id: DeliveryId,
    /// The queue it belongs to, also in the head; here for routing, not covered by the seal.
    pub gateway: Gateway,
    /// JSON headers: version, id, gateway, account, receive time, proof, kept request headers, query, traceparent, who
    /// released it, the body's SHA-256 and the seal over all of these.
    pub head: Bytes,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Sealed {
    /// Bytes of head and body: what counts against the queue's bound.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.len() as u64 + self.body.len() as u64
    }

    /// Whether nobody signed it, as its head says: it travels apart from what is proved. Not checked, only for routing.
    pub(crate) fn is_hint(&self) -> bool {
        #[derive(Deserialize)]
        struct Proved<'a> {
            proof: &'a str,
        }
        has_hints(self.gateway)
            && serde_json::from_slice(&self.head)
                .is_ok_and(|Proved { proof }| matches!(parse_proof(proof, None), Some(Proof::PathToken | Proof::None)))
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed")
            .field("id", &self.id)
            .field("gateway", &self.gateway)
            .field("head_bytes", &self.head.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why a message is not a delivery. No retry helps: it belongs to the dead letters, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The head is not a JSON object with a version.
    #[error("expected a head that is a JSON object with a version, got {head_bytes} bytes of something else")]
    NotOurs {
        /// Length of the head.
        head_bytes: usize,
    },
    /// Written by a program of another version.
    #[error("expected a head of version {supported}, got {found}")]
    UnknownVersion {
        /// The version of the head.
        found: u64,
        /// The version this program reads.
        supported: u32,
    },
    /// A field is missing, doubled, unknown or not what it should be.
    #[error("field {field} of the head is not what it should be")]
    BadField {
        /// The field; `head` where the shape of the whole is wrong.
        field: &'static str,
    },
    /// No key of ours made this seal over these headers.
    #[error("the seal does not hold: the headers were changed, or the key that sealed them is no longer configured")]
    BrokenSeal,
    /// The headers are ours, the body is not the one they were sealed with.
    #[error("the body of {body_bytes} bytes is not the one that was sealed")]
    ChangedBody {
        /// Length of the body.
        body_bytes: usize,
    },
}

impl Undecodable {
    /// A word for metric labels and dead letters: one of five.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Undecodable::NotOurs { .. } => "not_ours",
            Undecodable::UnknownVersion { .. } => "unknown_version",
            Undecodable::BadField { .. } => "bad_field",
            Undecodable::BrokenSeal => "broken_seal",
            Undecodable::ChangedBody { .. } => "changed_body",
        }
    }
}

/// Read first and alone, so that another version is told from a broken head.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// The head of version 1. A field the seal does not cover must not exist, hence no unknown ones.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    id: String,
    gateway: String,
    account: String,
    received_at_micros: i64,
    proof: String,
    proof_detail: Option<String>,
    headers: Vec<(Box<str>, Box<str>)>,
    query: Option<Box<str>>,
    traceparent: Option<Box<str>>,
    released_by: Option<Box<str>>,
    body_sha256: String,
    seal: String,
}

impl SealKeys {
    /// The message of this delivery, sealed with the first key. The body is shared, not copied.
    #[must_use]
    pub fn seal(&self, delivery: &Delivery) -> Sealed {
        let body_hash = sha256(&delivery.body);
        let (proof, proof_detail) = proof_words(&delivery.proof);
        let head = Head {
            version: VERSION,
            id: delivery.id.to_string(),
            gateway: delivery.gateway.slug().to_owned(),
            account: delivery.account.as_str().to_owned(),
            received_at_micros: delivery.received_at.as_micros(),
            proof: proof.to_owned(),
            proof_detail: proof_detail.map(str::to_owned),
            headers: delivery.headers.clone(),
            query: delivery.query.clone(),
            traceparent: delivery.traceparent.clone(),
            released_by: delivery.released_by.clone(),
            body_sha256: encode_hex(&body_hash),
            seal: encode_hex(&self.sign(VERSION, delivery, &body_hash)),
        };
        Sealed { id: delivery.id, gateway: delivery.gateway, head: head.to_json(), body: delivery.body.clone() }
    }

    /// Reads a message back, checking version, fields, seal and body, in this order.
    pub fn open(&self, head: &[u8], body: Bytes) -> Result<Delivery, Undecodable> {
        let head = Head::parse(head)?;
        let sealed_hash = decode_hex(&head.body_sha256).ok_or(Undecodable::BadField { field: "body_sha256" })?;
        let seal = decode_hex(&head.seal).ok_or(Undecodable::BadField { field: "seal" })?;
        let delivery = head.into_delivery(body)?;
        let seal_holds = self.verify(VERSION, &delivery, &sealed_hash, &seal);
        let same_body = sha256(&delivery.body) == sealed_hash;
        match (seal_holds, same_body) {
            (true, true) => Ok(delivery),
            (true, false) => Err(Undecodable::ChangedBody { body_bytes: delivery.body.len() }),
            (false, _) => Err(Undecodable::BrokenSeal),
        }
    }
}

impl Head {
    fn to_json(&self) -> Bytes {
        serde_json::to_vec(self).expect("a struct of texts and numbers has a JSON text").into()
    }

    fn parse(head: &[u8]) -> Result<Head, Undecodable> {
        let versioned: Versioned =
            serde_json::from_slice(head).map_err(|_| Undecodable::NotOurs { head_bytes: head.len() })?;
        if versioned.version != u64::from(VERSION) {
            return Err(Undecodable::UnknownVersion { found: versioned.version, supported: VERSION });
        }
        serde_json::from_slice(head).map_err(|_| Undecodable::BadField { field: "head" })
    }

    fn into_delivery(self, body: Bytes) -> Result<Delivery, Undecodable> {
        let bad = |field| Undecodable::BadField { field };
        Ok(Delivery {
            id: DeliveryId(uuid::Uuid::parse_str(&self.id).map_err(|_| bad("id"))?),
            gateway: Gateway::from_slug(&self.gateway).ok_or(bad("gateway"))?,
            account: AccountName::parse(&self.account).map_err(|_| bad("account"))?,
            received_at: Timestamp::from_micros(self.received_at_micros).map_err(|_| bad("received_at_micros"))?,
            proof: parse_proof(&self.proof, self.proof_detail.as_deref()).ok_or(bad("proof"))?,
            headers: self.headers,
            query: self.query,
            traceparent: self.traceparent,
            released_by: self.released_by,
            body,
        })
    }
}

fn parse_proof(kind: &str, detail: Option<&str>) -> Option<Proof> {
    match (kind, detail) {
        ("signed", Some(name)) => Some(Proof::Signed { secret: SecretName::parse(name).ok()? }),
        ("channel", Some(peer)) => Some(Proof::Channel { peer: peer.into() }),
        ("path_token", None) => Some(Proof::PathToken),
        ("none", None) => Some(Proof::None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use afluente_testkit::delivery;
    use uuid::Uuid;

    use super::*;
    use crate::seal::SealKey;

    #[test]
    fn a_hint_is_what_nobody_signed_where_a_gateway_has_such() {
        let keys = SealKeys::new(SealKey::from_bytes([1; 32]), []);
        let is_hint = |gateway, proof| keys.seal(&Delivery { gateway, proof, ..delivery(Uuid::nil(), "{}") }).is_hint();
        let signed = || Proof::Signed { secret: SecretName::of(b"secret") };
        let channel = || Proof::Channel { peer: "bank.example".into() };
        for &gateway in Gateway::ALL {
            let expected = [has_hints(gateway), has_hints(gateway), false, false];
            let found = [Proof::PathToken, Proof::None, signed(), channel()].map(|proof| is_hint(gateway, proof));
            assert_eq!(found, expected, "{gateway:?}");
        }
        assert!(!has_hints(Gateway::Stripe) && has_hints(Gateway::Appmax));
    }
}

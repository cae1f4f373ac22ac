//! Signed answers: a JWS in compact form (RFC 7515), PS256, with the claims of the Financial-grade API's profile in Brazil. What
//! its header says of keys is never followed: the key is one of the set that we fetched.

use afluente_model::Timestamp;
use base64::Engine;
use serde::Deserialize;

use crate::key_set::{Algorithm, BASE64_URL, KeySet, Verified};

/// The largest header that is read, bytes.
const HEADER_LIMIT_BYTES: usize = 4 << 10;

/// What an answer has to claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who answers: an organisation.
    pub issuer: Box<str>,
    /// Whom: ours.
    pub audience: Box<str>,
    /// How far its time may lie from our clock, seconds.
    pub tolerance_seconds: i64,
}

/// Why a signed answer counts for nothing. Nothing of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadJws {
    /// It is no JWS.
    #[error("expected a signed answer (JWS in compact form), got something else")]
    Shape,
    /// It is signed in another way.
    #[error("expected an answer signed with PS256, got another algorithm")]
    Algorithm,
    /// No key of this name is shown.
    #[error("the answer is signed by a key its issuer does not show, or not yet")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature of the answer does not hold")]
    Signature,
    /// Somebody else's answer.
    #[error("the answer was issued by another organisation than the one that was asked")]
    Issuer,
    /// For somebody else.
    #[error("the answer was issued for another organisation than ours")]
    Audience,
    /// An old one, or from the future.
    #[error("the answer was issued {off_seconds}s away from our clock, at most {limit_seconds}s allowed")]
    Time {
        /// How far.
        off_seconds: i64,
        /// How far it may be.
        limit_seconds: i64,
    },
    /// It does not say which it is.
    #[error("expected an answer with an id of its own (jti), got none")]
    NoId,
}

impl BadJws {
    /// A word for metrics and logs, from a closed set.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            BadJws::Shape => "shape",
            BadJws::Algorithm => "algorithm",
            BadJws::UnknownKey => "unknown_key",
            BadJws::Signature => "signature",
            BadJws::Issuer => "issuer",
            BadJws::Audience => "audience",
            BadJws::Time { .. } => "time",
            BadJws::NoId => "no_id",
        }
    }
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    kid: std::borrow::Cow<'a, str>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    aud: Option<Audience>,
    iat: Option<Seconds>,
    jti: Option<String>,
}

/// One, or several of which one has to be ours.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn has(&self, ours: &str) -> bool {
        match self {
            Audience::One(one) => one == ours,
            Audience::Several(all) => all.iter().any(|one| one == ours),
        }
    }
}

/// A number, or the same as a text: an example of the standard writes it so.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl Seconds {
    fn get(&self) -> Option<i64> {
        match self {
            Seconds::Number(seconds) => Some(*seconds),
            Seconds::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            Seconds::Text(_) => None,
        }
    }
}

/// Checks a signed answer and returns its id, which its issuer uses once: whoever asked has to see that it is new.
pub fn verify(token: &[u8], keys: &KeySet, expected: &Expected, now: Timestamp) -> Result<Box<str>, BadJws> {
    let token = std::str::from_utf8(token).map_err(|_| BadJws::Shape)?.trim_ascii();
    let (message, signature) = token.rsplit_once('.').ok_or(BadJws::Shape)?;
    let (header, payload) =
        message.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(BadJws::Shape)?;
    let header = BASE64_URL.decode(header).ok().filter(|header| header.len() <= HEADER_LIMIT_BYTES);
    let header = header.ok_or(BadJws::Shape)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| BadJws::Shape)?;
    // Before any key is used.
    if header.alg != "PS256" {
        return Err(BadJws::Algorithm);
    }
    // Nobody here knows an extension that had to be understood.
    if header.crit.is_some() {
        return Err(BadJws::Shape);
    }
    let signature = BASE64_URL.decode(signature).map_err(|_| BadJws::Shape)?;
    match keys.verify(Algorithm::Ps256, &header.kid, message.as_bytes(), &signature) {
        Verified::By(_) => claims(payload, expected, now),
        Verified::UnknownKey => Err(BadJws::UnknownKey),
        Verified::No => Err(BadJws::Signature),
    }
}

fn claims(payload: &str, expected: &Expected, now: Timestamp) -> Result<Box<str>, BadJws> {
    let payload = BASE64_URL.decode(payload).map_err(|_| BadJws::Shape)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| BadJws::Shape)?;
    if claims.iss.as_deref() != Some(&*expected.issuer) {
        return Err(BadJws::Issuer);
    }
    if !claims.aud.is_some_and(|audience| audience.has(&expected.audience)) {
        return Err(BadJws::Audience);
    }
    let issued = claims.iat.and_then(|iat| iat.get()).ok_or(BadJws::Shape)?;
    let (off_seconds, limit_seconds) = (now.as_seconds().saturating_sub(issued), expected.tolerance_seconds);
    if off_seconds.saturating_abs() > limit_seconds {
        return Err(BadJws::Time { off_seconds, limit_seconds });
    }
    claims.jti.filter(|jti| !jti.is_empty() && jti.len() <= 200).map(Into::into).ok_or(BadJws::NoId)
}

/// The payload of a signed answer that was checked when it came.
pub(crate) fn payload(token: &[u8]) -> Option<Vec<u8>> {
    let token = std::str::from_utf8(token).ok()?.trim_ascii();
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    BASE64_URL.decode(payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_audiences_has_to_be_ours() {
        let several: Audience = serde_json::from_str(r#"["them","us"]"#).unwrap();
        assert!(several.has("us") && !several.has("others"));
        let others: Audience = serde_json::from_str(r#"["them"]"#).unwrap();
        assert!(others.has("them") && !others.has("us"));
    }

    #[test]
    fn seconds_are_digits_and_nothing_beside_them() {
        let seconds = |json: &str| serde_json::from_str::<Seconds>(json).unwrap().get();
        assert_eq!((seconds("17"), seconds(r#""17""#)), (Some(17), Some(17)));
        for text in [r#""+17""#, r#""-17""#, r#"" 17""#, r#""""#, r#""99999999999999999999""#] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let all = [
            (BadJws::Shape, "shape"),
            (BadJws::Algorithm, "algorithm"),
            (BadJws::UnknownKey, "unknown_key"),
            (BadJws::Signature, "signature"),
            (BadJws::Issuer, "issuer"),
            (BadJws::Audience, "audience"),
            (BadJws::Time { off_seconds: 61, limit_seconds: 60 }, "time"),
            (BadJws::NoId, "no_id"),
        ];
        for (reason, word) in all {
            assert_eq!(reason.word(), word);
        }
    }
    #[test]
    fn an_id_is_there_and_no_longer_than_200_bytes_and_the_time_within_the_tolerance() {
        let expected = Expected { issuer: "bank".into(), audience: "us".into(), tolerance_seconds: 60 };
        let now = Timestamp::from_seconds(1_000).unwrap();
        let say = |iat: i64, jti: &str| {
            let payload = format!(r#"{{"iss":"bank","aud":"us","iat":{iat},"jti":"{jti}"}}"#);
            claims(&BASE64_URL.encode(payload), &expected, now)
        };
        let longest = "j".repeat(200);
        assert_eq!(say(1_000, &longest).as_deref(), Ok(&*longest));
        assert_eq!(say(1_000, &"j".repeat(201)), Err(BadJws::NoId));
        assert_eq!(say(1_000, ""), Err(BadJws::NoId));
        assert!(say(940, "j").is_ok() && say(1_060, "j").is_ok());
        assert_eq!(say(939, "j"), Err(BadJws::Time { off_seconds: 61, limit_seconds: 60 }));
        assert_eq!(say(1_061, "j"), Err(BadJws::Time { off_seconds: -61, limit_seconds: 60 }));
    }
}

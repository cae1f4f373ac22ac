//! Answers that a gateway signs: each is checked when it comes, and believed once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use afluente_gateways::KeySet;
use afluente_gateways::jws::{self, BadJws, Expected};
use afluente_model::Timestamp;

use crate::client::Fetched;

/// The media type of a signed answer.
const JWT: &str = "application/jwt";

/// Why a signed answer is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproved {
    /// It is not signed at all.
    #[error("expected a signed answer (application/jwt), got another media type")]
    MediaType,
    /// Its signature, or what is signed.
    #[error(transparent)]
    Jws(#[from] BadJws),
    /// It came before.
    #[error("the answer's id (jti) was used before: a replay")]
    Replayed,
}

/// What an account's answers are checked with.
pub(crate) struct Check {
    keys: KeySet,
    expected: Expected,
    /// Ids of answers, for as long as their time would still hold: an older one is refused by its time.
    seen: Mutex<HashMap<Box<str>, Instant>>,
}

impl Check {
    pub(crate) fn new(keys: KeySet, expected: Expected) -> Check {
        Check { keys, expected, seen: Mutex::default() }
    }

    /// Whether an answer may be believed. Only what says that something is there has to be signed.
    pub(crate) fn check(&self, fetched: &Fetched, now: Timestamp) -> Result<(), Unproved> {
        if fetched.status != 200 {
            return Ok(());
        }
        let kind = fetched.headers.iter().find(|(name, _)| &**name == "content-type").map(|(_, kind)| &**kind);
        let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
        if !essence.eq_ignore_ascii_case(JWT) {
            return Err(Unproved::MediaType);
        }
        let id = jws::verify(&fetched.body, &self.keys, &self.expected, now)?;
        if self.is_new(id, Instant::now()) { Ok(()) } else { Err(Unproved::Replayed) }
    }

    fn is_new(&self, id: Box<str>, now: Instant) -> bool {
        let window = Duration::from_secs(u64::try_from(self.expected.tolerance_seconds).unwrap_or(0) * 2 + 1);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now.duration_since(*at) <= window);
        seen.insert(id, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once_for_as_long_as_its_answer_could_hold() {
        let expected = Expected { issuer: "a".into(), audience: "b".into(), tolerance_seconds: 60 };
        let check = Check::new(KeySet::default(), expected);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(check.is_new("one".into(), after(0)));
        assert!(!check.is_new("one".into(), after(120)));
        assert!(check.is_new("two".into(), after(120)));
        assert!(check.is_new("one".into(), after(300)));
        assert_eq!(check.seen.lock().unwrap().len(), 1, "what is over is forgotten");
    }
}

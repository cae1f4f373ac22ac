//! Our clock, read here and nowhere further in.

use std::time::{SystemTime, UNIX_EPOCH};

use afluente_model::Timestamp;

/// Tells the time. A parameter, so that a test can send what was signed in 2021.
pub type Clock = fn() -> Timestamp;

/// The system's clock. A clock set outside the years 1970 to 9999 reads as 1970, where every signed stamp is refused as
/// one from the future.
#[must_use]
pub fn system_clock() -> Timestamp {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .and_then(|micros| Timestamp::from_micros(micros).ok())
        .unwrap_or(Timestamp::EPOCH)
}

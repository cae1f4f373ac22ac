//! Moments in UTC, whole microseconds.

use std::fmt;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::{Rfc2822, Rfc3339};

/// A moment in UTC at microseconds since 1970, between the years 1970 and 9999.
///
/// Nanoseconds are cut at construction, because one of the two databases would keep them and the other would not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999999Z.
const LATEST: i64 = 253_402_300_799_999_999;

/// A moment outside the years 1970 to 9999, or a text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTimestamp {
    /// The number is outside the years 1970 to 9999.
    #[error("expected a time between the years 1970 and 9999, got {0}")]
    OutOfRange(i128),
    /// The text is not RFC 3339.
    #[error("expected an RFC 3339 time such as 2026-11-01T12:34:56.789Z, got {0:?}")]
    NotRfc3339(String),
    /// The text is not the date of an HTTP header.
    #[error("expected a date such as Sun, 06 Nov 1994 08:49:37 GMT, got {0:?}")]
    NotHttpDate(String),
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// From microseconds since 1970.
    pub fn from_micros(micros: i64) -> Result<Timestamp, BadTimestamp> {
        if (0..=LATEST).contains(&micros) {
            Ok(Timestamp(micros))
        } else {
            Err(BadTimestamp::OutOfRange(i128::from(micros)))
        }
    }

    /// From whole seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Result<Timestamp, BadTimestamp> {
        seconds
            .checked_mul(1_000_000)
            .and_then(|micros| Timestamp::from_micros(micros).ok())
            .ok_or(BadTimestamp::OutOfRange(i128::from(seconds) * 1_000_000))
    }

    /// From RFC 3339 text with any offset and any number of fraction digits; past six they are cut.
    pub fn parse_rfc3339(text: &str) -> Result<Timestamp, BadTimestamp> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| BadTimestamp::NotRfc3339(text.chars().take(64).collect()))?;
        let micros = parsed.unix_timestamp_nanos().div_euclid(1_000);
        i64::try_from(micros)
            .ok()
            .and_then(|micros| Timestamp::from_micros(micros).ok())
            .ok_or(BadTimestamp::OutOfRange(micros))
    }

    /// From the value of an HTTP `Date` header, such as `Sun, 06 Nov 1994 08:49:37 GMT`: whole seconds.
    pub fn parse_http_date(text: &str) -> Result<Timestamp, BadTimestamp> {
        let parsed = OffsetDateTime::parse(text, &Rfc2822)
            .map_err(|_| BadTimestamp::NotHttpDate(text.chars().take(64).collect()))?;
        Timestamp::from_seconds(parsed.unix_timestamp())
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, cut.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// Microseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn micros_since(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }

    /// This moment moved by `micros`, held inside the years 1970 to 9999.
    #[must_use]
    pub fn shifted(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros).clamp(0, LATEST))
    }

    /// This moment cut down to a resolution.
    #[must_use]
    pub const fn cut_to(self, resolution: Resolution) -> Timestamp {
        Timestamp(self.0 - self.0 % resolution.micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).map_err(|_| fmt::Error)?;
        f.pad(&moment.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// How finely a gateway's clock ticks: a constant of its adapter, never a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// Whole microseconds.
    Microsecond,
    /// Whole milliseconds.
    Millisecond,
    /// Whole seconds: coarse, so neighbouring facts may stand in the wrong order.
    Second,
}

impl Resolution {
    /// The length of one tick in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Resolution::Microsecond => 1,
            Resolution::Millisecond => 1_000,
            Resolution::Second => 1_000_000,
        }
    }

    /// Whether two true events easily share a tick.
    #[must_use]
    pub const fn is_coarse(self) -> bool {
        matches!(self, Resolution::Second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_cut_and_offsets_are_removed() {
        let moment = Timestamp::parse_rfc3339("2026-11-01T09:34:56.789123999-03:00").unwrap();
        assert_eq!(moment.to_string(), "2026-11-01T12:34:56.789123Z");
        assert_eq!(moment.cut_to(Resolution::Second).to_string(), "2026-11-01T12:34:56Z");
    }

    #[test]
    fn only_whole_seconds_are_coarse() {
        let all = [Resolution::Microsecond, Resolution::Millisecond, Resolution::Second];
        assert_eq!(all.map(Resolution::is_coarse), [false, false, true]);
        let moment = Timestamp::from_seconds(1).unwrap();
        assert_eq!(format!("{moment:?}"), moment.to_string());
    }

    #[test]
    fn the_date_of_an_answer_is_whole_seconds() {
        let date = Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.to_string(), "1994-11-06T08:49:37Z");
        for bad in ["", "06 Nov", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"] {
            assert!(Timestamp::parse_http_date(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_moment_outside_four_digit_years_is_refused() {
        assert!(Timestamp::from_seconds(253_402_300_800).is_err());
        assert!(Timestamp::from_seconds(-1).is_err());
        assert!(Timestamp::from_seconds(i64::MAX).is_err());
        let Err(BadTimestamp::OutOfRange(micros)) = Timestamp::from_seconds(-2) else { panic!("out of range") };
        assert_eq!(micros, -2_000_000);
        assert!(Timestamp::parse_rfc3339("1969-12-31T23:59:59Z").is_err());
        assert!(Timestamp::parse_rfc3339("yesterday").is_err());
        assert_eq!(Timestamp::from_seconds(253_402_300_799).unwrap().to_string(), "9999-12-31T23:59:59Z");
    }
}

//! Times of Appmax: no zone is ever written. Everybody who reads them takes them for São Paulo's, which has been three hours behind
//! UTC all year since 2019.

use afluente_model::{Resolution, Timestamp};

use crate::error::Malformed;
use crate::json::Object;

/// A moment in whichever form it came: `2026-03-17 23:59:59`, the same with a `T`, or `07/01/2020 17h03`.
pub(super) fn of(object: &Object<'_>, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
    let text = object.text(key)?.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| parse(text).ok_or(Malformed::Time { field: key })).transpose()
}

fn parse(text: &str) -> Option<Timestamp> {
    let moment = match text.split_once(['T', ' ']) {
        Some((date, time)) if date.contains('/') => {
            format!("{}T{}:00-03:00", turned(date)?, time.replacen('h', ":", 1))
        }
        None if text.contains('/') => format!("{}T00:00:00-03:00", turned(text)?),
        Some(_) if has_zone(text) => text.replacen(' ', "T", 1),
        Some((date, time)) => format!("{date}T{time}-03:00"),
        None => format!("{text}T00:00:00-03:00"),
    };
    Timestamp::parse_rfc3339(&moment).ok().map(|moment| moment.cut_to(Resolution::Second))
}

/// `dd/mm/yyyy` the other way round.
fn turned(date: &str) -> Option<String> {
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then(|| format!("{year}-{month}-{day}"))
}

/// Whether a zone stands there after all.
fn has_zone(text: &str) -> bool {
    let time = text.get(10..).unwrap_or_default();
    time.ends_with('Z') || time.contains(['+', '-'])
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_form_is_read_in_the_zone_of_sao_paulo() {
        for (text, expected) in [
            ("2025-03-15 14:30:00", "2025-03-15T17:30:00Z"),
            ("2026-03-17T23:59:59", "2026-03-18T02:59:59Z"),
            ("07/01/2020 17h03", "2020-01-07T20:03:00Z"),
            ("07/01/2020", "2020-01-07T03:00:00Z"),
            ("2026-01-10", "2026-01-10T03:00:00Z"),
            ("2026-01-10T10:00:00.000000Z", "2026-01-10T10:00:00Z"),
            ("2026-01-10T10:00:00+01:00", "2026-01-10T09:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|moment| moment.to_string()).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "soon", "1/2", "07/01/2020 17h", "2026-13-01 00:00:00", "2026-01-10 25:00:00", "é"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

//! Moments on the command line.

use afluente_model::Timestamp;

/// A moment, or so long before now.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = Timestamp::parse_rfc3339(text) {
        return Ok(moment);
    }
    let expected = || format!("expected a time such as 2026-11-26T03:00:00Z, or 90m, 12h or 7d, got {text:?}");
    let unit = text
        .chars()
        .last()
        .and_then(|unit| [('m', 60), ('h', 3_600), ('d', 86_400)].iter().find(|(name, _)| *name == unit));
    let seconds = unit.and_then(|(_, seconds)| text[..text.len() - 1].parse::<i64>().ok()?.checked_mul(*seconds));
    let micros = seconds.filter(|seconds| *seconds >= 0).and_then(|seconds| seconds.checked_mul(1_000_000));
    Ok(afluente_worker::now().shifted(-micros.ok_or_else(expected)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_so_long_ago() {
        let moment = Timestamp::parse_rfc3339("2026-11-26T03:00:00Z").unwrap();
        assert_eq!(since("2026-11-26T03:00:00Z").unwrap(), moment);
        for (text, seconds) in [("90m", 5_400), ("12h", 43_200), ("7d", 604_800), ("0m", 0)] {
            let moment = since(text).unwrap();
            let ago = afluente_worker::now().micros_since(moment) / 1_000_000;
            assert!((seconds..seconds + 5).contains(&ago), "{text}: {ago}");
        }
        for text in ["", "h", "12", "-1h", "1w", "1é", "9999999999999999999d"] {
            assert!(since(text).unwrap_err().starts_with("expected a time"), "{text}");
        }
    }
}

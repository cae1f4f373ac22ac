//! Escapes of half a surrogate pair: what is left where a sender cut a text through an emoji.

use std::borrow::Cow;

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;
/// What stands for half a pair.
const REPLACEMENT: &str = "\\ufffd";

/// The same text with U+FFFD for every half of a pair; borrowed where there is none. An escaped backslash before a `u`
/// is no escape and stays.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    let halves = halves(text.as_bytes());
    if halves.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut mended = text.to_owned();
    for place in halves {
        mended.replace_range(place..place + ESCAPE, REPLACEMENT);
    }
    Cow::Owned(mended)
}

/// Where an escape of half a pair stands without its other half.
fn halves(text: &[u8]) -> Vec<usize> {
    let mut halves = Vec::new();
    let mut next = 0;
    while let Some(offset) = memchr::memchr(b'\\', &text[next..]) {
        let place = next + offset;
        next = match unit(text, place) {
            Some(0xd800..=0xdbff) if matches!(unit(text, place + ESCAPE), Some(0xdc00..=0xdfff)) => place + 2 * ESCAPE,
            Some(0xd800..=0xdfff) => {
                halves.push(place);
                place + ESCAPE
            }
            Some(_) => place + ESCAPE,
            // Another escape: the character behind the backslash belongs to it.
            None => text.len().min(place + 2),
        };
    }
    halves
}

/// The UTF-16 unit that an escape at this place names, if there is one.
fn unit(text: &[u8], place: usize) -> Option<u16> {
    let digits = text.get(place..place + ESCAPE)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(escaped: &str) -> String {
        serde_json::from_str(&mended(&format!("\"{escaped}\""))).unwrap()
    }

    #[test]
    fn half_a_pair_becomes_a_replacement_character_and_the_rest_of_the_text_stays() {
        assert_eq!(read(r"Kit \ud83d feliz"), "Kit \u{fffd} feliz");
        assert_eq!(read(r"\uDE00"), "\u{fffd}");
        assert_eq!(read(r"\ud83d\ud83d\ude00\ud83d"), "\u{fffd}\u{1f600}\u{fffd}");
        assert_eq!(read(r"\ude00\ud83d"), "\u{fffd}\u{fffd}");
        assert_eq!(read(r"\ud83d\n\ude00"), "\u{fffd}\n\u{fffd}");
        assert_eq!(read(r"\ud83d\\ude00"), "\u{fffd}\\ude00");
    }

    #[test]
    fn whole_pairs_and_escaped_backslashes_are_left_as_they_are() {
        for honest in [r"\ud83d\ude00", r"\\ud83d", r"\\\\ud83d", r"\\u0000", r"caf\u00e9", "\\", r"\u12", r"\ud8"] {
            assert!(matches!(mended(honest), Cow::Borrowed(_)), "{honest}");
        }
        assert_eq!(read(r"\\u0000"), r"\u0000");
        assert_eq!(read(r"\\\ud83d"), "\\\u{fffd}");
    }
}

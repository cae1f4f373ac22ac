//! Numbers with a fraction or an exponent: read as texts, so that no binary float ever stands for money.

use std::borrow::Cow;

/// The same JSON with such numbers in quotation marks; borrowed where there is none. What is no JSON stays none.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    let numbers = numbers(text.as_bytes());
    if numbers.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2 * numbers.len());
    let mut copied = 0;
    for (from, to) in numbers {
        quoted.push_str(&text[copied..from]);
        quoted.push('"');
        quoted.push_str(&text[from..to]);
        quoted.push('"');
        copied = to;
    }
    quoted.push_str(&text[copied..]);
    Cow::Owned(quoted)
}

/// Where numbers stand that are no plain integers.
fn numbers(text: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        match text[at] {
            b'"' => at = behind_text(text, at),
            b'-' | b'0'..=b'9' => {
                let end = text[at..].iter().position(|b| !is_number(*b)).map_or(text.len(), |length| at + length);
                if text[at..end].iter().any(|b| matches!(b, b'.' | b'e' | b'E')) {
                    found.push((at, end));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

fn is_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The place behind the text that begins here.
fn behind_text(text: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', &text[at.min(text.len())..]) {
        at += offset;
        if text[at] == b'"' {
            return at + 1;
        }
        // The character behind a backslash belongs to it.
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_are_no_integers_are_quoted() {
        let text = r#"{"a":58.80,"b":[-1.5,2,1e3],"c":"1.5 \" 2.5","d":12345678901234567890,"e":0.1}"#;
        let expected = r#"{"a":"58.80","b":["-1.5",2,"1e3"],"c":"1.5 \" 2.5","d":12345678901234567890,"e":"0.1"}"#;
        assert_eq!(quoted(text), expected);
    }

    #[test]
    fn a_text_without_any_is_not_copied() {
        for text in ["", "{}", "{\"a\":\"1.5\\\\\",\"b\":[1,-2]}", "\"unfinished 1.5", "\"\\"] {
            assert!(matches!(quoted(text), Cow::Borrowed(_)), "{text}");
        }
    }
}

//! Texts of a gateway in the form we keep: plain, and not longer than they need to be.

use std::borrow::Cow;

use afluente_model::{Amount, Detail, DetailKey};

/// How long a word may be before it is cut.
const WORD_LIMIT_BYTES: usize = 100;

/// Text without control characters: a NUL is no text to a database, a line break forges a log line.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.chars().filter(|c| !c.is_control()).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// A word of the gateway, plain and at most 100 bytes.
pub(crate) fn cut(word: &str) -> Box<str> {
    let word = plain(word);
    word[..word.floor_char_boundary(WORD_LIMIT_BYTES)].into()
}

/// A detail with a text of the gateway.
pub(crate) fn noted(detail: Detail, key: DetailKey, text: &str) -> Detail {
    detail.with(key, &plain(text))
}

/// The amount asked for, as a detail of what was taken, held or tried.
pub(crate) fn asked(detail: Detail, amount: Option<Amount>) -> Detail {
    match amount {
        Some(amount) => detail.with(DetailKey::Asked, &amount.to_string()),
        None => detail,
    }
}

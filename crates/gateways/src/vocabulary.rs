//! The table of words: what a gateway says, and what it becomes here.

use afluente_model::Kind;

/// What a kind of fact is called in a vocabulary: `attempt.pending`.
pub(crate) fn fact<K: Kind>(kind: K) -> Box<str> {
    format!("{}.{}", kind.family(), kind.word()).into()
}

/// One word of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The object and field that carries the word, e.g. `payment_intent.status`.
    pub field: &'static str,
    /// The gateway's word, with its condition where one word means several things.
    pub word: Box<str>,
    /// The facts it becomes, e.g. `attempt.pending`; empty where the word changes nothing.
    pub facts: Vec<Box<str>>,
    /// What a payment or subscription reads as if nothing else is known; `-` where the amounts decide.
    pub reads_as: &'static str,
}

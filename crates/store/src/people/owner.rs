//! Whose something is, as a register: the identity that says most, and of those the newest.

use afluente_model::Timestamp;

use crate::cell::{Hex, Moment};
use crate::claim::ClaimRow;
use crate::people::identity::said_by;

/// Ordered as it is declared: what a gateway's own customer is goes before a document, that before an address; then the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) rank: i64,
    pub(crate) at: Moment,
    pub(crate) identity: Option<Hex<16>>,
}

impl Owner {
    /// Whoever a claim is of; nobody if it names none.
    pub(crate) fn of(row: &ClaimRow<'_>) -> Owner {
        let Some(said) = said_by(row) else { return Owner { rank: 0, at: since(None), identity: None } };
        let rank = 1 + i64::from(said.names_document()) + 2 * i64::from(said.names_customer());
        Owner { rank, at: since(row.at), identity: Some(said.key().0.into()) }
    }
}

/// The moment of a register: what was said at no known time loses to everything that was.
pub(crate) fn since(at: Option<Timestamp>) -> Moment {
    at.unwrap_or(Timestamp::EPOCH).into()
}

/// A text and when it was said last. One that was never said is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Field<'a> {
    pub(crate) at: Moment,
    pub(crate) text: &'a str,
}

impl<'a> Field<'a> {
    /// What a claim says of this kind; of several values the greatest.
    pub(crate) fn of(row: &ClaimRow<'a>, kind: &str) -> Field<'a> {
        let text = row.claims.iter().filter(|(claim, _)| *claim == kind).map(|(_, value)| *value).max();
        Field::text(text.unwrap_or_default(), row.at)
    }

    /// A text of its own.
    pub(crate) fn text(text: &'a str, at: Option<Timestamp>) -> Field<'a> {
        Field { at: if text.is_empty() { since(None) } else { since(at) }, text }
    }

    /// The same if it is what the ledger takes; not said otherwise.
    pub(crate) fn only(self, fits: impl Fn(&str) -> bool) -> Field<'a> {
        if fits(self.text) { self } else { Field::text("", None) }
    }
}

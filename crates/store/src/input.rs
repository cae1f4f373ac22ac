//! A batch on its way into one statement: as JSON with one blob of bodies beside it, or as an array a column.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use uuid::Uuid;

use crate::cell::{Hex, Id, Moment};
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    /// A row that is an id.
    #[derive(Clone, Copy)]
    pub(crate) struct IdInput {
        id: uuid,
    }
}

/// A row of a batch, as both databases take it: one element of the JSON, or one of the array of every column.
pub(crate) trait Row: Serialize + Sized {
    /// The columns of these rows.
    fn arguments(rows: &[Self]) -> Result<PgArguments, BoxDynError>;
}

/// A value of a column, as Postgres takes it.
pub(crate) trait Column {
    /// An element of its array.
    type Bound<'q>
    where
        Self: 'q;

    /// The value as such.
    fn bound(&self) -> Self::Bound<'_>;
}

/// Rows that are ids alone.
pub(crate) fn id_rows(ids: &[Uuid]) -> Vec<IdInput> {
    ids.iter().map(|id| IdInput { id: Id::from(*id) }).collect()
}

/// The JSON of rows. Rows without a JSON form are an error of the statement: never fewer rows.
pub(crate) fn json_rows<R: Row>(rows: &[R]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map(without_nul).map_err(no_json)
}

/// The columns of rows.
pub(crate) fn columns<R: Row>(rows: &[R]) -> Result<PgArguments, StoreError> {
    R::arguments(rows).map_err(|error| StoreError::Failed(sqlx::Error::Encode(error)))
}

/// As [`without_nul`], of one text.
pub(crate) fn text_without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

impl Column for &str {
    type Bound<'q>
        = Cow<'q, str>
    where
        Self: 'q;

    fn bound(&self) -> Cow<'_, str> {
        text_without_nul(self)
    }
}

impl Column for String {
    type Bound<'q> = Cow<'q, str>;

    fn bound(&self) -> Cow<'_, str> {
        text_without_nul(self)
    }
}

impl<const N: usize> Column for Hex<N> {
    type Bound<'q> = &'q [u8];

    fn bound(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Column for Slice<'_> {
    type Bound<'q>
        = &'q [u8]
    where
        Self: 'q;

    fn bound(&self) -> &[u8] {
        self.bytes
    }
}

/// Values that are their own element.
macro_rules! columns_as_they_are {
    ($($kind:ty),+) => {
        $(impl Column for $kind {
            type Bound<'q> = $kind;

            fn bound(&self) -> $kind {
                *self
            }
        })+
    };
}
columns_as_they_are!(Id, Moment, i64, bool);

impl<C: Column> Column for Option<C> {
    type Bound<'q>
        = Option<C::Bound<'q>>
    where
        Self: 'q;

    fn bound(&self) -> Option<C::Bound<'_>> {
        self.as_ref().map(C::bound)
    }
}

/// A value that is kept as JSON text in one column.
pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(no_json)
}

/// Puts U+FFFD where a text holds U+0000, which Postgres has no room for in any text; on SQLite as well, so that both hold
/// the same. Bodies are bytes and stay as they came.
fn without_nul(json: String) -> String {
    if !json.contains("\\u0000") {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        // An escape is a backslash and one character more; that one may be a backslash itself.
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        let (taken, put) = if escape.starts_with("\\u0000") { (6, "\\ufffd") } else { (2, &escape[..2]) };
        clean.push_str(put);
        rest = &escape[taken..];
    }
    clean.push_str(rest);
    clean
}

fn no_json(error: serde_json::Error) -> StoreError {
    StoreError::Failed(sqlx::Error::Encode(error.into()))
}

/// The bodies of a batch, one after the other.
#[derive(Default)]
pub(crate) struct Blob<'a> {
    parts: Vec<&'a [u8]>,
    len: usize,
}

/// One part of a [`Blob`]. In the JSON it is one number: the offset, which counts from 1 as SQL's substr does, above 32 bits
/// of length.
#[derive(Clone, Copy)]
pub(crate) struct Slice<'a> {
    off: u32,
    bytes: &'a [u8],
}

impl Serialize for Slice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::from(self.off) << 32 | self.bytes.len() as u64)
    }
}

impl<'a> Blob<'a> {
    /// Adds a part. A batch whose bodies take 2 GiB or more is an error of the statement: SQL counts them in 32 bits.
    pub(crate) fn push(&mut self, bytes: &'a [u8]) -> Result<Slice<'a>, StoreError> {
        let off = self.len + 1;
        self.len += bytes.len();
        if i32::try_from(self.len).is_err() {
            return Err(too_large());
        }
        self.parts.push(bytes);
        Ok(Slice { off: u32::try_from(off).map_err(|_| too_large())?, bytes })
    }

    /// All of it, as SQLite takes it.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.parts.concat()
    }
}

fn too_large() -> StoreError {
    StoreError::Failed(sqlx::Error::Encode("expected less than 2 GiB of bodies in one batch".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_becomes_a_replacement_character_and_nothing_else_changes() {
        for (text, expected) in [
            ("a\0b", "a\u{fffd}b"),
            ("\0\0", "\u{fffd}\u{fffd}"),
            // Six characters that only look like an escape.
            ("\\u0000", "\\u0000"),
            ("\\\0", "\\\u{fffd}"),
            ("\\\\u0000\0", "\\\\u0000\u{fffd}"),
            ("\u{1}\"é\0", "\u{1}\"é\u{fffd}"),
        ] {
            let json = without_nul(serde_json::to_string(&[text]).unwrap());
            assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [expected]);
            assert_eq!(text.bound(), expected);
        }
    }
}

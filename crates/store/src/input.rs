//! A batch on its way into one statement: rows as JSON, bodies as one blob beside them.

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::cell::Id;
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    /// A row that is an id.
    #[derive(Clone, Copy)]
    pub(crate) struct IdInput {
        id: uuid,
    }
}

/// Rows for one statement.
pub(crate) struct Input {
    json: Result<String, serde_json::Error>,
    blob: Option<Vec<u8>>,
    rows: usize,
}

impl Input {
    /// Rows without bodies.
    pub(crate) fn of<T: Serialize>(rows: &[T]) -> Input {
        Input { json: serde_json::to_string(rows).map(without_nul), blob: None, rows: rows.len() }
    }

    /// Ids alone.
    pub(crate) fn ids(ids: &[Uuid]) -> Input {
        Input::of(&ids.iter().map(|id| IdInput { id: Id::from(*id) }).collect::<Vec<_>>())
    }

    /// Rows whose [`Slice`]s point into one blob.
    pub(crate) fn with_blob<T: Serialize>(rows: &[T], blob: Vec<u8>) -> Input {
        Input { blob: Some(blob), ..Input::of(rows) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows and their bodies. Rows without a JSON form are an error of the statement: never fewer rows.
    pub(crate) fn into_parts(self) -> Result<(String, Option<Vec<u8>>), StoreError> {
        Ok((self.json.map_err(no_json)?, self.blob))
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

/// A blob being put together from many.
#[derive(Default)]
pub(crate) struct Blob(Vec<u8>);

/// Where one part lies in a [`Blob`]. One number on the way: the offset, which counts from 1 as SQL's substr does, above
/// 32 bits of length.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    off: u32,
    len: u32,
}

impl Serialize for Slice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::from(self.off) << 32 | u64::from(self.len))
    }
}

impl Blob {
    /// Adds a part. A batch whose bodies take 2 GiB or more is an error of the statement: SQL counts them in 32 bits.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Slice, StoreError> {
        let place = |count: usize| i32::try_from(count).map(i32::unsigned_abs).map_err(|_| too_large());
        let off = place(self.0.len() + 1)?;
        let len = place(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(Slice { off, len })
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
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
            let (json, _) = Input::of(&[text]).into_parts().unwrap();
            assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [expected]);
        }
    }
}

//! A batch on its way into one statement: rows as JSON, bodies as one blob beside them.
//!
//! Each statement is a shared text behind a prefix that unpacks the rows into a common table expression named `input`.
//! Only the prefix differs between databases.

use serde::Serialize;
use uuid::Uuid;

use crate::error::StoreError;

/// One statement's text.
pub(crate) struct Statement {
    pub(crate) sqlite: &'static str,
}

/// The statement in `sql/NAME.sql` behind its prefix `sql/sqlite/NAME.sql`.
macro_rules! statement {
    ($name:literal) => {
        $crate::input::Statement {
            sqlite: concat!(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/sqlite/", $name, ".sql")),
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
            ),
        }
    };
}
pub(crate) use statement;

/// A row that is an id.
#[derive(Serialize)]
struct Id {
    id: String,
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
        Input { json: serde_json::to_string(rows), blob: None, rows: rows.len() }
    }

    /// Ids alone.
    pub(crate) fn ids(ids: &[Uuid]) -> Input {
        Input::of(&ids.iter().map(|id| Id { id: hex(id.as_bytes()) }).collect::<Vec<_>>())
    }

    /// Rows whose `off` and `len` point into one blob.
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

fn no_json(error: serde_json::Error) -> StoreError {
    StoreError::Failed(sqlx::Error::Encode(error.into()))
}

/// A blob being put together from many.
#[derive(Default)]
pub(crate) struct Blob(Vec<u8>);

/// Where one part lies in a [`Blob`]: `off` counts from 1, as SQL's substr does.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) off: usize,
    pub(crate) len: usize,
}

impl Blob {
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Slice {
        let off = self.0.len() + 1;
        self.0.extend_from_slice(bytes);
        Slice { off, len: bytes.len() }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Lower-case hex, for ids and hashes inside the JSON.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

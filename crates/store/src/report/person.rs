//! Identities and the people they were given to, for a walk over all of them.

use sqlx::FromRow;

use crate::backend::{Store, fetch};
use crate::error::StoreError;
use crate::people::identity::{IdentityKey, IdentityRow, Record};
use crate::rows::{Statement, text};

static PEOPLE_AFTER: Statement = text!("report/people_after");

#[derive(FromRow)]
struct PersonRecord {
    #[sqlx(flatten)]
    row: Record,
    key_kind: Option<String>,
    key_value: Option<String>,
}

/// An identity and whose it is.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// The identity.
    pub row: IdentityRow,
    /// What makes its person the same, as stored: kind and value; `None` where it is nobody's.
    pub person: Option<(String, String)>,
}

impl Store {
    /// Identities after this one, in the order of their keys.
    pub async fn people_after(&self, after: IdentityKey, limit: u32) -> Result<Vec<PersonView>, StoreError> {
        let records: Vec<PersonRecord> = fetch!(self, fetch_all, PEOPLE_AFTER, after.0.to_vec(), i64::from(limit))?;
        let view = |record: PersonRecord| {
            Ok(PersonView { row: record.row.try_into()?, person: record.key_kind.zip(record.key_value) })
        };
        records.into_iter().map(view).collect()
    }
}

//! A look into a queue's file beside whoever holds it. Takes nothing, changes nothing.

use std::path::Path;

use afluente_model::DeliveryId;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::QUEUE_FILE;
use crate::error::{OpenError, StorageError};

/// What lies in a queue's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peeked {
    /// Messages.
    pub messages: u64,
    /// Bytes of their heads and bodies.
    pub bytes: u64,
    /// The one that has waited longest. Ids of ours begin with the moment they were made.
    pub oldest: Option<DeliveryId>,
}

/// Looks into the queue of a folder; `None` if there is none.
pub fn peek(folder: &Path) -> Result<Option<Peeked>, OpenError> {
    let path = folder.join(QUEUE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    look(&path).map(Some).map_err(|error| OpenError::Storage { path, source: StorageError::from(error) })
}

fn look(path: &Path) -> rusqlite::Result<Peeked> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let all = "select count(*), coalesce(sum(size), 0), (select id from messages order by seq limit 1) from messages";
    connection.query_row(all, [], |row| {
        let oldest: Option<Vec<u8>> = row.get(2)?;
        let oldest = oldest.and_then(|id| Uuid::from_slice(&id).ok()).map(DeliveryId);
        let count = |column| Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
        Ok(Peeked { messages: count(0)?, bytes: count(1)?, oldest })
    })
}

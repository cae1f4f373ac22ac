//! Every byte of a queue's file, read beside whoever holds it. Changes nothing.

use std::fs::File;
use std::path::{Path, PathBuf};

use afluente_wal::Seen;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::file::check_header;
use super::{QUEUE_FILE, rows};
use crate::error::{OpenError, StorageError};
use crate::seal::SealKeys;

const ROWS: &str = "select seq, id, gateway, head, body from messages order by seq";

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Messages read.
    pub messages: u64,
    /// Everything wrong, in the order of the file.
    pub flaws: Vec<Flaw>,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file.
    pub file: PathBuf,
    /// The message, as the number of its row; none if it is about no single one.
    pub row: Option<i64>,
    /// What.
    pub what: String,
}

/// Reads the queue of a folder, its log, the structure of its file and every message with its seal; `None` if there is none.
/// `progress` is told how many messages were read.
pub fn examine(folder: &Path, keys: &SealKeys, mut progress: impl FnMut(u64)) -> Result<Option<Examined>, OpenError> {
    let path = folder.join(QUEUE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let mut examined = Examined::default();
    examined.log(&afluente_wal::beside(&path))?;
    let file = File::open(&path).map_err(|source| OpenError::Unusable { path: path.clone(), source })?;
    check_header(file, &path)?;
    let mut flaw = |row, what| examined.flaws.push(Flaw { file: path.clone(), row, what });
    let mut messages = 0;
    let read = open(&path).and_then(|connection| {
        structure(&connection, |what| flaw(None, what))?;
        let mut statement = connection.prepare(ROWS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            if let Some(what) = message(row, keys)? {
                flaw(Some(seq), what);
            }
            messages += 1;
            progress(messages);
        }
        Ok(())
    });
    // Where reading ends because of damage, the rest was not examined.
    match read.map_err(StorageError::from) {
        Ok(()) => {}
        Err(StorageError::Damaged(error)) => flaw(None, format!("{error}, behind {messages} messages")),
        Err(source) => return Err(OpenError::Storage { path, source }),
    }
    examined.messages = messages;
    Ok(Some(examined))
}

impl Examined {
    fn log(&mut self, log: &Path) -> Result<(), OpenError> {
        let look = || afluente_wal::look(log).map_err(|source| OpenError::Unusable { path: log.to_owned(), source });
        // What is being written may look damaged, once.
        let (seen, again) = (look()?, look()?);
        if seen == again
            && let Seen::Damaged { offset, commits } = seen
        {
            let what = format!("damaged at byte {offset}, and with it {commits} commits from there on");
            self.flaws.push(Flaw { file: log.to_owned(), row: None, what });
        }
        Ok(())
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// The structure of the file, as SQLite sees it.
fn structure(connection: &Connection, mut flaw: impl FnMut(String)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("pragma integrity_check")?;
    let mut lines = statement.query([])?;
    while let Some(line) = lines.next()? {
        let line: String = line.get(0)?;
        if line != "ok" {
            flaw(line.replace('\n', " "));
        }
    }
    Ok(())
}

/// What is wrong with a message, if anything is.
fn message(row: &Row<'_>, keys: &SealKeys) -> rusqlite::Result<Option<String>> {
    let (head, body) = (rows::bytes(row, 3)?, rows::bytes(row, 4)?.to_vec().into());
    Ok(match keys.open(head, body) {
        Err(error) => Some(error.to_string()),
        Ok(delivery) if rows::bytes(row, 1)? != delivery.id.0.as_bytes() => {
            Some(format!("its row has another id than its delivery {}", delivery.id))
        }
        Ok(delivery) if row.get_ref(2)? != ValueRef::Text(delivery.gateway.slug().as_bytes()) => {
            Some(format!("its row has another gateway than its delivery, {}", delivery.gateway.slug()))
        }
        Ok(_) => None,
    })
}

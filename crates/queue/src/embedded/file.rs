//! The file: whose it is, whether it is whole, and who holds it. Whatever is found wrong is left as it is.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{EmbeddedOptions, LOCK_FILE, QUEUE_FILE};
use crate::error::{OpenError, StorageError};

/// Marks a SQLite file as a queue of ours: "AFLQ".
const APPLICATION_ID: u32 = 0x4146_4c51;
/// The version of the table below.
const SCHEMA_VERSION: u32 = 1;
/// How every SQLite file begins.
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";

const SCHEMA: &str = "
create table messages (
    seq integer primary key,
    id blob not null,
    gateway text not null,
    attempt integer not null,
    due_at integer not null,
    size integer not null,
    head blob not null,
    body blob not null
) strict;";

/// An open queue file and the lock that makes it ours.
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// Held as long as it lives; the system lets go of it even after kill -9.
    pub(super) _lock: File,
}

pub(super) fn open(options: &EmbeddedOptions) -> Result<Opened, OpenError> {
    let unusable = |path: &Path, source: io::Error| OpenError::Unusable { path: path.to_owned(), source };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&options.folder);
    made.map_err(|source| unusable(&options.folder, source))?;
    let lock = lock(&options.folder.join(LOCK_FILE))?;
    let path = options.folder.join(QUEUE_FILE);
    if path.exists() {
        check_header(&path)?;
    } else {
        let log = options.folder.join(format!("{QUEUE_FILE}-wal"));
        if log.exists() {
            return Err(OpenError::OrphanedLog { path: log });
        }
        create(&options.folder, &path)?;
    }
    let connection = connect(&path, options)?;
    Ok(Opened { connection, _lock: lock })
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unusable = |source| OpenError::Unusable { path: path.to_owned(), source };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The number is a help for people; without it the refusal stands all the same.
            let _ = file.read_to_string(&mut text);
            return Err(OpenError::Locked { path: path.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(unusable(source)),
    }
    file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(unusable)?;
    Ok(file)
}

/// SQLite would take a file of another kind for a new database of its own, or overwrite it.
fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(SQLITE_HEADER.len());
    File::open(path)
        .and_then(|file| file.take(SQLITE_HEADER.len() as u64).read_to_end(&mut header))
        .map_err(|source| OpenError::Unusable { path: path.to_owned(), source })?;
    let found = match header.as_slice() {
        [] => "an empty file",
        header if header == SQLITE_HEADER => return Ok(()),
        header if header.len() < SQLITE_HEADER.len() => "a file cut short",
        _ => "another kind of file",
    };
    Err(OpenError::NotADatabase { path: path.to_owned(), found })
}

/// Made under another name and moved, so that a file with the queue's name is always a whole one.
fn create(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let draft = folder.join(format!("{QUEUE_FILE}.new"));
    let unusable = |source| OpenError::Unusable { path: draft.clone(), source };
    match std::fs::remove_file(&draft) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(unusable(source)),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(unusable)?;
    let storage =
        |error: rusqlite::Error| OpenError::Storage { path: draft.clone(), source: StorageError::from(error) };
    let connection = Connection::open(&draft).map_err(storage)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(storage)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(storage)?;
    connection.execute_batch(SCHEMA).map_err(storage)?;
    connection.close().map_err(|(_, error)| storage(error))?;
    let moved = std::fs::rename(&draft, path).and_then(|()| File::open(folder)?.sync_all());
    moved.map_err(|source| OpenError::Unusable { path: path.to_owned(), source })
}

fn connect(path: &Path, options: &EmbeddedOptions) -> Result<Connection, OpenError> {
    let storage =
        |error: rusqlite::Error| OpenError::Storage { path: path.to_owned(), source: StorageError::from(error) };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(storage)?;
    check(&connection, path)?;
    // Ours, whole, and of this version: from here on it may be written.
    for (name, value) in [("journal_mode", "wal"), ("synchronous", "full")] {
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_answer).map_err(storage)?;
    }
    // A log that once grew large is cut back at the next checkpoint.
    connection
        .pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))
        .or_else(no_answer)
        .map_err(storage)?;
    if let Some(pages) = options.max_pages {
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .or_else(no_answer)
            .map_err(storage)?;
    }
    Ok(connection)
}

/// Some pragmas answer with a row and some do not; both have been carried out.
fn no_answer(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let damaged = |found: String| OpenError::Damaged { path: path.to_owned(), found };
    let number = |name: &str| -> Result<u32, OpenError> {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map(|value| u32::try_from(value & 0xffff_ffff).unwrap_or(0))
            .map_err(|error| damaged(error.to_string()))
    };
    let found = number("application_id")?;
    if found != APPLICATION_ID {
        return Err(OpenError::OtherApplication { path: path.to_owned(), expected: APPLICATION_ID, found });
    }
    let found = number("user_version")?;
    if found != SCHEMA_VERSION {
        return Err(OpenError::Version { path: path.to_owned(), found, supported: SCHEMA_VERSION });
    }
    let verdict = connection.query_row("pragma quick_check(1)", [], |row| row.get::<_, String>(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => Ok(()),
        Ok(verdict) => Err(damaged(verdict.lines().next().unwrap_or_default().to_owned())),
        Err(error) => Err(damaged(error.to_string())),
    }
}

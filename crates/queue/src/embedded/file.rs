//! The file: whose it is and whether it is whole. Whatever is found wrong is left as it is.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use afluente_wal::Seen;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tracing::warn;

use super::lock::{self, FolderLock};
use super::{EmbeddedOptions, QUEUE_FILE, rows};
use crate::error::{OpenError, StorageError};

/// Marks a SQLite file as a queue of ours: "AFLQ".
const APPLICATION_ID: u32 = 0x4146_4c51;
/// The version of the table.
const SCHEMA_VERSION: u32 = 1;
/// How every SQLite file begins.
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";
/// Where SQLite keeps `user_version` and `application_id` in the first hundred bytes.
const USER_VERSION_AT: usize = 60;
const APPLICATION_ID_AT: usize = 68;
const HEADER_BYTES: usize = 100;
/// Pages of a new file. Five messages of an ordinary size fill one; of half the size, two messages leave a quarter empty.
const PAGE_BYTES: i64 = 8_192;
/// The log is moved into the file once it holds this much, and cut back to it after it once grew larger. Everybody waits
/// meanwhile, for two more syncs: the rarer, the better, and what was taken by then is not moved at all.
const LOG_BYTES: i64 = 64 << 20;

/// An open queue file and the lock that makes it ours. Dropped in this order.
pub(super) struct Opened {
    pub(super) connection: Connection,
    _lock: FolderLock,
}

impl Opened {
    /// Lets go of the file and opens it as a new process would. Failed, it has no file any more until it is opened again.
    pub(super) fn reopen(&mut self, options: &EmbeddedOptions) -> Result<(), OpenError> {
        let path = options.folder.join(QUEUE_FILE);
        let none = Connection::open_in_memory().map_err(storage(&path))?;
        let doubted = std::mem::replace(&mut self.connection, none);
        // Whatever the answer, it is closed. What its log holds is written again before it is trusted.
        let _ = doubted.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        drop(doubted);
        self.connection = connect(&path, options)?;
        Ok(())
    }
}

pub(super) fn open(options: &EmbeddedOptions) -> Result<Opened, OpenError> {
    let lock = lock::acquire(&options.folder)?;
    let path = options.folder.join(QUEUE_FILE);
    match File::open(&path) {
        Ok(file) => check_header(file, &path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(&options.folder, &path)?,
        Err(source) => return Err(OpenError::Unusable { path, source }),
    }
    let connection = connect(&path, options)?;
    Ok(Opened { connection, _lock: lock })
}

/// Looks before SQLite does: SQLite takes an empty file for a new database of its own, and opening somebody else's may
/// already change it, by rolling back what its owner left behind.
pub(super) fn check_header(file: File, path: &Path) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    file.take(HEADER_BYTES as u64)
        .read_to_end(&mut header)
        .map_err(|source| OpenError::Unusable { path: path.to_owned(), source })?;
    let found = match header.as_slice() {
        [] => "an empty file",
        header if !header.starts_with(&SQLITE_HEADER[..header.len().min(16)]) => "another kind of file",
        header if header.len() < HEADER_BYTES => "a file cut short",
        header => return check_owner(number(header, APPLICATION_ID_AT), number(header, USER_VERSION_AT), path),
    };
    Err(OpenError::NotADatabase { path: path.to_owned(), found })
}

fn number(header: &[u8], at: usize) -> u32 {
    header[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn check_owner(application_id: u32, version: u32, path: &Path) -> Result<(), OpenError> {
    let path = path.to_owned();
    match (application_id, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(()),
        (APPLICATION_ID, found) => Err(OpenError::Version { path, found, supported: SCHEMA_VERSION }),
        (found, _) => Err(OpenError::OtherApplication { path, expected: APPLICATION_ID, found }),
    }
}

/// Made under another name and moved, so that a file with the queue's name is always a whole one.
fn create(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let log = afluente_wal::beside(path);
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        return Err(OpenError::OrphanedLog { path: log });
    }
    let draft = folder.join(format!("{QUEUE_FILE}.new"));
    let unusable = |source| OpenError::Unusable { path: draft.clone(), source };
    match std::fs::remove_file(&draft) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(unusable(source)),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(unusable)?;
    write_schema(&draft).map_err(storage(&draft))?;
    let moved = std::fs::rename(&draft, path).and_then(|()| File::open(folder)?.sync_all());
    moved.map_err(|source| OpenError::Unusable { path: path.to_owned(), source })
}

fn write_schema(draft: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(draft)?;
    set(&connection, "page_size", PAGE_BYTES)?;
    // Free pages can be given back to the disk without rewriting the file. Has to be said before the first table.
    set(&connection, "auto_vacuum", "incremental")?;
    set(&connection, "application_id", APPLICATION_ID)?;
    set(&connection, "user_version", SCHEMA_VERSION)?;
    connection.execute_batch(rows::SCHEMA)?;
    connection.close().map_err(|(_, error)| error)
}

fn connect(path: &Path, options: &EmbeddedOptions) -> Result<Connection, OpenError> {
    let (storage, log) = (storage(path), afluente_wal::beside(path));
    check_log(&log)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(&storage)?;
    // Until it is known to be whole it is only read: closing it must not fold its log into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(&storage)?;
    check(&connection, path)?;
    // After a sync that failed it holds what is on no disk.
    afluente_wal::write_again(&log).map_err(|source| OpenError::Unusable { path: log, source })?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(&storage)?;
    keep_a_log(&connection, path)?;
    configure(&connection, options).map_err(&storage)?;
    Ok(connection)
}

/// Looks at the log before SQLite does, which reads to the first fault and says nothing of what is behind it.
fn check_log(log: &Path) -> Result<(), OpenError> {
    match afluente_wal::look(log).map_err(|source| OpenError::Unusable { path: log.to_owned(), source })? {
        Seen::Damaged { offset, commits } => Err(OpenError::DamagedLog { path: log.to_owned(), offset, commits }),
        Seen::Unfinished { offset, .. } => {
            warn!(log = %log.display(), offset, "The last commit in the log is not whole: it was never acknowledged, or the disk lost it");
            Ok(())
        }
        Seen::Nothing | Seen::Whole { .. } => Ok(()),
    }
}

/// Turns the log on. Without it a commit outlives no power cut.
fn keep_a_log(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    match set(connection, "journal_mode", "wal").map_err(storage(path))? {
        Some(Value::Text(mode)) if mode == "wal" => Ok(()),
        found => Err(OpenError::NoLog { path: path.to_owned(), found: format!("{found:?}") }),
    }
}

fn configure(connection: &Connection, options: &EmbeddedOptions) -> rusqlite::Result<()> {
    set(connection, "synchronous", "full")?;
    set(connection, "fullfsync", true)?;
    set(connection, "journal_size_limit", LOG_BYTES)?;
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    set(connection, "wal_autocheckpoint", LOG_BYTES / page_bytes)?;
    if let Some(pages) = options.max_pages {
        set(connection, "max_page_count", pages)?;
    }
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let damaged = |found: String| OpenError::Damaged { path: path.to_owned(), found };
    // SQLite keeps both as signed numbers of 32 bits.
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get(0)).map(i32::cast_unsigned);
    let (owner, version) = (number("application_id"), number("user_version"));
    let error = |error: rusqlite::Error| match StorageError::from(error) {
        StorageError::Damaged(error) => damaged(error.to_string()),
        source @ (StorageError::DiskFull(_)
        | StorageError::Io(_)
        | StorageError::Unopened(_)
        | StorageError::Other(_)) => OpenError::Storage { path: path.to_owned(), source },
    };
    check_owner(owner.map_err(error)?, version.map_err(error)?, path)?;
    let verdict = connection.query_row("pragma quick_check(1)", [], |row| row.get::<_, String>(0)).map_err(error)?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(damaged(verdict.lines().next_back().unwrap_or_default().to_owned()))
}

/// Carries a pragma out to its end and returns what it answers first, if it answers. One that writes commits at its end: whoever
/// only reads its answer is not told that this failed.
fn set(connection: &Connection, name: &str, value: impl Display) -> rusqlite::Result<Option<Value>> {
    let mut pragma = connection.prepare(&format!("pragma {name} = {value}"))?;
    let mut rows = pragma.query([])?;
    let answer = rows.next()?.map(|row| row.get(0)).transpose()?;
    while rows.next()?.is_some() {}
    Ok(answer)
}

fn storage(path: &Path) -> impl Fn(rusqlite::Error) -> OpenError + use<> {
    let path = PathBuf::from(path);
    move |error| OpenError::Storage { path: path.clone(), source: StorageError::from(error) }
}

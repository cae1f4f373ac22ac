//! The write-ahead log of SQLite as a file.
//!
//! SQLite reads a log from its beginning to the first frame whose checksum is wrong and says nothing of what is behind it. After a
//! power cut that is right: what was not synced may be there in part. After anything else it drops commits that were durable. And
//! what it reads it takes for committed, whether it was ever synced or not.

mod look;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use look::{Seen, look, read};

/// How much of the log is held in memory while it is written again.
const PIECE_BYTES: usize = 1 << 20;

/// The log of this database.
#[must_use]
pub fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// Writes the log as it is once more and syncs it; a log that is not there is none. Nobody else may write it meanwhile.
///
/// After a sync that failed it holds what can be read and is on no disk: with it everything that is committed behind it would be
/// lost.
pub fn write_again(log: &Path) -> io::Result<()> {
    let log = match OpenOptions::new().read(true).write(true).open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let (mut piece, mut offset) = (vec![0; PIECE_BYTES], 0);
    loop {
        let read = log.read_at(&mut piece, offset)?;
        if read == 0 {
            return log.sync_all();
        }
        log.write_all_at(&piece[..read], offset)?;
        offset += read as u64;
    }
}

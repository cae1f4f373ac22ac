//! One process a folder. The system drops the lock with the process, however it ends.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::LOCK_FILE;
use crate::error::OpenError;

/// Held as long as the queue is open. The file itself stays: removing it would let two processes lock two files.
pub(super) struct FolderLock {
    _file: File,
}

/// Locks the folder, made (mode 0700) if missing.
pub(super) fn acquire(folder: &Path) -> Result<FolderLock, OpenError> {
    make(folder).map_err(|source| OpenError::Unusable { path: folder.to_owned(), source })?;
    let path = folder.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = match options.open(&path) {
        Ok(file) => file,
        Err(source) => return Err(OpenError::Unusable { path, source }),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(path, file)),
        Err(TryLockError::Error(source)) => return Err(OpenError::Unusable { path, source }),
    }
    match write_pid(&mut file) {
        Ok(()) => Ok(FolderLock { _file: file }),
        Err(source) => Err(OpenError::Unusable { path, source }),
    }
}

/// The folder's name must be as durable as what will be in it.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// The number is a help for people; without it the refusal stands all the same.
fn locked(path: PathBuf, file: File) -> OpenError {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    OpenError::Locked { path, pid: read.ok().and_then(|_| text.trim().parse().ok()) }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

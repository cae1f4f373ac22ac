//! What a ledger in a file, and the disk under it, mean.

use std::path::Path;

use afluente_store::FileHealth;

use super::Finding;

/// Less room than this, and the next busy day may not fit.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;
const NO_SPACE_BYTES: u64 = 64 << 20;

/// What is left on the disk of the data folder, where the queue is whatever the ledger is in.
pub(super) fn space(folder: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(space_of(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

fn space_of(free: u64) -> Finding {
    let says = format!("{} MiB free under the data folder", free >> 20);
    let mend = "make room, or move the data folder";
    if free < NO_SPACE_BYTES {
        Finding::wrong("space", says, mend)
    } else if free < LITTLE_SPACE_BYTES {
        Finding::note("space", says, mend)
    } else {
        Finding::fine("space", says)
    }
}

/// How the file does.
pub(super) fn findings(file: &FileHealth) -> Vec<Finding> {
    let whole = if file.check_says == "ok" {
        Finding::fine("file", format!("{} MiB, in order", file.bytes >> 20))
    } else {
        Finding::wrong(
            "file",
            file.check_says.clone(),
            "restore a copy; what came since is in the queue or at the gateways",
        )
    };
    let journal = if file.journal_mode == "wal" {
        Finding::fine("durability", "write-ahead log, synced at every commit")
    } else {
        Finding::wrong(
            "durability",
            format!("journal_mode is {}, which somebody changed", file.journal_mode),
            "start `afluente up`: it sets it back",
        )
    };
    vec![whole, journal]
}

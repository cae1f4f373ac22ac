//! Real logs, and what may happen to their bytes.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use afluente_wal::{Seen, beside, look, read, write_again};
use rusqlite::Connection;
use tempfile::TempDir;

const PAGE_BYTES: usize = 512;
const FRAME_BYTES: usize = PAGE_BYTES + 24;
const HEADER_BYTES: usize = 32;

struct Site {
    folder: TempDir,
    connection: Connection,
}

impl Site {
    /// A database whose log is moved by nobody, with a table in the file.
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("db")).unwrap();
        connection.pragma_update(None, "page_size", 512).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        connection.execute_batch("create table t (a integer primary key, b blob)").unwrap();
        connection.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
        Site { folder, connection }
    }

    fn commit(&self, bytes: u32) {
        self.connection.execute("insert into t (b) values (randomblob(?))", [bytes]).unwrap();
    }

    fn path(&self) -> PathBuf {
        beside(&self.folder.path().join("db"))
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

fn seen(log: &[u8]) -> Seen {
    read(&mut &log[..]).unwrap()
}

/// How many rows SQLite finds with this log.
fn rows(site: &Site, log: &[u8]) -> u32 {
    let copy = tempfile::tempdir().unwrap();
    let database = copy.path().join("db");
    std::fs::copy(site.folder.path().join("db"), &database).unwrap();
    std::fs::write(beside(&database), log).unwrap();
    Connection::open(&database).unwrap().query_row("select count(*) from t", [], |row| row.get(0)).unwrap()
}

/// Frames that end a commit, by their place.
fn commits(log: &[u8]) -> Vec<usize> {
    let frames = log[HEADER_BYTES..].chunks(FRAME_BYTES);
    frames.enumerate().filter(|(_, frame)| frame[4..8] != [0; 4]).map(|(at, _)| at).collect()
}

#[test]
fn a_log_is_nothing_or_whole() {
    let site = Site::new();
    assert_eq!(look(&site.path()).unwrap(), Seen::Nothing);
    assert_eq!(look(Path::new("/nowhere/db-wal")).unwrap(), Seen::Nothing);
    assert_eq!(look(site.folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
    assert_eq!(look(&site.folder.path().join("db/db-wal")).unwrap_err().kind(), ErrorKind::NotADirectory);
    (0..4).for_each(|_| site.commit(1_200));
    assert_eq!(look(&site.path()).unwrap(), Seen::Whole { commits: 4 });
    assert_eq!(seen(&site.log()[..HEADER_BYTES]), Seen::Nothing, "a header alone");
    write_again(&site.path()).unwrap();
    assert_eq!(look(&site.path()).unwrap(), Seen::Whole { commits: 4 });
    write_again(Path::new("/nowhere/db-wal")).unwrap();
}

#[test]
fn a_log_is_written_again_as_it_is_to_its_last_piece() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("db-wal");
    let bytes: Vec<u8> = (0..2_500_000_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    std::fs::write(&log, &bytes).unwrap();
    write_again(&log).unwrap();
    assert!(std::fs::read(&log).unwrap() == bytes);
}

#[test]
fn a_log_that_cannot_be_written_again_says_why() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(write_again(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
    assert_eq!(write_again(Path::new("/dev/full")).unwrap_err().kind(), ErrorKind::StorageFull);
}

#[test]
fn no_bit_of_a_durable_commit_is_flipped_unseen() {
    let site = Site::new();
    (0..4).for_each(|_| site.commit(700));
    let log = site.log();
    let last = commits(&log)[2] + 1;
    let mut dropped = 0_u32;
    for bit in (0..log.len() * 8).step_by(5) {
        let mut damaged = log.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let frame = (bit / 8).checked_sub(HEADER_BYTES).map(|at| at / FRAME_BYTES);
        let place = frame.map_or(0, |frame| HEADER_BYTES + frame * FRAME_BYTES) as u64;
        match seen(&damaged) {
            Seen::Damaged { offset, commits } => {
                assert_eq!(offset, place, "bit {bit}");
                // A bit may make one more of it.
                assert!((1..=5).contains(&commits), "bit {bit}: {commits}");
                let says_commit = (4..8).contains(&(bit / 8 - usize::try_from(place).unwrap()));
                assert!(frame.is_none_or(|frame| frame < last) || says_commit, "bit {bit}: nothing proves it");
            }
            // Of the last commit nobody can tell whether it was synced.
            Seen::Unfinished { commits: 3, .. } => assert!(frame.is_some_and(|frame| frame >= last), "bit {bit}"),
            // Nor where the commit before it ended, if that is what the bit said.
            Seen::Unfinished { commits: 2, .. } => assert_eq!(frame, Some(last - 1), "bit {bit}"),
            other => panic!("bit {bit} of frame {frame:?}: {other:?}"),
        }
        if bit % 1_000 == 0 {
            dropped += 4 - rows(&site, &damaged);
        }
    }
    assert!(dropped > 0, "SQLite itself would have noticed");
}

#[test]
fn a_sector_that_is_gone_is_seen_where_it_is() {
    let site = Site::new();
    (0..6).for_each(|_| site.commit(700));
    let log = site.log();
    for frame in 0..commits(&log)[4] {
        let at = HEADER_BYTES + frame * FRAME_BYTES;
        for (from, to) in [(at, at + 24), (at, at + FRAME_BYTES), (at + 24, at + 100)] {
            let mut damaged = log.clone();
            damaged[from..to].fill(0);
            let found = seen(&damaged);
            assert!(matches!(found, Seen::Damaged { offset, .. } if offset == at as u64), "frame {frame}: {found:?}");
        }
    }
}

#[test]
fn a_damaged_header_before_what_was_never_committed_loses_nothing() {
    let site = Site::new();
    site.commit(700);
    let mut log = site.log();
    assert!(commits(&log)[0] > 0);
    log.truncate(HEADER_BYTES + FRAME_BYTES);
    log[17] ^= 1;
    assert_eq!(seen(&log), Seen::Unfinished { commits: 0, offset: HEADER_BYTES as u64 });
}

#[test]
fn a_log_cut_anywhere_looks_as_if_the_power_had_gone() {
    let site = Site::new();
    (0..4).for_each(|_| site.commit(700));
    let log = site.log();
    for length in 0..log.len() {
        let found = seen(&log[..length]);
        let whole = commits(&log).iter().filter(|at| HEADER_BYTES + (*at + 1) * FRAME_BYTES <= length).count() as u64;
        match found {
            Seen::Nothing => assert_eq!(whole, 0, "{length}"),
            Seen::Whole { commits } | Seen::Unfinished { commits, .. } => assert_eq!(commits, whole, "{length}"),
            Seen::Damaged { .. } => panic!("{length}: {found:?}"),
        }
    }
}

#[test]
fn what_was_taken_back_and_what_is_of_an_earlier_log_is_no_damage() {
    let site = Site::new();
    (0..30).for_each(|_| site.commit(700));
    site.connection.execute_batch("pragma wal_checkpoint(restart)").unwrap();
    site.commit(700);
    assert_eq!(look(&site.path()).unwrap(), Seen::Whole { commits: 1 }, "behind it are frames of the log before");
    site.connection.execute_batch("pragma cache_size = 2; pragma cache_spill = 1; begin").unwrap();
    (0..40).for_each(|_| site.commit(700));
    site.connection.execute_batch("rollback").unwrap();
    site.commit(100);
    let found = look(&site.path()).unwrap();
    let Seen::Unfinished { commits: 2, offset } = found else { panic!("{found:?}") };
    site.commit(700);
    // Behind it still lie frames of what was taken back: they are no proof that it was synced.
    let mut log = site.log();
    log[usize::try_from(offset).unwrap() + 100] ^= 1;
    assert_eq!(seen(&log), Seen::Unfinished { commits: 2, offset });
    let found = look(&site.path()).unwrap();
    assert!(matches!(found, Seen::Unfinished { commits: 3, .. }), "{found:?}");
}

/// The two sums of a log.
fn sum(high_first: bool, sums: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().unwrap();
        if high_first { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    bytes.chunks(8).fold(sums, |(first, second), pair| {
        let first = first.wrapping_add(word(&pair[..4])).wrapping_add(second);
        (first, second.wrapping_add(word(&pair[4..])).wrapping_add(first))
    })
}

fn put(bytes: &mut [u8], (first, second): (u32, u32)) {
    bytes[..4].copy_from_slice(&first.to_be_bytes());
    bytes[4..8].copy_from_slice(&second.to_be_bytes());
}

/// The log with another magic number and page size, and sums that are right with them.
fn summed(mut log: Vec<u8>, magic: u32, page_bytes: u32) -> Vec<u8> {
    log[..4].copy_from_slice(&magic.to_be_bytes());
    log[8..12].copy_from_slice(&page_bytes.to_be_bytes());
    let high_first = magic & 1 == 1;
    let mut sums = sum(high_first, (0, 0), &log[..24]);
    put(&mut log[24..], sums);
    for frame in log[HEADER_BYTES..].chunks_mut(FRAME_BYTES) {
        sums = sum(high_first, sum(high_first, sums, &frame[..8]), &frame[24..]);
        put(&mut frame[16..], sums);
    }
    log
}

#[test]
fn the_log_of_a_machine_that_writes_the_high_byte_first_is_read_alike() {
    let site = Site::new();
    (0..3).for_each(|_| site.commit(700));
    let log = summed(site.log(), 0x377f_0683, 512);
    assert_eq!((seen(&log), rows(&site, &log)), (Seen::Whole { commits: 3 }, 3));
}

#[test]
fn a_header_no_sqlite_writes_is_no_log_however_right_its_sums() {
    let site = Site::new();
    (0..3).for_each(|_| site.commit(700));
    for (magic, page_bytes) in [(0x377f_0684, 512), (0x377f_0682, 8), (0x377f_0682, 520), (0x377f_0682, 1 << 17)] {
        let log = summed(site.log(), magic, page_bytes);
        assert_eq!((seen(&log), rows(&site, &log)), (Seen::Nothing, 0), "{magic:x} {page_bytes}");
    }
}

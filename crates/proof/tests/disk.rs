//! The disk itself: what a cut takes, and what it leaves alone.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::path::Path;

use afluente_proof::{Disk, Plan};
use rusqlite::{Connection, ErrorCode};

fn connect(folder: &Path, synchronous: &str) -> Connection {
    let connection = Connection::open(folder.join("some.sqlite")).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection.execute_batch("create table if not exists rows (number integer primary key, text text)").unwrap();
    connection
}

fn insert(connection: &Connection, number: i64) -> rusqlite::Result<usize> {
    connection.execute("insert into rows values (?, ?)", (number, "x".repeat(700)))
}

fn numbers(connection: &Connection) -> Vec<i64> {
    let mut rows = connection.prepare("select number from rows order by number").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Writes rows until the power goes, at a step the seed chooses; what was committed, and what is there afterwards.
fn cut(seed: u64, synchronous: &str, lax: bool) -> (Vec<i64>, Vec<i64>, Before) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path(), seed).unwrap();
    if lax {
        disk.be_lax();
    }
    let connection = connect(folder.path(), synchronous);
    let before = disk.counts();
    disk.plan(Plan { cut_after: Some(seed % 60), ..Plan::default() });
    let committed = (1..1_000).take_while(|number| insert(&connection, *number).is_ok()).collect();
    drop(connection);
    disk.power_on().unwrap();
    let connection = connect(folder.path(), synchronous);
    let verdict: String = connection.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "seed {seed}");
    (committed, numbers(&connection), (before, disk.counts()))
}

type Before = (afluente_proof::Counts, afluente_proof::Counts);

#[test]
fn what_was_synced_outlives_a_cut_at_any_step_and_some_of_what_was_not_does_not() {
    let (mut lost, mut torn) = (0, 0);
    for seed in 0..200 {
        let (committed, found, (_, after)) = cut(seed, "full", false);
        assert!(found.starts_with(&committed), "seed {seed}: committed {committed:?}, found {found:?}");
        assert!(found.len() <= committed.len() + 1, "seed {seed}: committed {committed:?}, found {found:?}");
        assert_eq!(after.cuts, 1);
        lost += after.lost;
        torn += after.torn;
    }
    assert!(lost > 100 && torn > 20, "{lost} sectors lost, {torn} torn: the cuts take next to nothing");
}

#[test]
fn a_program_that_does_not_sync_its_commits_loses_some_of_them() {
    let losing = |synchronous, lax| {
        let lost = |seed: &u64| {
            let (committed, found, _) = cut(*seed, synchronous, lax);
            found.len() < committed.len()
        };
        (0..100).filter(lost).count()
    };
    assert!(losing("normal", false) > 10);
    assert!(losing("full", true) > 10, "a lax disk does not make the program's FULL a NORMAL");
}

#[test]
fn the_same_seed_loses_the_same() {
    for seed in [3, 17, 44] {
        let again = || cut(seed, "normal", false);
        assert_eq!(again(), again(), "seed {seed}");
    }
}

#[test]
fn while_the_power_is_off_and_after_it_nothing_opened_before_does_anything() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path(), 1).unwrap();
    let connection = connect(folder.path(), "full");
    insert(&connection, 1).unwrap();
    disk.cut();
    assert!(insert(&connection, 2).is_err() && Connection::open(folder.path().join("other.sqlite")).is_err());
    assert!(!disk.is_on());
    drop(connection);
    disk.power_on().unwrap();
    assert_eq!(numbers(&connect(folder.path(), "full")), [1]);
}

#[test]
fn what_a_failed_sync_should_have_written_is_lost_although_it_could_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path(), 5).unwrap();
    let connection = connect(folder.path(), "full");
    insert(&connection, 1).unwrap();
    disk.plan(Plan { fail_syncs: 0..1, ..Plan::default() });
    let error = insert(&connection, 2).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure), "{error}");
    assert_eq!(disk.counts().failed_syncs, 1);
    assert_eq!(numbers(&connection), [1]);
    disk.cut();
    drop(connection);
    disk.power_on().unwrap();
    assert_eq!(numbers(&connect(folder.path(), "full")), [1]);
}

#[test]
fn files_beside_the_folder_are_none_of_its_business() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let disk = Disk::under(folder.path(), 1).unwrap();
    let connection = connect(other.path(), "full");
    disk.cut();
    insert(&connection, 1).unwrap();
    assert_eq!((numbers(&connection), disk.counts().steps), (vec![1], 0));
}

//! Files that are not what they should be, and folders that are taken.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use afluente_queue::embedded::{LOCK_FILE, QUEUE_FILE};
use afluente_queue::{EmbeddedOptions, OpenError, Queue};

use crate::site::{Site, drain, held, message_of, publish};

/// What the queue's file and its log hold. SQLite may leave an empty log beside a file it has looked at.
fn contents(site: &Site) -> [Vec<u8>; 2] {
    [site.file(), site.log()].map(|path| fs::read(path).unwrap_or_default())
}

/// Opening is refused, twice alike, and no byte changes by it.
fn refused(site: &Site) -> OpenError {
    let (before, existed) = (contents(site), site.file().exists());
    let error = site.try_open().unwrap_err();
    assert_eq!(site.try_open().unwrap_err().to_string(), error.to_string());
    assert!(contents(site) == before, "a file changed while it was refused: {error}");
    assert_eq!(site.file().exists(), existed);
    error
}

/// A closed queue with some messages.
async fn used() -> Site {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 0..200).await;
    queue.close().await;
    site
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    for (bytes, found) in [
        (b"".as_slice(), "an empty file"),
        (b"SQLite for", "a file cut short"),
        (b"SQLite format 3\0 and no more", "a file cut short"),
        (b"#!/bin/sh\n", "another kind of file"),
        (&[0; 8_192], "another kind of file"),
    ] {
        let site = Site::new();
        fs::write(site.file(), bytes).unwrap();
        let error = refused(&site);
        assert!(matches!(error, OpenError::NotADatabase { found: said, .. } if said == found), "{error}");
        assert!(error.to_string().contains(QUEUE_FILE), "{error}");
    }
}

#[tokio::test]
async fn a_file_cut_short_is_refused_and_left_alone() {
    for keep in [100, 4_096, 5_000, 20_000] {
        let site = used().await;
        let whole = fs::read(site.file()).unwrap();
        assert!(whole.len() > 20_000);
        fs::write(site.file(), &whole[..keep]).unwrap();
        let error = refused(&site);
        assert!(matches!(error, OpenError::Damaged { .. }), "{keep} bytes: {error}");
    }
}

#[tokio::test]
async fn a_file_with_a_broken_page_is_refused_and_left_alone() {
    let site = used().await;
    let mut bytes = fs::read(site.file()).unwrap();
    bytes[8_192 * 3..8_192 * 3 + 64].fill(0xee);
    fs::write(site.file(), bytes).unwrap();
    let error = refused(&site);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("recover"), "says what can be done: {error}");
}

/// The files as kill -9 leaves them: the last commits are in the log alone.
async fn crashed() -> Site {
    let (site, crashed) = (used().await, Site::new());
    let queue = site.open();
    publish(&queue, 200..300).await;
    fs::copy(site.file(), crashed.file()).unwrap();
    fs::copy(site.log(), crashed.log()).unwrap();
    crashed
}

#[tokio::test]
async fn what_is_in_the_log_alone_is_read() {
    assert!(drain(&crashed().await.open()).await.into_iter().eq(0..300));
}

#[tokio::test]
async fn a_broken_file_with_a_log_beside_it_keeps_both() {
    let site = crashed().await;
    let mut bytes = fs::read(site.file()).unwrap();
    bytes[8_192 * 3..8_192 * 3 + 64].fill(0xee);
    fs::write(site.file(), bytes).unwrap();
    let error = refused(&site);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_log_without_its_database_is_not_mixed_into_a_new_one() {
    let site = used().await;
    fs::remove_file(site.file()).unwrap();
    fs::write(site.log(), b"pages of the lost file").unwrap();
    let error = refused(&site);
    assert!(matches!(&error, OpenError::OrphanedLog { path } if *path == site.log()), "{error}");
}

#[tokio::test]
async fn an_empty_log_without_its_database_is_nothing_to_lose() {
    let site = Site::new();
    fs::write(site.log(), b"").unwrap();
    publish(&site.open(), [1]).await;
}

#[tokio::test]
async fn another_application_s_database_is_refused_and_left_alone() {
    let site = Site::new();
    site.sql("create table customers (id integer primary key); pragma journal_mode = wal");
    assert!(matches!(refused(&site), OpenError::OtherApplication { found: 0, .. }));
    let site = used().await;
    site.sql("pragma application_id = 305419896");
    let error = refused(&site);
    assert!(matches!(error, OpenError::OtherApplication { found: 0x1234_5678, .. }), "{error}");
}

#[tokio::test]
async fn a_newer_or_unknown_version_is_refused_and_left_alone() {
    for version in [0, 2, u32::MAX] {
        let site = used().await;
        site.sql(&format!("pragma user_version = {}", version.cast_signed()));
        let error = refused(&site);
        assert!(matches!(error, OpenError::Version { found, supported: 1, .. } if found == version), "{error}");
    }
}

#[tokio::test]
async fn a_newer_version_that_is_still_in_the_log_is_refused_and_left_alone() {
    let (site, crashed) = (used().await, Site::new());
    let newer = rusqlite::Connection::open(site.file()).unwrap();
    newer.execute_batch("pragma user_version = 2").unwrap();
    fs::copy(site.file(), crashed.file()).unwrap();
    fs::copy(site.log(), crashed.log()).unwrap();
    assert!(matches!(refused(&crashed), OpenError::Version { found: 2, .. }));
}

#[test]
fn a_second_opener_is_refused_with_the_holder_s_number() {
    let site = Site::new();
    let queue = site.open();
    let error = site.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert!(error.to_string().contains("held by another process"), "{error}");
    drop(queue);
}

#[tokio::test]
async fn a_closed_queue_leaves_its_folder_free_and_its_log_empty() {
    let site = used().await;
    assert!(!site.log().exists());
    assert_eq!(drain(&site.open()).await.len(), 200);
}

#[tokio::test]
async fn a_queue_that_is_closed_while_somebody_looks_leaves_an_empty_log_all_the_same() {
    let site = used().await;
    let queue = site.open();
    publish(&queue, [200]).await;
    let beside = rusqlite::Connection::open(site.file()).unwrap();
    let count = || beside.query_row("select count(*) from messages", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 201);
    queue.close().await;
    assert_eq!(fs::metadata(site.log()).unwrap().len(), 0);
    assert_eq!(count(), 201);
}

#[tokio::test]
async fn folder_and_files_are_made_and_are_for_their_owner_alone() {
    let site = Site::new();
    let folder = site.path().join("data/queue");
    let queue = Queue::open_embedded(EmbeddedOptions::new(&folder)).unwrap();
    publish(&queue, [1]).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in [QUEUE_FILE.to_owned(), LOCK_FILE.to_owned(), format!("{QUEUE_FILE}-wal")] {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let site = Site::new();
    let file = site.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let error = Queue::open_embedded(EmbeddedOptions::new(&folder)).unwrap_err();
        assert!(matches!(&error, OpenError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
    fs::create_dir(site.file()).unwrap();
    let error = site.try_open().unwrap_err();
    assert!(matches!(&error, OpenError::Unusable { path, .. } if *path == site.file()), "{error}");
}

#[test]
fn what_stands_in_the_file_s_way_is_said_and_stays() {
    let site = Site::new();
    std::os::unix::fs::symlink(site.file(), site.file()).unwrap();
    let error = site.try_open().unwrap_err();
    assert!(matches!(&error, OpenError::Unusable { path, .. } if *path == site.file()), "{error}");
    assert!(site.file().is_symlink(), "a link to nowhere is somebody's");

    let site = Site::new();
    let draft = site.path().join(format!("{QUEUE_FILE}.new"));
    fs::create_dir(&draft).unwrap();
    let OpenError::Unusable { path, source } = site.try_open().unwrap_err() else { panic!("it was not made") };
    assert_eq!((path, source.kind()), (draft, std::io::ErrorKind::IsADirectory));
}

#[tokio::test]
async fn room_that_was_used_is_used_again() {
    let site = Site::new();
    let queue = site.open();
    let bytes = || {
        let log = fs::metadata(site.log()).map_or(0, |log| log.len());
        fs::metadata(site.file()).unwrap().len() + log
    };
    for round in 0..300 {
        for number in 0..5 {
            queue.publish(message_of(round * 5 + number, 100_000)).await.unwrap();
        }
        assert_eq!(drain(&queue).await.len(), 5);
    }
    assert!(bytes() < 72_000_000, "{} bytes after 150 MB went through: the log's share is 64 MiB", bytes());
    assert_eq!(held(&queue).bytes, 0);
}

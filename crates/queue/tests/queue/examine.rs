//! A look into a queue beside whoever holds it.

use afluente_model::DeliveryId;
use afluente_queue::embedded::{Examined, Flaw, Peeked, examine, peek};
use afluente_queue::{OpenError, SealKey, SealKeys};
use uuid::Uuid;

use crate::site::{Site, held, keys, publish};

fn examined(site: &Site, keys: &SealKeys) -> Examined {
    examine(site.path(), keys, |_| {}).unwrap().unwrap()
}

/// Row and words of everything wrong.
fn flaws(site: &Site) -> Vec<(Option<i64>, String)> {
    let flaws = examined(site, &keys()).flaws.into_iter();
    flaws
        .map(|Flaw { file, row, what }| {
            assert_eq!(file, site.file());
            (row, what)
        })
        .collect()
}

async fn closed_with(numbers: std::ops::Range<u128>) -> Site {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, numbers).await;
    queue.close().await;
    site
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_no_queue_an_error() {
    let site = Site::new();
    assert_eq!((peek(site.path()).unwrap(), examine(site.path(), &keys(), |_| {}).unwrap()), (None, None));
    std::fs::write(site.file(), "#!/bin/sh\n").unwrap();
    assert!(matches!(examine(site.path(), &keys(), |_| {}), Err(OpenError::NotADatabase { .. })));
    assert!(matches!(peek(site.path()), Err(OpenError::Storage { .. })));
}

#[tokio::test]
async fn an_open_queue_is_read_to_its_last_message() {
    let site = Site::new();
    let queue = site.open();
    publish(&queue, 5..8).await;
    let oldest = Some(DeliveryId(Uuid::from_u128(5)));
    assert_eq!(peek(site.path()).unwrap(), Some(Peeked { messages: 3, bytes: held(&queue).bytes, oldest }));
    let mut told = Vec::new();
    let found = examine(site.path(), &keys(), |messages| told.push(messages)).unwrap();
    assert_eq!(found, Some(Examined { messages: 3, flaws: Vec::new() }));
    assert_eq!(told, [1, 2, 3]);
    queue.close().await;
    assert_eq!(examined(&site, &keys()).messages, 3);
}

#[tokio::test]
async fn a_message_that_is_not_what_was_sealed_is_named_by_its_row() {
    let site = closed_with(1..4).await;
    site.sql("update messages set id = randomblob(16) where seq = (select min(seq) from messages)");
    site.sql("update messages set gateway = 'pagarme' where seq = (select max(seq) from messages)");
    let (first, last) = (Uuid::from_u128(1), "its row has another gateway than its delivery, stripe");
    let expected = [(Some(1), format!("its row has another id than its delivery {first}")), (Some(3), last.to_owned())];
    assert_eq!(flaws(&site), expected);
    let others = SealKeys::new(SealKey::from_bytes([9; 32]), []);
    let found = examined(&site, &others);
    assert_eq!((found.messages, found.flaws.len()), (3, 3));
    assert!(found.flaws.iter().all(|flaw| flaw.what.contains("the seal does not hold")), "{found:?}");
}

#[tokio::test]
async fn a_damaged_log_is_named_with_the_place_and_what_goes_with_it() {
    let (site, copied) = (Site::new(), Site::new());
    let queue = site.open();
    publish(&queue, 1..4).await;
    std::fs::copy(site.file(), copied.file()).unwrap();
    let mut log = std::fs::read(site.log()).unwrap();
    // Behind the log's own 32 bytes and the first page's 24.
    log[32 + 24 + 100] ^= 1;
    std::fs::write(copied.log(), log).unwrap();
    let found = examined(&copied, &keys());
    let what = "damaged at byte 32, and with it 3 commits from there on".to_owned();
    assert_eq!(found.flaws, [Flaw { file: copied.log(), row: None, what }]);
    assert_eq!(found.messages, 0, "all were in the log");
}

#[tokio::test]
async fn a_structure_that_is_broken_is_told_from_messages_that_are() {
    let site = closed_with(0..40).await;
    // An index that lost what it points to: every message can be read all the same.
    site.sql(
        "create index spare on messages (size); pragma writable_schema = on;
         update sqlite_schema set rootpage = (select rootpage from sqlite_schema where name = 'messages') where name = 'spare'",
    );
    let found = examined(&site, &keys());
    assert!(!found.flaws.is_empty() && found.flaws.iter().all(|flaw| flaw.row.is_none()), "{found:?}");
    assert!(found.flaws.iter().all(|flaw| !flaw.what.contains('\n')), "{found:?}");
}

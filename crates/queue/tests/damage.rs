//! A bit of a file is flipped, or its end is gone. Nothing acknowledged is missing in silence: the queue does not open and says
//! why, or hands everything out, each message as it was or as one whose seal is broken.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use afluente_model::{Delivery, DeliveryId};
use afluente_queue::embedded::{QUEUE_FILE, examine};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;
use uuid::Uuid;

/// Of each half: in the file, and in its log.
const MESSAGES: u128 = 24;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn keys() -> SealKeys {
    SealKeys::new(SealKey::from_bytes([1; 32]), [])
}

fn delivery(number: u128) -> Delivery {
    let body = vec![b'a' + u8::try_from(number % 26).unwrap(); 900 + 40 * usize::try_from(number).unwrap()];
    afluente_testkit::delivery(Uuid::from_u128(number), body)
}

fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    for name in [QUEUE_FILE.to_owned(), format!("{QUEUE_FILE}-wal")] {
        if from.join(&name).exists() {
            std::fs::copy(from.join(&name), to.path().join(&name)).unwrap();
        }
    }
    to
}

/// A folder as a kill leaves it: half of the messages in the file, half in its log, each of its own commit.
fn killed() -> (TempDir, BTreeMap<DeliveryId, Delivery>) {
    let folder = tempfile::tempdir().unwrap();
    let open = || Queue::open_embedded(EmbeddedOptions::new(folder.path())).unwrap();
    let all: Vec<Delivery> = (0..2 * MESSAGES).map(delivery).collect();
    let (first, second) = all.split_at(all.len() / 2);
    let killed = block_on(async {
        let queue = open();
        for delivery in first {
            queue.publish(keys().seal(delivery)).await.unwrap();
        }
        queue.close().await;
        let queue = open();
        for delivery in second {
            queue.publish(keys().seal(delivery)).await.unwrap();
        }
        let killed = copy(folder.path());
        queue.close().await;
        killed
    });
    (killed, all.into_iter().map(|delivery| (delivery.id, delivery)).collect())
}

/// What became of a queue.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fate {
    refused: Option<String>,
    /// Handed out as it was.
    whole: usize,
    /// Handed out as something whose seal does not hold.
    broken: usize,
    /// Waits for its time.
    delayed: usize,
}

impl Fate {
    fn kept(&self) -> usize {
        self.whole + self.broken + self.delayed
    }
}

fn fate(folder: &Path, sent: &BTreeMap<DeliveryId, Delivery>) -> Fate {
    let queue = match Queue::open_embedded(EmbeddedOptions::new(folder)) {
        Ok(queue) => queue,
        Err(error) => return Fate { refused: Some(error.to_string()), ..Fate::default() },
    };
    block_on(async {
        let delayed = usize::try_from(queue.depth().unwrap().total().delayed).unwrap();
        let mut fate = Fate { delayed, ..Fate::default() };
        loop {
            match queue.take_ready(200).await {
                Ok(taken) if taken.is_empty() => break,
                Ok(taken) => {
                    for message in &taken {
                        match keys().open(message.head(), message.body().clone()) {
                            Ok(delivery) if sent.get(&delivery.id) == Some(&delivery) => fate.whole += 1,
                            Ok(delivery) => panic!("{} came out as it was never sent", delivery.id),
                            Err(_) => fate.broken += 1,
                        }
                    }
                    // Settled by nobody: they come back in a second, which nobody waits for.
                    std::mem::forget(taken);
                }
                Err(error) => {
                    fate.refused = Some(error.to_string());
                    break;
                }
            }
        }
        queue.close().await;
        fate
    })
}

/// What was done to which file.
struct Harm {
    file: String,
    at: u64,
    bit: Option<u32>,
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bit {
            Some(bit) => write!(f, "bit {bit} of byte {} of {}", self.at, self.file),
            None => write!(f, "{} cut at byte {}", self.file, self.at),
        }
    }
}

impl Harm {
    fn choose(folder: &Path, rng: &mut StdRng) -> Harm {
        let file = if rng.random_bool(0.5) { QUEUE_FILE.to_owned() } else { format!("{QUEUE_FILE}-wal") };
        let bytes = folder.join(&file).metadata().unwrap().len();
        let bit = rng.random_bool(0.9).then(|| rng.random_range(0..8));
        // The first bytes say what all the others are.
        let most = if rng.random_bool(0.3) { 200 } else { bytes };
        Harm { file, at: rng.random_range(0..most), bit }
    }

    fn is_of_the_log(&self) -> bool {
        self.file != QUEUE_FILE
    }

    fn be_done(&self, folder: &Path) {
        let path = folder.join(&self.file);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = usize::try_from(self.at).unwrap();
        match self.bit {
            Some(bit) => bytes[at] ^= 1 << bit,
            None => bytes.truncate(at),
        }
        std::fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_queue_is_passed_over_in_silence() {
    let (folder, sent) = killed();
    let mut rng = StdRng::seed_from_u64(1);
    let (mut refused, mut broken, mut passed) = (0, 0, 0);
    for number in 0..afluente_testkit::at_full_size(200, 5_000) {
        let harm = Harm::choose(folder.path(), &mut rng);
        let copy = copy(folder.path());
        harm.be_done(copy.path());
        let examined = examine(copy.path(), &keys(), |_| {});
        let fate = fate(copy.path(), &sent);
        let is_named = match &examined {
            Ok(Some(examined)) => !examined.flaws.is_empty(),
            Ok(None) => false,
            Err(_) => true,
        };
        let missing = sent.len().saturating_sub(fate.kept());
        let fault = format!("harm {number}, {harm}: {fate:?}, {examined:?}");
        if let Some(error) = &fate.refused {
            assert!(error.contains(QUEUE_FILE) || error.contains("queue file"), "{fault}");
            refused += 1;
        } else if missing > 0 {
            // A log that is cut looks as if it never was longer, and of its last commit nobody can tell.
            assert!(harm.is_of_the_log() && (harm.bit.is_none() || missing <= 2), "{fault}");
        } else if fate.broken > 0 {
            broken += 1;
        } else {
            passed += 1;
        }
        assert!(is_named || missing > 0 || fate.broken == 0, "{fault}");
    }
    println!("{refused} refused, {broken} handed out as broken, {passed} of bytes that nobody reads");
    assert!(refused > 0 && broken > 0);
}

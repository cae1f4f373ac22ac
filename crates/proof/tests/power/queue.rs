//! Publishing, settling and delaying, cut at any step.

use std::time::Duration;

use afluente_model::{DeliveryId, Gateway};
use afluente_proof::{Counts, Disk};
use afluente_queue::{EmbeddedOptions, Queue, Received, Sealed, Settlement, embedded};
use futures_util::future::join_all;
use rand::RngExt;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::books::{Books, look};
use crate::site::{Site, Twin, block_on, cuts};

/// Cuts of one folder's history.
const CUTS_A_FOLDER: u64 = 25;

/// From one start to the next cut.
struct Life<'a> {
    queue: Queue,
    disk: &'a Disk,
    books: &'a mut Books,
    rng: &'a mut StdRng,
    next: &'a mut u128,
    twin: Twin,
}

impl Life<'_> {
    /// Works until the power goes, or ends and loses it while closing or after.
    async fn live(mut self) {
        while self.disk.is_on() && !self.rng.random_bool(0.03) {
            if self.rng.random_bool(0.5) {
                self.publish().await;
            } else {
                self.settle().await;
            }
        }
        self.queue.close().await;
    }

    async fn publish(&mut self) {
        let count = self.rng.random_range(1..6);
        let messages: Vec<Sealed> = (0..count).map(|_| self.message()).collect();
        let ids: Vec<u128> = messages.iter().map(|message| message.id.0.as_u128()).collect();
        for message in &messages {
            self.books.send(message.id.0.as_u128(), message.body.to_vec());
        }
        if self.twin == Twin::AnswersBeforeTheCommit {
            for id in &ids {
                self.books.stored(*id);
            }
        }
        let answers = join_all(messages.into_iter().map(|message| self.queue.publish(message))).await;
        for (id, answer) in ids.into_iter().zip(answers) {
            if answer.is_ok() {
                self.books.stored(id);
            }
        }
    }

    fn message(&mut self) -> Sealed {
        *self.next += 1;
        let body: Vec<u8> = (0..self.rng.random_range(1..3_000)).map(|_| self.rng.random()).collect();
        let gateway = Gateway::ALL[self.rng.random_range(0..Gateway::ALL.len())];
        let id = DeliveryId(Uuid::from_u128(*self.next));
        Sealed { id, gateway, head: b"head".to_vec().into(), body: body.into() }
    }

    async fn settle(&mut self) {
        let most = self.rng.random_range(1..8);
        let Ok(taken) = self.queue.take_ready(most).await else { return };
        let settled: Vec<(Received, Settlement)> = taken
            .into_iter()
            .map(|message| {
                let wait = Duration::from_micros(self.rng.random_range(0..3_000));
                let ends = self.rng.random_bool(0.7);
                (message, if ends { Settlement::Ack } else { Settlement::RetryAfter(wait) })
            })
            .collect();
        let asked: Vec<(u128, bool)> = settled
            .iter()
            .map(|(message, settlement)| (message.id().0.as_u128(), *settlement == Settlement::Ack))
            .collect();
        for (id, _) in asked.iter().filter(|(_, ends)| *ends) {
            self.books.end(*id);
        }
        for ((id, ends), answer) in asked.into_iter().zip(self.queue.settle(settled).await) {
            match (answer, ends) {
                (Ok(()), true) => self.books.ended(id),
                (Ok(()), false) => self.books.delayed(id),
                (Err(_), _) => {}
            }
        }
    }
}

/// A folder's history of cuts; what the disk did, or what broke.
fn history(seed: u64, twin: Twin) -> Result<Counts, String> {
    let mut site = Site::new(seed, twin);
    let (mut books, mut next) = (Books::default(), 0);
    for cut in 0..CUTS_A_FOLDER {
        let fault = |error: String| format!("seed {seed}, cut {cut}: {error}");
        site.plan_a_cut();
        let options = EmbeddedOptions::new(site.path());
        if let Ok(queue) = Queue::open_embedded(options.clone()) {
            let (disk, rng) = (&*site.disk, &mut site.rng);
            block_on(Life { queue, disk, books: &mut books, rng, next: &mut next, twin }.live());
        }
        site.disk.power_on().map_err(|error| fault(error.to_string()))?;
        let queue = Queue::open_embedded(options).map_err(|error| fault(format!("does not open: {error}")))?;
        let found = look(&site.path().join(embedded::QUEUE_FILE)).map_err(fault)?;
        books.check(found).map_err(fault)?;
        block_on(queue.close());
    }
    if books.promised() == 0 {
        return Err(format!("seed {seed}: nothing was ever promised"));
    }
    Ok(site.disk.counts())
}

#[test]
fn no_cut_at_any_step_loses_what_the_queue_acknowledged_or_brings_back_what_it_let_go() {
    cuts(300, 10_000, CUTS_A_FOLDER, |seed| history(seed, Twin::None));
}

#[test]
fn a_queue_that_does_not_sync_its_commits_is_noticed() {
    crate::site::noticed("synchronous=NORMAL", |seed| history(seed, Twin::SyncsNoCommit));
}

#[test]
fn an_answer_before_the_commit_is_noticed() {
    crate::site::noticed("answer before the commit", |seed| history(seed, Twin::AnswersBeforeTheCommit));
}

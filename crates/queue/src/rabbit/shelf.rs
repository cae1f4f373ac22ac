//! What was delivered and nobody has taken yet, a line for each gateway.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use afluente_model::Gateway;
use tokio::sync::{Notify, watch};

use super::lease::Lease;
use crate::settlement::Handed;

/// Whoever waits for messages, and the task that brings them, meet here.
pub(crate) struct Shelf {
    lines: Mutex<Lines>,
    signal: watch::Sender<Signal>,
    wanted: Notify,
}

/// What takers wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Messages that can be taken now.
    pub(crate) ready: usize,
    pub(crate) closed: bool,
}

struct Lines {
    by_gateway: Vec<(Gateway, VecDeque<Handed<Lease>>)>,
    turn: usize,
    /// How many wait for messages now, and when somebody last did.
    waiting: usize,
    wanted: Instant,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        let by_gateway = Gateway::ALL.iter().map(|gateway| (*gateway, VecDeque::new())).collect();
        let lines = Lines { by_gateway, turn: 0, waiting: 0, wanted: Instant::now() };
        Shelf {
            lines: Mutex::new(lines),
            signal: watch::channel(Signal { ready: 0, closed: false }).0,
            wanted: Notify::new(),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // A panic while the lock is held leaves whole messages behind.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, message: Handed<Lease>) {
        let mut lines = self.lines();
        if let Some((_, line)) = lines.by_gateway.iter_mut().find(|(gateway, _)| *gateway == message.sealed.gateway) {
            line.push_back(message);
        }
        self.tell(&lines);
    }

    /// The next ones, one gateway after the other, so that a flood of one does not starve another. Ends once it has so many
    /// bytes.
    pub(crate) fn take(&self, most: usize, most_bytes: u64) -> Vec<Handed<Lease>> {
        let mut lines = self.lines();
        lines.wanted = Instant::now();
        let (mut taken, mut bytes, mut empty_in_a_row) = (Vec::new(), 0, 0);
        while taken.len() < most && bytes < most_bytes && empty_in_a_row < lines.by_gateway.len() {
            let turn = lines.turn;
            match lines.by_gateway[turn].1.pop_front() {
                Some(message) => {
                    bytes += message.sealed.size();
                    empty_in_a_row = 0;
                    taken.push(message);
                }
                None => empty_in_a_row += 1,
            }
            lines.turn = (turn + 1) % lines.by_gateway.len();
        }
        self.tell(&lines);
        taken
    }

    /// Everything, for whoever gives it back.
    pub(crate) fn clear(&self) -> Vec<Handed<Lease>> {
        let mut lines = self.lines();
        let all = lines.by_gateway.iter_mut().flat_map(|(_, line)| std::mem::take(line)).collect();
        self.tell(&lines);
        all
    }

    /// Since when nobody wants anything; `None` while somebody waits.
    pub(crate) fn unwanted_since(&self) -> Option<Instant> {
        let lines = self.lines();
        (lines.waiting == 0).then_some(lines.wanted)
    }

    /// Says that somebody waits, for as long as the value lives.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.lines().waiting += 1;
        self.wanted.notify_waiters();
        Waiting(self)
    }

    /// Ends once somebody waits.
    pub(crate) async fn wanted(&self) {
        loop {
            // Asked for before it is looked, or who comes in between would not be heard.
            let heard = self.wanted.notified();
            if self.unwanted_since().is_none() {
                return;
            }
            heard.await;
        }
    }

    pub(crate) fn close(&self) {
        self.signal.send_modify(|signal| signal.closed = true);
    }

    pub(crate) fn signal(&self) -> watch::Receiver<Signal> {
        self.signal.subscribe()
    }

    fn tell(&self, lines: &Lines) {
        let ready = lines.by_gateway.iter().map(|(_, line)| line.len()).sum();
        self.signal.send_if_modified(|signal| std::mem::replace(&mut signal.ready, ready) != ready);
    }
}

/// Somebody who waits.
pub(crate) struct Waiting<'a>(&'a Shelf);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut lines = self.0.lines();
        lines.waiting -= 1;
        lines.wanted = Instant::now();
    }
}

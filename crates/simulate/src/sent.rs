//! What came of what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::StatusCode;

use crate::forgery::Forgery;
use crate::plan::{Post, chance};

/// The events that were acknowledged, each with the different bodies it came in: as many receipts are to be found.
pub type Acknowledged = BTreeMap<String, BTreeSet<u64>>;

/// What came of one way to forge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Requests forged so.
    pub sent: u64,
    /// Answered that they are refused.
    pub refused: u64,
    /// Answered with success.
    pub taken: u64,
    /// Neither.
    pub unanswered: u64,
}

impl Way {
    /// The same, and another.
    pub fn add(&mut self, other: &Way) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.taken += other.taken;
        self.unanswered += other.unanswered;
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Sent {
    /// Requests proved as the gateway proves them.
    pub deliveries: u64,
    /// Of them, answered with success.
    pub accepted: u64,
    /// Tries after the first.
    pub retried: u64,
    /// Of them, never answered with success.
    pub given_up: u64,
    /// The status last given to a delivery that was given up; none if there was no answer at all.
    pub last_status: Option<u16>,
    /// Forged requests, by how they were forged.
    pub ways: BTreeMap<Forgery, Way>,
    /// What was acknowledged.
    pub acknowledged: Acknowledged,
    pub(crate) latencies: Vec<u64>,
    pub(crate) took: Duration,
}

/// How one post ended.
pub(crate) struct Ended {
    pub(crate) event: String,
    /// Tells bodies apart.
    pub(crate) content: u64,
    pub(crate) forgery: Option<Forgery>,
    /// The last answer; none if there was none.
    pub(crate) status: Option<StatusCode>,
    pub(crate) tries: u64,
    /// Microseconds.
    pub(crate) latency: u64,
}

/// Tells the bodies of one event apart.
pub(crate) fn content(post: &Post) -> u64 {
    chance(&post.body)
}

/// What is acknowledged when everything is.
#[must_use]
pub fn in_full(posts: &[Post]) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for post in posts.iter().filter(|post| post.forgery.is_none()) {
        acknowledged.entry(post.event.clone()).or_default().insert(content(post));
    }
    acknowledged
}

impl Sent {
    /// Forged requests.
    #[must_use]
    pub fn forgeries(&self) -> u64 {
        self.ways.values().map(|way| way.sent).sum()
    }

    /// Forged requests that were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.ways.values().map(|way| way.refused).sum()
    }

    /// Forged requests that must be refused and were answered with success.
    #[must_use]
    pub fn believed(&self) -> u64 {
        self.ways.iter().filter(|(way, _)| way.is_refused()).map(|(_, came)| came.taken).sum()
    }

    /// Forged requests that prove nothing but that somebody should look, and were taken as such.
    #[must_use]
    pub fn hints(&self) -> u64 {
        self.ways.iter().filter(|(way, _)| !way.is_refused()).map(|(_, came)| came.taken).sum()
    }

    /// Forged requests nobody answered: neither refused nor believed.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.ways.values().map(|way| way.unanswered).sum()
    }

    /// Requests a second.
    #[allow(clippy::cast_precision_loss, reason = "for display")]
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// A share of the answers came within so many milliseconds.
    #[allow(clippy::cast_precision_loss, reason = "for display")]
    #[must_use]
    pub fn percentile(&self, share: usize) -> f64 {
        self.latencies.get(self.latencies.len() * share / 100).map_or(0.0, |micros| *micros as f64 / 1_000.0)
    }

    pub(crate) fn count(&mut self, ended: Ended) {
        self.latencies.push(ended.latency);
        let acknowledged = ended.status.is_some_and(|status| status.is_success());
        if let Some(forgery) = ended.forgery {
            let way = self.ways.entry(forgery).or_default();
            way.sent += 1;
            let refused = ended.status.is_some_and(|status| status.is_client_error());
            *(match (acknowledged, refused) {
                (true, _) => &mut way.taken,
                (false, true) => &mut way.refused,
                (false, false) => &mut way.unanswered,
            }) += 1;
            return;
        }
        self.deliveries += 1;
        self.retried += ended.tries - 1;
        if acknowledged {
            self.accepted += 1;
            self.acknowledged.entry(ended.event).or_default().insert(ended.content);
        } else {
            self.given_up += 1;
            self.last_status = ended.status.map(|status| status.as_u16()).or(self.last_status);
        }
    }
}

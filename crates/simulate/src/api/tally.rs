//! What was asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::is_open;

/// What carries a payment, at the gateways that are asked.
const PAYMENTS: [&str; 7] = [
    "/v1/payments",
    "/v1/orders",
    "/api/v3/order",
    "/charges",
    "/open-banking/payments/v4/pix/payments",
    "/open-banking/payments/v5/pix/payments",
    "/open-banking/automatic-payments/v2/pix/recurring-payments",
];

/// How often an API was asked, and how it answered.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers by kind: a status, or what was wrong with it.
    pub answers: BTreeMap<&'static str, u64>,
    /// Calls by what was asked for: paths without the id at their end.
    pub objects: BTreeMap<Box<str>, u64>,
    /// The most in any one second.
    pub most_a_second: usize,
    /// Public keys that were given out, by their paths.
    keys: std::collections::BTreeSet<Box<str>>,
    /// Of the last second, the oldest first.
    recent: std::collections::VecDeque<Instant>,
}

impl Tally {
    pub(super) fn count(&mut self, path: &str, what: &'static str) {
        let now = Instant::now();
        if what == "200" && is_open(path) {
            self.keys.insert(path.into());
        }
        *self.answers.entry(what).or_default() += 1;
        let kind = path.rsplit_once('/').map_or(path, |(kind, _)| kind);
        *self.objects.entry(kind.into()).or_default() += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        self.most_a_second = self.most_a_second.max(self.recent.len());
    }

    /// Whether the public keys of a path were given out.
    pub(super) fn was_shown(&self, path: &str) -> bool {
        self.keys.contains(path)
    }

    /// Those that asked for what carries a payment.
    #[must_use]
    pub fn of_payments(&self) -> u64 {
        PAYMENTS.iter().filter_map(|kind| self.objects.get(*kind)).sum()
    }

    /// All of them.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answers.values().sum()
    }
}

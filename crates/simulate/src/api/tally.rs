//! What was asked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often an API was asked, and how it answered.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers by kind: a status, or what was wrong with it.
    pub answers: BTreeMap<&'static str, u64>,
    /// The most in any one second.
    pub most_a_second: usize,
    /// Of the last second, the oldest first.
    recent: std::collections::VecDeque<Instant>,
}

impl Tally {
    pub(super) fn count(&mut self, what: &'static str) {
        let now = Instant::now();
        *self.answers.entry(what).or_default() += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        self.most_a_second = self.most_a_second.max(self.recent.len());
    }

    /// All of them.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answers.values().sum()
    }
}

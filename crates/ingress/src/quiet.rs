//! A log line that cannot flood.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lets one line through per interval and counts what it held back.
#[derive(Debug)]
pub(crate) struct Quiet {
    since: Instant,
    interval_millis: u64,
    next_millis: AtomicU64,
    held_back: AtomicU64,
}

impl Quiet {
    pub(crate) fn new(interval: Duration) -> Quiet {
        Quiet {
            since: Instant::now(),
            interval_millis: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            next_millis: AtomicU64::new(0),
            held_back: AtomicU64::new(0),
        }
    }

    /// `Some(n)` if a line may be written now, where `n` lines before it were held back; `None` if this one is.
    pub(crate) fn speak(&self) -> Option<u64> {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let next = self.next_millis.load(Ordering::Relaxed);
        let then = now.saturating_add(self.interval_millis);
        let mine =
            now >= next && self.next_millis.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if mine {
            Some(self.held_back.swap(0, Ordering::Relaxed))
        } else {
            self.held_back.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_and_the_rest_are_counted() {
        let quiet = Quiet::new(Duration::from_hours(1));
        assert_eq!(quiet.speak(), Some(0));
        assert_eq!(quiet.speak(), None);
        assert_eq!(quiet.speak(), None);
        assert_eq!(quiet.held_back.load(Ordering::Relaxed), 2);
    }
}

//! The queue's clock: reads the system's once and counts on from there, so that a step of the system clock neither holds
//! up nor hurries what waits.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: i64,
    /// What it shows instead, microseconds since 1970: a clock that only moves when somebody moves it.
    shown: Option<Arc<watch::Sender<i64>>>,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { started: Instant::now(), started_at: micros(since), shown: None }
    }

    pub(crate) fn moved_by_hand(shown: Arc<watch::Sender<i64>>) -> Clock {
        Clock { shown: Some(shown), ..Clock::start() }
    }

    /// Microseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        match &self.shown {
            Some(shown) => *shown.borrow(),
            None => self.started_at.saturating_add(micros(self.started.elapsed())),
        }
    }

    /// Ends at that time; at once if it has passed.
    pub(crate) async fn reach(&self, then: i64) {
        match &self.shown {
            // Its end is not waited for by anybody: whoever moves it holds it.
            Some(shown) => drop(shown.subscribe().wait_for(|now| *now >= then).await),
            None => tokio::time::sleep(self.until(then)).await,
        }
    }

    fn until(&self, then: i64) -> Duration {
        Duration::from_micros(u64::try_from(then.saturating_sub(self.now())).unwrap_or(0))
    }

    /// When something delayed by this much from now is due. Never zero, which means ready.
    pub(crate) fn due(&self, delay: Duration) -> i64 {
        self.now().saturating_add(micros(delay.min(super::LONGEST_DELAY))).max(1)
    }
}

pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn nothing_is_due_later_than_the_longest_delay_or_at_the_time_that_means_ready() {
        let clock = Clock::start();
        assert!(clock.due(Duration::MAX) <= clock.now() + micros(super::super::LONGEST_DELAY));
        assert_eq!(Clock { started_at: -1_000_000, ..clock.clone() }.due(Duration::ZERO), 1);
    }

    #[test]
    fn what_has_passed_is_not_waited_for() {
        let clock = Clock::start();
        assert_eq!(clock.until(1), Duration::ZERO);
        assert_eq!(clock.until(i64::MIN), Duration::ZERO);
        assert!(clock.until(clock.now() + 60_000_000) > Duration::from_secs(50));
    }
    #[tokio::test]
    async fn a_time_is_reached_when_it_has_come_and_not_before() {
        let clock = Clock::start();
        let then = clock.due(Duration::from_millis(5));
        clock.reach(then).await;
        assert!(clock.now() >= then);
    }

    #[tokio::test]
    async fn a_clock_moved_by_hand_reaches_what_it_is_moved_to() {
        let shown = Arc::new(watch::channel(100).0);
        let clock = Clock::moved_by_hand(Arc::clone(&shown));
        assert!(clock.reach(100).now_or_never().is_some());
        let mut waiting = std::pin::pin!(clock.reach(102));
        for (now, is_there) in [(100, false), (101, false), (102, true)] {
            shown.send_replace(now);
            assert_eq!(waiting.as_mut().now_or_never().is_some(), is_there, "{now}");
        }
    }
}

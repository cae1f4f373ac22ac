//! What one account may ask at this moment: at once, a second, a month, and whether its gateway is worth asking.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Budget;
use crate::outcome::Outcome;

/// So many failures in a row close the gate.
const OPEN_AFTER: u32 = 5;
/// The longest it stays closed before one want goes as a probe.
const LONGEST_CLOSED: Duration = Duration::from_secs(60);
/// A second, and a little for what calls need on their way.
const WINDOW: Duration = Duration::from_millis(1_040);
/// One in so many calls of a month is kept for what is proved.
const HINTLESS: u64 = 10;
/// A gateway that takes no more and does not say for how long.
const LIMITED: Duration = Duration::from_secs(10);

/// One account's gate.
pub(crate) struct Gate {
    limiter: DefaultDirectRateLimiter,
    seats: Arc<Semaphore>,
    budget: Budget,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Failures of the gateway in a row.
    failures: u32,
    closed_until: Option<Instant>,
    /// The month the calls below were counted in, as the ledger has it.
    month: Box<str>,
    /// Calls of that month.
    spent: u64,
    counted_at: Option<Instant>,
}

impl Gate {
    pub(crate) fn new(budget: Budget) -> Gate {
        // No burst beyond a tenth of a second, and what it adds is taken off the rate: a gateway counts in windows of its own, and
        // none of them may hold more than the budget, though calls take longer or shorter on their way.
        let burst = (budget.per_second / 10).max(1);
        let rate = (budget.per_second + 1).saturating_sub(burst).max(1);
        let quota = Quota::with_period(WINDOW / rate).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN));
        Gate {
            limiter: RateLimiter::direct(quota),
            seats: Arc::new(Semaphore::new(budget.at_once as usize)),
            budget,
            state: Mutex::default(),
        }
    }

    /// Seats for as many wants as may be asked now; each is held while one is. While the gateway fails, one at a time.
    pub(crate) fn seats(&self, now: Instant) -> Vec<OwnedSemaphorePermit> {
        let state = self.state();
        let idle = self.seats.available_permits() == self.budget.at_once as usize;
        let most = match state.closed_until {
            Some(until) if now < until => 0,
            _ if self.left_of(&state) == Some(0) => 0,
            _ if state.failures >= OPEN_AFTER => usize::from(idle),
            _ => self.budget.at_once as usize,
        };
        drop(state);
        (0..most).map_while(|_| Arc::clone(&self.seats).try_acquire_owned().ok()).collect()
    }

    /// Waits for the turn of one call, and counts it.
    pub(crate) async fn turn(&self) {
        self.limiter.until_ready().await;
        self.state().spent += 1;
    }

    /// How asking ended. Anything the gateway said shows that it is there.
    pub(crate) fn ended(&self, outcome: Outcome, retry_after: Option<Duration>, now: Instant) {
        let mut state = self.state();
        if outcome.is_of_the_gateway() {
            state.failures = state.failures.saturating_add(1);
            if let Some(beyond) = state.failures.checked_sub(OPEN_AFTER) {
                let closed = Duration::from_secs(1 << beyond.min(6)).min(LONGEST_CLOSED);
                state.closed_until = Some(now + closed.max(retry_after.unwrap_or_default()));
            }
        } else if outcome == Outcome::Limited {
            let until = now + retry_after.unwrap_or(LIMITED);
            state.closed_until = state.closed_until.max(Some(until));
        } else if !matches!(outcome, Outcome::Impossible | Outcome::NotRecorded) {
            state.failures = 0;
        }
    }

    /// Whether nobody is asked at this moment because of how asking ended.
    pub(crate) fn is_closed(&self, now: Instant) -> bool {
        let state = self.state();
        state.failures >= OPEN_AFTER || state.closed_until.is_some_and(|until| now < until)
    }

    /// Whether the calls of the month have to be counted again: other processes make some as well.
    pub(crate) fn wants_count(&self, month: &str, now: Instant) -> bool {
        let state = self.state();
        let is_old = state.counted_at.is_none_or(|at| now.duration_since(at) > Duration::from_secs(60));
        self.budget.per_month.is_some() && (is_old || *state.month != *month)
    }

    /// So many calls were made this month, as the ledger has it.
    pub(crate) fn counted(&self, month: &str, spent: u64, now: Instant) {
        let mut state = self.state();
        // What is under way is not in the ledger yet.
        let spent = if *state.month == *month { spent.max(state.spent) } else { spent };
        (state.month, state.spent, state.counted_at) = (month.into(), spent, Some(now));
    }

    /// Calls left of the month's budget; none if there is no such budget.
    pub(crate) fn left(&self) -> Option<u64> {
        self.left_of(&self.state())
    }

    /// Whether what nobody signed may be asked: not with the last tenth of the month's calls, which is for what is proved.
    pub(crate) fn takes_hints(&self) -> bool {
        let Some(most) = self.budget.per_month else { return true };
        self.left().is_none_or(|left| left > most / HINTLESS)
    }

    fn left_of(&self, state: &State) -> Option<u64> {
        self.budget.per_month.map(|most| most.saturating_sub(state.spent))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(per_month: Option<u64>) -> Gate {
        Gate::new(Budget { per_second: 1_000, per_month, at_once: 4 })
    }

    #[tokio::test]
    async fn a_gateway_that_fails_is_probed_one_at_a_time_less_and_less_often_until_it_answers() {
        let (gate, mut now) = (gate(None), Instant::now());
        for _ in 0..OPEN_AFTER {
            assert_eq!(gate.seats(now).len(), 4);
            gate.ended(Outcome::Failed, None, now);
        }
        for closed in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(gate.is_closed(now) && gate.seats(now).is_empty(), "{closed}");
            now += Duration::from_secs(closed);
            let probe = gate.seats(now);
            assert_eq!((probe.len(), gate.seats(now).len()), (1, 0), "{closed}");
            gate.ended(Outcome::TimedOut, None, now);
        }
        now += LONGEST_CLOSED;
        gate.ended(Outcome::Absent, None, now);
        assert!(!gate.is_closed(now));
        assert_eq!(gate.seats(now).len(), 4);
    }

    #[tokio::test]
    async fn a_gateway_that_says_how_long_to_wait_is_left_alone_for_as_long() {
        let (gate, now) = (gate(None), Instant::now());
        gate.ended(Outcome::Limited, Some(Duration::from_secs(30)), now);
        gate.ended(Outcome::Limited, Some(Duration::from_secs(5)), now);
        gate.ended(Outcome::Answered, None, now);
        assert!(gate.seats(now + Duration::from_secs(29)).is_empty());
        assert_eq!(gate.seats(now + Duration::from_secs(30)).len(), 4);
    }

    #[tokio::test]
    async fn the_last_tenth_of_a_month_is_kept_for_what_is_proved() {
        let (gate, now) = (gate(Some(100)), Instant::now());
        gate.counted("2026-11", 89, now);
        assert!(gate.takes_hints());
        gate.counted("2026-11", 90, now);
        assert!(!gate.takes_hints() && gate.seats(now).len() == 4);
        assert!(self::gate(None).takes_hints());
    }

    #[tokio::test]
    async fn the_budget_of_a_month_ends_with_it() {
        let (gate, now) = (gate(Some(3)), Instant::now());
        assert!(gate.wants_count("2026-11", now));
        gate.counted("2026-11", 2, now);
        assert_eq!((gate.left(), gate.seats(now).len()), (Some(1), 4));
        gate.turn().await;
        assert_eq!((gate.left(), gate.seats(now).len()), (Some(0), 0));
        gate.counted("2026-11", 2, now);
        assert_eq!(gate.left(), Some(0), "a call that is under way is not in the ledger yet");
        assert!(gate.wants_count("2026-12", now));
        gate.counted("2026-12", 0, now);
        assert_eq!((gate.left(), gate.seats(now).len()), (Some(3), 4));
    }
}

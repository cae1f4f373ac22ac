//! What a message is told: a pure table.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use afluente_model::DeliveryId;
use afluente_queue::Settlement;

/// When a delivery that failed for the moment is tried again.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// One wait an attempt; past the last the delivery is dead.
    pub rungs: Vec<Duration>,
    /// The wait of a delivery whose account the ledger does not know yet; no number of tries ends it.
    pub account_missing: Duration,
    /// The wait of a delivery that needs a row somebody else holds; no number of tries ends it.
    pub contended: Duration,
}

impl Default for RetryPolicy {
    /// 5 s, 30 s, 2 min, 10 min, 1 h, 6 h.
    fn default() -> RetryPolicy {
        let rungs = [5, 30, 120, 600, 3_600, 21_600].map(Duration::from_secs).to_vec();
        RetryPolicy { rungs, account_missing: Duration::from_secs(5), contended: Duration::from_secs(10) }
    }
}

/// What to do with a delivery that failed for the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again after about this long.
    Wait(Duration),
    /// Every rung was used.
    GiveUp,
}

impl RetryPolicy {
    /// The step after `attempt` earlier tries.
    pub(crate) fn after(&self, attempt: u32) -> Next {
        let rung = usize::try_from(attempt).ok().and_then(|attempt| self.rungs.get(attempt));
        rung.map_or(Next::GiveUp, |wait| Next::Wait(*wait))
    }

    /// The longest wait, for a delivery that cannot even be buried because the ledger is away.
    pub(crate) fn last(&self) -> Duration {
        self.rungs.last().copied().unwrap_or(Duration::from_mins(1))
    }
}

/// A number of a message's own: of its id and its attempt, so that neither a batch nor a message's tries share one.
pub(crate) fn spread(id: DeliveryId, attempt: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id.0.as_bytes(), attempt).hash(&mut hasher);
    hasher.finish()
}

/// Spreads waits by up to a tenth, so that what failed together does not come back together. `spread` is any number.
pub(crate) fn jittered(wait: Duration, spread: u64) -> Settlement {
    let tenth = wait / 10;
    let part = u32::try_from(spread % 1_000).unwrap_or(0);
    Settlement::RetryAfter(wait + tenth * part / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_takes_the_next_rung_and_then_gives_up() {
        let policy = RetryPolicy::default();
        let waits: Vec<Next> = (0..7).map(|attempt| policy.after(attempt)).collect();
        let seconds = |secs| Next::Wait(Duration::from_secs(secs));
        assert_eq!(
            waits,
            [seconds(5), seconds(30), seconds(120), seconds(600), seconds(3_600), seconds(21_600), Next::GiveUp]
        );
        assert_eq!(policy.after(u32::MAX), Next::GiveUp);
        assert_eq!(policy.last(), Duration::from_hours(6));
        assert_eq!(RetryPolicy { rungs: Vec::new(), ..policy }.last(), Duration::from_mins(1));
    }

    #[test]
    fn what_fails_together_does_not_come_back_together() {
        let ids: Vec<DeliveryId> = (0..256).map(|_| DeliveryId(uuid::Uuid::now_v7())).collect();
        let wait = Duration::from_hours(1);
        let waits = |attempt: u32| -> std::collections::BTreeSet<Duration> {
            let after = |id: &DeliveryId| match jittered(wait, spread(*id, attempt)) {
                Settlement::RetryAfter(after) => after,
                Settlement::Ack => panic!("not a retry"),
            };
            ids.iter().map(after).collect()
        };
        assert!(waits(0).len() > 150, "{} different waits of 256", waits(0).len());
        assert_ne!(waits(0), waits(1));
    }

    #[test]
    fn jitter_only_lengthens_and_by_a_tenth_at_most() {
        let wait = Duration::from_secs(30);
        for spread in [0, 1, 500, 999, 123_456_789, u64::MAX] {
            let Settlement::RetryAfter(after) = jittered(wait, spread) else { panic!("not a retry") };
            assert!(after >= wait && after <= wait + wait / 10, "{after:?}");
        }
    }
}

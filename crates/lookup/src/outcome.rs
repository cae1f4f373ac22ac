//! How asking ended, and when it is tried again: pure tables.

use std::time::Duration;

/// Declares [`Outcome`] with its words in one place.
macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)+) => {
        /// How one try to answer a want ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome { $($(#[$doc])* $variant,)+ }

        impl Outcome {
            /// Every one.
            pub const ALL: &'static [Outcome] = &[$(Outcome::$variant,)+];

            /// The word in the ledger and in metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Outcome::$variant => $word,)+ }
            }
        }
    };
}

outcomes! {
    /// The gateway said what was asked.
    Answered => "answered",
    /// It says that there is no such thing (404).
    Absent => "absent",
    /// It takes no more for a while (429).
    Limited => "limited",
    /// It does not know our token (401).
    Unauthorized => "unauthorized",
    /// Our token may not read this (403).
    Forbidden => "forbidden",
    /// Any other 4xx.
    Refused => "refused",
    /// A 5xx, or any other status that is no answer.
    Failed => "failed",
    /// It sends us elsewhere, which is never followed.
    Redirected => "redirected",
    /// Nobody there, or nobody we could speak TLS with.
    Unreachable => "unreachable",
    /// It did not answer in time.
    TimedOut => "timed_out",
    /// The answer broke off.
    Cut => "cut",
    /// The answer is larger than any of its kind.
    TooLarge => "too_large",
    /// The answer is not what was asked, or nobody can read it.
    Unusable => "unusable",
    /// The answer is not signed as this gateway signs, or was signed for somebody else, or came before.
    Unproved => "unproved",
    /// No call of this gateway answers such a question.
    Impossible => "impossible",
    /// The ledger did not take the answer.
    NotRecorded => "not_recorded",
}

/// Waits after an answer that there is no such thing: gateways lag behind their own notices by seconds. After these it is
/// remembered for an hour at a time.
const ABSENT: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(300)];
const HOUR: Duration = Duration::from_secs(3_600);

impl Outcome {
    /// Whether it says that the gateway as a whole is not to be asked now: several in a row open the breaker.
    pub(crate) fn is_of_the_gateway(self) -> bool {
        match self {
            Outcome::Unauthorized | Outcome::Failed | Outcome::Unreachable | Outcome::TimedOut | Outcome::Cut => true,
            Outcome::Answered
            | Outcome::Absent
            | Outcome::Limited
            | Outcome::Forbidden
            | Outcome::Refused
            | Outcome::Redirected
            | Outcome::TooLarge
            | Outcome::Unusable
            | Outcome::Unproved
            | Outcome::Impossible
            | Outcome::NotRecorded => false,
        }
    }

    /// How long one want waits, after so many tries and so many answers that there is no such thing before this.
    pub(crate) fn wait(self, attempts: i64, absences: i64) -> Duration {
        let place = |count: i64| usize::try_from(count).unwrap_or(0);
        match self {
            // It was raised meanwhile: a flood of notices is asked about less and less often.
            Outcome::Answered => doubling(place(attempts) + 1, Duration::from_secs(60)),
            Outcome::Absent => ABSENT.get(place(absences)).copied().unwrap_or(HOUR),
            // The gate of the account is what waits.
            Outcome::Limited => Duration::from_secs(1),
            Outcome::Unauthorized | Outcome::Failed | Outcome::Unreachable | Outcome::TimedOut | Outcome::Cut => {
                doubling(place(attempts), Duration::from_secs(600))
            }
            // An answer the ledger refuses would be refused again at once.
            Outcome::Refused | Outcome::Redirected | Outcome::TooLarge | Outcome::Unusable | Outcome::NotRecorded => {
                doubling(place(attempts) + 3, HOUR)
            }
            // Mostly a key that is not shown yet.
            Outcome::Unproved => doubling(place(attempts), HOUR),
            Outcome::Forbidden | Outcome::Impossible => HOUR,
        }
    }
}

/// 1, 2, 4 … seconds.
fn doubling(attempts: usize, most: Duration) -> Duration {
    Duration::from_secs(1 << attempts.min(12)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_asked_soon_and_then_every_hour() {
        let waits: Vec<u64> = (0..6).map(|absences| Outcome::Absent.wait(99, absences).as_secs()).collect();
        assert_eq!(waits, [1, 5, 30, 300, 3_600, 3_600]);
    }

    #[test]
    fn what_fails_is_asked_less_and_less_often_and_always_again() {
        let waits: Vec<u64> = (0..12).map(|attempts| Outcome::Failed.wait(attempts, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        for outcome in Outcome::ALL {
            assert!(outcome.wait(i64::MAX, i64::MAX) <= HOUR, "{outcome:?}");
            assert!(outcome.wait(0, 0) >= Duration::from_secs(1), "{outcome:?}");
        }
    }
}

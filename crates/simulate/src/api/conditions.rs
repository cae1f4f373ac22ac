//! How well an API is.

use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How well an API is played.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// The share of calls that meet trouble, 0 to 1.
    pub trouble: f64,
    /// What it goes through first, one after the other.
    pub phases: Vec<Phase>,
    /// The longest time an object lags behind its notice.
    pub lag: Duration,
    /// How long the public keys are not shown.
    pub keys_away: Duration,
    /// Chooses the trouble.
    pub seed: u64,
}

/// A time in which an API is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody listens for this long.
    Down(Duration),
    /// So many calls are too many.
    Limited(u32),
    /// So many calls find nothing.
    Absent(u32),
    /// So many calls fail.
    Failing(u32),
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Phase, String> {
        let wrong = || format!("expected down=SECONDS, limited=CALLS, absent=CALLS or failing=CALLS, got {text:?}");
        let (word, number) = text.split_once('=').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        match word {
            "down" => Ok(Phase::Down(Duration::from_secs(number.into()))),
            "limited" => Ok(Phase::Limited(number)),
            "absent" => Ok(Phase::Absent(number)),
            "failing" => Ok(Phase::Failing(number)),
            _ => Err(wrong()),
        }
    }
}

/// What is wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Unauthorized,
    Absent,
    /// With how many seconds to wait.
    Limited(u32),
    Failing,
    Unavailable,
    /// It comes, but late.
    Slow,
    /// It ends before its end.
    Cut,
    /// It is a page for people.
    Garbage,
}

const TROUBLES: [Trouble; 8] = [
    Trouble::Unauthorized,
    Trouble::Absent,
    Trouble::Limited(1),
    Trouble::Failing,
    Trouble::Unavailable,
    Trouble::Slow,
    Trouble::Cut,
    Trouble::Garbage,
];

/// The conditions as they go on.
pub(super) struct Weather {
    phases: VecDeque<Phase>,
    trouble: f64,
    random: StdRng,
}

impl Weather {
    pub(super) fn new(conditions: Conditions) -> Weather {
        let random = StdRng::seed_from_u64(conditions.seed);
        Weather { phases: conditions.phases.into(), trouble: conditions.trouble, random }
    }

    /// How long nobody listens from now on.
    pub(super) fn down(&self) -> Option<Duration> {
        match self.phases.front() {
            Some(Phase::Down(length)) => Some(*length),
            _ => None,
        }
    }

    /// The time in which nobody listened is over.
    pub(super) fn up(&mut self) {
        self.phases.pop_front();
    }

    /// What the next call meets.
    pub(super) fn next(&mut self) -> Option<Trouble> {
        let met = match self.phases.front_mut() {
            None if self.random.random_bool(self.trouble) => {
                return Some(TROUBLES[self.random.random_range(0..TROUBLES.len())]);
            }
            // Who still gets through to a server that goes down finds it failing.
            Some(Phase::Down(_)) => return Some(Trouble::Unavailable),
            None => return None,
            Some(Phase::Limited(left)) => (left, Trouble::Limited(3)),
            Some(Phase::Absent(left)) => (left, Trouble::Absent),
            Some(Phase::Failing(left)) => (left, Trouble::Failing),
        };
        let (left, trouble) = met;
        if *left == 0 {
            self.phases.pop_front();
            return self.next();
        }
        *left -= 1;
        Some(trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_one_another_and_then_it_is_well() {
        let phases = ["down=2", "limited=2", "absent=1", "failing=0"].map(|text| text.parse().unwrap()).into();
        let mut weather =
            Weather::new(Conditions { trouble: 0.0, phases, lag: Duration::ZERO, keys_away: Duration::ZERO, seed: 1 });
        assert_eq!(weather.down(), Some(Duration::from_secs(2)));
        weather.up();
        assert_eq!(weather.down(), None);
        let met: Vec<_> = (0..5).map(|_| weather.next()).collect();
        assert_eq!(met, [Some(Trouble::Limited(3)), Some(Trouble::Limited(3)), Some(Trouble::Absent), None, None]);
    }

    #[test]
    fn trouble_is_met_as_often_as_was_asked_for_and_every_kind_of_it() {
        let conditions =
            Conditions { trouble: 0.2, phases: Vec::new(), lag: Duration::ZERO, keys_away: Duration::ZERO, seed: 1 };
        let mut weather = Weather::new(conditions);
        let met: Vec<_> = (0..2_000).filter_map(|_| weather.next()).collect();
        assert!((300..500).contains(&met.len()), "{}", met.len());
        assert!(TROUBLES.iter().all(|trouble| met.contains(trouble)));
    }

    #[test]
    fn a_phase_that_is_none_is_told_what_was_expected() {
        for bad in ["", "down", "down=", "down=-1", "up=3", "limited=x"] {
            assert!(bad.parse::<Phase>().unwrap_err().contains("expected down=SECONDS"), "{bad}");
        }
    }
}

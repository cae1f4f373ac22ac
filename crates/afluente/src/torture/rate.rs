//! How fast it went on after each fault, held against how fast it went before. Pure.

use std::ops::Range;

use serde_json::{Value, json};

/// Over so many seconds a rate is taken.
const WINDOW: usize = 10;
/// So many seconds after a fault it must have regained its rate.
const WITHIN: usize = 30;

/// The rate after each of several faults, as a share of the rate before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Regained {
    shares: Vec<f64>,
}

impl Regained {
    /// `totals` is what was done by the end of each second, `faults` the seconds in which something was killed. A fault with no time
    /// before or after it, or nothing done before it, says nothing.
    pub(super) fn of(totals: &[u64], faults: impl IntoIterator<Item = usize>) -> Regained {
        let mut shares: Vec<f64> = faults.into_iter().filter_map(|fault| share(totals, fault)).collect();
        shares.sort_by(f64::total_cmp);
        Regained { shares }
    }

    /// Of how many faults something is known.
    pub(super) fn faults(&self) -> usize {
        self.shares.len()
    }

    /// The middle one, and the worst.
    pub(super) fn median_and_worst(&self) -> Option<(f64, f64)> {
        Some((*self.shares.get(self.shares.len() / 2)?, *self.shares.first()?))
    }

    pub(super) fn text(&self) -> String {
        self.median_and_worst().map_or_else(
            || "-".to_owned(),
            |(median, worst)| format!("median {median:.2}, worst {worst:.2} of {}", self.faults()),
        )
    }

    pub(super) fn json(&self) -> Value {
        let (median, worst) = self.median_and_worst().unzip();
        json!({"faults": self.faults(), "median": median, "worst": worst})
    }
}

/// The best rate that begins within [`WITHIN`] seconds of the fault, as a share of the rate before it.
fn share(totals: &[u64], fault: usize) -> Option<f64> {
    let before = done(totals, fault.checked_sub(WINDOW)?..fault)?;
    let after: Vec<u64> =
        (fault..=fault + WITHIN - WINDOW).filter_map(|from| done(totals, from..from + WINDOW)).collect();
    // One that was not watched to its end might have regained more.
    let best = after.iter().copied().max().filter(|_| totals.len() > fault + WITHIN)?;
    #[allow(clippy::cast_precision_loss, reason = "counts of some thousands")]
    (before > 0).then(|| best as f64 / before as f64)
}

/// What was done in these seconds.
fn done(totals: &[u64], seconds: Range<usize>) -> Option<u64> {
    let by_the_end_of = |second: usize| totals.get(second.checked_sub(1)?).copied();
    Some(by_the_end_of(seconds.end)?.saturating_sub(by_the_end_of(seconds.start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten a second, with these exceptions.
    fn totals(seconds: usize, slow: Range<usize>, rate: u64) -> Vec<u64> {
        let mut total = 0;
        let per = |second: usize| if slow.contains(&second) { rate } else { 10 };
        (0..seconds)
            .map(|second| {
                total += per(second);
                total
            })
            .collect()
    }

    #[test]
    fn a_rate_that_is_regained_within_half_a_minute_is_all_of_it() {
        let regained = Regained::of(&totals(60, 20..35, 0), [20]);
        assert_eq!(regained.median_and_worst(), Some((1.0, 1.0)));
    }

    #[test]
    fn one_that_is_not_is_the_share_it_came_to() {
        assert_eq!(Regained::of(&totals(60, 20..60, 5), [20]).median_and_worst(), Some((0.5, 0.5)));
        assert_eq!(Regained::of(&totals(60, 20..60, 0), [20]).text(), "median 0.00, worst 0.00 of 1");
    }

    #[test]
    fn a_fault_without_time_around_it_or_with_nothing_before_says_nothing() {
        let steady = totals(60, 0..0, 0);
        assert_eq!(Regained::of(&steady, [5, 10, 45, 90]).faults(), 0);
        assert_eq!(Regained::of(&totals(60, 0..20, 0), [20]).faults(), 0);
        assert_eq!(Regained::of(&steady, [20, 29]).faults(), 2);
        assert_eq!(Regained::of(&[], [0]).text(), "-");
    }
}

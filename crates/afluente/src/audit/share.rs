//! Shares against their goals: pure.

use std::fmt;

use serde_json::{Value, json};

/// How far below its goal a share may be before it is red, in percent.
const NEAR: i64 = 10;

/// What is measured, with the percentage that is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Customer,
    Link,
    Provider,
    Status,
    Method,
    Session,
    Ledger,
}

impl Measure {
    /// The word for programs.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Measure::Customer => "customer",
            Measure::Link => "provider_link",
            Measure::Provider => "provider_v2",
            Measure::Status => "status_v2",
            Measure::Method => "method",
            Measure::Session => "session_linked",
            Measure::Ledger => "in_ledger",
        }
    }

    /// Gateways that name no customer of their own keep links below the rest; a word every payment can have.
    pub(super) const fn goal(self) -> i64 {
        match self {
            Measure::Customer | Measure::Method | Measure::Session | Measure::Ledger => 95,
            Measure::Link => 80,
            Measure::Provider | Measure::Status => 100,
        }
    }
}

/// How a share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Amber,
    Red,
}

impl Colour {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Amber => "amber",
            Colour::Red => "red",
        }
    }
}

/// Of so many, so many have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) measure: Measure,
    pub(super) of: i64,
    pub(super) have: i64,
}

impl Share {
    /// How it stands; nothing where there is nothing to have it.
    pub(super) fn colour(self) -> Option<Colour> {
        let reached = |percent: i64| i128::from(self.have) * 100 >= i128::from(percent) * i128::from(self.of);
        let goal = self.measure.goal();
        (self.of > 0).then(|| match () {
            () if reached(goal) => Colour::Green,
            () if reached(goal - NEAR) => Colour::Amber,
            () => Colour::Red,
        })
    }

    /// Tenths of a percent, rounded down: what is not all of it is never shown as all of it.
    fn per_mille(self) -> Option<i128> {
        (self.of > 0).then(|| i128::from(self.have) * 1_000 / i128::from(self.of))
    }

    pub(super) fn document(self) -> Value {
        json!({
            "of": self.of, "have": self.have, "goal_percent": self.measure.goal(),
            "percent": self.per_mille().and_then(|tenths| i32::try_from(tenths).ok()).map(|tenths| f64::from(tenths) / 10.0),
            "colour": self.colour().map(Colour::word),
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.per_mille(), self.colour()) {
            (Some(tenths), Some(colour)) => write!(f, "{}.{} % {}", tenths / 10, tenths % 10, colour.word()),
            _ => write!(f, "-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customers(have: i64, of: i64) -> Share {
        Share { measure: Measure::Customer, of, have }
    }

    #[test]
    fn a_share_is_green_from_its_goal_and_red_ten_percent_below() {
        let shown = [(950, 1_000), (949, 1_000), (850, 1_000), (849, 1_000), (0, 3), (0, 0)];
        assert_eq!(
            shown.map(|(have, of)| customers(have, of).to_string()),
            ["95.0 % green", "94.9 % amber", "85.0 % amber", "84.9 % red", "0.0 % red", "-"]
        );
    }

    #[test]
    fn what_is_not_all_of_it_is_never_shown_as_all_of_it() {
        let words = Share { measure: Measure::Status, of: 100_000, have: 99_999 };
        assert_eq!(words.to_string(), "99.9 % amber");
        assert_eq!(Share { have: 100_000, ..words }.to_string(), "100.0 % green");
    }
}

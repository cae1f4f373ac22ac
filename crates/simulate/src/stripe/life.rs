//! Kinds of payment lives: what Stripe posts, step by step, and how each is known to end.
//!
//! The ends are written down by hand, in hundredths of the amount, from what happened to the money; they are never computed
//! by the fold they check.

use afluente_model::PaymentStatus;

use crate::plan::End;

/// One thing that happens, so many seconds after the payment began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) after: i64,
    pub(crate) what: What,
}

/// What happens. Parts of an amount are hundredths of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Created,
    /// 3-D Secure.
    Challenged,
    /// A Pix code or boleto is shown.
    Shown,
    Processing,
    /// Try number so many is declined.
    Declined(u8),
    /// The voucher or Pix code ran out; the intent asks for another method.
    RanOut,
    /// Try number so many is paid at once.
    Paid(u8),
    /// Money is held.
    Held,
    /// This much of what is held is taken, the rest released.
    Captured(i64),
    /// Called off by the merchant; what was held is released.
    Canceled,
    /// The hold ran out.
    HoldExpired,
    /// Refund number, how much, and its word.
    Refund(u8, i64, &'static str),
    /// So much is refunded in all, says the charge.
    TotalRefunded(i64),
    /// Dispute number, how much, and its word.
    Dispute(u8, i64, &'static str),
    ReviewOpened,
    ReviewClosed(&'static str),
    /// A hint without the object.
    Thin,
}

/// How a payment is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Card,
    Pix,
    Boleto,
}

/// One kind of life.
pub(crate) struct Life {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) steps: &'static [Step],
    pub(crate) end: End,
}

const fn at(after: i64, what: What) -> Step {
    Step { after, what }
}

const fn nothing(status: PaymentStatus) -> End {
    End::nothing(status)
}

const fn money(status: PaymentStatus, captured: i64, refunded: i64) -> End {
    End::money(status, captured, refunded)
}

const fn disputed(end: End, disputed: i64, charged_back: i64) -> End {
    end.disputed(disputed, charged_back)
}

use Method::{Boleto, Card, Pix};
use PaymentStatus as S;
use What::{
    Canceled, Captured, Challenged, Created, Declined, Dispute, Held, HoldExpired, Paid, Processing, RanOut, Refund,
    ReviewClosed, ReviewOpened, Shown, Thin, TotalRefunded,
};

macro_rules! life {
    ($name:literal, $method:expr, $end:expr, [$($after:literal $what:expr),+ $(,)?]) => {
        Life { name: $name, method: $method, steps: &[$(at($after, $what)),+], end: $end }
    };
}

/// Every kind.
pub(crate) static LIVES: &[Life] = &[
    life!("card paid at once", Card, money(S::Succeeded, 100, 0), [0 Created, 2 Paid(1), 3 Thin]),
    life!("card paid within the second", Card, money(S::Succeeded, 100, 0), [0 Created, 0 Processing, 0 Paid(1)]),
    life!("challenged, then paid", Card, money(S::Succeeded, 100, 0), [0 Created, 1 Challenged, 45 Processing, 47 Paid(1)]),
    life!("declined, then paid", Card, money(S::Succeeded, 100, 0), [0 Created, 2 Declined(1), 60 Paid(2)]),
    life!("declined twice, then paid", Card, money(S::Succeeded, 100, 0), [0 Created, 2 Declined(1), 30 Declined(2), 90 Paid(3)]),
    life!("declined for good", Card, nothing(S::Failed), [0 Created, 2 Declined(1)]),
    life!("declined within the second", Card, nothing(S::Failed), [0 Created, 0 Declined(1)]),
    life!("left at the challenge", Card, nothing(S::RequiresAction), [0 Created, 2 Challenged]),
    life!("created and left", Card, nothing(S::Pending), [0 Created]),
    life!("canceled before any try", Card, nothing(S::Canceled), [0 Created, 3_600 Canceled]),
    life!("Pix shown", Pix, nothing(S::RequiresAction), [0 Created, 1 Shown]),
    life!("Pix paid", Pix, money(S::Succeeded, 100, 0), [0 Created, 1 Shown, 70 Processing, 72 Paid(1)]),
    life!("Pix ran out", Pix, nothing(S::Expired), [0 Created, 1 Shown, 3_600 RanOut]),
    life!("Pix paid late, after it ran out", Pix, money(S::Succeeded, 100, 0), [0 Created, 1 Shown, 3_600 RanOut, 3_700 Paid(1)]),
    life!("boleto paid", Boleto, money(S::Succeeded, 100, 0), [0 Created, 1 Shown, 86_400 Processing, 86_500 Paid(1)]),
    life!("boleto ran out", Boleto, nothing(S::Expired), [0 Created, 1 Shown, 259_200 RanOut]),
    life!("bank at work", Boleto, nothing(S::Processing), [0 Created, 1 Shown, 86_400 Processing]),
    life!("held", Card, nothing(S::Authorized), [0 Created, 3 Held]),
    life!("held, then captured", Card, money(S::Succeeded, 100, 0), [0 Created, 3 Held, 7_200 Captured(100)]),
    life!("held, captured in part", Card, money(S::Succeeded, 60, 0), [0 Created, 3 Held, 7_200 Captured(60)]),
    life!("held, then canceled", Card, nothing(S::Canceled), [0 Created, 3 Held, 7_200 Canceled]),
    life!("hold ran out", Card, nothing(S::Expired), [0 Created, 3 Held, 604_800 HoldExpired]),
    life!("refunded in full", Card, money(S::Refunded, 100, 100),
        [0 Created, 2 Paid(1), 500 Refund(1, 100, "succeeded"), 500 TotalRefunded(100)]),
    life!("refunded in part", Card, money(S::PartiallyRefunded, 100, 30),
        [0 Created, 2 Paid(1), 500 Refund(1, 30, "pending"), 501 TotalRefunded(30), 520 Refund(1, 30, "succeeded")]),
    life!("two refunds to full", Card, money(S::Refunded, 100, 100),
        [0 Created, 2 Paid(1), 500 Refund(1, 40, "succeeded"), 500 TotalRefunded(40), 900 Refund(2, 60, "succeeded"), 900 TotalRefunded(100)]),
    life!("two refunds in one second", Card, money(S::PartiallyRefunded, 100, 50),
        [0 Created, 2 Paid(1), 500 Refund(1, 20, "succeeded"), 500 Refund(2, 30, "succeeded"), 500 TotalRefunded(50)]),
    life!("two refunds that leave something", Card, money(S::PartiallyRefunded, 100, 60),
        [0 Created, 2 Paid(1), 500 Refund(1, 25, "succeeded"), 501 TotalRefunded(25), 900 Refund(2, 35, "succeeded"),
         901 TotalRefunded(60)]),
    life!("captured in part, then refunded in part", Card, money(S::PartiallyRefunded, 60, 20),
        [0 Created, 3 Held, 7_200 Captured(60), 9_000 Refund(1, 20, "succeeded"), 9_001 TotalRefunded(20)]),
    life!("captured in part, then refunded in full", Card, money(S::Refunded, 60, 60),
        [0 Created, 3 Held, 7_200 Captured(60), 9_000 Refund(1, 60, "succeeded"), 9_001 TotalRefunded(60)]),
    life!("paid, refunded and lost within the second", Card, disputed(money(S::ChargedBack, 100, 30), 0, 70),
        [0 Created, 0 Paid(1), 0 Refund(1, 30, "succeeded"), 0 TotalRefunded(30), 0 Dispute(1, 70, "needs_response"),
         0 Dispute(1, 70, "lost")]),
    life!("refund on its way", Pix, End { refund_pending: 100, ..money(S::Succeeded, 100, 0) },
        [0 Created, 1 Shown, 60 Paid(1), 500 Refund(1, 100, "pending")]),
    life!("refund failed after success", Card, money(S::Succeeded, 100, 0),
        [0 Created, 2 Paid(1), 500 Refund(1, 100, "succeeded"), 500 TotalRefunded(100), 90_000 Refund(1, 100, "failed")]),
    life!("refund canceled", Pix, money(S::Succeeded, 100, 0),
        [0 Created, 1 Shown, 60 Paid(1), 500 Refund(1, 100, "pending"), 900 Refund(1, 100, "canceled")]),
    life!("disputed", Card, disputed(money(S::Disputed, 100, 0), 100, 0),
        [0 Created, 2 Paid(1), 80_000 Dispute(1, 100, "needs_response"), 90_000 Dispute(1, 100, "under_review")]),
    life!("dispute won", Card, money(S::Succeeded, 100, 0),
        [0 Created, 2 Paid(1), 80_000 Dispute(1, 100, "needs_response"), 90_000 Dispute(1, 100, "under_review"), 99_000 Dispute(1, 100, "won")]),
    life!("dispute lost", Card, disputed(money(S::ChargedBack, 100, 0), 0, 100),
        [0 Created, 2 Paid(1), 80_000 Dispute(1, 100, "needs_response"), 99_000 Dispute(1, 100, "lost")]),
    life!("lost, appealed, won", Card, money(S::Succeeded, 100, 0),
        [0 Created, 2 Paid(1), 80_000 Dispute(1, 100, "needs_response"), 90_000 Dispute(1, 100, "lost"),
         95_000 Dispute(1, 100, "appeal_under_review"), 99_000 Dispute(1, 100, "won")]),
    life!("inquiry closed", Card, money(S::Succeeded, 100, 0),
        [0 Created, 2 Paid(1), 80_000 Dispute(1, 100, "warning_needs_response"), 99_000 Dispute(1, 100, "warning_closed")]),
    life!("chargeback after a partial refund", Card, disputed(money(S::ChargedBack, 100, 30), 0, 70),
        [0 Created, 2 Paid(1), 500 Refund(1, 30, "succeeded"), 500 TotalRefunded(30), 80_000 Dispute(1, 70, "needs_response"),
         99_000 Dispute(1, 70, "lost")]),
    life!("reviewed, approved, captured", Card, money(S::Succeeded, 100, 0),
        [0 Created, 3 Held, 4 ReviewOpened, 900 ReviewClosed("approved"), 950 Captured(100)]),
    life!("held under review", Card, nothing(S::InReview), [0 Created, 3 Held, 4 ReviewOpened]),
    life!("reviewed after payment", Card, money(S::Succeeded, 100, 0), [0 Created, 2 Paid(1), 60 ReviewOpened]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_life_has_a_name_of_its_own_and_begins_at_its_beginning() {
        let names: BTreeSet<&str> = LIVES.iter().map(|life| life.name).collect();
        assert_eq!(names.len(), LIVES.len());
        assert!(LIVES.len() >= 30);
        for life in LIVES {
            assert_eq!(life.steps[0].after, 0, "{}", life.name);
            assert!(life.steps.is_sorted_by_key(|step| step.after), "{}", life.name);
        }
    }

    #[test]
    fn every_end_says_the_same_with_its_status_and_its_amounts() {
        for life in LIVES {
            assert!(life.end.is_one_story(), "{}", life.name);
        }
    }

    #[test]
    fn every_status_but_unknown_is_the_end_of_some_life() {
        for status in PaymentStatus::ALL.iter().filter(|status| **status != S::Unknown) {
            assert!(LIVES.iter().any(|life| life.end.status == *status), "{status}");
        }
    }
}

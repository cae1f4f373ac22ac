//! What a fact can say: the closed families and kinds, with their precedence.

use std::fmt;

/// The vocabulary of one kind of fact set. Two implement it: [`PaymentKind`] and [`SubscriptionKind`].
pub trait Kind: Copy + Ord + fmt::Debug + 'static {
    /// The family's word, as stored.
    fn family(self) -> &'static str;
    /// The kind's word, as stored; unique within its family.
    fn word(self) -> &'static str;
    /// Rank within the family when two kinds carry one time; the larger wins.
    fn precedence(self) -> u8;
    /// Whether, all else equal, the smaller amount wins: a hold is lowered, a total grows.
    fn smaller_amount_wins(self) -> bool;
    /// The kind with these two words.
    fn parse(family: &str, word: &str) -> Option<Self>;
    /// Every kind there is, by family and precedence.
    fn all() -> Vec<Self>;
    /// The kind that strikes another fact of the same set from the record.
    fn is_strike(self) -> bool;
}

/// Declares one family: variants in the order of precedence, the left loses.
macro_rules! family {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every kind, in the order of precedence.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

family! {
    /// A try to pay.
    AttemptKind {
        /// Known, nothing tried.
        Created => "created",
        /// The gateway or bank works on it.
        Pending => "pending",
        /// Set for a later date.
        Scheduled => "scheduled",
        /// Waits for the payer.
        RequiresAction => "requires_action",
        /// Ran out.
        Expired => "expired",
        /// Refused.
        Declined => "declined",
        /// Called off.
        Canceled => "canceled",
    }
}
family! {
    /// A hold on money.
    AuthKind {
        /// Held.
        Authorized => "authorized",
        /// Released.
        Voided => "voided",
        /// Ran out.
        Expired => "expired",
    }
}
family! {
    /// Money taken.
    CaptureKind {
        /// On its way.
        Pending => "pending",
        /// Taken.
        Succeeded => "succeeded",
        /// Failed, possibly after it was reported as taken.
        Failed => "failed",
    }
}
family! {
    /// Money given back.
    RefundKind {
        /// Asked for.
        Requested => "requested",
        /// On its way.
        Pending => "pending",
        /// Given back.
        Succeeded => "succeeded",
        /// Failed, possibly after success.
        Failed => "failed",
        /// Called off.
        Canceled => "canceled",
        /// Came back to the merchant.
        Reversed => "reversed",
    }
}
family! {
    /// The payer's bank asks money back.
    DisputeKind {
        /// A whole-object reading without a dispute: closes what is strictly older.
        None => "none",
        /// A question; no money moves.
        Inquiry => "inquiry",
        /// Opened.
        Opened => "opened",
        /// Evidence is being judged, or an appeal runs.
        UnderReview => "under_review",
        /// Withdrawn, prevented or closed without a decision.
        Withdrawn => "withdrawn",
        /// Decided for the merchant.
        Won => "won",
        /// Accepted by the merchant.
        Accepted => "accepted",
        /// Decided for the payer.
        Lost => "lost",
    }
}
family! {
    /// What antifraud says.
    RiskKind {
        /// Undecided.
        Review => "review",
        /// Cleared.
        Approved => "approved",
        /// Refused.
        Rejected => "rejected",
    }
}
family! {
    /// Running totals of the whole payment, each a register of its own.
    TotalsKind {
        /// Money taken so far.
        Captured => "captured",
        /// Money given back so far.
        Refunded => "refunded",
    }
}

/// Everything a payment fact can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentKind {
    /// Family `attempt`.
    Attempt(AttemptKind),
    /// Family `auth`.
    Auth(AuthKind),
    /// Family `capture`.
    Capture(CaptureKind),
    /// Family `refund`.
    Refund(RefundKind),
    /// Family `dispute`.
    Dispute(DisputeKind),
    /// Family `risk`.
    Risk(RiskKind),
    /// Family `totals`.
    Totals(TotalsKind),
    /// Family `unmapped`: a word of the gateway we do not know.
    Unmapped,
    /// Family `strike`: an operator removes the fact whose key is the op.
    Strike,
}

impl Kind for PaymentKind {
    fn family(self) -> &'static str {
        match self {
            PaymentKind::Attempt(_) => "attempt",
            PaymentKind::Auth(_) => "auth",
            PaymentKind::Capture(_) => "capture",
            PaymentKind::Refund(_) => "refund",
            PaymentKind::Dispute(_) => "dispute",
            PaymentKind::Risk(_) => "risk",
            PaymentKind::Totals(_) => "totals",
            PaymentKind::Unmapped => "unmapped",
            PaymentKind::Strike => "strike",
        }
    }

    fn word(self) -> &'static str {
        match self {
            PaymentKind::Attempt(kind) => kind.word(),
            PaymentKind::Auth(kind) => kind.word(),
            PaymentKind::Capture(kind) => kind.word(),
            PaymentKind::Refund(kind) => kind.word(),
            PaymentKind::Dispute(kind) => kind.word(),
            PaymentKind::Risk(kind) => kind.word(),
            PaymentKind::Totals(kind) => kind.word(),
            PaymentKind::Unmapped => "word",
            PaymentKind::Strike => "struck",
        }
    }

    fn precedence(self) -> u8 {
        match self {
            PaymentKind::Attempt(kind) => kind as u8,
            PaymentKind::Auth(kind) => kind as u8,
            PaymentKind::Capture(kind) => kind as u8,
            PaymentKind::Refund(kind) => kind as u8,
            PaymentKind::Dispute(kind) => kind as u8,
            PaymentKind::Risk(kind) => kind as u8,
            PaymentKind::Totals(_) | PaymentKind::Unmapped | PaymentKind::Strike => 0,
        }
    }

    fn smaller_amount_wins(self) -> bool {
        matches!(self, PaymentKind::Auth(_))
    }

    fn parse(family: &str, word: &str) -> Option<PaymentKind> {
        PaymentKind::all().into_iter().find(|kind| kind.family() == family && kind.word() == word)
    }

    fn all() -> Vec<PaymentKind> {
        let mut all = Vec::new();
        all.extend(AttemptKind::ALL.iter().map(|kind| PaymentKind::Attempt(*kind)));
        all.extend(AuthKind::ALL.iter().map(|kind| PaymentKind::Auth(*kind)));
        all.extend(CaptureKind::ALL.iter().map(|kind| PaymentKind::Capture(*kind)));
        all.extend(RefundKind::ALL.iter().map(|kind| PaymentKind::Refund(*kind)));
        all.extend(DisputeKind::ALL.iter().map(|kind| PaymentKind::Dispute(*kind)));
        all.extend(RiskKind::ALL.iter().map(|kind| PaymentKind::Risk(*kind)));
        all.extend(TotalsKind::ALL.iter().map(|kind| PaymentKind::Totals(*kind)));
        all.extend([PaymentKind::Unmapped, PaymentKind::Strike]);
        all
    }

    fn is_strike(self) -> bool {
        self == PaymentKind::Strike
    }
}

/// Everything a subscription fact can say. Within `base` the order is the precedence: `canceled` is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubscriptionKind {
    /// Family `base`: the gateway's state.
    Base(crate::status::SubscriptionBase),
    /// Family `cancel_at`: an end was set (detail `until`).
    CancelSet,
    /// Family `cancel_at`: no end is set.
    CancelCleared,
    /// Family `period`: the paid period (detail `since`, `until`).
    Period,
    /// Family `trial`: the trial's end (detail `until`).
    Trial,
    /// Family `pause`: nothing is paused.
    PauseNone,
    /// Family `pause`: collection is paused.
    PauseCollection,
    /// Family `strike`: an operator removes the fact whose key is the op.
    Strike,
}

impl Kind for SubscriptionKind {
    fn family(self) -> &'static str {
        match self {
            SubscriptionKind::Base(_) => "base",
            SubscriptionKind::CancelSet | SubscriptionKind::CancelCleared => "cancel_at",
            SubscriptionKind::Period => "period",
            SubscriptionKind::Trial => "trial",
            SubscriptionKind::PauseNone | SubscriptionKind::PauseCollection => "pause",
            SubscriptionKind::Strike => "strike",
        }
    }

    fn word(self) -> &'static str {
        use crate::status::SubscriptionBase as Base;
        match self {
            SubscriptionKind::Base(base) => match base {
                Base::Incomplete => "incomplete",
                Base::Pending => "pending",
                Base::Trialing => "trialing",
                Base::Active => "active",
                Base::PastDue => "past_due",
                Base::Paused => "paused",
                Base::Suspended => "suspended",
                Base::Canceled => "canceled",
                Base::Expired => "expired",
                Base::Unknown => "unknown",
            },
            SubscriptionKind::CancelSet | SubscriptionKind::Period | SubscriptionKind::Trial => "set",
            SubscriptionKind::CancelCleared => "cleared",
            SubscriptionKind::PauseNone => "none",
            SubscriptionKind::PauseCollection => "collection",
            SubscriptionKind::Strike => "struck",
        }
    }

    fn precedence(self) -> u8 {
        use crate::status::SubscriptionBase as Base;
        match self {
            SubscriptionKind::Base(base) => match base {
                Base::Unknown => 0,
                Base::Incomplete => 1,
                Base::Pending => 2,
                Base::Trialing => 3,
                Base::Active => 4,
                Base::PastDue => 5,
                Base::Paused => 6,
                Base::Suspended => 7,
                Base::Expired => 8,
                Base::Canceled => 9,
            },
            SubscriptionKind::CancelCleared | SubscriptionKind::PauseNone => 0,
            SubscriptionKind::CancelSet | SubscriptionKind::PauseCollection => 1,
            SubscriptionKind::Period | SubscriptionKind::Trial | SubscriptionKind::Strike => 0,
        }
    }

    fn smaller_amount_wins(self) -> bool {
        false
    }

    fn parse(family: &str, word: &str) -> Option<SubscriptionKind> {
        SubscriptionKind::all().into_iter().find(|kind| kind.family() == family && kind.word() == word)
    }

    fn all() -> Vec<SubscriptionKind> {
        let mut all: Vec<_> =
            crate::status::SubscriptionBase::ALL.iter().map(|base| SubscriptionKind::Base(*base)).collect();
        all.extend([
            SubscriptionKind::CancelCleared,
            SubscriptionKind::CancelSet,
            SubscriptionKind::Period,
            SubscriptionKind::Trial,
            SubscriptionKind::PauseNone,
            SubscriptionKind::PauseCollection,
            SubscriptionKind::Strike,
        ]);
        all
    }

    fn is_strike(self) -> bool {
        self == SubscriptionKind::Strike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_pair_of_words() {
        for kind in PaymentKind::all() {
            assert_eq!(PaymentKind::parse(kind.family(), kind.word()), Some(kind));
        }
        for kind in SubscriptionKind::all() {
            assert_eq!(SubscriptionKind::parse(kind.family(), kind.word()), Some(kind));
        }
        assert_eq!(PaymentKind::parse("capture", "voided"), None);
    }

    #[test]
    fn precedence_is_the_order_the_law_lists() {
        let order = |family: &str, words: &str| {
            let ranks: Vec<u8> =
                words.split(" < ").map(|word| PaymentKind::parse(family, word).unwrap().precedence()).collect();
            assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{family}: {ranks:?}");
        };
        order("attempt", "created < pending < scheduled < requires_action < expired < declined < canceled");
        order("auth", "authorized < voided < expired");
        order("capture", "pending < succeeded < failed");
        order("refund", "requested < pending < succeeded < failed < canceled < reversed");
        order("dispute", "none < inquiry < opened < under_review < withdrawn < won < accepted < lost");
        order("risk", "review < approved < rejected");
    }
}

//! Questions for a gateway: what may be asked for, and why.

use crate::word::word_enum;

word_enum! {
    /// The kind of object that is to be read back. One set for all gateways: each reads the kinds it has, and says so of
    /// the others.
    pub enum WantKind {
        /// A payment of which nothing but its name in the ledger is known, or the gateway's own object of that name.
        Payment => "payment",
        /// A payment with its tries.
        PaymentIntent => "payment_intent",
        /// One try of a payment.
        Charge => "charge",
        /// One giving back.
        Refund => "refund",
        /// One dispute.
        Dispute => "dispute",
        /// The disputes of a payment, of which only a flag is known.
        Disputes => "disputes",
        /// A chargeback, which may be about several payments.
        Chargeback => "chargeback",
        /// A complaint of the buyer that the gateway mediates.
        Claim => "claim",
        /// A review by people or machines.
        Review => "review",
        /// A checkout session.
        CheckoutSession => "checkout.session",
        /// An order with the payments made for it.
        Order => "order",
        /// An order of a marketplace or checkout, made of payments that stand alone.
        MerchantOrder => "merchant_order",
        /// An invoice.
        Invoice => "invoice",
        /// What joins an invoice and a payment.
        InvoicePayment => "invoice_payment",
        /// A subscription.
        Subscription => "subscription",
        /// The plan of subscriptions.
        Plan => "plan",
        /// One instalment of a subscription.
        Instalment => "instalment",
        /// A customer of the gateway.
        Customer => "customer",
        /// A stored payment method.
        PaymentMethod => "payment_method",
        /// An event of which nothing else is known.
        Event => "event",
    }
}

word_enum! {
    /// Why something must be read back, the weakest first: of two reasons for one question the stronger stays.
    pub enum WantReason {
        /// It was said in passing: a paid session or invoice, a refund or a dispute of a payment nobody described, a flag. What
        /// comes within two minutes mostly answers it.
        Unconfirmed => "unconfirmed",
        /// An envelope hints that it changed. What is known of it by then does not answer that.
        Hint => "hint",
        /// A word we do not know.
        UnknownWord => "unknown_word",
        /// A number in an envelope cannot be believed alone (a total that mixes refunds and released holds).
        Incomplete => "incomplete",
        /// Two facts with one clock disagree.
        Contested => "contested",
        /// More money went back than was taken.
        ReturnedMoreThanCaptured => "returned_more_than_captured",
    }
}

impl WantReason {
    /// Its place among all: of two reasons for one question the greater stays.
    #[must_use]
    pub const fn strength(self) -> i64 {
        self as i64
    }

    /// How long to wait before it is asked, microseconds. Hints of one object come in groups (two channels, created and
    /// updated at once): they rest a moment and become one call.
    #[must_use]
    pub const fn wait_micros(self) -> i64 {
        match self {
            WantReason::Hint => 2_000_000,
            WantReason::Unconfirmed => 120_000_000,
            WantReason::UnknownWord
            | WantReason::Incomplete
            | WantReason::Contested
            | WantReason::ReturnedMoreThanCaptured => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_declared_from_the_weakest_to_the_strongest_and_the_numbers_are_those_of_the_ledger() {
        let strengths: Vec<i64> = WantReason::ALL.iter().map(|reason| reason.strength()).collect();
        assert_eq!(strengths, [0, 1, 2, 3, 4, 5]);
        assert!(WantReason::ALL.is_sorted());
    }

    #[test]
    fn a_hint_rests_a_moment_what_was_said_in_passing_longer_and_everything_else_not_at_all() {
        let waits: Vec<i64> = WantReason::ALL.iter().map(|reason| reason.wait_micros()).collect();
        assert_eq!(waits, [120_000_000, 2_000_000, 0, 0, 0, 0]);
    }
}

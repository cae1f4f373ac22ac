//! Kinds of payment lives at Mercado Pago: how each stands, one state after the other, and how it is known to end.

use afluente_model::PaymentStatus;

use crate::plan::End;

/// How something stands from so many seconds after it began on.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) after: i64,
    pub(super) status: &'static str,
    pub(super) detail: &'static str,
    /// Given back in all, hundredths.
    pub(super) returned: i64,
    /// Refunds: number, hundredths, word.
    pub(super) refunds: &'static [(u8, i64, &'static str)],
}

/// How a payment is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Card,
    Pix,
    Boleto,
}

/// Which object tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A payment of its own.
    Payment,
    /// A payment with a chargeback beside it, whose money was covered or not.
    Charged { covered: bool },
    /// A payment inside an order of the orders API.
    Order,
}

/// One kind of life.
pub(super) struct Life {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) shape: Shape,
    pub(super) states: &'static [State],
    pub(super) end: End,
}

const fn at(after: i64, status: &'static str, detail: &'static str) -> State {
    State { after, status, detail, returned: 0, refunds: &[] }
}

impl State {
    const fn returned(self, returned: i64, refunds: &'static [(u8, i64, &'static str)]) -> State {
        State { returned, refunds, ..self }
    }
}

const fn life(name: &'static str, method: Method, end: End, states: &'static [State]) -> Life {
    Life { name, method, shape: Shape::Payment, states, end }
}

const fn order(name: &'static str, method: Method, end: End, states: &'static [State]) -> Life {
    Life { name, method, shape: Shape::Order, states, end }
}

const fn charged(name: &'static str, covered: bool, end: End, states: &'static [State]) -> Life {
    Life { name, method: Card, shape: Shape::Charged { covered }, states, end }
}

const fn nothing(status: PaymentStatus) -> End {
    End::nothing(status)
}

const fn money(status: PaymentStatus, captured: i64, refunded: i64) -> End {
    End::money(status, captured, refunded)
}

use Method::{Boleto, Card, Pix};
use PaymentStatus as S;

const PIX: State = at(0, "pending", "pending_waiting_transfer");
const BOLETO: State = at(0, "pending", "pending_waiting_payment");
const PAID: State = at(2, "approved", "accredited");

/// Every kind.
pub(super) static LIVES: &[Life] = &[
    life("card paid at once", Card, money(S::Succeeded, 100, 0), &[at(0, "approved", "accredited")]),
    life(
        "card paid after a look",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "in_process", "pending_contingency"), at(90, "approved", "accredited")],
    ),
    life("rejected for its limit", Card, nothing(S::Failed), &[at(0, "rejected", "cc_rejected_insufficient_amount")]),
    life("rejected as a risk", Card, nothing(S::Failed), &[at(0, "rejected", "cc_rejected_high_risk")]),
    life(
        "reviewed, then rejected",
        Card,
        nothing(S::Failed),
        &[at(0, "in_process", "pending_review_manual"), at(90_000, "rejected", "cc_rejected_other_reason")],
    ),
    life(
        "reviewed, then paid",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "in_process", "pending_review_manual"), at(90_000, "approved", "accredited")],
    ),
    life("still reviewed", Card, nothing(S::InReview), &[at(0, "in_process", "pending_review_manual")]),
    life("challenged", Card, nothing(S::RequiresAction), &[at(0, "pending", "pending_challenge")]),
    life(
        "challenged, then paid",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "pending", "pending_challenge"), at(40, "approved", "accredited")],
    ),
    life("the provider is slow", Card, nothing(S::Processing), &[at(0, "pending", "pending_provider_response")]),
    life("Pix shown", Pix, nothing(S::RequiresAction), &[PIX]),
    life("Pix paid", Pix, money(S::Succeeded, 100, 0), &[PIX, at(70, "approved", "accredited")]),
    life("Pix ran out", Pix, nothing(S::Expired), &[PIX, at(1_900, "cancelled", "expired")]),
    life("Pix given up by the payer", Pix, nothing(S::Canceled), &[PIX, at(300, "cancelled", "by_payer")]),
    life("boleto shown", Boleto, nothing(S::RequiresAction), &[BOLETO]),
    life("boleto paid", Boleto, money(S::Succeeded, 100, 0), &[BOLETO, at(172_800, "approved", "accredited")]),
    life("boleto ran out", Boleto, nothing(S::Expired), &[BOLETO, at(345_600, "cancelled", "expired")]),
    life("held", Card, nothing(S::Authorized), &[at(0, "authorized", "pending_capture")]),
    life(
        "held, then captured",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "authorized", "pending_capture"), at(7_200, "approved", "accredited")],
    ),
    life(
        "held, then released",
        Card,
        nothing(S::Canceled),
        &[at(0, "authorized", "pending_capture"), at(7_200, "cancelled", "by_collector")],
    ),
    life(
        "hold ran out",
        Card,
        nothing(S::Expired),
        &[at(0, "authorized", "pending_capture"), at(432_000, "cancelled", "expired")],
    ),
    life(
        "refunded in full",
        Card,
        money(S::Refunded, 100, 100),
        &[PAID, at(500, "refunded", "refunded").returned(100, &[(1, 100, "approved")])],
    ),
    life(
        "refunded by the gateway",
        Pix,
        money(S::Refunded, 100, 100),
        &[
            PIX,
            at(30, "approved", "accredited"),
            at(900, "refunded", "by_admin").returned(100, &[(1, 100, "approved")]),
        ],
    ),
    life(
        "refunded in part",
        Card,
        money(S::PartiallyRefunded, 100, 30),
        &[PAID, at(500, "approved", "partially_refunded").returned(30, &[(1, 30, "approved")])],
    ),
    life(
        "refunded in two parts to full",
        Card,
        money(S::Refunded, 100, 100),
        &[
            PAID,
            at(500, "approved", "partially_refunded").returned(40, &[(1, 40, "approved")]),
            at(900, "refunded", "refunded").returned(100, &[(1, 40, "approved"), (2, 60, "approved")]),
        ],
    ),
    life(
        "refunded in two parts that leave something",
        Pix,
        money(S::PartiallyRefunded, 100, 60),
        &[
            PIX,
            at(20, "approved", "accredited"),
            at(500, "approved", "partially_refunded").returned(25, &[(1, 25, "approved")]),
            at(900, "approved", "partially_refunded").returned(60, &[(1, 25, "approved"), (2, 35, "approved")]),
        ],
    ),
    life(
        "refund on its way",
        Pix,
        End { refund_pending: 100, ..money(S::Succeeded, 100, 0) },
        &[
            PIX,
            at(20, "approved", "accredited"),
            at(500, "approved", "accredited").returned(0, &[(1, 100, "in_process")]),
        ],
    ),
    life(
        "refund refused",
        Pix,
        money(S::Succeeded, 100, 0),
        &[
            PIX,
            at(20, "approved", "accredited"),
            at(500, "approved", "accredited").returned(0, &[(1, 100, "in_process")]),
            at(900, "approved", "accredited").returned(0, &[(1, 100, "rejected")]),
        ],
    ),
    life(
        "complaint open",
        Card,
        money(S::Disputed, 100, 0).disputed(100, 0),
        &[PAID, at(80_000, "in_mediation", "pending")],
    ),
    life(
        "complaint settled for the seller",
        Card,
        money(S::Succeeded, 100, 0),
        &[PAID, at(80_000, "in_mediation", "pending"), at(99_000, "approved", "accredited")],
    ),
    life(
        "complaint settled for the buyer",
        Pix,
        money(S::Refunded, 100, 100),
        &[
            PIX,
            at(20, "approved", "accredited"),
            at(80_000, "in_mediation", "pending"),
            at(99_000, "refunded", "by_admin").returned(100, &[(1, 100, "approved")]),
        ],
    ),
    charged(
        "charged back, in process",
        false,
        money(S::Disputed, 100, 0).disputed(100, 0),
        &[PAID, at(80_000, "charged_back", "in_process")],
    ),
    charged(
        "charged back for good",
        false,
        money(S::ChargedBack, 100, 0).disputed(0, 100),
        &[PAID, at(80_000, "charged_back", "in_process"), at(99_000, "charged_back", "settled")],
    ),
    charged(
        "charged back and covered",
        true,
        money(S::Succeeded, 100, 0),
        &[PAID, at(80_000, "charged_back", "in_process"), at(99_000, "charged_back", "reimbursed")],
    ),
    charged(
        "charged back, given back to nobody knows whom",
        false,
        money(S::Disputed, 100, 0).disputed(100, 0),
        &[PAID, at(80_000, "charged_back", "in_process"), at(99_000, "charged_back", "reimbursed")],
    ),
    order(
        "order paid",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "created", "created"), at(3, "processed", "accredited")],
    ),
    order("order left", Card, nothing(S::Pending), &[at(0, "created", "created")]),
    order(
        "order by Pix ran out",
        Pix,
        nothing(S::Expired),
        &[at(0, "action_required", "waiting_transfer"), at(1_900, "expired", "expired")],
    ),
    order(
        "order held, then captured",
        Card,
        money(S::Succeeded, 100, 0),
        &[at(0, "action_required", "waiting_capture"), at(7_200, "processed", "accredited")],
    ),
    order(
        "order held, then called off",
        Card,
        nothing(S::Canceled),
        &[at(0, "action_required", "waiting_capture"), at(7_200, "canceled", "canceled")],
    ),
    order(
        "order failed",
        Card,
        nothing(S::Failed),
        &[at(0, "created", "created"), at(3, "failed", "bad_filled_card_data")],
    ),
    order("order at work", Card, nothing(S::Processing), &[at(0, "processing", "in_process")]),
    order(
        "order refunded in part",
        Card,
        money(S::PartiallyRefunded, 100, 30),
        &[
            at(0, "processed", "accredited"),
            at(900, "processed", "partially_refunded").returned(30, &[(1, 30, "processed")]),
        ],
    ),
    order(
        "order refunded in full",
        Pix,
        money(S::Refunded, 100, 100),
        &[
            at(0, "action_required", "waiting_transfer"),
            at(60, "processed", "accredited"),
            at(900, "refunded", "refunded").returned(100, &[(1, 100, "processed")]),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_life_has_a_name_of_its_own_and_goes_on_in_time() {
        let names: BTreeSet<&str> = LIVES.iter().map(|life| life.name).collect();
        assert_eq!(names.len(), LIVES.len());
        for life in LIVES {
            assert!(life.states.is_sorted_by(|one, next| one.after < next.after), "{}", life.name);
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

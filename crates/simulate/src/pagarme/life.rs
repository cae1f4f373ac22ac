//! Kinds of charge lives at Pagar.me: how each stands, one state after the other, and how it is known to end.

use afluente_model::PaymentStatus as S;

use crate::plan::End;

/// How a charge stands from so many seconds after it began on.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) after: i64,
    /// What the event says happened.
    pub(super) event: &'static str,
    pub(super) status: &'static str,
    /// The last transaction's word; none where there is no transaction yet.
    pub(super) transaction: &'static str,
    /// The last operation: a new one each time, unless it goes on.
    pub(super) operation: u8,
    /// Paid, hundredths; 0 where the charge does not say it.
    pub(super) paid: i64,
    /// Called off and given back in all, hundredths.
    pub(super) canceled: i64,
    /// Of the last operation alone, hundredths.
    pub(super) moved: i64,
    pub(super) antifraud: &'static str,
}

/// One kind of life.
pub(super) struct Life {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) states: &'static [State],
    pub(super) end: End,
}

const fn at(after: i64, event: &'static str, status: &'static str, transaction: &'static str) -> State {
    State { after, event, status, transaction, operation: 1, paid: 0, canceled: 0, moved: 100, antifraud: "" }
}

impl State {
    const fn paid(self, paid: i64) -> State {
        State { paid, ..self }
    }

    /// So much was called off or given back in all, so much of it by this operation.
    const fn back(self, operation: u8, canceled: i64, moved: i64) -> State {
        State { operation, canceled, moved, ..self }
    }

    const fn antifraud(self, antifraud: &'static str) -> State {
        State { antifraud, ..self }
    }
}

const fn life(name: &'static str, method: &'static str, end: End, states: &'static [State]) -> Life {
    Life { name, method, states, end }
}

const CARD: &str = "credit_card";
const PIX: &str = "pix";
const BOLETO: &str = "boleto";

const TAKEN: End = End::money(S::Succeeded, 100, 0);
const BACK: End = End::money(S::Refunded, 100, 100);

const CREATED: State = at(0, "charge.created", "pending", "");
const PAID: State = at(2, "charge.paid", "paid", "captured").paid(100).antifraud("approved");
const HELD: State = at(1, "charge.pending", "pending", "authorized_pending_capture").antifraud("approved");
const SHOWN: State = at(0, "charge.pending", "pending", "waiting_payment");
const PIX_PAID: State = at(300, "charge.paid", "paid", "paid").paid(100);
const SLIP: State = at(0, "charge.created", "pending", "generated");
/// A charge that was given back whole says neither what was paid nor when.
const GIVEN_BACK: State = at(90_000, "charge.refunded", "canceled", "refunded").back(2, 100, 100);

/// Every kind.
pub(super) static LIVES: &[Life] = &[
    life("card paid at once", CARD, TAKEN, &[CREATED, PAID]),
    life(
        "card refused",
        CARD,
        End::nothing(S::Failed),
        &[CREATED, at(2, "charge.payment_failed", "failed", "not_authorized")],
    ),
    life(
        "card refused, tried again and paid",
        CARD,
        TAKEN,
        &[
            at(2, "charge.payment_failed", "failed", "not_authorized"),
            at(300, "charge.paid", "paid", "captured").paid(100).back(2, 0, 100),
        ],
    ),
    life(
        "antifraud refuses, whatever the acquirer says",
        CARD,
        End::nothing(S::Failed),
        &[at(2, "charge.antifraud_reproved", "failed", "not_authorized").antifraud("reproved")],
    ),
    life(
        "looked at by people, then paid",
        CARD,
        TAKEN,
        &[
            at(2, "charge.antifraud_manual", "processing", "analyzing").antifraud("manual"),
            at(900, "charge.antifraud_approved", "processing", "processing").antifraud("approved"),
            at(902, "charge.paid", "paid", "captured").paid(100).antifraud("approved"),
        ],
    ),
    life(
        "still looked at",
        CARD,
        End::nothing(S::InReview),
        &[at(2, "charge.antifraud_pending", "processing", "pending_review").antifraud("pending")],
    ),
    life(
        "captured and reversed within the minute",
        CARD,
        BACK,
        &[
            PAID,
            at(40, "charge.antifraud_reproved", "canceled", "voided").paid(100).back(2, 100, 100).antifraud("reproved"),
        ],
    ),
    life("held", CARD, End::nothing(S::Authorized), &[HELD]),
    life(
        "held, then taken",
        CARD,
        TAKEN,
        &[HELD, at(90_000, "charge.paid", "paid", "captured").paid(100).back(2, 0, 100)],
    ),
    life(
        "held, then taken in part",
        CARD,
        End::money(S::Succeeded, 60, 0),
        &[HELD, at(90_000, "charge.paid", "paid", "partial_capture").paid(60).back(2, 40, 60)],
    ),
    life(
        "taken in part, given back in part",
        CARD,
        End::money(S::PartiallyRefunded, 60, 15),
        &[
            HELD,
            at(90_000, "charge.paid", "paid", "partial_capture").paid(60).back(2, 40, 60),
            at(180_000, "charge.partial_canceled", "paid", "partial_refunded").paid(60).back(3, 55, 15),
        ],
    ),
    life(
        "held, then released",
        CARD,
        End::nothing(S::Canceled),
        &[HELD, at(90_000, "charge.updated", "canceled", "voided").back(2, 100, 100)],
    ),
    life(
        "held, lowered, then taken",
        CARD,
        End::money(S::Succeeded, 70, 0),
        &[
            HELD,
            at(50, "charge.partial_canceled", "pending", "partial_void").back(2, 30, 30),
            at(90_000, "charge.paid", "paid", "captured").paid(70).back(3, 30, 70),
        ],
    ),
    life("pix waits", PIX, End::nothing(S::RequiresAction), &[SHOWN]),
    life("pix paid", PIX, TAKEN, &[SHOWN, PIX_PAID]),
    life(
        "pix ran out",
        PIX,
        End::nothing(S::Expired),
        &[SHOWN, at(4_000, "charge.payment_failed", "failed", "failed")],
    ),
    life(
        "pix ran out and was paid all the same",
        PIX,
        TAKEN,
        &[
            SHOWN,
            at(4_000, "charge.payment_failed", "failed", "failed"),
            at(4_100, "charge.paid", "paid", "paid").paid(100),
        ],
    ),
    life(
        "pix on its way back",
        PIX,
        End { refund_pending: 100, ..TAKEN },
        &[SHOWN, PIX_PAID, at(90_000, "charge.processing", "processing", "pending_refund").back(2, 0, 100)],
    ),
    life(
        "pix given back in part",
        PIX,
        End::money(S::PartiallyRefunded, 100, 40),
        &[
            SHOWN,
            PIX_PAID,
            at(90_000, "charge.processing", "processing", "pending_refund").back(2, 0, 40),
            at(90_060, "charge.partial_canceled", "paid", "partial_refunded").paid(100).back(2, 40, 40),
        ],
    ),
    life(
        "slip looked at",
        BOLETO,
        End::nothing(S::RequiresAction),
        &[SLIP, at(600, "charge.updated", "pending", "viewed")],
    ),
    life("slip paid", BOLETO, TAKEN, &[SLIP, at(90_000, "charge.paid", "paid", "paid").paid(100)]),
    life(
        "slip underpaid",
        BOLETO,
        End::money(S::Succeeded, 90, 0),
        &[SLIP, at(90_000, "charge.underpaid", "underpaid", "underpaid").paid(90)],
    ),
    life(
        "slip overpaid",
        BOLETO,
        End::money(S::Succeeded, 105, 0),
        &[SLIP, at(90_000, "charge.overpaid", "overpaid", "overpaid").paid(105)],
    ),
    life(
        "slip called off",
        BOLETO,
        End::nothing(S::Canceled),
        &[SLIP, at(5_000, "charge.updated", "canceled", "voided")],
    ),
    life("given back whole", CARD, BACK, &[CREATED, PAID, GIVEN_BACK]),
    life(
        "given back in part",
        CARD,
        End::money(S::PartiallyRefunded, 100, 30),
        &[PAID, at(90_000, "charge.partial_canceled", "paid", "partial_refunded").paid(100).back(2, 30, 30)],
    ),
    life(
        "given back in parts, to the last",
        CARD,
        BACK,
        &[
            PAID,
            at(90_000, "charge.partial_canceled", "paid", "partial_refunded").paid(100).back(2, 30, 30),
            at(180_000, "charge.partial_canceled", "paid", "partial_refunded").paid(100).back(3, 55, 25),
            at(270_000, "charge.refunded", "canceled", "refunded").back(4, 100, 45),
        ],
    ),
    life(
        "could not be given back",
        CARD,
        TAKEN,
        &[
            PAID,
            at(90_000, "charge.processing", "processing", "pending_refund").back(2, 0, 100),
            at(90_060, "charge.updated", "paid", "error_on_refunding").paid(100).back(2, 0, 100),
        ],
    ),
    life(
        "charged back",
        CARD,
        TAKEN.disputed(0, 100).with(S::ChargedBack),
        &[PAID, at(500_000, "charge.chargedback", "chargedback", "chargedback").back(2, 0, 100)],
    ),
    life(
        "given back in part, then charged back",
        CARD,
        End::money(S::ChargedBack, 100, 30).disputed(0, 70),
        &[
            PAID,
            at(90_000, "charge.partial_canceled", "paid", "partial_refunded").paid(100).back(2, 30, 30),
            at(500_000, "charge.chargedback", "chargedback", "chargedback").paid(100).back(3, 30, 70),
        ],
    ),
    life(
        "paid, and failed after all",
        CARD,
        End::nothing(S::Failed),
        &[PAID, at(60, "charge.payment_failed", "failed", "failed").paid(100).back(2, 0, 100)],
    ),
];

/// How a transaction of v4 stands: seconds, its word, paid and given back in hundredths.
pub(super) type Step = (i64, &'static str, i64, i64);

/// One kind of life of v4.
pub(super) struct OldLife {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) steps: &'static [Step],
    pub(super) end: End,
}

const fn old(name: &'static str, method: &'static str, end: End, steps: &'static [Step]) -> OldLife {
    OldLife { name, method, steps, end }
}

/// Every kind of v4.
pub(super) static OLD_LIVES: &[OldLife] = &[
    old("v4 card paid", CARD, TAKEN, &[(0, "processing", 0, 0), (1, "authorized", 0, 0), (2, "paid", 100, 0)]),
    old("v4 card refused", CARD, End::nothing(S::Failed), &[(0, "processing", 0, 0), (1, "refused", 0, 0)]),
    old("v4 card held", CARD, End::nothing(S::Authorized), &[(0, "processing", 0, 0), (1, "authorized", 0, 0)]),
    old("v4 looked at", CARD, End::nothing(S::InReview), &[(0, "analyzing", 0, 0), (60, "pending_review", 0, 0)]),
    // What such a slip says was paid is nothing.
    old(
        "v4 slip paid",
        BOLETO,
        TAKEN,
        &[(0, "processing", 0, 0), (1, "waiting_payment", 0, 0), (90_000, "paid", 0, 0)],
    ),
    old("v4 slip waits", BOLETO, End::nothing(S::RequiresAction), &[(1, "waiting_payment", 0, 0)]),
    old(
        "v4 given back in part",
        CARD,
        End::money(S::PartiallyRefunded, 100, 40),
        &[(2, "paid", 100, 0), (90_000, "paid", 100, 40)],
    ),
    old(
        "v4 given back",
        CARD,
        BACK,
        &[(2, "paid", 100, 0), (90_000, "pending_refund", 100, 0), (90_060, "refunded", 100, 100)],
    ),
    old(
        "v4 charged back",
        CARD,
        TAKEN.disputed(0, 100).with(S::ChargedBack),
        &[(2, "paid", 100, 0), (500_000, "chargedback", 100, 0)],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_tells_one_story_from_its_beginning_on() {
        for life in LIVES {
            assert!(life.end.is_one_story(), "{}", life.name);
            assert!(life.states.is_sorted_by_key(|state| state.after), "{}", life.name);
        }
        for life in OLD_LIVES {
            assert!(life.end.is_one_story(), "{}", life.name);
            assert!(life.steps.is_sorted_by_key(|step| step.0), "{}", life.name);
        }
    }
}

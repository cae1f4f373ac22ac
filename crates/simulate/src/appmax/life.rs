//! Kinds of order lives at Appmax: how each stands, one state after the other, what is posted of it, and how it is known to end.

use afluente_model::PaymentStatus;

use crate::plan::End;

/// How an order stands from so many seconds after it began on.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) after: i64,
    pub(super) status: &'static str,
    /// What is posted of it: names of the panel, several of one state.
    pub(super) events: &'static [&'static str],
    /// Given back in all, hundredths.
    pub(super) returned: i64,
}

/// One kind of life.
pub(super) struct Life {
    pub(super) name: &'static str,
    /// As the panel calls it.
    pub(super) method: &'static str,
    pub(super) states: &'static [State],
    pub(super) end: End,
    /// How it ends where the API does not say how much went back in part.
    pub(super) end_without_parts: Option<End>,
}

const fn at(after: i64, status: &'static str, events: &'static [&'static str]) -> State {
    State { after, status, events, returned: 0 }
}

const fn back(after: i64, status: &'static str, returned: i64, events: &'static [&'static str]) -> State {
    State { after, status, events, returned }
}

const fn life(name: &'static str, method: &'static str, end: End, states: &'static [State]) -> Life {
    Life { name, method, states, end, end_without_parts: None }
}

const fn parts(name: &'static str, end: End, without: End, states: &'static [State]) -> Life {
    Life { name, method: CARD, states, end, end_without_parts: Some(without) }
}

const CARD: &str = "CreditCard";
const PIX: &str = "Pix";
const BOLETO: &str = "Boleto";

const TAKEN: End = End::money(PaymentStatus::Succeeded, 100, 0);
const BACK: End = End::money(PaymentStatus::Refunded, 100, 100);

/// The panel says `OrderPaid` at the authorisation, too.
const HELD: State = at(0, "autorizado", &["OrderAuthorized", "OrderPaid"]);
const GOOD: State = at(60, "aprovado", &["OrderApproved", "OrderPaid"]);
const DONE: State = at(120, "integrado", &["OrderIntegrated"]);
const SHOWN: State = at(0, "pendente", &["OrderPixCreated"]);
const SLIP: State = at(0, "pendente", &["OrderBilletCreated"]);

/// Every kind.
pub(super) static LIVES: &[Life] = &[
    life("card paid and integrated", CARD, TAKEN, &[HELD, GOOD, DONE]),
    life(
        "card refused",
        CARD,
        End::nothing(PaymentStatus::Canceled),
        &[at(0, "cancelado", &["PaymentNotAuthorized | Reason: Autorizacao negada"])],
    ),
    life(
        "card refused, another taken, the refusal told late",
        CARD,
        TAKEN,
        &[
            at(0, "cancelado", &["PaymentNotAuthorized | Reason: Não autorizado"]),
            at(300, "aprovado", &["OrderApproved", "PaymentNotAuthorizedWithDelay", "OrderAuthorizedWithDelay"]),
        ],
    ),
    life("antifraud looks", CARD, End::nothing(PaymentStatus::InReview), &[HELD]),
    life(
        "antifraud refuses",
        CARD,
        End::nothing(PaymentStatus::Failed),
        &[HELD, at(60, "recusado_por_risco", &["order_refused_by_risk"])],
    ),
    life(
        "antifraud refuses what was approved",
        CARD,
        End::nothing(PaymentStatus::Failed),
        &[HELD, GOOD, at(300, "recusado_por_risco", &["order_refused_by_risk"])],
    ),
    life("pix waits", PIX, End::nothing(PaymentStatus::RequiresAction), &[SHOWN]),
    life("pix paid", PIX, TAKEN, &[SHOWN, at(60, "aprovado", &["OrderPaidByPix", "OrderApproved"]), DONE]),
    life(
        "pix ran out",
        PIX,
        End::nothing(PaymentStatus::Canceled),
        &[SHOWN, at(3_600, "cancelado", &["OrderPixExpired"])],
    ),
    life(
        "pix ran out and was paid by card",
        CARD,
        TAKEN,
        &[SHOWN, at(3_600, "aprovado", &["OrderApproved", "OrderPixExpired"])],
    ),
    life("slip waits", BOLETO, End::nothing(PaymentStatus::RequiresAction), &[SLIP]),
    life(
        "slip overdue, then paid",
        BOLETO,
        TAKEN,
        &[
            SLIP,
            at(200_000, "cancelado", &["OrderBilletOverdue"]),
            at(260_000, "aprovado", &["OrderPaid", "OrderApproved"]),
        ],
    ),
    life("held for its data", CARD, TAKEN, &[HELD, at(60, "pendente_integracao", &["OrderPendingIntegration"])]),
    life(
        "refund asked for",
        CARD,
        TAKEN,
        &[HELD, GOOD, at(500, "pendente_integracao_em_analise", &["OrderPendingIntegration"])],
    ),
    life("given back", CARD, BACK, &[HELD, GOOD, DONE, back(90_000, "estornado", 100, &["OrderRefund"])]),
    parts(
        "given back in part",
        End::money(PaymentStatus::PartiallyRefunded, 100, 30),
        TAKEN,
        &[HELD, GOOD, back(90_000, "aprovado", 30, &["OrderPartialRefund"])],
    ),
    parts(
        "given back in parts, to the last",
        BACK,
        BACK,
        &[
            GOOD,
            back(90_000, "aprovado", 30, &["OrderPartialRefund"]),
            back(180_000, "integrado", 55, &["OrderPartialRefund"]),
            back(270_000, "estornado", 100, &["OrderRefund"]),
        ],
    ),
    life(
        "disputed",
        CARD,
        TAKEN.disputed(100, 0).with(PaymentStatus::Disputed),
        &[GOOD, at(90_000, "chargeback_em_tratativa", &["OrderChargeBackInTreatment"])],
    ),
    life(
        "disputed and fought",
        CARD,
        TAKEN.disputed(100, 0).with(PaymentStatus::Disputed),
        &[
            GOOD,
            at(90_000, "chargeback_em_tratativa", &["OrderChargeBackInTreatment"]),
            at(180_000, "chargeback_em_disputa", &["order_chargeback_in_treatment"]),
        ],
    ),
    life(
        "disputed and won",
        CARD,
        TAKEN,
        &[
            GOOD,
            at(90_000, "chargeback_em_tratativa", &["OrderChargeBackInTreatment"]),
            at(400_000, "chargeback_vencido", &["OrderChargeBackGain"]),
        ],
    ),
    life(
        "disputed and lost, which only a look tells",
        CARD,
        TAKEN.disputed(0, 100).with(PaymentStatus::ChargedBack),
        &[
            GOOD,
            at(90_000, "chargeback_em_tratativa", &["OrderChargeBackInTreatment"]),
            at(400_000, "chargeback_perdido", &["OrderChargeBackInTreatment"]),
        ],
    ),
    life("a sale on top", CARD, TAKEN, &[GOOD, at(600, "aprovado", &["OrderUpSold", "split_orders"])]),
    life(
        "called off",
        BOLETO,
        End::nothing(PaymentStatus::Canceled),
        &[SLIP, at(90_000, "cancelado", &["OrderBilletOverdue"])],
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
            assert!(life.states.iter().all(|state| !state.events.is_empty()), "{}", life.name);
        }
    }
}

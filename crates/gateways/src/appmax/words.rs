//! Appmax's words as data: which facts each becomes. The vocabulary people read is printed from these tables.

use afluente_model::{
    AttemptKind, AuthKind, CaptureKind, DisputeKind, PaymentKind, RiskKind, SubscriptionBase, SubscriptionKind,
    TotalsKind,
};

use crate::vocabulary::{Entry, fact};

const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
/// Of a Pix or a slip that waits for its payer; of anything else the gateway is at work.
const WAITS: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const AUTHORIZED: PaymentKind = PaymentKind::Auth(AuthKind::Authorized);
const VOIDED: PaymentKind = PaymentKind::Auth(AuthKind::Voided);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);
const NOT_TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Failed);
const RETURNED: PaymentKind = PaymentKind::Totals(TotalsKind::Refunded);
const NO_DISPUTE: PaymentKind = PaymentKind::Dispute(DisputeKind::None);
const DISPUTED: PaymentKind = PaymentKind::Dispute(DisputeKind::Opened);
const CONTESTED: PaymentKind = PaymentKind::Dispute(DisputeKind::UnderReview);
const LOST: PaymentKind = PaymentKind::Dispute(DisputeKind::Lost);
const WON: PaymentKind = PaymentKind::Dispute(DisputeKind::Won);
const REVIEW: PaymentKind = PaymentKind::Risk(RiskKind::Review);
const APPROVED: PaymentKind = PaymentKind::Risk(RiskKind::Approved);
const REJECTED: PaymentKind = PaymentKind::Risk(RiskKind::Rejected);

/// What an approved order says.
const GOOD: &[PaymentKind] = &[TAKEN, RETURNED, NO_DISPUTE, APPROVED];

/// `order.status`, as the API answers it. `vencido` is not overdue: the shop won.
pub(super) static ORDER: &[(&str, &[PaymentKind], &str)] = &[
    ("pendente", &[WAITS], "REQUIRES_ACTION"),
    ("aguardando_pagamento", &[WAITS], "REQUIRES_ACTION"),
    ("waiting_payment", &[WAITS], "REQUIRES_ACTION"),
    ("processing", &[PENDING], "PROCESSING"),
    ("analyzing", &[PENDING], "PROCESSING"),
    ("autorizado", &[AUTHORIZED, REVIEW], "IN_REVIEW"),
    ("aprovado", GOOD, "SUCCEEDED"),
    ("pendente_integracao", GOOD, "SUCCEEDED"),
    ("integrado", GOOD, "SUCCEEDED"),
    ("pendente_integracao_em_analise", GOOD, "SUCCEEDED"),
    ("pending_refund", GOOD, "SUCCEEDED"),
    ("cancelado", &[CANCELED, VOIDED], "CANCELED"),
    // Whether money had moved is not said; none is there now.
    ("recusado_por_risco", &[DECLINED, VOIDED, NOT_TAKEN, REJECTED], "FAILED"),
    ("estornado", &[TAKEN, RETURNED, NO_DISPUTE], "REFUNDED"),
    ("chargeback_em_tratativa", &[TAKEN, DISPUTED], "DISPUTED"),
    ("chargeback_em_disputa", &[TAKEN, CONTESTED], "DISPUTED"),
    ("chargeback_perdido", &[TAKEN, LOST], "CHARGED_BACK"),
    ("chargeback_vencido", &[TAKEN, WON], "SUCCEEDED"),
];

/// The facts of a status; sources write it in either case.
pub(super) fn order(status: &str) -> Option<&'static [PaymentKind]> {
    ORDER.iter().find(|(word, ..)| word.eq_ignore_ascii_case(status.trim())).map(|(_, facts, _)| *facts)
}

/// `subscription.status` of v1.
pub(super) static SUBSCRIPTION: &[(&str, SubscriptionBase)] = &[
    ("ACTIVE", SubscriptionBase::Active),
    ("PAUSED", SubscriptionBase::Paused),
    ("CANCELLED", SubscriptionBase::Canceled),
];

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// An order, which is read back.
    Order,
    /// A subscription, which is read back if it has a name.
    Subscription,
    /// People: no call reads them back.
    Customer,
}

/// Events of the panel, in capitals, and of the App Store.
static EVENTS: &[(Topic, &[&str])] = &[
    (
        Topic::Order,
        &[
            "OrderApproved",
            "OrderAuthorized",
            "OrderAuthorizedWithDelay",
            "OrderPaid",
            "OrderBilletCreated",
            "OrderBilletOverdue",
            "OrderPixCreated",
            "OrderPaidByPix",
            "OrderPixExpired",
            "OrderPendingIntegration",
            "OrderIntegrated",
            "OrderRefund",
            "OrderPartialRefund",
            "OrderUpSold",
            "OrderChargeBackInTreatment",
            "OrderChargeBackGain",
            "PaymentNotAuthorized",
            "PaymentNotAuthorizedWithDelay",
            "CreatedSubscription",
            "CanceledSubscription",
            "ChargeSuccess",
            "ChargeFailed",
            "order_authorized",
            "order_approved",
            "order_billet_created",
            "order_paid",
            "order_pending_integration",
            "order_refund",
            "order_partial_refund",
            "order_up_sold",
            "order_pix_created",
            "order_paid_by_pix",
            "order_pix_expired",
            "order_integrated",
            "order_billet_overdue",
            "order_authorized_with_delay",
            "order_chargeback_in_treatment",
            "order_charge_back_gain",
            "order_refused_by_risk",
            "split_orders",
            "payment_authorized_with_delay",
            "payment_not_authorized",
        ],
    ),
    (
        Topic::Subscription,
        &[
            "SubscriptionCancellationEvent",
            "SubscriptionDelayedEvent",
            "subscription_created",
            "subscription_cancelation",
            "subscription_delayed",
            "subscription_charge_success",
            "subscription_charge_failed",
        ],
    ),
    (
        Topic::Customer,
        &[
            "CustomerCreated",
            "CustomerInterested",
            "CustomerContacted",
            "customer_created",
            "customer_interested",
            "customer_contacted",
        ],
    ),
];

/// What an event is about; `None` for a name we do not know.
pub(super) fn topic(event: &str) -> Option<Topic> {
    EVENTS.iter().find(|(_, events)| events.contains(&event)).map(|(topic, _)| *topic)
}

pub(super) fn vocabulary() -> Vec<Entry> {
    let orders = ORDER.iter().map(|(word, facts, reads_as)| Entry {
        field: "order.status",
        word: (*word).into(),
        facts: facts.iter().map(|kind| fact(*kind)).collect(),
        reads_as,
    });
    let subscriptions = SUBSCRIPTION.iter().map(|(word, base)| Entry {
        field: "subscription.status",
        word: (*word).into(),
        facts: vec![fact(SubscriptionKind::Base(*base))],
        reads_as: base.as_str(),
    });
    let events = EVENTS.iter().flat_map(|(topic, events)| {
        let reads: &[&str] = match topic {
            Topic::Order => &["look-up order"],
            Topic::Subscription => &["look-up subscription"],
            Topic::Customer => &[],
        };
        events.iter().map(move |event| Entry {
            field: "event",
            word: (*event).into(),
            facts: reads.iter().map(|read| (*read).into()).collect(),
            reads_as: "-",
        })
    });
    orders.chain(subscriptions).chain(events).collect()
}

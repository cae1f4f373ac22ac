//! Mercado Pago's words as data: which facts each becomes. The vocabulary people read is printed from these tables.

use afluente_model::{
    AttemptKind, AuthKind, CaptureKind, DisputeKind, PaymentKind, RefundKind, RiskKind, SubscriptionBase,
    SubscriptionKind, TotalsKind, WantKind,
};

use crate::vocabulary::{Entry, fact};

/// What a topic of a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// An object that can be read back by the id of the notice.
    Of(WantKind),
    /// Objects named beside that id.
    Beside,
    /// Nothing that is kept here.
    Silent,
}

/// Topics of both channels.
const TOPICS: &[(&str, Topic)] = &[
    ("payment", Topic::Of(WantKind::Payment)),
    ("topic_merchant_order_wh", Topic::Of(WantKind::MerchantOrder)),
    ("merchant_order", Topic::Of(WantKind::MerchantOrder)),
    ("topic_chargebacks_wh", Topic::Of(WantKind::Chargeback)),
    ("chargebacks", Topic::Of(WantKind::Chargeback)),
    ("topic_claims_integration_wh", Topic::Of(WantKind::Claim)),
    ("order", Topic::Of(WantKind::Order)),
    ("subscription_preapproval", Topic::Of(WantKind::Subscription)),
    ("subscription_preapproval_plan", Topic::Of(WantKind::Plan)),
    ("subscription_authorized_payment", Topic::Of(WantKind::Instalment)),
    ("automatic-payments", Topic::Beside),
    (FRAUD, Topic::Beside),
    ("delivery_cancellation", Topic::Beside),
    ("topic_card_id_wh", Topic::Silent),
    ("point_integration_wh", Topic::Silent),
    ("mp-connect", Topic::Silent),
    ("wallet_connect", Topic::Silent),
    ("delivery", Topic::Silent),
];

/// The warning that a payment looks like fraud.
pub(super) const FRAUD: &str = "stop_delivery_op_wh";

/// Ids that a notice may name beside its own, and what they are of.
pub(super) const BESIDE: &[(&str, WantKind)] = &[
    ("payment_id", WantKind::Payment),
    ("merchant_order", WantKind::MerchantOrder),
    ("customer_id", WantKind::Customer),
];

/// What a topic is about; `None` for one we do not know.
pub(super) fn topic(word: &str) -> Option<Topic> {
    TOPICS.iter().find(|(known, _)| *known == word).map(|(_, topic)| *topic)
}

/// One status, with the details it is told apart by; none for every other detail.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) details: &'static [&'static str],
    pub(super) facts: &'static [PaymentKind],
    pub(super) reads_as: &'static str,
}

const fn row(
    word: &'static str,
    details: &'static [&'static str],
    facts: &'static [PaymentKind],
    reads_as: &'static str,
) -> Row {
    Row { word, details, facts, reads_as }
}

/// The row of a status with a detail.
pub(super) fn find(table: &'static [Row], word: &str, detail: &str) -> Option<&'static Row> {
    table.iter().find(|row| row.word == word && (row.details.is_empty() || row.details.contains(&detail)))
}

const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
const REQUIRES_ACTION: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const EXPIRED: PaymentKind = PaymentKind::Attempt(AttemptKind::Expired);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const CREATED: PaymentKind = PaymentKind::Attempt(AttemptKind::Created);
const AUTHORIZED: PaymentKind = PaymentKind::Auth(AuthKind::Authorized);
const VOIDED: PaymentKind = PaymentKind::Auth(AuthKind::Voided);
const HOLD_EXPIRED: PaymentKind = PaymentKind::Auth(AuthKind::Expired);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);
const RETURNED: PaymentKind = PaymentKind::Totals(TotalsKind::Refunded);
const NO_DISPUTE: PaymentKind = PaymentKind::Dispute(DisputeKind::None);
const DISPUTED: PaymentKind = PaymentKind::Dispute(DisputeKind::Opened);
const LOST: PaymentKind = PaymentKind::Dispute(DisputeKind::Lost);
const REVIEW: PaymentKind = PaymentKind::Risk(RiskKind::Review);
const APPROVED: PaymentKind = PaymentKind::Risk(RiskKind::Approved);
const REJECTED: PaymentKind = PaymentKind::Risk(RiskKind::Rejected);

/// Details of a rejection that were the antifraud's decision.
const RISK: &[&str] =
    &["cc_rejected_high_risk", "rejected_high_risk", "cc_rejected_blacklist", "high_risk", "rejected_by_regulations"];

/// `payment.status` with `status_detail`. The refunded total is what the object says, and decides between the refunded words.
pub(super) static PAYMENT: &[Row] = &[
    row(
        "pending",
        &["pending_waiting_payment", "pending_waiting_transfer", "pending_challenge"],
        &[REQUIRES_ACTION],
        "REQUIRES_ACTION",
    ),
    row("pending", &[], &[PENDING], "PROCESSING"),
    row("in_process", &[], &[REVIEW], "IN_REVIEW"),
    row("authorized", &[], &[AUTHORIZED], "AUTHORIZED"),
    row("approved", &[], &[TAKEN, RETURNED, NO_DISPUTE, APPROVED], "SUCCEEDED"),
    row("refunded", &[], &[TAKEN, RETURNED, NO_DISPUTE], "REFUNDED"),
    row("rejected", RISK, &[DECLINED, REJECTED], "FAILED"),
    row("rejected", &[], &[DECLINED], "FAILED"),
    row("cancelled", &["expired"], &[EXPIRED, HOLD_EXPIRED], "EXPIRED"),
    row("cancelled", &[], &[CANCELED, VOIDED], "CANCELED"),
    row("in_mediation", &[], &[TAKEN, RETURNED, DISPUTED], "DISPUTED"),
    row("charged_back", &["settled"], &[TAKEN, RETURNED, LOST], "CHARGED_BACK"),
    // Whose money was given back is not said: won only where the chargeback was covered, and a person is told.
    row("charged_back", &[REIMBURSED], &[TAKEN, RETURNED, DISPUTED], "DISPUTED"),
    row("charged_back", &[], &[TAKEN, RETURNED, DISPUTED], "DISPUTED"),
];

/// The detail of a chargeback whose money was given back, to whom is not said.
pub(super) const REIMBURSED: &str = "reimbursed";

/// `order.status` with `status_detail`, of the orders API. Refunds and chargebacks stand beside it.
pub(super) static ORDER: &[Row] = &[
    row("created", &[], &[CREATED], "PENDING"),
    row("processing", &["in_review", "pending_review_manual"], &[REVIEW], "IN_REVIEW"),
    row("processing", &[], &[PENDING], "PROCESSING"),
    row("at_terminal", &[], &[PENDING], "PROCESSING"),
    row("in_review", &[], &[REVIEW], "IN_REVIEW"),
    row("action_required", &["waiting_capture"], &[AUTHORIZED], "AUTHORIZED"),
    row("action_required", &[], &[REQUIRES_ACTION], "REQUIRES_ACTION"),
    row("processed", &[], &[TAKEN], "SUCCEEDED"),
    row("refunded", &[], &[TAKEN, RETURNED], "REFUNDED"),
    row("failed", RISK, &[DECLINED, REJECTED], "FAILED"),
    row("failed", &[], &[DECLINED], "FAILED"),
    row("canceled", &[], &[CANCELED, VOIDED], "CANCELED"),
    row("cancelled", &[], &[CANCELED, VOIDED], "CANCELED"),
    row("expired", &[], &[EXPIRED, HOLD_EXPIRED], "EXPIRED"),
    row("charged_back", &["settled"], &[TAKEN, LOST], "CHARGED_BACK"),
    row("charged_back", &[], &[TAKEN, DISPUTED], "DISPUTED"),
];

/// `refund.status`, of refunds inside a payment or an order.
pub(super) static REFUND: &[(&str, RefundKind)] = &[
    ("approved", RefundKind::Succeeded),
    ("processed", RefundKind::Succeeded),
    ("refunded", RefundKind::Succeeded),
    ("authorized", RefundKind::Pending),
    ("in_process", RefundKind::Pending),
    ("processing", RefundKind::Pending),
    ("rejected", RefundKind::Failed),
    ("failed", RefundKind::Failed),
    ("cancelled", RefundKind::Canceled),
    ("canceled", RefundKind::Canceled),
];

/// `preapproval.status`. A trial, a debt and an end by quota are computed from what stands beside it.
pub(super) static SUBSCRIPTION: &[(&str, SubscriptionBase)] = &[
    ("pending", SubscriptionBase::Incomplete),
    ("authorized", SubscriptionBase::Active),
    ("paused", SubscriptionBase::Paused),
    ("cancelled", SubscriptionBase::Canceled),
    ("canceled", SubscriptionBase::Canceled),
];

/// Words that are known and change no row.
static SILENT: &[(&str, &[&str])] = &[
    ("merchant_order.status", &["opened", "closed", "expired"]),
    ("authorized_payment.status", &["scheduled", "processed", "recycling", "cancelled"]),
    ("chargeback.status", &["new", "in_review", "in_process", "won", "lost"]),
    ("claim.status", &["opened", "closed", "cancelled"]),
    ("plan.status", &["active", "cancelled", "inactive"]),
];

/// Whether a word stands in a table of what changes no row.
pub(super) fn is_known(field: &str, word: &str) -> bool {
    SILENT.iter().any(|(known, words)| *known == field && words.contains(&word))
}

pub(super) fn vocabulary() -> Vec<Entry> {
    let of_payments = |field, table: &'static [Row]| table.iter().map(move |row| entry(field, row));
    let mut entries: Vec<Entry> = of_payments("payment.status", PAYMENT).collect();
    entries.extend(of_payments("order.status", ORDER));
    entries.extend(REFUND.iter().map(|(word, kind)| Entry {
        field: "refund.status",
        word: (*word).into(),
        facts: vec![fact(PaymentKind::Refund(*kind))],
        reads_as: "-",
    }));
    entries.extend(SUBSCRIPTION.iter().map(|(word, base)| Entry {
        field: "preapproval.status",
        word: (*word).into(),
        facts: vec![fact(SubscriptionKind::Base(*base))],
        reads_as: base.as_str(),
    }));
    let silent = SILENT.iter().flat_map(|(field, words)| words.iter().map(move |word| (*field, *word)));
    entries.extend(silent.map(|(field, word)| Entry { field, word: word.into(), facts: Vec::new(), reads_as: "-" }));
    entries.extend(TOPICS.iter().map(|(word, topic)| Entry {
        field: "notice.topic",
        word: (*word).into(),
        facts: match topic {
            Topic::Of(kind) => vec![format!("look-up {kind}").into()],
            Topic::Beside => vec!["look-up of what it names".into()],
            Topic::Silent => Vec::new(),
        },
        reads_as: "-",
    }));
    entries
}

fn entry(field: &'static str, row: &Row) -> Entry {
    let details = if row.details.is_empty() { String::new() } else { format!(" ({})", row.details.join(", ")) };
    Entry {
        field,
        word: format!("{}{details}", row.word).into(),
        facts: row.facts.iter().map(|kind| fact(*kind)).collect(),
        reads_as: row.reads_as,
    }
}

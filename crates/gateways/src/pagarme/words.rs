//! Pagar.me's words as data: which facts each becomes. The vocabulary people read is printed from these tables.

use afluente_model::{
    AttemptKind, AuthKind, CaptureKind, DisputeKind, PaymentKind, RefundKind, RiskKind, SubscriptionBase,
    SubscriptionKind, TotalsKind,
};

use super::topic;
use crate::vocabulary::{Entry, fact};

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    /// The payer's bank took the money back.
    Lost,
    /// All of it went back.
    Returned,
    /// It is going back.
    Returning,
    /// It was taken; some of it may have gone back.
    Taken,
    /// It is held.
    Held,
    /// Less is held than before.
    HeldLess,
    /// People or machines look at it.
    InReview,
    /// A code or slip waits for the payer.
    Waits,
    /// The gateway or a bank is at work.
    Pending,
    /// It was refused.
    Declined,
    /// The payer let it run out.
    Expired,
    /// It was called off before money moved.
    Voided,
    /// It ended, and nothing tells how.
    Unclear,
}

const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
const REQUIRES_ACTION: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const RAN_OUT: PaymentKind = PaymentKind::Attempt(AttemptKind::Expired);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const AUTHORIZED: PaymentKind = PaymentKind::Auth(AuthKind::Authorized);
const VOIDED: PaymentKind = PaymentKind::Auth(AuthKind::Voided);
const HOLD_EXPIRED: PaymentKind = PaymentKind::Auth(AuthKind::Expired);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);
const RETURNED: PaymentKind = PaymentKind::Totals(TotalsKind::Refunded);
const RETURNING: PaymentKind = PaymentKind::Refund(RefundKind::Pending);
const LOST: PaymentKind = PaymentKind::Dispute(DisputeKind::Lost);
const REVIEW: PaymentKind = PaymentKind::Risk(RiskKind::Review);

impl Story {
    /// What it asserts.
    pub(super) const fn facts(self) -> &'static [PaymentKind] {
        match self {
            Story::Lost => &[TAKEN, RETURNED, LOST],
            Story::Returned | Story::Taken => &[TAKEN, RETURNED],
            Story::Returning => &[TAKEN, RETURNING],
            Story::Held | Story::HeldLess => &[AUTHORIZED],
            Story::InReview => &[REVIEW],
            Story::Waits => &[REQUIRES_ACTION],
            Story::Pending => &[PENDING],
            Story::Declined => &[DECLINED],
            Story::Expired => &[RAN_OUT, HOLD_EXPIRED],
            Story::Voided => &[VOIDED, CANCELED],
            Story::Unclear => &[],
        }
    }

    const fn reads_as(self) -> &'static str {
        match self {
            Story::Lost => "CHARGED_BACK",
            Story::Returned => "REFUNDED",
            Story::Taken | Story::Returning => "SUCCEEDED",
            Story::Held | Story::HeldLess => "AUTHORIZED",
            Story::InReview => "IN_REVIEW",
            Story::Waits => "REQUIRES_ACTION",
            Story::Pending => "PROCESSING",
            Story::Declined => "FAILED",
            Story::Expired => "EXPIRED",
            Story::Voided => "CANCELED",
            Story::Unclear => "-",
        }
    }
}

/// The words of a charge and of its last transaction together; no words of the transaction for every other.
pub(super) struct Row {
    charges: &'static [&'static str],
    transactions: &'static [&'static str],
    story: Story,
}

const fn row(charges: &'static [&'static str], transactions: &'static [&'static str], story: Story) -> Row {
    Row { charges, transactions, story }
}

const REFUSED: &[&str] = &["not_authorized", "with_error", "failed"];

/// The first row that fits. The transaction is looked at where the charge's own word says too little.
pub(super) static CHARGE: &[Row] = &[
    row(&[], &["chargedback"], Story::Lost),
    row(&["chargedback"], &[], Story::Lost),
    row(&["paid", "overpaid", "underpaid", "processing", "canceled"], &["pending_refund"], Story::Returning),
    row(&["canceled"], &["refunded", "partial_refunded"], Story::Returned),
    row(&["refunded"], &[], Story::Returned),
    row(&["canceled"], &["voided", "partial_void"], Story::Voided),
    row(&["canceled", "failed"], &["expired"], Story::Expired),
    row(&["canceled"], REFUSED, Story::Declined),
    row(&["canceled"], &[], Story::Unclear),
    row(&["paid", "overpaid", "underpaid", "partial_canceled"], &[], Story::Taken),
    row(&["failed"], &[], Story::Declined),
    row(&["pending", "processing"], &["analyzing", "pending_review"], Story::InReview),
    row(&["pending", "processing"], REFUSED, Story::Declined),
    row(&["pending", "processing"], &["expired"], Story::Expired),
    row(&["pending"], &["authorized_pending_capture", "waiting_capture"], Story::Held),
    row(&["pending"], &["partial_void"], Story::HeldLess),
    row(&["pending"], &["waiting_payment", "generated", "viewed"], Story::Waits),
    row(&["pending", "processing"], &[], Story::Pending),
];

/// What the words of a charge and its last transaction say together; `None` for a charge's word we do not know.
pub(super) fn story(charge: &str, transaction: &str) -> Option<Story> {
    let fits = |row: &&Row| {
        (row.charges.is_empty() || row.charges.contains(&charge))
            && (row.transactions.is_empty() || row.transactions.contains(&transaction))
    };
    CHARGE.iter().find(fits).map(|row| row.story)
}

/// Words of a transaction that decide nothing beside their charge's.
static BESIDE: &[&str] = &[
    "captured",
    "partial_capture",
    "paid",
    "overpaid",
    "underpaid",
    "processing",
    "canceled",
    "waiting_cancellation",
    "error_on_voiding",
    "error_on_refunding",
    "partial_refunded",
    "refunded",
    "voided",
];

/// Whether a word of a transaction stands in a table of ours.
pub(super) fn is_transaction(word: &str) -> bool {
    BESIDE.contains(&word) || CHARGE.iter().any(|row| row.transactions.contains(&word))
}

/// `antifraud_response.status`, of whatever charge.
pub(super) static ANTIFRAUD: &[(&str, RiskKind)] = &[
    ("approved", RiskKind::Approved),
    ("reproved", RiskKind::Rejected),
    ("manual", RiskKind::Review),
    ("pending", RiskKind::Review),
];

/// What an event's name says beside the charge in it.
pub(super) static BY_EVENT: &[(&str, &[&str], Story)] = &[
    ("charge.chargedback", &[], Story::Lost),
    ("charge.refunded", &[], Story::Returned),
    ("charge.payment_failed", &["pending", "processing"], Story::Declined),
    ("charge.antifraud_reproved", &["pending", "processing"], Story::Declined),
];

/// `transaction.status` of v4, `current_status` of its postbacks.
pub(super) static POSTBACK: &[(&str, Story)] = &[
    ("processing", Story::Pending),
    ("analyzing", Story::InReview),
    ("pending_review", Story::InReview),
    ("authorized", Story::Held),
    ("paid", Story::Taken),
    ("waiting_payment", Story::Waits),
    ("pending_refund", Story::Returning),
    ("refunded", Story::Returned),
    ("refused", Story::Declined),
    ("chargedback", Story::Lost),
];

/// `subscription.status`. What is owed is told by invoices alone.
pub(super) static SUBSCRIPTION: &[(&str, SubscriptionBase)] = &[
    ("active", SubscriptionBase::Active),
    ("future", SubscriptionBase::Pending),
    ("canceled", SubscriptionBase::Canceled),
    ("failed", SubscriptionBase::Incomplete),
];

/// `subscription.status` of v4.
pub(super) static POSTBACK_SUBSCRIPTION: &[(&str, SubscriptionBase)] = &[
    ("trialing", SubscriptionBase::Trialing),
    ("trial", SubscriptionBase::Trialing),
    ("paid", SubscriptionBase::Active),
    ("pending_payment", SubscriptionBase::PastDue),
    ("unpaid", SubscriptionBase::Suspended),
    ("canceled", SubscriptionBase::Canceled),
    ("ended", SubscriptionBase::Expired),
];

/// `invoice.status`: what it says of its subscription.
pub(super) static INVOICE: &[(&str, Option<SubscriptionBase>)] = &[
    ("pending", None),
    ("scheduled", None),
    ("canceled", None),
    ("paid", Some(SubscriptionBase::Active)),
    ("failed", Some(SubscriptionBase::PastDue)),
];

/// Words that are known and change no row.
static SILENT: &[(&str, &[&str])] = &[
    ("order.status", &["pending", "paid", "canceled", "failed", "processing"]),
    ("recipient.status", &["registration", "affiliation", "active", "refused", "suspended", "blocked", "inactive"]),
    ("recipient.kyc_status", &["pending", "denied", "partially_denied", "approved"]),
    ("transfer.status", &["pending", "created", "processing", "paid", "canceled", "failed"]),
];

/// Whether a word stands in a table of what changes no row.
pub(super) fn is_known(field: &str, word: &str) -> bool {
    SILENT.iter().any(|(known, words)| *known == field && words.contains(&word))
}

pub(super) fn vocabulary() -> Vec<Entry> {
    let mut entries: Vec<Entry> = CHARGE.iter().flat_map(charge_entries).collect();
    entries.extend(BY_EVENT.iter().map(|(event, charges, story)| {
        let beside = if charges.is_empty() { String::new() } else { format!(" ({})", charges.join(", ")) };
        of_story("event.type", format!("{event}{beside}"), *story)
    }));
    entries.extend(BESIDE.iter().map(|word| silent("transaction.status", word)));
    entries.extend(ANTIFRAUD.iter().map(|(word, kind)| Entry {
        field: "antifraud_response.status",
        word: (*word).into(),
        facts: vec![fact(PaymentKind::Risk(*kind))],
        reads_as: "-",
    }));
    entries.extend(POSTBACK.iter().map(|(word, story)| of_story("v4 transaction.status", (*word).to_owned(), *story)));
    entries.extend(SUBSCRIPTION.iter().map(|(word, base)| of_base("subscription.status", word, *base)));
    entries.extend(POSTBACK_SUBSCRIPTION.iter().map(|(word, base)| of_base("v4 subscription.status", word, *base)));
    entries.extend(INVOICE.iter().map(|(word, base)| {
        base.map_or_else(|| silent("invoice.status", word), |base| of_base("invoice.status", word, base))
    }));
    entries.extend(SILENT.iter().flat_map(|(field, words)| words.iter().map(|word| silent(field, word))));
    entries.extend(topic::vocabulary());
    entries
}

fn charge_entries(row: &'static Row) -> impl Iterator<Item = Entry> {
    let any: &[&str] = &["(any)"];
    let charges = if row.charges.is_empty() { any } else { row.charges };
    charges.iter().map(|charge| {
        let with = if row.transactions.is_empty() {
            String::new()
        } else {
            format!(" (transaction {})", row.transactions.join(", "))
        };
        of_story("charge.status", format!("{charge}{with}"), row.story)
    })
}

fn of_story(field: &'static str, word: String, story: Story) -> Entry {
    let facts = story.facts().iter().map(|kind| fact(*kind)).collect();
    Entry { field, word: word.into(), facts, reads_as: story.reads_as() }
}

fn of_base(field: &'static str, word: &str, base: SubscriptionBase) -> Entry {
    Entry { field, word: word.into(), facts: vec![fact(SubscriptionKind::Base(base))], reads_as: base.as_str() }
}

pub(super) fn silent(field: &'static str, word: &str) -> Entry {
    Entry { field, word: word.into(), facts: Vec::new(), reads_as: "-" }
}

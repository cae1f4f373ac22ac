//! Stripe's words as data: which facts each becomes. The vocabulary people read is printed from these tables.

use afluente_model::{AttemptKind, AuthKind, CaptureKind, DisputeKind, PaymentKind, RefundKind, RiskKind, TotalsKind};
use afluente_model::{SubscriptionBase, SubscriptionKind};

use crate::claim::ClaimKind;
use crate::vocabulary::{Entry, fact};

/// What has to hold for a row beside its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// The intent has no last error.
    NoError,
    /// The intent has a last error.
    LastError,
    /// The error says that a voucher or Pix code ran out.
    RanOut,
    /// Money was taken.
    Captured,
    /// Money is held.
    Held,
    /// It says that nothing was paid.
    Unpaid,
    /// It does not say what was taken.
    Unclear,
    /// A hold was released.
    Released,
    /// A hold ran out, or the cancellation was automatic.
    Deadline,
    /// Any other cancellation.
    Decision,
    /// It stands in the list of its charge, whose total says it too.
    InCharge,
}

impl When {
    const fn text(self) -> &'static str {
        match self {
            When::Always => "",
            When::NoError => " (no error)",
            When::LastError => " (last error)",
            When::RanOut => " (ran out)",
            When::Captured => " (captured)",
            When::Held => " (not captured)",
            When::Unpaid => " (not paid)",
            When::Unclear => " (no amounts)",
            When::Released => " (released)",
            When::Deadline => " (expired, automatic)",
            When::Decision => " (other reasons)",
            When::InCharge => " (in its charge)",
        }
    }
}

/// One word of one field.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) when: When,
    pub(super) facts: &'static [PaymentKind],
    pub(super) reads_as: &'static str,
}

const fn row(word: &'static str, when: When, facts: &'static [PaymentKind], reads_as: &'static str) -> Row {
    Row { word, when, facts, reads_as }
}

/// The row of a word under a condition.
pub(super) fn find(table: &'static [Row], word: &str, when: When) -> Option<&'static Row> {
    table.iter().find(|row| row.word == word && (row.when == When::Always || row.when == when))
}

const CREATED: PaymentKind = PaymentKind::Attempt(AttemptKind::Created);
const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
const REQUIRES_ACTION: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const EXPIRED: PaymentKind = PaymentKind::Attempt(AttemptKind::Expired);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const AUTHORIZED: PaymentKind = PaymentKind::Auth(AuthKind::Authorized);
const VOIDED: PaymentKind = PaymentKind::Auth(AuthKind::Voided);
const HOLD_EXPIRED: PaymentKind = PaymentKind::Auth(AuthKind::Expired);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);
const TOTAL_TAKEN: PaymentKind = PaymentKind::Totals(TotalsKind::Captured);
const TOTAL_RETURNED: PaymentKind = PaymentKind::Totals(TotalsKind::Refunded);

/// The status of a charge that took money, and of one that did not.
pub(super) const PAID: &str = "succeeded";
pub(super) const FAILED: &str = "failed";
/// The word of an intent whose money is held.
pub(super) const HELD: &str = "requires_capture";
/// The error code of a voucher or Pix code that nobody paid in time.
pub(super) const RAN_OUT: &str = "payment_intent_payment_attempt_expired";

/// Where an intent and a charge name what they belong to.
pub(super) const RELATIONS: &[(ClaimKind, &str)] =
    &[(ClaimKind::Customer, "customer"), (ClaimKind::Method, "payment_method"), (ClaimKind::Invoice, "invoice")];

/// `payment_intent.status`. `totals.captured` is asserted only where money was received, `capture.succeeded` only where
/// the charge is named too. The `requires_source` words are those of versions before 2019-02-11.
pub(super) static INTENT: &[Row] = &[
    row("requires_payment_method", When::NoError, &[CREATED], "PENDING"),
    row("requires_payment_method", When::LastError, &[DECLINED], "FAILED"),
    row("requires_payment_method", When::RanOut, &[EXPIRED], "EXPIRED"),
    row("requires_source", When::NoError, &[CREATED], "PENDING"),
    row("requires_source", When::LastError, &[DECLINED], "FAILED"),
    row("requires_source", When::RanOut, &[EXPIRED], "EXPIRED"),
    row("requires_confirmation", When::NoError, &[CREATED], "PENDING"),
    row("requires_confirmation", When::LastError, &[DECLINED], "FAILED"),
    row("requires_confirmation", When::RanOut, &[EXPIRED], "EXPIRED"),
    row("requires_action", When::Always, &[REQUIRES_ACTION], "REQUIRES_ACTION"),
    row("requires_source_action", When::Always, &[REQUIRES_ACTION], "REQUIRES_ACTION"),
    row("processing", When::Always, &[PENDING], "PROCESSING"),
    row("requires_capture", When::Always, &[AUTHORIZED, TOTAL_TAKEN], "AUTHORIZED"),
    row("succeeded", When::Always, &[TOTAL_TAKEN, TAKEN], "SUCCEEDED"),
    row("canceled", When::Deadline, &[HOLD_EXPIRED, EXPIRED], "EXPIRED"),
    row("canceled", When::Decision, &[VOIDED, CANCELED], "CANCELED"),
];

/// `charge.status`. `totals.refunded` is asserted only where everything was captured: a partial capture releases the rest
/// under the same field. A hold that ended proves that it once stood.
pub(super) static CHARGE: &[Row] = &[
    row("succeeded", When::Captured, &[TAKEN, TOTAL_TAKEN, TOTAL_RETURNED], "-"),
    row("succeeded", When::Held, &[AUTHORIZED], "AUTHORIZED"),
    row("succeeded", When::Unpaid, &[], "-"),
    row("succeeded", When::Unclear, &[], "-"),
    row("succeeded", When::Released, &[AUTHORIZED, VOIDED, CANCELED], "CANCELED"),
    row("succeeded", When::Deadline, &[AUTHORIZED, HOLD_EXPIRED, EXPIRED], "EXPIRED"),
    row("pending", When::RanOut, &[EXPIRED], "EXPIRED"),
    row("pending", When::Always, &[PENDING], "PROCESSING"),
    row("failed", When::RanOut, &[EXPIRED], "EXPIRED"),
    row("failed", When::LastError, &[DECLINED], "FAILED"),
];

/// What old API versions say, and today's word for it: `paid` before 2015-02-18, and before that no status at all.
static OLD_CHARGE: &[(&str, Option<bool>, &str)] =
    &[("paid", None, PAID), ("", Some(true), PAID), ("", Some(false), FAILED)];

/// Today's word for a charge's status; `None` for one we do not know.
pub(super) fn charge_status(word: &str, paid: Option<bool>) -> Option<&'static str> {
    let old = OLD_CHARGE.iter().find(|(old, flag, _)| *old == word && (flag.is_none() || *flag == paid));
    old.map(|(_, _, status)| *status).or_else(|| CHARGE.iter().map(|row| row.word).find(|known| *known == word))
}

/// `charge.outcome.type`, Radar's verdict. What the issuer says is told by the status already.
pub(super) static OUTCOME: &[Row] = &[
    row("authorized", When::Always, &[], "-"),
    row("manual_review", When::Always, &[], "-"),
    row("issuer_declined", When::Always, &[], "-"),
    row("invalid", When::Always, &[], "-"),
    row("blocked", When::Always, &[PaymentKind::Risk(RiskKind::Rejected)], "-"),
];

/// `refund.reason`. Stripe calls the end of a hold nobody captured a refund; no money goes back.
pub(super) static REFUND_REASON: &[Row] = &[
    row("duplicate", When::Always, &[], "-"),
    row("fraudulent", When::Always, &[], "-"),
    row("requested_by_customer", When::Always, &[], "-"),
    row("expired_uncaptured_charge", When::Always, &[AUTHORIZED, HOLD_EXPIRED], "EXPIRED"),
];

/// `refund.status`; no status at all is a request, and says nothing beside its charge's total.
pub(super) static REFUND: &[Row] = &[
    row("", When::InCharge, &[], "-"),
    row("", When::Always, &[PaymentKind::Refund(RefundKind::Requested)], "-"),
    row("pending", When::Always, &[PaymentKind::Refund(RefundKind::Pending)], "-"),
    row("requires_action", When::Always, &[PaymentKind::Refund(RefundKind::Pending)], "-"),
    row("succeeded", When::Always, &[PaymentKind::Refund(RefundKind::Succeeded)], "-"),
    row("failed", When::Always, &[PaymentKind::Refund(RefundKind::Failed)], "-"),
    row("canceled", When::Always, &[PaymentKind::Refund(RefundKind::Canceled)], "-"),
];

/// `dispute.status`.
pub(super) static DISPUTE: &[Row] = &[
    row("warning_needs_response", When::Always, &[PaymentKind::Dispute(DisputeKind::Inquiry)], "-"),
    row("warning_under_review", When::Always, &[PaymentKind::Dispute(DisputeKind::Inquiry)], "-"),
    row("warning_closed", When::Always, &[PaymentKind::Dispute(DisputeKind::Withdrawn)], "-"),
    row("needs_response", When::Always, &[PaymentKind::Dispute(DisputeKind::Opened)], "DISPUTED"),
    row("under_review", When::Always, &[PaymentKind::Dispute(DisputeKind::UnderReview)], "DISPUTED"),
    row("appeal_needs_response", When::Always, &[PaymentKind::Dispute(DisputeKind::UnderReview)], "DISPUTED"),
    row("appeal_under_review", When::Always, &[PaymentKind::Dispute(DisputeKind::UnderReview)], "DISPUTED"),
    row("won", When::Always, &[PaymentKind::Dispute(DisputeKind::Won)], "-"),
    row("lost", When::Always, &[PaymentKind::Dispute(DisputeKind::Lost)], "CHARGED_BACK"),
    row("prevented", When::Always, &[PaymentKind::Dispute(DisputeKind::Withdrawn)], "-"),
    row("charge_refunded", When::Always, &[PaymentKind::Dispute(DisputeKind::Withdrawn)], "-"),
];

/// `review.open`, and `review.closed_reason` once it is closed. Reasons without a verdict end the review all the same.
pub(super) static REVIEW: &[Row] = &[
    row("open", When::Always, &[PaymentKind::Risk(RiskKind::Review)], "IN_REVIEW"),
    row("approved", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("acknowledged", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("refunded", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("redacted", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("canceled", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("payment_never_settled", When::Always, &[PaymentKind::Risk(RiskKind::Approved)], "-"),
    row("refunded_as_fraud", When::Always, &[PaymentKind::Risk(RiskKind::Rejected)], "-"),
    row("disputed", When::Always, &[PaymentKind::Risk(RiskKind::Rejected)], "-"),
];

/// `subscription.status`.
pub(super) static SUBSCRIPTION: &[(&str, SubscriptionBase)] = &[
    ("incomplete", SubscriptionBase::Incomplete),
    ("incomplete_expired", SubscriptionBase::Expired),
    ("trialing", SubscriptionBase::Trialing),
    ("active", SubscriptionBase::Active),
    ("past_due", SubscriptionBase::PastDue),
    ("unpaid", SubscriptionBase::Suspended),
    ("paused", SubscriptionBase::Paused),
    ("canceled", SubscriptionBase::Canceled),
];

/// Words that are kept as claims: they say something about an invoice, a session or its payment, not about money.
static CLAIMED: &[(&str, &[&str])] = &[
    ("invoice.status", &["draft", "open", "paid", "uncollectible", "void", "deleted"]),
    ("invoice_payment.status", &["open", "paid", "canceled"]),
    ("checkout.session.status", &["open", "complete", "expired"]),
    ("checkout.session.payment_status", &["paid", "unpaid", "no_payment_required"]),
];

/// Whether a word that makes no facts is one we know.
pub(super) fn is_known(field: &str, word: &str) -> bool {
    CLAIMED.iter().any(|(known, words)| *known == field && words.contains(&word))
}

/// Words that are documented and change nothing here; a refund's failure reason is kept as its code.
static SILENT: &[(&str, &[&str])] = &[
    (
        "refund.failure_reason",
        &[
            "lost_or_stolen_card",
            "expired_or_canceled_card",
            "charge_for_pending_refund_disputed",
            "insufficient_funds",
            "declined",
            "merchant_request",
            "unknown",
        ],
    ),
    (
        "invoice.uncollectible_reason",
        &[
            "max_payment_attempts",
            "payment_not_received",
            "subscription_canceled",
            "subscription_paused",
            "user_forgiven",
        ],
    ),
    (
        "invoice.billing_reason",
        &[
            "manual",
            "subscription",
            "subscription_create",
            "subscription_cycle",
            "subscription_threshold",
            "subscription_update",
            "quote_accept",
            "automatic_pending_invoice_item_invoice",
            "upcoming",
        ],
    ),
    (
        "setup_intent.status",
        &["requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded", "canceled"],
    ),
    (
        "subscription.status_details.paused.subscription.type",
        &[
            "final_payment_failure",
            "first_payment_failure",
            "pause_requested",
            "system",
            "trial_end_without_payment_method",
        ],
    ),
];

/// Words of `payment_intent.cancellation_reason`, and the closed reason each is.
pub(super) static CANCELLATION: &[(&str, When, &str)] = &[
    ("abandoned", When::Decision, "PAYER_LEFT"),
    ("automatic", When::Deadline, "DEADLINE"),
    ("duplicate", When::Decision, "MERCHANT"),
    ("expired", When::Deadline, "DEADLINE"),
    ("failed_invoice", When::Decision, "DECLINED"),
    ("fraudulent", When::Decision, "RISK"),
    ("requested_by_customer", When::Decision, "MERCHANT"),
    ("void_invoice", When::Decision, "MERCHANT"),
];

/// Words of `subscription.cancellation_details.reason`, and ours.
pub(super) static ENDING: &[(&str, &str)] = &[
    ("cancellation_requested", "REQUESTED"),
    ("payment_failed", "NONPAYMENT"),
    ("payment_disputed", "CHARGEBACK"),
    ("canceled_by_retention_policy", "GATEWAY"),
];

/// Objects we know of that say nothing about a payment, a customer or a subscription.
const SILENT_OBJECTS: &[&str] = &[
    "account",
    "application",
    "application_fee",
    "balance",
    "balance_transaction",
    "bank_account",
    "capability",
    "card",
    "checkout.session_line_item",
    "coupon",
    "credit_note",
    "discount",
    "fee_refund",
    "file",
    "invoiceitem",
    "issuing.card",
    "line_item",
    "mandate",
    "payment_link",
    "payout",
    "person",
    "plan",
    "price",
    "product",
    "promotion_code",
    "quote",
    "radar.early_fraud_warning",
    "setup_intent",
    "source",
    "subscription_item",
    "subscription_schedule",
    "tax_id",
    "tax_rate",
    "terminal.reader",
    "test_helpers.test_clock",
    "topup",
    "transfer",
];

/// A connected account ended our access.
pub(super) const ACCESS_ENDED: &str = "ended";

/// Event types about our access to a connected account, and what each says of it.
pub(super) static ACCESS: &[(&str, &str)] =
    &[("account.application.authorized", "granted"), ("account.application.deauthorized", ACCESS_ENDED)];

/// Whether objects of this word are known to say nothing here.
pub(super) fn is_silent(word: &str) -> bool {
    SILENT_OBJECTS.contains(&word)
}

/// `charge.dispute.created` is about a dispute, `customer.subscription.deleted` about a subscription.
pub(super) fn object_of(kind: &str) -> &str {
    let stem = kind.rsplit_once('.').map_or(kind, |(stem, _)| stem);
    match stem {
        "charge.dispute" => "dispute",
        "charge.refund" => "refund",
        "customer.subscription" => "subscription",
        other => other,
    }
}

/// Every word we know.
pub(super) fn vocabulary() -> Vec<Entry> {
    let tables = [
        ("payment_intent.status", INTENT),
        ("charge.status", CHARGE),
        ("charge.outcome.type", OUTCOME),
        ("refund.status", REFUND),
        ("refund.reason", REFUND_REASON),
        ("dispute.status", DISPUTE),
        ("review.closed_reason", REVIEW),
    ];
    let mut entries: Vec<Entry> =
        tables.into_iter().flat_map(|(field, table)| table.iter().map(move |row| payment_entry(field, row))).collect();
    entries.extend(OLD_CHARGE.iter().map(|(word, paid, status)| {
        let word = match paid {
            None => (*word).to_owned(),
            Some(true) => "null (paid)".to_owned(),
            Some(false) => "null (not paid)".to_owned(),
        };
        Entry { field: "charge.status", word: word.into(), facts: vec![format!("as {status}").into()], reads_as: "-" }
    }));
    entries.extend(SUBSCRIPTION.iter().map(|(word, base)| Entry {
        field: "subscription.status",
        word: (*word).into(),
        facts: vec![fact(SubscriptionKind::Base(*base))],
        reads_as: base.as_str(),
    }));
    entries.extend(
        CANCELLATION.iter().map(|(word, _, reason)| reason_entry("payment_intent.cancellation_reason", word, reason)),
    );
    entries.extend(
        ENDING.iter().map(|(word, reason)| reason_entry("subscription.cancellation_details.reason", word, reason)),
    );
    entries.extend(ACCESS.iter().map(access_entry));
    for (field, words) in CLAIMED.iter().chain(SILENT) {
        entries.extend(words.iter().map(|word| Entry {
            field,
            word: (*word).into(),
            facts: Vec::new(),
            reads_as: "-",
        }));
    }
    entries
}

fn access_entry((kind, access): &(&str, &str)) -> Entry {
    Entry { field: "event.type", word: (*kind).into(), facts: vec![format!("access {access}").into()], reads_as: "-" }
}

fn payment_entry(field: &'static str, row: &Row) -> Entry {
    let word = if row.word.is_empty() { "null" } else { row.word };
    Entry {
        field,
        word: format!("{word}{}", row.when.text()).into(),
        facts: row.facts.iter().map(|kind| fact(*kind)).collect(),
        reads_as: row.reads_as,
    }
}

fn reason_entry(field: &'static str, word: &str, reason: &str) -> Entry {
    Entry { field, word: word.into(), facts: vec![format!("reason {reason}").into()], reads_as: "-" }
}

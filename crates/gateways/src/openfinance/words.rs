//! The words of everybody who speaks to an Open Finance account, as data: which facts each becomes. The vocabulary people read is
//! printed from these tables.

use afluente_model::{
    AttemptKind, CaptureKind, PaymentKind, SubscriptionBase, SubscriptionKind, SubscriptionReason, TotalsKind,
};

use super::notice::EVENT_TYPES;
use crate::vocabulary::{Entry, fact};

const CREATED: PaymentKind = PaymentKind::Attempt(AttemptKind::Created);
const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
const WAITS: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const SCHEDULED: PaymentKind = PaymentKind::Attempt(AttemptKind::Scheduled);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const RAN_OUT: PaymentKind = PaymentKind::Attempt(AttemptKind::Expired);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);
/// What went back, of what was taken.
pub(super) const RETURNED: PaymentKind = PaymentKind::Totals(TotalsKind::Refunded);

/// One word: the fact it becomes, and what a payment reads as that nothing else is known of.
pub(super) type Word = (&'static str, PaymentKind, &'static str);

/// `data.status` of a Pix, single or recurring, of all versions.
pub(super) static PIX: &[Word] = &[
    ("RCVD", PENDING, "PROCESSING"),
    ("PATC", PENDING, "PROCESSING"),
    ("PDNG", PENDING, "PROCESSING"),
    ("ACCP", PENDING, "PROCESSING"),
    ("ACPD", PENDING, "PROCESSING"),
    ("SCHD", SCHEDULED, "PENDING"),
    ("ACSC", TAKEN, "SUCCEEDED"),
    ("RJCT", DECLINED, "FAILED"),
    ("CANC", CANCELED, "CANCELED"),
    // Of the first version alone.
    ("PART", PENDING, "PROCESSING"),
    ("ACSP", PENDING, "PROCESSING"),
    ("ACCC", TAKEN, "SUCCEEDED"),
];

/// `status` of the house profile.
pub(super) static HOUSE: &[Word] = &[
    ("processing", PENDING, "PROCESSING"),
    ("paid", TAKEN, "SUCCEEDED"),
    ("failed", DECLINED, "FAILED"),
    ("canceled", CANCELED, "CANCELED"),
    ("cancelled", CANCELED, "CANCELED"),
];

/// `data.status` of Transfeera's `PaymentInitiation`.
pub(super) static TRANSFEERA: &[Word] = &[
    ("requires_confirmation", CREATED, "PENDING"),
    ("processing", PENDING, "PROCESSING"),
    ("succeeded", TAKEN, "SUCCEEDED"),
    ("not_consented", CANCELED, "CANCELED"),
    ("failed", DECLINED, "FAILED"),
];

/// `status` of a payment of Efí's, as its list tells it.
pub(super) static EFI: &[Word] = &[
    ("pendente", CREATED, "PENDING"),
    ("agendado", SCHEDULED, "PENDING"),
    ("aceito", TAKEN, "SUCCEEDED"),
    ("enviado", TAKEN, "SUCCEEDED"),
    ("rejeitado", DECLINED, "FAILED"),
    ("cancelado", CANCELED, "CANCELED"),
    ("expirado", RAN_OUT, "EXPIRED"),
];

/// What `requires_confirmation` becomes once there is a page the payer has to go to.
pub(super) const WITH_A_PAGE: PaymentKind = WAITS;

/// The fact of a word; sources write theirs in either case.
pub(super) fn of(table: &[Word], word: &str) -> Option<PaymentKind> {
    table.iter().find(|(known, ..)| known.eq_ignore_ascii_case(word.trim())).map(|(_, kind, _)| *kind)
}

/// `data.status` of a consent to one payment, and how a checkout session stands by it. It is no proof of a payment: it is
/// CONSUMED by one that was refused as well.
pub(super) static CONSENT: &[(&str, &str)] = &[
    ("AWAITING_AUTHORISATION", "open"),
    ("PARTIALLY_ACCEPTED", "open"),
    ("AUTHORISED", "open"),
    ("CONSUMED", "completed"),
    ("REJECTED", "canceled"),
];

/// Codes of a consent that nobody used in time. There is no word of its own for that.
pub(super) const RAN_OUT_CODES: [&str; 2] = ["TEMPO_EXPIRADO_AUTORIZACAO", "TEMPO_EXPIRADO_CONSUMO"];

/// `data.status` of a consent to recurring payments. AUTHORISED is PENDING until a payment of it was settled.
pub(super) static RECURRING: &[(&str, SubscriptionBase, Option<SubscriptionReason>)] = &[
    ("AWAITING_AUTHORISATION", SubscriptionBase::Incomplete, None),
    ("PARTIALLY_ACCEPTED", SubscriptionBase::Pending, None),
    ("AUTHORISED", SubscriptionBase::Pending, None),
    ("REVOKED", SubscriptionBase::Canceled, Some(SubscriptionReason::RevokedByPayer)),
    ("CONSUMED", SubscriptionBase::Expired, Some(SubscriptionReason::Completed)),
    ("REJECTED", SubscriptionBase::Canceled, None),
];

/// `revocation.revokedBy`.
pub(super) static REVOKED_BY: &[(&str, SubscriptionReason)] = &[
    ("USUARIO", SubscriptionReason::RevokedByPayer),
    ("INICIADORA", SubscriptionReason::Requested),
    ("DETENTORA", SubscriptionReason::Gateway),
];

/// `data.status` of an enrollment, and whether payments can be made with it.
pub(super) static ENROLLMENT: &[(&str, Option<bool>)] = &[
    ("AWAITING_RISK_SIGNALS", None),
    ("AWAITING_ACCOUNT_HOLDER_VALIDATION", None),
    ("AWAITING_ENROLLMENT", None),
    ("AUTHORISED", Some(true)),
    ("REJECTED", Some(false)),
    ("REVOKED", Some(false)),
];

/// In the place of a code that an initiator may not pass on to a shop.
pub(super) const RESTRICTED: &str = "RESTRICTED";

/// A code as anybody may see it: one that tells of the payer's balance or limits is not told. The answer itself is kept.
pub(super) fn shown(code: &str) -> &str {
    let is_restricted = code == "SALDO_INSUFICIENTE" || code == "VALOR_ACIMA_LIMITE" || code.starts_with("LIMITE_");
    if is_restricted { RESTRICTED } else { code }
}

pub(super) fn vocabulary() -> Vec<Entry> {
    let tables = [("pix.status", PIX), ("house.status", HOUSE), ("transfeera.status", TRANSFEERA), ("efi.status", EFI)];
    let payments = tables.into_iter().flat_map(|(field, words)| {
        words.iter().map(move |(word, kind, reads_as)| entry(field, word, vec![fact(*kind)], reads_as))
    });
    let with_a_page = "requires_confirmation (with a page to go to)";
    let with_a_page = entry("transfeera.status", with_a_page, vec![fact(WITH_A_PAGE)], "REQUIRES_ACTION");
    let settled = vec![fact(TAKEN), fact(SubscriptionKind::Base(SubscriptionBase::Active))];
    let settled = entry("recurring_pix.status", "ACSC (of a recurring consent)", settled, "SUCCEEDED");
    let consents = CONSENT.iter().map(|(word, session)| entry("consent.status", word, Vec::new(), session));
    let ran_out = RAN_OUT_CODES.iter().map(|code| entry("consent.rejectionReason.code", code, Vec::new(), "expired"));
    let recurring = RECURRING.iter().map(|(word, base, _)| {
        entry("recurring_consent.status", word, vec![fact(SubscriptionKind::Base(*base))], base.as_str())
    });
    let never = vec![fact(SubscriptionKind::Base(SubscriptionBase::Expired))];
    let never = entry("recurring_consent.rejection.reason.code", RAN_OUT_CODES[0], never, "EXPIRED");
    let enrollments = ENROLLMENT.iter().map(|(word, usable)| {
        let reads_as = match usable {
            Some(true) => "attached",
            Some(false) => "detached",
            None => "-",
        };
        entry("enrollment.status", word, Vec::new(), reads_as)
    });
    let events = EVENT_TYPES.iter().map(|word| entry("notice.eventType", word, vec!["look-up".into()], "-"));
    payments
        .chain([with_a_page, settled])
        .chain(consents)
        .chain(ran_out)
        .chain(recurring)
        .chain([never])
        .chain(enrollments)
        .chain(events)
        .collect()
}

fn entry(field: &'static str, word: &str, facts: Vec<Box<str>>, reads_as: &'static str) -> Entry {
    Entry { field, word: word.into(), facts, reads_as }
}

//! The words of everybody who speaks to an Open Finance account, as data: which facts each becomes. The vocabulary people read is
//! printed from these tables.

use afluente_model::{AttemptKind, CaptureKind, PaymentKind};

use crate::vocabulary::{Entry, fact};

const CREATED: PaymentKind = PaymentKind::Attempt(AttemptKind::Created);
const PENDING: PaymentKind = PaymentKind::Attempt(AttemptKind::Pending);
const WAITS: PaymentKind = PaymentKind::Attempt(AttemptKind::RequiresAction);
const DECLINED: PaymentKind = PaymentKind::Attempt(AttemptKind::Declined);
const CANCELED: PaymentKind = PaymentKind::Attempt(AttemptKind::Canceled);
const TAKEN: PaymentKind = PaymentKind::Capture(CaptureKind::Succeeded);

/// One word: the fact it becomes, and what a payment reads as that nothing else is known of.
pub(super) type Word = (&'static str, PaymentKind, &'static str);

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

/// What `requires_confirmation` becomes once there is a page the payer has to go to.
pub(super) const WITH_A_PAGE: PaymentKind = WAITS;

/// The fact of a word; sources write theirs in either case.
pub(super) fn of(table: &[Word], word: &str) -> Option<PaymentKind> {
    table.iter().find(|(known, ..)| known.eq_ignore_ascii_case(word.trim())).map(|(_, kind, _)| *kind)
}

pub(super) fn vocabulary() -> Vec<Entry> {
    let payments = [("house.status", HOUSE), ("transfeera.status", TRANSFEERA)];
    let payments = payments.into_iter().flat_map(|(field, words)| {
        words.iter().map(move |(word, kind, reads_as)| Entry {
            field,
            word: (*word).into(),
            facts: vec![fact(*kind)],
            reads_as,
        })
    });
    let with_a_page = Entry {
        field: "transfeera.status",
        word: "requires_confirmation (with a page to go to)".into(),
        facts: vec![fact(WITH_A_PAGE)],
        reads_as: "REQUIRES_ACTION",
    };
    payments.chain([with_a_page]).collect()
}

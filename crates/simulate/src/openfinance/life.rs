//! Kinds of payment lives in Open Finance: what happens to a payment, and how it is known to end. Each profile has the lives it has
//! words for.

use afluente_model::PaymentStatus;

use crate::plan::End;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The payer has to go to his bank.
    Waits,
    /// The bank is at it.
    Pending,
    /// The bank looks at it longer.
    Held,
    /// It is set for a later day.
    Scheduled,
    /// It was settled.
    Paid,
    /// It was refused.
    Refused,
    /// It was refused for a reason nobody may know.
    RefusedInSecret,
    /// It was called off.
    CalledOff,
}

/// One kind of life: what happens, so many seconds after it began.
pub(super) struct Life {
    pub(super) name: &'static str,
    pub(super) steps: &'static [(i64, Step)],
    pub(super) end: End,
}

const fn life(name: &'static str, status: PaymentStatus, steps: &'static [(i64, Step)]) -> Life {
    let end =
        if matches!(status, PaymentStatus::Succeeded) { End::money(status, 100, 0) } else { End::nothing(status) };
    Life { name, steps, end }
}

/// Those of a bank: what it calls waiting is not told.
pub(super) static OF_A_BANK: &[Life] = &[
    life("paid", PaymentStatus::Succeeded, &[(0, Step::Pending), (20, Step::Paid)]),
    life("held, then paid", PaymentStatus::Succeeded, &[(0, Step::Pending), (30, Step::Held), (3_600, Step::Paid)]),
    life("held", PaymentStatus::Processing, &[(0, Step::Pending), (30, Step::Held)]),
    life("refused", PaymentStatus::Failed, &[(0, Step::Pending), (20, Step::Refused)]),
    life("refused in secret", PaymentStatus::Failed, &[(0, Step::Pending), (20, Step::RefusedInSecret)]),
    life("scheduled", PaymentStatus::Pending, &[(0, Step::Scheduled)]),
    life("scheduled, then paid", PaymentStatus::Succeeded, &[(0, Step::Scheduled), (90_000, Step::Paid)]),
    life(
        "held, scheduled, refused",
        PaymentStatus::Failed,
        &[(0, Step::Held), (60, Step::Scheduled), (90_000, Step::Refused)],
    ),
    life("scheduled, called off", PaymentStatus::Canceled, &[(0, Step::Scheduled), (5_000, Step::CalledOff)]),
];

/// Those of an initiator that signs.
pub(super) static OF_TRANSFEERA: &[Life] = &[
    life("paid", PaymentStatus::Succeeded, &[(0, Step::Waits), (60, Step::Pending), (90, Step::Paid)]),
    life("waits for the payer", PaymentStatus::RequiresAction, &[(0, Step::Waits)]),
    life("payer went away", PaymentStatus::Canceled, &[(0, Step::Waits), (300, Step::CalledOff)]),
    life("refused", PaymentStatus::Failed, &[(0, Step::Waits), (60, Step::Pending), (90, Step::Refused)]),
    life("in process", PaymentStatus::Processing, &[(0, Step::Waits), (60, Step::Pending)]),
];

/// Those that four words can tell.
pub(super) static OF_A_HOUSE: &[Life] = &[
    life("paid", PaymentStatus::Succeeded, &[(0, Step::Pending), (60, Step::Paid)]),
    life("refused", PaymentStatus::Failed, &[(0, Step::Pending), (60, Step::Refused)]),
    life("called off", PaymentStatus::Canceled, &[(0, Step::Pending), (60, Step::CalledOff)]),
    life("in process", PaymentStatus::Processing, &[(0, Step::Pending)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_tells_one_story_from_its_beginning_on() {
        for life in OF_A_BANK.iter().chain(OF_TRANSFEERA).chain(OF_A_HOUSE) {
            assert!(life.end.is_one_story(), "{}", life.name);
            assert!(life.steps.is_sorted_by_key(|(after, _)| *after), "{}", life.name);
        }
    }
}

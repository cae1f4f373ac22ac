//! What a status of the application means. Its code writes few words, and what nobody writes is not guessed at.

use afluente_model::Gateway;

/// What a word of theirs says of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Known, nothing tried.
    Created,
    /// Something goes on: also what the application writes for words it does not know.
    Waiting,
    /// The payer has to do something.
    NeedsAction,
    /// Money is held.
    Held,
    /// A person has to decide.
    InReview,
    /// Money was taken.
    Taken,
    /// All of it went back.
    Returned,
    /// Taken, and the payer's bank asks it back.
    Disputed,
    /// The payer's bank has it back.
    ChargedBack,
    /// Refused.
    Declined,
    /// Called off.
    Canceled,
    /// Ran out.
    Expired,
    /// Taken, and how much is not said.
    Unclear,
}

impl Said {
    /// Whether something else may still come of it: it contradicts nothing.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Said::Created | Said::Waiting | Said::NeedsAction | Said::Held | Said::InReview)
    }

    /// Whether money was taken, whatever became of it.
    pub(super) const fn took_money(self) -> bool {
        matches!(self, Said::Taken | Said::Returned | Said::Disputed | Said::ChargedBack | Said::Unclear)
    }

    /// Whether two columns of one row cannot both be right.
    pub(super) const fn contradicts(self, other: Said) -> bool {
        !self.is_open() && !other.is_open() && self.took_money() != other.took_money()
    }
}

/// A word of `status`; none for one their code is not known to write.
pub(super) fn of_status(gateway: Gateway, word: &str) -> Option<Said> {
    Some(match word.to_ascii_lowercase().as_str() {
        "processing" | "pending" => Said::Waiting,
        "paid" | "captured" | "succeeded" => Said::Taken,
        "authorized" if gateway == Gateway::Appmax => Said::InReview,
        "authorized" | "requires_capture" => Said::Held,
        "requires_action" => Said::NeedsAction,
        "requires_payment_method" | "requires_confirmation" => Said::Created,
        "failed" | "refused" => Said::Declined,
        "canceled" => Said::Canceled,
        "refunded" => Said::Returned,
        "chargedback" => Said::ChargedBack,
        "underpaid" | "overpaid" => Said::Unclear,
        _ => return None,
    })
}

/// A label of `status_v2`.
pub(super) fn of_label(label: &str) -> Option<Said> {
    Some(match label {
        "PENDING" => Said::Created,
        "PROCESSING" => Said::Waiting,
        "REQUIRES_ACTION" => Said::NeedsAction,
        "SUCCEEDED" | "PARTIALLY_REFUNDED" | "REFUNDING" => Said::Taken,
        "REFUNDED" => Said::Returned,
        "DISPUTED" => Said::Disputed,
        "CHARGEBACK" => Said::ChargedBack,
        "FAILED" => Said::Declined,
        "CANCELED" => Said::Canceled,
        "EXPIRED" => Said::Expired,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_scripts_and_readers_is_none_their_code_writes() {
        for word in ["pago", "approved", "active", "200", "waiting_payment", "chargeback", ""] {
            assert_eq!(of_status(Gateway::Pagarme, word), None, "{word}");
        }
        assert_eq!(of_status(Gateway::Stripe, "Captured"), Some(Said::Taken));
        assert_eq!(of_status(Gateway::Appmax, "authorized"), Some(Said::InReview));
        assert_eq!(of_status(Gateway::Stripe, "authorized"), Some(Said::Held));
    }

    #[test]
    fn what_may_still_come_contradicts_nothing_and_money_contradicts_none() {
        assert!(!Said::Taken.contradicts(Said::Waiting), "their code forgets the newer column");
        assert!(!Said::Taken.contradicts(Said::Returned));
        assert!(Said::Taken.contradicts(Said::Declined));
        assert!(Said::Canceled.contradicts(Said::Returned), "a canceled charge may be a refund");
        assert!(!Said::Declined.contradicts(Said::Canceled));
    }
}

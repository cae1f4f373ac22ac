//! The words of the legacy application beside which we write, and what each loses.
//!
//! It has two columns for a status: `status`, free text of its own, and `status_v2`, an enum close to ours. Neither ever gets a
//! gateway's word. What has no target is a gap, not a guess.

use crate::gateway::Gateway;
use crate::status::PaymentStatus;

/// A word of ours in a vocabulary of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Ours.
    pub status: PaymentStatus,
    /// The label of `status_v2`; none where nothing there means it, and the column stays as it is.
    pub label: Option<&'static str>,
    /// The word of `status`, if writing it is asked for.
    pub word: Option<&'static str>,
    /// What a reader of the label cannot know any more; empty for nothing.
    pub lost: &'static str,
}

/// Every word of ours, as told to them.
pub static TOLD: [Told; 14] = [
    told(PaymentStatus::Pending, Some("PENDING"), Some("processing"), ""),
    told(PaymentStatus::Processing, Some("PROCESSING"), Some("processing"), ""),
    told(PaymentStatus::RequiresAction, Some("REQUIRES_ACTION"), Some("processing"), ""),
    told(PaymentStatus::Authorized, Some("PROCESSING"), Some("authorized"), "that money is held"),
    told(PaymentStatus::InReview, Some("PROCESSING"), Some("processing"), "that a person must decide"),
    told(PaymentStatus::Succeeded, Some("SUCCEEDED"), Some("paid"), ""),
    told(PaymentStatus::PartiallyRefunded, Some("PARTIALLY_REFUNDED"), Some("paid"), ""),
    told(PaymentStatus::Refunded, Some("REFUNDED"), Some("refunded"), ""),
    told(PaymentStatus::Failed, Some("FAILED"), Some("failed"), ""),
    told(PaymentStatus::Canceled, Some("CANCELED"), Some("canceled"), ""),
    told(PaymentStatus::Expired, Some("EXPIRED"), Some("canceled"), "their own code never writes it"),
    told(PaymentStatus::Disputed, Some("DISPUTED"), Some("paid"), "their own code never writes it"),
    told(PaymentStatus::ChargedBack, Some("CHARGEBACK"), Some("chargedback"), "only the name"),
    told(PaymentStatus::Unknown, None, None, "everything: the column stays as it is"),
];

const fn told(
    status: PaymentStatus,
    label: Option<&'static str>,
    word: Option<&'static str>,
    lost: &'static str,
) -> Told {
    Told { status, label, word, lost }
}

/// What is told of a status.
#[must_use]
pub fn of_status(status: PaymentStatus) -> Told {
    TOLD.into_iter().find(|told| told.status == status).unwrap_or(told(status, None, None, ""))
}

/// How the application spells a gateway in `provider`: what its code writes, then what only its scripts do. Compared as it is
/// written, since an index over it is.
#[must_use]
pub const fn spellings(gateway: Gateway) -> &'static [&'static str] {
    match gateway {
        Gateway::Stripe => &["stripe", "STRIPE"],
        Gateway::Pagarme => &["pagarme", "krxpay", "pagar.me", "pagarme_v5", "pagarmev5", "PAGARME", "KRXPAY"],
        Gateway::Appmax => &["appmax", "APPMAX"],
        Gateway::OpenFinance => &["open_banking", "LINA_OB", "openfinance", "open_finance", "ob", "OPENFINANCE"],
        Gateway::MercadoPago => &["mercadopago", "mp", "MERCADOPAGO"],
    }
}

/// The gateway behind a spelling; none for one of another, such as `adyen` or `paypal`.
#[must_use]
pub fn gateway_spelled(provider: &str) -> Option<Gateway> {
    Gateway::ALL.iter().copied().find(|gateway| spellings(*gateway).contains(&provider))
}

/// The label of `provider_v2`.
#[must_use]
pub const fn provider_label(gateway: Gateway) -> &'static str {
    match gateway {
        Gateway::Stripe => "STRIPE",
        Gateway::Pagarme => "PAGARME",
        Gateway::Appmax => "APPMAX",
        Gateway::OpenFinance => "OPENFINANCE",
        Gateway::MercadoPago => "MERCADOPAGO",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_ours_is_told_and_none_in_a_word_of_a_gateway() {
        for status in PaymentStatus::ALL {
            let told = of_status(*status);
            assert_eq!(told.status, *status);
            assert_eq!(told.label.is_none(), *status == PaymentStatus::Unknown);
            assert!(told.word != Some("succeeded"), "revenue counts `paid` alone");
        }
        assert_eq!(of_status(PaymentStatus::Authorized).label, Some("PROCESSING"));
        assert_eq!(of_status(PaymentStatus::ChargedBack).label, Some("CHARGEBACK"));
    }

    #[test]
    fn the_label_of_a_gateway_is_one_of_its_spellings_and_the_word_in_our_rows() {
        for gateway in Gateway::ALL {
            assert_eq!(gateway_spelled(provider_label(*gateway)), Some(*gateway));
            assert_eq!(provider_label(*gateway), gateway.as_str().replace('_', ""));
        }
    }

    #[test]
    fn a_spelling_is_of_one_gateway_and_a_stranger_of_none() {
        assert_eq!(gateway_spelled("krxpay"), Some(Gateway::Pagarme));
        assert_eq!(gateway_spelled("LINA_OB"), Some(Gateway::OpenFinance));
        assert_eq!(gateway_spelled("adyen"), None);
        let mut every: Vec<&str> = Gateway::ALL.iter().flat_map(|gateway| spellings(*gateway)).copied().collect();
        let before = every.len();
        every.sort_unstable();
        every.dedup();
        assert_eq!(every.len(), before);
    }
}

//! How somebody pays, and the session somebody pays in: closed words for what each gateway calls its own way.

use crate::word::word_enum;

word_enum! {
    /// What a payment method is.
    pub enum MethodKind {
        /// A card, credit or debit.
        Card => "CARD",
        /// Pix, whoever shows the code.
        Pix => "PIX",
        /// A boleto, or another slip that is paid elsewhere.
        Boleto => "BOLETO",
        /// An account at a bank or a wallet that is charged directly, a device bound at a bank among them.
        Account => "ACCOUNT",
        /// Anything else; the gateway's own word is among the claims.
        Other => "OTHER",
    }
}

impl MethodKind {
    /// By a gateway's own word, in any case.
    #[must_use]
    pub fn named(word: &str) -> MethodKind {
        match word.to_ascii_lowercase().as_str() {
            "card" | "credit_card" | "creditcard" | "debit_card" | "prepaid_card" | "mundipagg" => MethodKind::Card,
            "pix" => MethodKind::Pix,
            "boleto" | "billet" | "ticket" => MethodKind::Boleto,
            "account" | "account_money" | "bank_transfer" | "open_finance" | "us_bank_account" | "sepa_debit" => {
                MethodKind::Account
            }
            _ => MethodKind::Other,
        }
    }

    /// Whether somebody has one without the gateway storing anything: a card without an id of the gateway's may be anybody's, a
    /// Pix is whoever pays with it.
    #[must_use]
    pub const fn needs_no_id(self) -> bool {
        match self {
            MethodKind::Pix | MethodKind::Boleto | MethodKind::Account => true,
            MethodKind::Card | MethodKind::Other => false,
        }
    }
}

word_enum! {
    /// Where a checkout session stands. Of two words said in one moment the later one here holds.
    pub enum SessionStatus {
        /// A word we do not know.
        Unknown => "UNKNOWN",
        /// May still be paid.
        Open => "OPEN",
        /// Ran out.
        Expired => "EXPIRED",
        /// Called off or refused.
        Canceled => "CANCELED",
        /// Went through. Whether money came, the payment says.
        Completed => "COMPLETED",
    }
}

impl SessionStatus {
    /// By a gateway's own word, in any case.
    #[must_use]
    pub fn named(word: &str) -> SessionStatus {
        match word.to_ascii_lowercase().as_str() {
            "open" => SessionStatus::Open,
            "complete" | "completed" => SessionStatus::Completed,
            "expired" => SessionStatus::Expired,
            "canceled" | "cancelled" | "rejected" => SessionStatus::Canceled,
            _ => SessionStatus::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gateways_word_for_a_card_a_pix_and_a_slip_is_the_same_thing() {
        for word in ["card", "CreditCard", "credit_card", "debit_card"] {
            assert_eq!(MethodKind::named(word), MethodKind::Card, "{word}");
        }
        assert_eq!([MethodKind::named("Pix"), MethodKind::named("pix")], [MethodKind::Pix; 2]);
        assert_eq!(["boleto", "Billet", "ticket"].map(MethodKind::named), [MethodKind::Boleto; 3]);
        let accounts = ["account", "Account_Money", "bank_transfer", "open_finance", "us_bank_account", "sepa_debit"];
        assert_eq!(accounts.map(MethodKind::named), [MethodKind::Account; 6]);
        assert_eq!(MethodKind::named("carrier_pigeon"), MethodKind::Other);
    }

    #[test]
    fn a_card_without_an_id_is_nobodys_method() {
        assert!(!MethodKind::Card.needs_no_id());
        assert!(MethodKind::Pix.needs_no_id());
    }

    #[test]
    fn a_session_that_completed_outweighs_that_it_was_open_in_the_same_moment() {
        use SessionStatus::{Canceled, Completed, Expired, Open, Unknown};

        assert!(SessionStatus::named("complete") > SessionStatus::named("open"));
        let named =
            ["OPEN", "expired", "canceled", "cancelled", "rejected", "completed", "limbo"].map(SessionStatus::named);
        assert_eq!(named, [Open, Expired, Canceled, Canceled, Canceled, Completed, Unknown]);
    }
}

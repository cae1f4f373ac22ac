//! The five gateways and the mode of an account.

use crate::word::word_enum;

word_enum! {
    /// A payment company that posts webhooks. The word is `provider_v2` in the ledger; [`Gateway::slug`] is its name in
    /// paths, queues, configuration and metrics.
    pub enum Gateway {
        /// Stripe.
        Stripe => "STRIPE",
        /// Pagar.me.
        Pagarme => "PAGARME",
        /// Appmax.
        Appmax => "APPMAX",
        /// Open Finance Brasil.
        OpenFinance => "OPENFINANCE",
        /// Mercado Pago.
        MercadoPago => "MERCADOPAGO",
    }
}

impl Gateway {
    /// The lower-case name used in paths, queue names, configuration and metric labels.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Gateway::Stripe => "stripe",
            Gateway::Pagarme => "pagarme",
            Gateway::Appmax => "appmax",
            Gateway::OpenFinance => "openfinance",
            Gateway::MercadoPago => "mercadopago",
        }
    }

    /// The gateway a person means: its slug, whatever case and with whatever dots, dashes, underscores or blanks.
    #[must_use]
    pub fn named(text: &str) -> Option<Gateway> {
        let bare: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Gateway::from_slug(&bare)
    }

    /// The gateway with this slug; `None` for any other text.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Gateway> {
        Gateway::ALL.iter().copied().find(|gateway| gateway.slug() == slug)
    }
}

word_enum! {
    /// Whether an account moves real money. A delivery of the other mode is kept and ignored.
    pub enum Mode {
        /// Real money.
        Live => "live",
        /// The gateway's test or sandbox mode.
        Test => "test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_the_names_of_gateways_as_they_like_and_paths_as_they_are() {
        for text in ["mercadopago", "mercado-pago", "Mercado Pago", "MERCADO_PAGO"] {
            assert_eq!(Gateway::named(text), Some(Gateway::MercadoPago), "{text}");
        }
        assert_eq!(Gateway::named("Pagar.me"), Some(Gateway::Pagarme));
        assert_eq!((Gateway::named("paypal"), Gateway::named("")), (None, None));
        assert_eq!(Gateway::from_slug("mercado-pago"), None);
    }
}

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

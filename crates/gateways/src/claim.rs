//! Claims: who is behind a payment, and the form in which values are compared.

use afluente_model::{ProviderId, Timestamp};

use crate::text::plain;

/// How long a value may be before it is cut.
const LIMIT_BYTES: usize = 500;

/// A statement about the person behind a payment or subscription, or about its relations. Append-only evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// What it is about.
    pub subject: ClaimSubject,
    /// What is claimed.
    pub kind: ClaimKind,
    /// The value, normalised: e-mail trimmed and lower case, documents digits (CNPJ may hold capitals), never empty.
    pub value: Box<str>,
    /// The gateway's time of the envelope.
    pub at: Option<Timestamp>,
}

/// What a claim is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimSubject {
    /// The kind of thing.
    pub kind: SubjectKind,
    /// The sub-account it belongs to: another one's customer may have the same id.
    pub tenant: Option<ProviderId>,
    /// Its id at the gateway.
    pub id: ProviderId,
}

/// What a claim may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// A payment.
    Payment,
    /// A subscription.
    Subscription,
    /// A customer of the gateway.
    Customer,
    /// A stored payment method.
    Method,
    /// A checkout session.
    Checkout,
    /// An invoice.
    Invoice,
    /// A sub-account of the gateway.
    Account,
    /// What a person decided of who somebody is.
    Decision,
}

impl SubjectKind {
    /// The word stored in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            SubjectKind::Payment => "payment",
            SubjectKind::Subscription => "subscription",
            SubjectKind::Customer => "customer",
            SubjectKind::Method => "method",
            SubjectKind::Checkout => "checkout",
            SubjectKind::Invoice => "invoice",
            SubjectKind::Account => "account",
            SubjectKind::Decision => "decision",
        }
    }
}

/// Declares [`ClaimKind`] with its words in one place.
macro_rules! claim_kinds {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)+) => {
        /// What is claimed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ClaimKind { $($(#[$doc])* $variant,)+ }

        impl ClaimKind {
            /// Every kind.
            pub const ALL: &'static [ClaimKind] = &[$(ClaimKind::$variant,)+];

            /// The word stored in the ledger.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(ClaimKind::$variant => $word,)+ }
            }
        }
    };
}

claim_kinds! {
    /// The gateway's customer id.
    Customer => "customer",
    /// CPF or CNPJ of the customer.
    Document => "document",
    /// Whom an application beside us takes for the customer, by its own id. Shown, and links nobody.
    TheirCustomer => "their_customer",
    /// The customer's e-mail.
    Email => "email",
    /// The customer's phone.
    Phone => "phone",
    /// The customer's name.
    Name => "name",
    /// CPF or CNPJ of who pays, where that may be somebody else.
    PayerDocument => "payer_document",
    /// The gateway's payment method id.
    Method => "method",
    /// Kind of the method: card, pix, boleto.
    MethodKind => "method_kind",
    /// Card brand.
    CardBrand => "card_brand",
    /// Last four digits.
    CardLast4 => "card_last4",
    /// Expiry as `YYYY-MM`.
    CardExpiry => "card_expiry",
    /// The gateway's fingerprint of a card or account.
    Fingerprint => "fingerprint",
    /// Our own reference (metadata, client reference).
    Reference => "reference",
    /// The subscription a payment or invoice belongs to.
    Subscription => "subscription",
    /// The invoice a payment belongs to.
    Invoice => "invoice",
    /// The payment a session or invoice belongs to.
    Payment => "payment",
    /// The order a payment belongs to, with others or alone.
    Order => "order",
    /// The object no longer exists at the gateway: a tombstone, so that a late snapshot does not revive it.
    Deleted => "deleted",
    /// A payment method is attached (`true`) or detached (`false`).
    Attached => "attached",
    /// The gateway's own status word of an invoice or checkout session.
    Status => "status",
    /// Whether we may act for a sub-account: `granted` or `ended`.
    Access => "access",
    /// Whose somebody decided it is: `document`, `email`, `itself`, or `undone`.
    Decided => "decided",
    /// The document or the address of that.
    Target => "target",
    /// Who decided.
    By => "by",
    /// Why.
    Because => "because",
}

/// The value in the form claims are compared in; `None` if it claims nothing.
pub(crate) fn normalised(kind: ClaimKind, value: &str) -> Option<Box<str>> {
    let value = plain(value);
    let value = value.trim();
    let value = match kind {
        ClaimKind::Email => Some(value.to_lowercase()).filter(|email| is_email(email))?,
        ClaimKind::Document | ClaimKind::PayerDocument => crate::document::normalised(value)?,
        _ => value.to_owned(),
    };
    let end = value.floor_char_boundary(LIMIT_BYTES);
    (end > 0).then(|| value[..end].into())
}

/// Enough to tell an address from what people type instead of one.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(user, domain)| !user.is_empty() && !domain.is_empty());
    parts.is_some() && !text.contains(char::is_whitespace)
}

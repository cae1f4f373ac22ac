//! Names and ids, each parsed once at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

/// A text that cannot be the name or id it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got:?}")]
pub struct BadId {
    /// What would have been right.
    pub expected: &'static str,
    /// What came, cut to 64 characters.
    pub got: String,
}

impl BadId {
    fn new(expected: &'static str, got: &str) -> BadId {
        BadId { expected, got: got.chars().take(64).collect() }
    }
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text; an error names what was expected.
            pub fn parse(text: &str) -> Result<$name, BadId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok($name(text.into())) } else { Err(BadId::new($expected, text)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                $name::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }
    };
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with(['-', '_'])
}

fn is_provider_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

text_id!(
    /// The name of one of our accounts at a gateway, as the configuration and the webhook path give it.
    AccountName,
    "an account name of 1 to 63 characters a-z, 0-9, - and _, not starting with - or _",
    is_name
);
text_id!(
    /// The name of a merchant, who owns accounts.
    MerchantName,
    "a merchant name of 1 to 63 characters a-z, 0-9, - and _, not starting with - or _",
    is_name
);
text_id!(
    /// A gateway's id of one of its objects: 1 to 255 visible ASCII characters.
    ProviderId,
    "a gateway id of 1 to 255 visible ASCII characters",
    is_provider_id
);

/// Our id of one accepted HTTP body, a UUIDv7 made by ingress.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub Uuid);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Names one payment inside one of our accounts.
///
/// `tenant` is the connected account at the gateway for which the account receives (Stripe Connect), else `None`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentRef {
    /// The gateway's sub-account, where one account of ours receives for many.
    pub tenant: Option<ProviderId>,
    /// The gateway's primary id of the payment.
    pub id: ProviderId,
}

/// Names one subscription inside one of our accounts; fields as in [`PaymentRef`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionRef {
    /// The gateway's sub-account, where one account of ours receives for many.
    pub tenant: Option<ProviderId>,
    /// The gateway's id of the subscription.
    pub id: ProviderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_could_escape_a_path_or_a_label() {
        for bad in ["", "A", "a/b", "a b", "-a", "é", &"a".repeat(64)] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(AccountName::parse("shop-1").unwrap().as_str(), "shop-1");
    }

    #[test]
    fn a_delivery_s_id_is_shown_with_hyphens() {
        let id = DeliveryId(Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef));
        assert_eq!(id.to_string(), "01234567-89ab-7def-8123-456789abcdef");
        assert_eq!(format!("{id:?}"), id.to_string());
    }

    #[test]
    fn gateway_ids_refuse_blanks_and_control_characters() {
        for bad in ["", "pi 1", "pi\n", "pi\0", "ção", &"x".repeat(256)] {
            assert!(ProviderId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ProviderId::parse("pi_1AfluenteKAT").is_ok());
    }
}

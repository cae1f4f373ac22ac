//! A fact: what a gateway asserts about one operation, with no trace of when or how often we saw it.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::id::BadId;
use crate::kind::{Kind, PaymentKind, SubscriptionKind};
use crate::money::{Amount, Currency};
use crate::source::Source;
use crate::time::Timestamp;
use crate::word::word_enum;

word_enum! {
    /// The closed set of keys in a fact's detail.
    pub enum DetailKey {
        /// The amount asked for, minor units.
        Asked => "asked",
        /// The gateway's failure code.
        Code => "code",
        /// Microseconds since 1970: when a Pix code, boleto or hold runs out.
        ExpiresAt => "expires_at",
        /// A reason, as one of our closed words where we know it.
        Reason => "reason",
        /// Microseconds since 1970: when a scheduled payment runs.
        ScheduledFor => "scheduled_for",
        /// Microseconds since 1970: start of what the fact sets (a period).
        Since => "since",
        /// Stage of a dispute, 0 to 3.
        Stage => "stage",
        /// Microseconds since 1970: end of what the fact sets (a period, a trial, a scheduled cancel, a grace).
        Until => "until",
        /// The gateway's own word.
        Word => "word",
    }
}

/// How many bytes of a detail's value are kept; longer text is cut at a character boundary.
pub const DETAIL_LIMIT_BYTES: usize = 200;

/// A small sorted map over [`DetailKey`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Detail(BTreeMap<DetailKey, Box<str>>);

impl Detail {
    /// No detail.
    #[must_use]
    pub fn none() -> Detail {
        Detail::default()
    }

    /// A detail with the gateway's own word.
    #[must_use]
    pub fn word(word: &str) -> Detail {
        Detail::none().with(DetailKey::Word, word)
    }

    /// This detail with one more entry. Empty text is left out; long text is cut to [`DETAIL_LIMIT_BYTES`]; U+0000, which
    /// not every database can hold in a text, becomes U+FFFD before that.
    #[must_use]
    pub fn with(mut self, key: DetailKey, value: &str) -> Detail {
        let clean = value.replace('\0', "\u{fffd}");
        let value = clean.as_str();
        let end = value.floor_char_boundary(DETAIL_LIMIT_BYTES);
        if end > 0 {
            self.0.insert(key, value[..end].into());
        }
        self
    }

    /// This detail with a moment, if there is one.
    #[must_use]
    pub fn with_time(self, key: DetailKey, at: Option<Timestamp>) -> Detail {
        match at {
            Some(at) => self.with(key, &at.as_micros().to_string()),
            None => self,
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: DetailKey) -> Option<&str> {
        self.0.get(&key).map(AsRef::as_ref)
    }

    /// The value of a key that holds a moment.
    #[must_use]
    pub fn time(&self, key: DetailKey) -> Option<Timestamp> {
        self.get(key)?.parse().ok().and_then(|micros| Timestamp::from_micros(micros).ok())
    }

    /// The value of a key that holds minor units.
    #[must_use]
    pub fn amount(&self, key: DetailKey) -> Option<Amount> {
        self.get(key)?.parse().ok().and_then(|minor| Amount::new(minor).ok())
    }

    /// All entries, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (DetailKey, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_ref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The identity of a fact: 16 bytes of a hash over everything it says and nothing about how it reached us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey(pub [u8; 16]);

impl FactKey {
    /// Reads 32 hex digits.
    pub fn parse(text: &str) -> Result<FactKey, BadId> {
        let bad = || BadId { expected: "32 hex digits", got: text.chars().take(64).collect() };
        // A sign is no digit, and reading a number would take one.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        u128::from_str_radix(text, 16).map(|key| FactKey(key.to_be_bytes())).map_err(|_| bad())
    }
}

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a gateway asserts about one operation of a payment or subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact<K> {
    /// The gateway's id of the operation, or a name built from what cannot change; never a counter of ours.
    pub op: Box<str>,
    /// Family and kind.
    pub kind: K,
    /// The gateway's own time of this change, cut to its resolution; `None` loses to any time.
    pub at: Option<Timestamp>,
    /// The moment from which the gateway's running total contains this operation.
    pub op_at: Option<Timestamp>,
    /// Minor units, where the gateway names an amount.
    pub amount: Option<Amount>,
    /// The currency of the amount.
    pub currency: Option<Currency>,
    /// Where it was read.
    pub source: Source,
    /// The rest, over a closed set of keys.
    pub detail: Detail,
}

/// A fact about a payment.
pub type PaymentFact = Fact<PaymentKind>;
/// A fact about a subscription.
pub type SubscriptionFact = Fact<SubscriptionKind>;

impl<K: Kind> Fact<K> {
    /// A fact of a signed webhook body with nothing but its kind, operation and time.
    #[must_use]
    pub fn new(kind: K, op: &str, at: Option<Timestamp>, source: Source) -> Fact<K> {
        Fact { op: op.into(), kind, at, op_at: None, amount: None, currency: None, source, detail: Detail::none() }
    }

    /// The same fact with an amount of a currency.
    #[must_use]
    pub fn money(mut self, amount: Option<Amount>, currency: Option<Currency>) -> Fact<K> {
        self.amount = amount;
        self.currency = currency;
        self
    }

    /// The same fact with the moment from which a running total contains its operation.
    #[must_use]
    pub fn counted_from(mut self, op_at: Option<Timestamp>) -> Fact<K> {
        self.op_at = op_at;
        self
    }

    /// The same fact with a detail.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Fact<K> {
        self.detail = detail;
        self
    }

    /// The identity: two facts that say the same have the same key, whoever saw them, whenever, however often.
    ///
    /// The encoding is fixed: each part is preceded by a presence byte and, for text, its length; adding a part means a
    /// new `fold_version`.
    #[must_use]
    pub fn key(&self) -> FactKey {
        let mut hash = Sha256::new();
        let mut text = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        text(self.kind.family());
        text(&self.op);
        text(self.kind.word());
        text(self.source.as_str());
        text(self.currency.as_ref().map_or("", Currency::as_str));
        for (key, value) in self.detail.iter() {
            text(key.as_str());
            text(value);
        }
        for number in
            [self.at.map(Timestamp::as_micros), self.op_at.map(Timestamp::as_micros), self.amount.map(Amount::minor)]
        {
            hash.update([u8::from(number.is_some())]);
            hash.update(number.unwrap_or(0).to_be_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        FactKey(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::CaptureKind;

    #[test]
    fn the_key_is_over_everything_a_fact_says() {
        let at = Timestamp::from_seconds(10).ok();
        let base = Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), "ch_1", at, Source::Webhook);
        let amount = Amount::new(100).ok();
        let others = [
            Fact { op: "ch_2".into(), ..base.clone() },
            Fact { kind: PaymentKind::Capture(CaptureKind::Failed), ..base.clone() },
            Fact { at: None, ..base.clone() },
            Fact { op_at: at, ..base.clone() },
            Fact { source: Source::Fetch, ..base.clone() },
            base.clone().money(amount, None),
            base.clone().money(amount, Some(Currency::BRL)),
            base.clone().detail(Detail::word("succeeded")),
        ];
        let mut keys: Vec<FactKey> = others.iter().map(Fact::key).collect();
        keys.push(base.key());
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), others.len() + 1);
        assert_eq!(base.key(), base.clone().key());
        assert_eq!(FactKey::parse(&base.key().to_string()), Ok(base.key()));
    }

    #[test]
    fn the_encoding_never_changes() {
        let fact = Fact::new(
            PaymentKind::Capture(CaptureKind::Succeeded),
            "ch_1",
            Timestamp::from_seconds(10).ok(),
            Source::Webhook,
        )
        .money(Amount::new(100).ok(), Some(Currency::BRL))
        .detail(Detail::word("succeeded"));
        assert_eq!(fact.key().to_string(), "42324ab044dfb127833e962317b88da3");
    }

    #[test]
    fn a_key_is_32_digits_and_nothing_else() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert_eq!(format!("{:?}", FactKey::parse(digits).unwrap()), digits);
        for bad in [
            "",
            &digits[1..],
            "+123456789abcdef0123456789abcdef",
            "é23456789abcdef0123456789abcdef",
            "g0000000000000000000000000000000",
        ] {
            assert_eq!(FactKey::parse(bad).unwrap_err().got, bad);
        }
        assert!(FactKey::parse(&format!("{digits}0")).is_err());
    }

    #[test]
    fn a_detail_with_a_moment_says_it_and_one_without_says_nothing() {
        let at = Timestamp::from_seconds(10).ok();
        let detail = Detail::word("w").with_time(DetailKey::Until, at).with_time(DetailKey::Since, None);
        assert_eq!((detail.time(DetailKey::Until), detail.time(DetailKey::Since)), (at, None));
        assert_eq!(detail.get(DetailKey::Word), Some("w"));
        assert!(Detail::none().is_empty() && !detail.is_empty());
    }

    #[test]
    fn detail_holds_no_nul() {
        assert_eq!(Detail::word("a\0").get(DetailKey::Word), Some("a\u{fffd}"));
    }

    #[test]
    fn detail_is_cut_at_a_character_and_never_empty() {
        let detail = Detail::word(&"é".repeat(200)).with(DetailKey::Code, "");
        assert_eq!(detail.get(DetailKey::Word).map(str::len), Some(DETAIL_LIMIT_BYTES));
        assert_eq!(detail.get(DetailKey::Code), None);
    }
}

//! Money: whole minor units, a currency, and exact text.

use std::fmt;

/// A quantity of minor units, never negative. What the minor unit is, the [`Currency`] beside it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// Arithmetic or text that does not end in an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// Amounts are never negative; direction is the kind of the fact.
    #[error("expected an amount of 0 or more minor units, got {0}")]
    Negative(i128),
    /// The amount does not fit 63 bits of minor units.
    #[error("expected at most {} minor units, got more", i64::MAX)]
    TooLarge,
    /// Two currencies met in one sum.
    #[error("expected {expected}, got {got}")]
    MixedCurrency {
        /// The currency of the left side.
        expected: Currency,
        /// The currency of the right side.
        got: Currency,
    },
    /// The text is not a decimal number with at most `digits` decimals.
    #[error("expected a decimal number with at most {digits} decimals, got {got:?}")]
    NotDecimal {
        /// How many decimals the currency has at this gateway.
        digits: u8,
        /// What came, cut to 64 characters.
        got: String,
    },
    /// Currency codes are three letters.
    #[error("expected a currency code of three letters, got {0:?}")]
    NotCurrency(String),
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount the ledger holds.
    pub const MAX: Amount = Amount(i64::MAX);

    /// From minor units as a gateway sent them.
    pub fn new(minor: i64) -> Result<Amount, BadMoney> {
        if minor < 0 { Err(BadMoney::Negative(i128::from(minor))) } else { Ok(Amount(minor)) }
    }

    /// The minor units of a wide sum: below zero becomes zero, past [`Amount::MAX`] becomes that.
    ///
    /// The fold sums in 128 bits and cuts once at the end, so the cut cannot depend on order.
    #[must_use]
    pub fn clamped(wide: i128) -> Amount {
        Amount(i64::try_from(wide.clamp(0, i128::from(i64::MAX))).unwrap_or(i64::MAX))
    }

    /// The minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// The minor units, wide enough for sums.
    #[must_use]
    pub fn wide(self) -> i128 {
        i128::from(self.0)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A three-letter currency code in capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Brazilian real.
    pub const BRL: Currency = Currency(*b"BRL");

    /// Parses three ASCII letters of either case.
    pub fn parse(code: &str) -> Result<Currency, BadMoney> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_alphabetic) => {
                Ok(Currency([a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()]))
            }
            _ => Err(BadMoney::NotCurrency(code.chars().take(64).collect())),
        }
    }

    /// The code in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a gateway writes amounts of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// How many decimals the minor unit stands for: 2 means 100 minor units are one unit.
    pub digits: u8,
    /// What is special about it.
    pub quirk: Option<Quirk>,
}

/// Where a gateway's amounts differ from what the number of decimals promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Written with decimals that must all be zero: Stripe's ISK, 5 kr = 500, and UGX.
    ZeroDecimals,
    /// The last digit must be zero: Stripe's three-decimal currencies.
    LastDigitZero,
}

impl Scale {
    const fn plain(digits: u8) -> Scale {
        Scale { digits, quirk: None }
    }

    /// The decimals of ISO 4217, for gateways without a table of their own.
    #[must_use]
    pub fn iso4217(currency: Currency) -> Scale {
        match &currency.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => Scale::plain(0),
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => Scale::plain(3),
            _ => Scale::plain(2),
        }
    }

    /// Stripe's own table (docs.stripe.com/currencies), which is not ISO 4217: MGA has no decimals here.
    #[must_use]
    pub fn stripe(currency: Currency) -> Scale {
        match &currency.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"JPY" | b"KMF" | b"KRW" | b"MGA" | b"PYG" | b"RWF" | b"VND"
            | b"VUV" | b"XAF" | b"XOF" | b"XPF" => Scale::plain(0),
            b"ISK" | b"UGX" => Scale { digits: 2, quirk: Some(Quirk::ZeroDecimals) },
            b"BHD" | b"JOD" | b"KWD" | b"OMR" | b"TND" => Scale { digits: 3, quirk: Some(Quirk::LastDigitZero) },
            _ => Scale::plain(2),
        }
    }

    /// Whether this amount is one the gateway should never have written, by its own rule; it is kept, and shown with a mark.
    #[must_use]
    pub fn doubts(self, amount: Amount) -> bool {
        match self.quirk {
            None => false,
            Some(Quirk::ZeroDecimals) => amount.0 % 100 != 0,
            Some(Quirk::LastDigitZero) => amount.0 % 10 != 0,
        }
    }

    /// The amount as a decimal text, exact: `10990` with two digits is `109.90`.
    #[must_use]
    pub fn format(self, amount: Amount) -> String {
        let digits = usize::from(self.digits);
        if digits == 0 {
            return amount.0.to_string();
        }
        let text = format!("{:0>width$}", amount.0, width = digits + 1);
        let (units, decimals) = text.split_at(text.len() - digits);
        format!("{units}.{decimals}")
    }

    /// Reads a decimal text exactly. Fewer decimals than the scale are filled with zeros; more are refused unless zero.
    pub fn parse(self, text: &str) -> Result<Amount, BadMoney> {
        let bad = || BadMoney::NotDecimal { digits: self.digits, got: text.chars().take(64).collect() };
        let (units, decimals) = text.split_once('.').unwrap_or((text, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if units.is_empty() || !all_digits(units) || !all_digits(decimals) || text.ends_with('.') {
            return Err(bad());
        }
        let digits = usize::from(self.digits);
        let (kept, extra) = decimals.split_at(decimals.len().min(digits));
        if extra.bytes().any(|b| b != b'0') {
            return Err(bad());
        }
        let minor = format!("{units}{kept:0<digits$}");
        minor.trim_start_matches('0').parse::<i64>().map_or_else(
            |error| {
                if matches!(error.kind(), std::num::IntErrorKind::Empty) {
                    Ok(Amount::ZERO)
                } else {
                    Err(BadMoney::TooLarge)
                }
            },
            Amount::new,
        )
    }
}

/// An amount of a currency. Sums of two currencies are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units as the gateway counts them.
    pub amount: Amount,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The sum; an error for another currency or past [`Amount::MAX`].
    pub fn checked_add(self, other: Money) -> Result<Money, BadMoney> {
        self.same_currency(other)?;
        let minor = self.amount.0.checked_add(other.amount.0).ok_or(BadMoney::TooLarge)?;
        Ok(Money { amount: Amount(minor), currency: self.currency })
    }

    /// The difference; an error for another currency or below zero.
    pub fn checked_sub(self, other: Money) -> Result<Money, BadMoney> {
        self.same_currency(other)?;
        let minor = self.amount.wide() - other.amount.wide();
        if minor < 0 {
            return Err(BadMoney::Negative(minor));
        }
        Ok(Money { amount: Amount::clamped(minor), currency: self.currency })
    }

    fn same_currency(self, other: Money) -> Result<(), BadMoney> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(BadMoney::MixedCurrency { expected: self.currency, got: other.currency })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn decimals_are_read_exactly_and_never_rounded() {
        let two = Scale::plain(2);
        for (text, minor) in
            [("0", 0), ("0.1", 10), ("19.99", 1999), ("19.990", 1999), ("007", 700), ("92233720368547758.07", i64::MAX)]
        {
            assert_eq!(two.parse(text), Amount::new(minor), "{text}");
        }
        for bad in ["", ".5", "5.", "-1", "1e3", "1,50", "19.999", "1 0", "NaN", "٣"] {
            assert!(matches!(two.parse(bad), Err(BadMoney::NotDecimal { .. })), "{bad}");
        }
        assert_eq!(two.parse("92233720368547758.08"), Err(BadMoney::TooLarge));
        assert_eq!(two.parse(&"9".repeat(400)), Err(BadMoney::TooLarge));
    }

    #[test]
    fn stripe_has_its_own_table_of_decimals() {
        let digits = |code| Scale::stripe(currency(code)).digits;
        for code in "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(' ') {
            assert_eq!(digits(code), 0, "{code}");
        }
        for code in "BHD JOD KWD OMR TND".split(' ') {
            assert_eq!(digits(code), 3, "{code}");
        }
        for code in ["BRL", "USD", "ISK", "UGX", "HUF", "TWD"] {
            assert_eq!(digits(code), 2, "{code}");
        }
        assert_eq!(Scale::iso4217(currency("MGA")).digits, 2);
    }

    #[test]
    fn amounts_that_break_the_gateways_own_rule_are_doubted() {
        let doubts = |code, minor| Scale::stripe(currency(code)).doubts(Amount::new(minor).unwrap());
        assert!(doubts("ISK", 550) && !doubts("ISK", 500));
        assert!(doubts("KWD", 1001) && !doubts("KWD", 1000));
        assert!(doubts("UGX", 380_050) && !doubts("UGX", 380_000));
        assert!(!doubts("BRL", 1));
    }

    #[test]
    fn text_goes_both_ways() {
        let minor = Amount::new(5).unwrap();
        assert_eq!(Scale::plain(2).format(minor), "0.05");
        assert_eq!(Scale::plain(0).format(minor), "5");
        assert_eq!(Scale::plain(3).format(Amount::MAX), "9223372036854775.807");
        assert_eq!(Scale::plain(2).parse("0.05"), Ok(minor));
    }

    #[test]
    fn amounts_and_currencies_are_shown_as_they_are_stored() {
        assert_eq!(Amount::new(1_234).unwrap().to_string(), "1234");
        let dollar = currency("usd");
        assert_eq!((dollar.to_string(), format!("{dollar:?}")), ("USD".to_owned(), "USD".to_owned()));
    }

    #[test]
    fn a_currency_has_as_many_digits_as_the_standard_says() {
        let digits = |code| Scale::iso4217(currency(code)).format(Amount::new(12_345).unwrap());
        assert_eq!(["CLP", "JPY", "PYG", "XOF"].map(digits), ["12345"; 4]);
        assert_eq!(["BHD", "KWD", "TND"].map(digits), ["12.345"; 3]);
        assert_eq!(["BRL", "USD", "ZZZ"].map(digits), ["123.45"; 3]);
    }

    #[test]
    fn sums_are_checked() {
        let brl = |minor| Money { amount: Amount::new(minor).unwrap(), currency: Currency::BRL };
        let usd = Money { amount: Amount::ZERO, currency: currency("usd") };
        assert_eq!(brl(1).checked_add(brl(2)), Ok(brl(3)));
        assert_eq!(brl(i64::MAX).checked_add(brl(1)), Err(BadMoney::TooLarge));
        assert_eq!(brl(1).checked_sub(brl(2)), Err(BadMoney::Negative(-1)));
        assert_eq!((brl(2).checked_sub(brl(2)), brl(3).checked_sub(brl(1))), (Ok(brl(0)), Ok(brl(2))));
        assert!(matches!(brl(1).checked_add(usd), Err(BadMoney::MixedCurrency { .. })));
        assert!(Amount::new(-1).is_err());
        assert!(Currency::parse("br1").is_err() && Currency::parse("real").is_err());
    }
}

//! What a group of dead letters is about.

use std::collections::BTreeMap;

use afluente_gateways::adapter;
use afluente_model::money::Scale;
use afluente_model::{Amount, Currency, Gateway, Money};

/// The sum of what letters state.
#[derive(Debug, Default)]
pub(super) struct Stake {
    pub(super) letters: u64,
    /// Letters that state no amount, or cannot be read.
    pub(super) unknown: u64,
    /// Minor units by currency.
    pub(super) minor: BTreeMap<String, i64>,
    /// The same as decimals, for people.
    pub(super) shown: Vec<String>,
}

impl Stake {
    /// Counts one more letter. All of a group are of one gateway.
    pub(super) fn add(&mut self, money: Option<(Gateway, Money)>) {
        self.letters += 1;
        let Some((gateway, Money { amount, currency })) = money else {
            self.unknown += 1;
            return;
        };
        let sum = self.minor.entry(currency.to_string()).or_default();
        *sum = sum.saturating_add(amount.minor());
        self.shown = self.minor.iter().map(|(currency, minor)| shown(gateway, currency, *minor)).collect();
    }
}

fn shown(gateway: Gateway, currency: &str, minor: i64) -> String {
    let parsed = Currency::parse(currency).ok().zip(Amount::new(minor).ok());
    let Some((currency, amount)) = parsed else { return format!("{minor} {currency}") };
    let scale =
        adapter(gateway).map_or_else(|| Scale::iso4217(currency), |adapter| (adapter.profile().scale)(currency));
    format!("{} {currency}", scale.format(amount))
}

//! What a group of dead letters is about.

use std::collections::BTreeMap;

use afluente_gateways::adapter;
use afluente_model::{Amount, Currency, Gateway, Money};
use afluente_queue::SealKeys;
use afluente_store::{Store, StoreError};
use afluente_worker::Accounts;
use afluente_worker::desk::at_stake;
use serde_json::{Value, json};
use uuid::Uuid;

use super::which::Which;
use crate::config::Config;
use crate::exit::Failure;
use crate::output;

/// Counts open letters, with the money each group is about as far as it can be read.
pub(super) async fn group(
    store: &Store,
    which: &Which,
    settled: bool,
    as_json: bool,
    config: &Config,
) -> Result<(), Failure> {
    let (accounts, keys) = (config.worker_accounts(), config.seal_keys()?);
    let mut which = which.clone();
    which.limit = u32::MAX;
    let mut groups: BTreeMap<(String, String, String), Stake> = BTreeMap::new();
    for letter in store.dead_letters(&which.filter(settled)).await? {
        let money = money_of(store, letter.id, &accounts, &keys).await?;
        let account = letter.account.unwrap_or_else(|| "-".to_owned());
        groups.entry((letter.reason, letter.gateway, account)).or_default().add(money);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, stake)| std::cmp::Reverse(stake.letters));
    if as_json {
        let list = groups.iter().map(|((reason, gateway, account), stake)| {
            json!({"reason": reason, "gateway": gateway, "account": account, "count": stake.letters, "without_amount": stake.unknown,
                   "minor_units": stake.minor})
        });
        output::print_json(&Value::Array(list.collect()));
    } else {
        let rows = groups.into_iter().map(|((reason, gateway, account), stake)| {
            vec![reason, gateway, account, stake.letters.to_string(), stake.shown.join(", "), stake.unknown.to_string()]
        });
        output::print(&output::table(
            &["REASON", "GATEWAY", "ACCOUNT", "COUNT", "AT STAKE", "UNREADABLE"],
            &[3, 4, 5],
            rows,
        ));
    }
    Ok(())
}

/// What one letter states. Only its body is in memory.
pub(super) async fn money_of(
    store: &Store,
    letter: Uuid,
    accounts: &Accounts,
    keys: &SealKeys,
) -> Result<Option<(Gateway, Money)>, StoreError> {
    let held = store.dead_message(letter).await?;
    Ok(held.and_then(|held| at_stake(&held, accounts, keys)))
}

/// The sum of what letters state.
#[derive(Debug, Default)]
struct Stake {
    letters: u64,
    /// Letters that state no amount, or cannot be read.
    unknown: u64,
    /// Minor units by currency.
    minor: BTreeMap<String, i64>,
    /// The same as decimals, for people.
    shown: Vec<String>,
}

impl Stake {
    /// Counts one more letter. All of a group are of one gateway.
    fn add(&mut self, money: Option<(Gateway, Money)>) {
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
    let scale = (adapter(gateway).profile().conventions.scale)(currency);
    format!("{} {currency}", scale.format(amount))
}

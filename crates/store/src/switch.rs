//! What is written beside the facts, by account: a deployment turns it on merchant by merchant.

use std::collections::BTreeMap;

use afluente_model::AccountName;

/// Whether something is written beside the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Switch {
    /// It is not looked at.
    #[default]
    Off,
    /// It is made up and shown, and nobody follows it.
    Shadow,
    /// It is written.
    On,
}

/// A switch for every account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// For every account that is not named.
    pub default: Switch,
    /// For those that are.
    pub accounts: BTreeMap<AccountName, Switch>,
}

impl Switches {
    /// One for all.
    #[must_use]
    pub fn all(default: Switch) -> Switches {
        Switches { default, accounts: BTreeMap::new() }
    }

    /// That of an account.
    #[must_use]
    pub fn of(&self, account: &AccountName) -> Switch {
        self.accounts.get(account).copied().unwrap_or(self.default)
    }

    /// Whether anything is looked at for anybody.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.default != Switch::Off || self.accounts.values().any(|switch| *switch != Switch::Off)
    }
}

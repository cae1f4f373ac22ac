//! The accounts a worker reads deliveries for.

use std::collections::BTreeMap;

use afluente_gateways::{AccountView, Adapter, adapter};
use afluente_model::{AccountName, Conventions, Gateway, MerchantName};
use afluente_store::AccountRow;

/// One account: who reads its deliveries and what they must agree with.
#[derive(Clone)]
pub struct Account {
    /// Its gateway.
    pub gateway: Gateway,
    /// Its merchant.
    pub merchant: MerchantName,
    /// Reads its bodies.
    pub adapter: &'static dyn Adapter,
    /// What an envelope must agree with.
    pub view: AccountView,
    /// The account whose place it takes, if any.
    pub replaces: Option<AccountName>,
}

/// All accounts by name. Replaced as a whole when the configuration changes.
#[derive(Clone, Default)]
pub struct Accounts(pub BTreeMap<AccountName, Account>);

impl Accounts {
    /// The account of this name, if it is of this gateway.
    #[must_use]
    pub fn find(&self, name: &AccountName, gateway: Gateway) -> Option<&Account> {
        self.0.get(name).filter(|account| account.gateway == gateway)
    }

    /// How finely the clock of an account's gateway ticks; its gateway's for one that is configured no longer.
    #[must_use]
    pub fn conventions(&self, name: &AccountName, gateway: Gateway) -> Conventions {
        let adapter = self.find(name, gateway).map_or_else(|| adapter(gateway), |account| account.adapter);
        adapter.profile().conventions
    }

    /// The accounts as the ledger mirrors them.
    #[must_use]
    pub fn rows(&self) -> Vec<AccountRow> {
        self.0
            .iter()
            .map(|(name, account)| AccountRow {
                name: name.clone(),
                merchant: account.merchant.clone(),
                gateway: account.gateway,
                external_id: account.view.external_id.as_ref().map(ToString::to_string),
                mode: account.view.mode,
                replaces: account.replaces.clone(),
            })
            .collect()
    }
}

//! The accounts a request can be for.

use std::collections::HashMap;
use std::sync::Arc;

use afluente_gateways::{Credentials, adapter};
use afluente_model::{AccountName, Gateway};

/// One configured account, as far as receiving needs it.
#[derive(Clone)]
pub struct Account {
    gateway: Gateway,
    name: AccountName,
    credentials: Credentials,
    aliases: Vec<Box<str>>,
}

/// There is no adapter for this gateway yet, so nothing sent to it could be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a gateway with an adapter, got {}", gateway.slug())]
pub struct NoAdapter {
    /// The gateway.
    pub gateway: Gateway,
}

impl Account {
    /// An account whose requests are checked with these credentials.
    pub fn new(gateway: Gateway, name: AccountName, credentials: Credentials) -> Result<Account, NoAdapter> {
        adapter(gateway)
            .map(|_| Account { gateway, name, credentials, aliases: Vec::new() })
            .ok_or(NoAdapter { gateway })
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        self.gateway
    }

    /// The account's name, as the path has it.
    #[must_use]
    pub fn name(&self) -> &AccountName {
        &self.name
    }

    /// The same account, reached on these paths as well: those a gateway was told before. Compared byte for byte.
    #[must_use]
    pub fn with_aliases(self, aliases: Vec<Box<str>>) -> Account {
        Account { aliases, ..self }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// All configured accounts. A reload sends a new set through the watch channel; a request sees one set only, the one of
/// the moment it was routed.
#[derive(Clone, Default)]
pub struct Accounts {
    by_gateway: HashMap<Gateway, HashMap<Box<str>, Arc<Account>>>,
    by_alias: HashMap<Box<str>, Arc<Account>>,
}

impl Accounts {
    /// The account with this gateway and name.
    #[must_use]
    pub fn find(&self, gateway: Gateway, name: &str) -> Option<Arc<Account>> {
        self.by_gateway.get(&gateway)?.get(name).cloned()
    }

    /// The account that has this path as an alias.
    #[must_use]
    pub fn find_alias(&self, path: &str) -> Option<Arc<Account>> {
        self.by_alias.get(path).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_gateway.values().map(HashMap::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_gateway.is_empty()
    }
}

/// Two accounts of one gateway and name cannot both be found; the later one stays. The configuration refuses such pairs
/// before they come here.
impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Accounts {
        let mut all = Accounts::default();
        for account in accounts.into_iter().map(Arc::new) {
            all.by_alias.extend(account.aliases.iter().map(|path| (path.clone(), Arc::clone(&account))));
            let names = all.by_gateway.entry(account.gateway).or_default();
            names.insert(account.name.as_str().into(), account);
        }
        all
    }
}

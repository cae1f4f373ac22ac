//! The accounts a request can be for.

use std::collections::HashMap;
use std::sync::Arc;

use afluente_gateways::{Adapter, Credentials};
use afluente_model::{AccountName, Gateway};

/// One configured account, as far as receiving needs it.
#[derive(Clone)]
pub struct Account {
    adapter: &'static dyn Adapter,
    name: AccountName,
    credentials: Credentials,
    aliases: Vec<Box<str>>,
}

impl Account {
    /// An account whose requests this adapter checks, with these credentials.
    #[must_use]
    pub fn new(adapter: &'static dyn Adapter, name: AccountName, credentials: Credentials) -> Account {
        Account { adapter, name, credentials, aliases: Vec::new() }
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> Gateway {
        self.adapter.profile().gateway
    }

    pub(crate) fn adapter(&self) -> &'static dyn Adapter {
        self.adapter
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

    /// The account that has this path as an alias, and what stands behind it: where the gateway writes paths, an alias is where
    /// they begin.
    #[must_use]
    pub fn find_alias<'a>(&self, path: &'a str) -> Option<(Arc<Account>, Option<&'a str>)> {
        if let Some(account) = self.by_alias.get(path) {
            return Some((Arc::clone(account), None));
        }
        let slashes = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at);
        let (account, rest) = slashes.rev().find_map(|at| Some((self.by_alias.get(&path[..at])?, &path[at + 1..])))?;
        let takes = account.adapter.profile().takes_paths && !rest.is_empty();
        takes.then(|| (Arc::clone(account), Some(rest)))
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
            let names = all.by_gateway.entry(account.gateway()).or_default();
            names.insert(account.name.as_str().into(), account);
        }
        all
    }
}

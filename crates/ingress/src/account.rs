//! The accounts a request can be for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use afluente_gateways::{Adapter, Credentials};
use afluente_model::{AccountName, Gateway};
use governor::{DefaultDirectRateLimiter, RateLimiter};
use http::StatusCode;
use ipnet::IpNet;

use crate::rate::quota;

/// One configured account, as far as receiving needs it.
#[derive(Clone)]
pub struct Account {
    adapter: &'static dyn Adapter,
    name: AccountName,
    credentials: Credentials,
    aliases: Vec<Box<str>>,
    /// What an accepted delivery is answered, if not what the gateway's profile says.
    success: Option<StatusCode>,
    /// Where its gateway posts from; anywhere if none are listed.
    addresses: Vec<IpNet>,
    /// How much is taken on of what is proved; none for as much as comes.
    proved: Option<Arc<DefaultDirectRateLimiter>>,
}

impl Account {
    /// An account whose requests this adapter checks, with these credentials.
    #[must_use]
    pub fn new(adapter: &'static dyn Adapter, name: AccountName, credentials: Credentials) -> Account {
        Account { adapter, name, credentials, aliases: Vec::new(), success: None, addresses: Vec::new(), proved: None }
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

    /// The same account, whose accepted deliveries are answered so.
    #[must_use]
    pub fn with_success(self, success: StatusCode) -> Account {
        Account { success: Some(success), ..self }
    }

    /// What an accepted delivery is answered, if the account says so.
    pub(crate) fn success(&self) -> Option<StatusCode> {
        self.success
    }

    /// The same account, posted to from these networks alone; from anywhere if there are none.
    #[must_use]
    pub fn with_addresses(self, addresses: Vec<IpNet>) -> Account {
        Account { addresses, ..self }
    }

    /// Whether its gateway posts from there.
    pub(crate) fn is_posted_from(&self, address: IpAddr) -> bool {
        self.addresses.is_empty() || self.addresses.iter().any(|network| network.contains(&address))
    }

    /// The same account, of which no more is taken on in a second, proved or not.
    #[must_use]
    pub fn with_most_per_second(self, most: u32) -> Account {
        Account { proved: Some(Arc::new(RateLimiter::direct(quota(most)))), ..self }
    }

    /// Whether one more proved request may be dealt with.
    pub(crate) fn has_room(&self) -> bool {
        self.proved.as_ref().is_none_or(|limiter| limiter.check().is_ok())
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

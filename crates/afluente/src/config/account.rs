//! Accounts: our credentials at a gateway for one merchant.

use std::collections::BTreeMap;

use afluente_gateways::{AccountView, Adapter, CredentialKind, Credentials, Profile, Secret, Tenants, adapters};
use afluente_lookup::{Access, Base, LookupAccount, PublicKeys};
use afluente_model::{AccountName, Gateway, MerchantName, Mode, ProviderId, SecretName};
use http::StatusCode;
use ipnet::IpNet;
use serde_json::{Value, json};

use super::edge;
use super::section::{Reader, Section};

mod alias;
mod api;
mod certificate;
mod credential;
mod holder;

/// One account, ready to use.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    /// Its name, which is also the end of its webhook path.
    pub(crate) name: AccountName,
    /// Its gateway.
    pub(crate) gateway: Gateway,
    /// Who speaks to it.
    pub(crate) adapter: &'static dyn Adapter,
    /// Whose it is.
    pub(crate) merchant: MerchantName,
    /// Live or test.
    pub(crate) mode: Mode,
    /// What its webhooks are verified with.
    pub(crate) credentials: Credentials,
    /// Where its gateway shows the public keys it signs with, if it is checked with such.
    pub(crate) keys_at: Option<Base>,
    /// Paths it is reached on beside its own.
    aliases: Vec<Box<str>>,
    /// What an accepted delivery is answered, if not what the gateway expects.
    success_status: Option<StatusCode>,
    /// Where its gateway posts from; anywhere if none are listed.
    addresses: Vec<IpNet>,
    /// How many proved requests a second it takes on; none for as many as come.
    most_per_second: Option<u32>,
    /// How its gateway is asked, if it is.
    pub(crate) access: Option<Access>,
    /// Who the account is at its gateway.
    pub(crate) external_id: Option<ProviderId>,
    tenants: Tenants,
    replaces: Option<AccountName>,
}

impl AccountConfig {
    /// The account as the worker sees it.
    pub(super) fn for_worker(&self) -> afluente_worker::Account {
        let view =
            AccountView { mode: self.mode, external_id: self.external_id.clone(), tenants: self.tenants.clone() };
        let (gateway, adapter) = (self.gateway, self.adapter);
        let (merchant, replaces) = (self.merchant.clone(), self.replaces.clone());
        afluente_worker::Account { gateway, merchant, adapter, view, replaces }
    }

    /// The account as look-ups see it, if it may ask.
    pub(super) fn for_lookup(&self, keys: &PublicKeys) -> Option<LookupAccount> {
        let access = self.access.clone()?;
        let keys = access.signed.as_ref().zip(access.api.signed.as_ref()).map(|(by, at)| keys.at(&by.base, at));
        Some(LookupAccount { account: self.for_worker(), access, keys })
    }

    /// Whether both are one account at the gateway.
    fn is_also(&self, other: &AccountConfig) -> bool {
        self.external_id.is_some()
            && (self.gateway, self.mode, &self.external_id) == (other.gateway, other.mode, &other.external_id)
    }

    /// What a program may know of it: secrets by name.
    pub(super) fn json(&self) -> Value {
        let names = |kind| self.credentials.names(kind).map(SecretName::as_str).collect::<Vec<_>>();
        json!({
            "name": self.name.as_str(), "gateway": self.gateway.slug(), "mode": self.mode.as_str(),
            "merchant": self.merchant.as_str(), "path": self.path(), "aliases": self.aliases,
            "secrets": names(CredentialKind::Hmac), "path_tokens": names(CredentialKind::PathToken),
            "logins": names(CredentialKind::Login),
            "keys": self.keys_at.as_ref().map(ToString::to_string),
            "asks": self.access.as_ref().map(|access| access.base.to_string()),
        })
    }

    /// Where its gateway posts.
    pub(crate) fn path(&self) -> String {
        format!("/webhooks/{}/{}", self.gateway.slug(), self.name)
    }

    /// Everything its requests are checked with, by name.
    pub(crate) fn secret_names(&self) -> Vec<&str> {
        self.credentials.all().iter().filter_map(|one| Some(one.secret()?.name().as_str())).collect()
    }

    /// The account as ingress sees it.
    pub(super) fn for_ingress(&self, keys: &PublicKeys) -> afluente_ingress::Account {
        let shown = self.keys_at.as_ref().zip(self.adapter.profile().keys.as_ref());
        let credentials = match shown {
            Some((base, at)) => self.credentials.clone().with_keys(keys.at(base, at)),
            None => self.credentials.clone(),
        };
        let account = afluente_ingress::Account::new(self.adapter, self.name.clone(), credentials);
        let account = account.with_aliases(self.aliases.clone()).with_addresses(self.addresses.clone());
        let account = match self.success_status {
            Some(status) => account.with_success(status),
            None => account,
        };
        match self.most_per_second {
            Some(most) => account.with_most_per_second(most),
            None => account,
        }
    }
}

/// Reads every account; one without a way of proof, or with another's secret, is a problem.
pub(super) fn read_all<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>) -> Vec<AccountConfig> {
    let accounts = root.section(reader, "accounts");
    let sections = accounts.sections(reader);
    if sections.is_empty() {
        reader
            .problem(accounts.start(), "accounts: expected at least one, such as [accounts.shop], got none".to_owned());
    }
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut paths: BTreeMap<Box<str>, String> = BTreeMap::new();
    let (mut read, mut places): (Vec<AccountConfig>, _) = (Vec::new(), Vec::new());
    for (name, mut section) in sections {
        if let Some(account) = one(reader, &name, &mut section) {
            for credential in account.credentials.all() {
                let Some(secret) = credential.secret().map(Secret::name) else { continue };
                let key = credential.kind().key();
                if let Some(other) = owners.insert(secret.to_string(), name.clone()).filter(|other| *other != name) {
                    let text = format!(
                        "accounts.{name}.{key}: secret {secret} is also that of account {other}; each account has its own"
                    );
                    reader.problem(section.place(key), text);
                }
            }
            for path in &account.aliases {
                if let Some(other) = paths.insert(path.clone(), name.clone()) {
                    let text = format!("accounts.{name}.aliases: {path} is also an alias of account {other}");
                    reader.problem(section.place("aliases"), text);
                }
            }
            if let Some(other) = read.iter().find(|other| account.is_also(other)) {
                let id = account.external_id.as_ref().map_or("", ProviderId::as_str);
                let text = format!(
                    "accounts.{name}.external_id: {id} is also that of account {}; each account at a gateway is configured once",
                    other.name
                );
                reader.problem(section.place("external_id"), text);
            }
            places.push(section.place("replaces"));
            read.push(account);
        }
        section.finish(reader);
    }
    for (account, place) in read.iter().zip(places) {
        if let Some(other) = account.replaces.as_ref().filter(|name| read.iter().any(|one| one.name == **name)) {
            let text = format!(
                "accounts.{}.replaces: expected the name of an account that is configured no longer, got {other}, which is",
                account.name
            );
            reader.problem(place, text);
        }
    }
    read
}

fn one<'a>(reader: &mut Reader<'a>, name: &str, section: &mut Section<'a>) -> Option<AccountConfig> {
    let start = section.start();
    let name = AccountName::parse(name).map_err(|error| reader.problem(start, format!("accounts: {error}"))).ok();
    let gateway = gateway(reader, section);
    let merchant = section.text(reader, "merchant", None).unwrap_or_else(|| "default".to_owned());
    let merchant = MerchantName::parse(&merchant)
        .map_err(|error| reader.problem(section.place("merchant"), format!("{}: {error}", section.name("merchant"))))
        .ok();
    let mode = mode(reader, section);
    let adapter = gateway.and_then(|gateway| adapter(reader, section, gateway));
    let profile = adapter.map(Adapter::profile);
    let (credentials, keys_at) = credential::read(reader, section, profile);
    let aliases = alias::read(reader, section);
    let success_status = success_status(reader, section);
    let addresses = edge::networks(reader, section, "addresses");
    let most_per_second = section.number(reader, "max_per_second", 0, 0..=1_000_000);
    let external_id = external_id(reader, section, profile);
    let holder = external_id.as_ref().map(ProviderId::as_str);
    let access = profile.and_then(|profile| api::read(reader, section, profile, holder));
    if let (None, Some(profile)) = (&access, profile)
        && !profile.signs_bodies
    {
        reader.note(format!(
            "{} is not there: nothing {} posts can be believed before it is read back, so no payment comes of it",
            section.name("api"),
            profile.title
        ));
    }
    let tenants = tenants(reader, section);
    let replaces = replaces(reader, section);
    Some(AccountConfig {
        name: name?,
        gateway: gateway?,
        adapter: adapter?,
        merchant: merchant?,
        mode: mode?,
        credentials,
        keys_at,
        aliases,
        success_status,
        addresses,
        most_per_second: u32::try_from(most_per_second).ok().filter(|most| *most > 0),
        access,
        external_id,
        tenants,
        replaces,
    })
}

fn gateway(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Gateway> {
    let known: Vec<&str> = Gateway::ALL.iter().map(|gateway| gateway.slug()).collect();
    let name = section.name("gateway");
    let Some(text) = section.text(reader, "gateway", None) else {
        reader.problem(section.place("gateway"), format!("{name}: expected one of {}, got nothing", known.join(", ")));
        return None;
    };
    let gateway = Gateway::from_slug(&text);
    if gateway.is_none() {
        let text = format!("{name}: expected one of {}, got {text:?}", known.join(", "));
        reader.problem(section.place("gateway"), text);
    }
    gateway
}

/// Who speaks to the account: where its gateway has several ways, it says which, for no request may choose.
fn adapter(reader: &mut Reader<'_>, section: &mut Section<'_>, gateway: Gateway) -> Option<&'static dyn Adapter> {
    let all = adapters(gateway);
    if let [only] = all {
        return Some(*only);
    }
    let names: Vec<&str> = all.iter().map(|adapter| adapter.profile().name).collect();
    let name = section.name("profile");
    let text = section.text(reader, "profile", None);
    let found = text.as_deref().and_then(|text| all.iter().find(|adapter| adapter.profile().name == text));
    if found.is_none() {
        let got = text.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
        reader.problem(section.place("profile"), format!("{name}: expected one of {}, got {got}", names.join(", ")));
    }
    found.copied()
}

fn mode(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Mode> {
    let name = section.name("mode");
    let Some(text) = section.text(reader, "mode", None) else {
        reader.problem(section.place("mode"), format!("{name}: expected live or test, got nothing"));
        return None;
    };
    let mode = Mode::parse(&text);
    if mode.is_none() {
        reader.problem(section.place("mode"), format!("{name}: expected live or test, got {text:?}"));
    }
    mode
}

fn external_id(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    profile: Option<&'static Profile>,
) -> Option<ProviderId> {
    let text = section.text(reader, "external_id", None);
    if let (None, Some(expected)) = (&text, profile.and_then(|profile| profile.external_id)) {
        reader.problem(section.start(), format!("{}: expected {expected}, got nothing", section.name("external_id")));
    }
    let text = text?;
    ProviderId::parse(&text)
        .map_err(|error| {
            reader.problem(section.place("external_id"), format!("{}: {error}", section.name("external_id")));
        })
        .ok()
}

/// Any code of success; nothing where the key does not stand there.
fn success_status(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<StatusCode> {
    section.raw("success_status")?;
    let status = section.number(reader, "success_status", 200, 200..=299);
    u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok())
}

fn replaces(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<AccountName> {
    let text = section.text(reader, "replaces", None)?;
    AccountName::parse(&text)
        .map_err(|error| reader.problem(section.place("replaces"), format!("{}: {error}", section.name("replaces"))))
        .ok()
}

/// `"own"`, `"any"`, or a list of ids.
fn tenants(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Tenants {
    let (name, place) = (section.name("tenants"), section.place("tenants"));
    let Some(item) = section.raw("tenants") else { return Tenants::Own };
    match (item.as_str(), item.as_array()) {
        (Some("own"), _) => Tenants::Own,
        (Some("any"), _) => Tenants::Any,
        (_, Some(list)) => {
            let ids: Option<Vec<ProviderId>> =
                list.iter().map(|id| id.as_str().and_then(|id| ProviderId::parse(id).ok())).collect();
            ids.map_or_else(
                || {
                    reader.problem(place, format!("{name}: expected a list of account ids such as acct_1"));
                    Tenants::Own
                },
                Tenants::Listed,
            )
        }
        (_, None) => {
            reader.problem(
                place,
                format!("{name}: expected \"own\", \"any\" or a list of account ids, got {}", item.type_name()),
            );
            Tenants::Own
        }
    }
}

//! How an account's gateway is asked: where, with what, and how much.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use afluente_gateways::jws::Expected;
use afluente_gateways::profile::TokensAt;
use afluente_gateways::{Api, KeySet, Secret};
use afluente_model::AccountName;
use http::Uri;
use http::uri::{Authority, Scheme};

use crate::assertion::Assertion;
use crate::tls::ClientTls;

/// An address calls are made under: `https://host[:port][/prefix]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    prefix: Box<str>,
}

/// An address nobody may be asked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBase {
    /// It is no address.
    #[error("expected an address such as https://api.example.com, without a query, a fragment or a login")]
    NotAnAddress,
    /// Not encrypted, and not on this machine.
    #[error("expected https://, got http:// to another machine")]
    Plain,
}

impl Base {
    /// Parses an address; plain HTTP is for this machine only.
    pub fn parse(text: &str) -> Result<Base, BadBase> {
        let uri: Uri = text.parse().map_err(|_| BadBase::NotAnAddress)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BadBase::NotAnAddress);
        };
        let path = parts.path_and_query.ok_or(BadBase::NotAnAddress)?;
        if path.query().is_some() || authority.as_str().contains('@') || text.contains('#') {
            return Err(BadBase::NotAnAddress);
        }
        let base = Base { scheme, authority, prefix: path.path().trim_end_matches('/').into() };
        match base.scheme.as_str() {
            "https" => Ok(base),
            "http" if base.is_this_machine() => Ok(base),
            "http" => Err(BadBase::Plain),
            _ => Err(BadBase::NotAnAddress),
        }
    }

    /// Whether it is one of the gateway's own addresses.
    #[must_use]
    pub fn is_own(&self, hosts: &[&str]) -> bool {
        self.scheme == Scheme::HTTPS && hosts.contains(&self.authority.as_str())
    }

    /// Whether what is sent there stays on this machine.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        let host = self.authority.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Where it is listened, if that is this machine and it is asked in plain.
    #[must_use]
    pub fn loopback(&self) -> Option<SocketAddr> {
        let host = self.authority.host().trim_matches(['[', ']']);
        let ip = if host == "localhost" { Ipv4Addr::LOCALHOST.into() } else { host.parse().ok()? };
        let is_plain = self.scheme == Scheme::HTTP && self.prefix.is_empty();
        is_plain.then(|| SocketAddr::new(ip, self.authority.port_u16().unwrap_or(80)))
    }

    /// The address of a path, which begins with a slash, with a secret as one more parameter of its query.
    pub(crate) fn with_secret(&self, path: &str, name: &str, secret: &Secret) -> Option<Uri> {
        let secret = std::str::from_utf8(secret.expose()).ok()?;
        let parameter = form_urlencoded::Serializer::new(String::new()).append_pair(name, secret).finish();
        self.with(&format!("{path}{}{parameter}", if path.contains('?') { '&' } else { '?' }))
    }

    /// The address of a path, which begins with a slash.
    pub(crate) fn with(&self, path: &str) -> Option<Uri> {
        let path = format!("{}{path}", self.prefix);
        Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path).build().ok()
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What makes a call ours.
#[derive(Clone, Debug)]
pub enum Auth {
    /// A token as it is.
    Bearer(Secret),
    /// A key, as the user of HTTP Basic without a password.
    Key(Secret),
    /// A token in the query.
    Query {
        /// The name of the parameter.
        name: &'static str,
        /// The token.
        token: Secret,
    },
    /// A client that gets its tokens from the gateway, and new ones before they end.
    Client {
        /// Its id.
        id: Box<str>,
        /// Its secret.
        secret: Secret,
        /// Where tokens are given out.
        base: Base,
        /// How they are asked for there.
        tokens: &'static TokensAt,
    },
    /// A client that signs for its tokens.
    Assertion(Box<Assertion>),
}

impl Auth {
    /// Whether both are the same credentials.
    pub(crate) fn is_same(&self, other: &Auth) -> bool {
        match (self, other) {
            (Auth::Bearer(one), Auth::Bearer(other))
            | (Auth::Key(one), Auth::Key(other))
            | (Auth::Query { token: one, .. }, Auth::Query { token: other, .. }) => one.name() == other.name(),
            (
                Auth::Client { id, secret, base, .. },
                Auth::Client { id: other_id, secret: other_secret, base: other_base, .. },
            ) => id == other_id && secret.name() == other_secret.name() && base == other_base,
            (Auth::Assertion(one), Auth::Assertion(other)) => one.is_same(other),
            (Auth::Bearer(_) | Auth::Key(_) | Auth::Query { .. } | Auth::Client { .. } | Auth::Assertion(_), _) => {
                false
            }
        }
    }
}

/// How much an account asks at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Calls a second, of this process.
    pub per_second: u32,
    /// Calls a month (UTC), of all processes on this ledger; none for as many as there are.
    pub per_month: Option<u64>,
    /// Wants asked at once, of this process.
    pub at_once: u32,
}

/// How one account's gateway is asked.
#[derive(Clone, Debug)]
pub struct Access {
    /// Which of the gateway's APIs.
    pub api: &'static Api,
    /// Where.
    pub base: Base,
    /// With what.
    pub auth: Auth,
    /// What its connections show and trust, where that is not what this machine trusts.
    pub tls: Option<ClientTls>,
    /// Who signs its answers, if anybody does.
    pub signed: Option<SignedBy>,
    /// How much.
    pub budget: Budget,
}

/// Who signs what a gateway answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Where the keys are shown.
    pub base: Base,
    /// What an answer has to claim.
    pub expected: Expected,
}

impl Access {
    pub(crate) fn is_same(&self, other: &Access) -> bool {
        std::ptr::eq(self.api, other.api)
            && self.base == other.base
            && self.auth.is_same(&other.auth)
            && self.has_same_tls(other)
            && self.signed == other.signed
            && self.budget == other.budget
    }
}

impl Access {
    fn has_same_tls(&self, other: &Access) -> bool {
        match (&self.tls, &other.tls) {
            (Some(one), Some(other)) => one.is_same(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// An account that may ask.
#[derive(Clone)]
pub struct LookupAccount {
    /// Who reads its answers, and what they must agree with.
    pub account: afluente_worker::Account,
    /// How it asks.
    pub access: Access,
    /// The keys its answers are signed with, where they are signed.
    pub keys: Option<KeySet>,
}

impl LookupAccount {
    /// The address it asks, or gets its tokens at, if that is not the gateway's own.
    #[must_use]
    pub fn other_host(&self) -> Option<&Base> {
        let Access { api, base, auth, .. } = &self.access;
        let tokens_at = match auth {
            Auth::Client { base, tokens, .. } => {
                Some((base, if tokens.base.is_some() { tokens.hosts } else { api.hosts }))
            }
            Auth::Bearer(_) | Auth::Key(_) | Auth::Query { .. } | Auth::Assertion(_) => None,
        };
        // Where each account has an address of its own there is no other.
        let mut all = [(base, api.hosts)].into_iter().chain(tokens_at);
        all.find(|(base, hosts)| !hosts.is_empty() && !base.is_own(hosts)).map(|(base, _)| base)
    }
}

/// All accounts that may ask, by name. Replaced as a whole when the configuration changes.
#[derive(Clone, Default)]
pub struct Accounts(pub BTreeMap<AccountName, LookupAccount>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_safe_to_ask_are_taken() {
        for good in
            ["https://api.example.com", "https://api.example.com:8443/v1/", "http://127.0.0.1:9", "http://[::1]:9"]
        {
            assert!(Base::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Base::parse("http://api.example.com"), Err(BadBase::Plain));
        assert_eq!(Base::parse("http://127.0.0.1.example.com"), Err(BadBase::Plain));
        for bad in
            ["", "api.example.com", "ftp://x", "https://user:word@x", "https://x/?a=b", "https://x/#a", "https://"]
        {
            assert_eq!(Base::parse(bad), Err(BadBase::NotAnAddress), "{bad}");
        }
    }

    #[test]
    fn only_what_is_asked_in_plain_and_without_a_prefix_can_be_listened_for_here() {
        let at = |text| Base::parse(text).unwrap().loopback().map(|address| address.to_string());
        assert_eq!(at("http://localhost:8440"), Some("127.0.0.1:8440".to_owned()));
        assert_eq!(at("http://[::1]:9"), Some("[::1]:9".to_owned()));
        assert_eq!(
            (at("http://127.0.0.1:9/v1"), at("https://127.0.0.1:9"), at("https://api.example.com")),
            (None, None, None)
        );
    }

    #[test]
    fn a_path_goes_behind_the_prefix() {
        let base = Base::parse("https://api.example.com/v9/").unwrap();
        assert_eq!(base.with("/v1/charges/ch_1?a=b").unwrap(), "https://api.example.com/v9/v1/charges/ch_1?a=b");
    }
}

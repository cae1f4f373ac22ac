//! The raw request an adapter verifies.

use std::borrow::Cow;

use afluente_model::Timestamp;
use http::{HeaderMap, Method};

use crate::certificate::{Certificates, PeerName};
use crate::credentials::Credentials;
use crate::error::Rejection;

/// The name under which what stands behind the account in the path travels with a delivery, where a profile keeps it. No header
/// of a request can have it.
pub const PATH: &str = ":path";

/// A request before anything was decoded: exactly the bytes that came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// What stands behind the account in the path, if anything does: a token, which is never kept and never shown, or what the
    /// request is about, at gateways that write it there.
    pub path_token: Option<&'a str>,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The client certificate of the connection, or the one a proxy of ours forwarded. Nothing is checked of it yet.
    pub peer: Option<&'a Certificates>,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// All values of a header as text; a value that is not visible ASCII counts as unreadable and is `None`.
    pub fn header(&self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        self.headers.get_all(name).iter().map(|value| value.to_str().ok())
    }

    /// The one value of a header that proves something; two are refused, for which of them counts is anybody's guess.
    pub(crate) fn sole_header(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        let mut values = self.header(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Rejection::RepeatedHeader),
            (Some(None), None) => Err(Rejection::MalformedSignature { expected: "visible ASCII" }),
            (Some(value), None) => Ok(value),
            (None, None) => Ok(None),
        }
    }
}

impl Request<'_> {
    /// Whom the client certificate names, if one of the account's authorities vouches for it. An account without authorities
    /// trusts nobody.
    pub(crate) fn named_peer(&self, credentials: &Credentials, now: Timestamp) -> Result<PeerName, Rejection> {
        let peer = self.peer.ok_or(Rejection::NoCertificate)?;
        match credentials.authorities() {
            Some(authorities) => authorities.check(peer, now),
            None => Err(Rejection::UntrustedCertificate { why: "none of them vouches for" }),
        }
    }

    /// What stands behind the account in the path, the query among it.
    #[must_use]
    pub fn path_and_query(&self) -> Option<Cow<'_, str>> {
        let path = self.path_token?;
        Some(match self.query {
            Some(query) => Cow::Owned(format!("{path}?{query}")),
            None => Cow::Borrowed(path),
        })
    }
}

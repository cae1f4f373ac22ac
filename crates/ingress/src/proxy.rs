//! Machines in front of us that speak for callers: what they forward counts, and the same from anybody else is refused.

use std::borrow::Cow;
use std::net::IpAddr;

use afluente_gateways::Certificates;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::caller::Caller;

/// Who may speak for callers, and how.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Vec<IpNet>,
    /// The header with the caller's address: a list to which each proxy appends the one it saw.
    pub address_header: Option<HeaderName>,
    /// The header with the caller's certificate: PEM, percent-encoded, or as RFC 9440 has it.
    pub certificate_header: Option<HeaderName>,
}

/// Who is really calling.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) address: IpAddr,
    pub(crate) certificates: Option<Cow<'a, Certificates>>,
}

/// What is wrong with what was forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadForwarding {
    /// Whoever is no proxy of ours has no certificate but his own.
    FromOutside,
    /// A header that may come once came twice: one of them is from outside.
    Twice,
    /// Nobody can read it.
    Malformed,
}

impl Proxies {
    /// Who calls, by the connection and by what a proxy of ours says of it.
    pub(crate) fn seen<'a>(&self, caller: &'a Caller, headers: &HeaderMap) -> Result<Seen<'a>, BadForwarding> {
        let is_trusted = self.is_trusted(caller.address);
        let forwarded = self.certificate_header.as_ref().map(|name| sole(headers, name)).transpose()?.flatten();
        if forwarded.is_some() && !is_trusted {
            return Err(BadForwarding::FromOutside);
        }
        // What the connection itself proves outweighs what anybody says.
        let certificates = match (&caller.certificates, forwarded) {
            (Some(own), _) => Some(Cow::Borrowed(own)),
            (None, Some(text)) if !text.is_empty() => {
                Some(Cow::Owned(certificate(text).ok_or(BadForwarding::Malformed)?))
            }
            (None, Some(_) | None) => None,
        };
        let address = if is_trusted { self.behind(headers)?.unwrap_or(caller.address) } else { caller.address };
        Ok(Seen { address, certificates })
    }

    /// Whether it is one of ours.
    pub(crate) fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The last address that is no proxy of ours: what stands before it, anybody may have written.
    fn behind(&self, headers: &HeaderMap) -> Result<Option<IpAddr>, BadForwarding> {
        let Some(name) = &self.address_header else { return Ok(None) };
        let Some(list) = sole(headers, name)? else { return Ok(None) };
        for text in list.rsplit(',') {
            let address = address(text.trim()).ok_or(BadForwarding::Malformed)?;
            if !self.is_trusted(address) {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }
}

/// The one value of a header.
fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, BadForwarding> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(BadForwarding::Twice),
        (Some(value), None) => value.to_str().map(|text| Some(text.trim())).map_err(|_| BadForwarding::Malformed),
    }
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.split(']').next()).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

/// `:base64 of DER:` (RFC 9440), or PEM as nginx escapes it.
fn certificate(text: &str) -> Option<Certificates> {
    if let Some(encoded) = text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
        return Some(Certificates::from_der(STANDARD.decode(encoded).ok()?));
    }
    Certificates::from_pem(&percent_encoding::percent_decode_str(text).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: &str = include_str!("../../gateways/tests/keys/icp-leaf.pem");

    fn proxies() -> Proxies {
        Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            address_header: Some(HeaderName::from_static("x-forwarded-for")),
            certificate_header: Some(HeaderName::from_static("x-client-certificate")),
        }
    }

    fn escaped() -> String {
        percent_encoding::utf8_percent_encode(LEAF, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    fn seen(from: &str, headers: &[(&'static str, &str)]) -> Result<(String, bool), BadForwarding> {
        let caller = Caller { address: from.parse().unwrap(), certificates: None };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = proxies();
        let seen = proxies.seen(&caller, &map)?;
        Ok((seen.address.to_string(), seen.certificates.is_some()))
    }

    #[test]
    fn an_address_counts_from_a_proxy_of_ours_and_only_the_last_that_is_not_one() {
        let from = |from, list| seen(from, &[("x-forwarded-for", list)]).map(|(address, _)| address);
        assert_eq!(from("203.0.113.9", "198.51.100.1"), Ok("203.0.113.9".to_owned()), "it is no proxy of ours");
        assert_eq!(from("10.0.0.1", "198.51.100.1"), Ok("198.51.100.1".to_owned()));
        assert_eq!(from("10.0.0.1", "127.0.0.1, 198.51.100.1, 10.9.9.9"), Ok("198.51.100.1".to_owned()));
        assert_eq!(from("10.0.0.1", "10.0.0.2"), Ok("10.0.0.1".to_owned()));
        assert_eq!(from("fd00::1", "[2001:db8::7]:443"), Ok("2001:db8::7".to_owned()));
        assert_eq!(from("10.0.0.1", "198.51.100.1:4711"), Ok("198.51.100.1".to_owned()));
        assert_eq!(from("10.0.0.1", "::ffff:198.51.100.1"), Ok("198.51.100.1".to_owned()));
        for bad in ["", "unknown", "198.51.100.1, x", "198.51.100.1 10.0.0.1"] {
            assert_eq!(from("10.0.0.1", bad), Err(BadForwarding::Malformed), "{bad:?}");
        }
        let twice = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "198.51.100.2")];
        assert_eq!(seen("10.0.0.1", &twice), Err(BadForwarding::Twice));
        assert!(seen("10.0.0.1", &[]).is_ok());
    }

    #[test]
    fn a_certificate_counts_from_a_proxy_of_ours_once_and_in_either_form() {
        let escaped = escaped();
        let der = Certificates::from_pem(LEAF.as_bytes()).unwrap();
        let bytes = format!(":{}:", STANDARD.encode(der.leaf()));
        for value in [&*escaped, &*bytes] {
            let one = [("x-client-certificate", value)];
            assert_eq!(seen("10.0.0.1", &one).map(|(_, has)| has), Ok(true));
            assert_eq!(seen("203.0.113.9", &one), Err(BadForwarding::FromOutside), "c3");
            assert_eq!(seen("10.0.0.1", &[one[0], one[0]]), Err(BadForwarding::Twice));
        }
        assert_eq!(seen("10.0.0.1", &[("x-client-certificate", "")]).map(|(_, has)| has), Ok(false));
        for bad in ["(null)", ":?:", "%2D%2D", "-----BEGIN CERTIFICATE-----"] {
            assert_eq!(seen("10.0.0.1", &[("x-client-certificate", bad)]), Err(BadForwarding::Malformed), "{bad}");
        }
    }
}

//! Where callers come in, on what, and who may speak for them: `[ingress]` with what is under it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use afluente_gateways::Authorities;
use afluente_ingress::{BadTls, Clients, Identity, Limits, Proxies, server_config};
use http::HeaderName;
use ipnet::IpNet;
use rustls::ServerConfig;
use toml_edit::Item;

use super::section::{Place, Reader, Section};

/// Everything about how requests come in.
#[derive(Debug)]
pub(crate) struct Edge {
    /// Where they come in plain.
    pub(crate) listen: SocketAddr,
    /// Where they come over TLS, if they do.
    pub(crate) tls: Vec<Secured>,
    /// Who speaks for callers.
    pub(crate) proxies: Proxies,
    /// What is taken on.
    pub(crate) limits: Limits,
}

/// A listener of its own for TLS.
pub(crate) struct Secured {
    /// The section's name.
    pub(crate) name: &'static str,
    /// Its address.
    pub(crate) listen: SocketAddr,
    chain: Vec<u8>,
    key: String,
    clients: Clients,
    pub(super) place: Place,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secured({} on {}, {:?})", self.name, self.listen, self.clients)
    }
}

impl Secured {
    /// The settings of its connections, which ask for certificates that these authorities vouch for.
    pub(crate) fn settings<'a>(
        &self,
        authorities: impl IntoIterator<Item = &'a Authorities>,
    ) -> Result<Arc<ServerConfig>, BadTls> {
        let identity = Identity { chain: &self.chain, key: self.key.as_bytes() };
        server_config(identity, self.clients, authorities)
    }
}

/// Reads `[ingress]`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &mut Section<'a>) -> Edge {
    let mut section = root.section(reader, "ingress");
    let listen = section.address(reader, "listen", Some("AFLUENTE_INGRESS_LISTEN"), "127.0.0.1:8420");
    let limits = limits(reader, &mut section);
    let listeners = [("tls", "127.0.0.1:8443", Clients::Optional), ("mtls", "127.0.0.1:8444", Clients::Required)];
    let tls = listeners.into_iter().filter_map(|(name, default, clients)| {
        let mut own = section.section(reader, name);
        if !own.is_there() {
            return None;
        }
        let read = secured(reader, &mut own, name, default, clients);
        own.finish(reader);
        read
    });
    let tls = tls.collect();
    let proxies = proxies(reader, &mut section);
    section.finish(reader);
    Edge { listen, tls, proxies, limits }
}

fn secured<'a>(
    reader: &mut Reader<'a>,
    section: &mut Section<'a>,
    name: &'static str,
    default: &str,
    clients: Clients,
) -> Option<Secured> {
    let place = section.start();
    let listen = section.address(reader, "listen", None, default);
    let chain = section.file(reader, "certificate");
    if chain.is_none() && section.raw("certificate").is_none() {
        let text =
            format!("{}: expected a file of certificates in PEM, ours first, got nothing", section.name("certificate"));
        reader.problem(place, text);
    }
    let (key_name, key_place) = (section.name("key"), section.place("key"));
    let key = match section.raw("key").and_then(Item::as_inline_table) {
        Some(reference) => reader.referred(reference).map(|(text, _)| text),
        None => Err("expected a reference to the certificate's key such as { file = \"tls/key.pem\" }".to_owned()),
    };
    let key = key.map_err(|text| reader.problem(key_place, format!("{key_name}: {text}"))).ok();
    Some(Secured { name, listen, chain: chain?, key: key?, clients, place })
}

fn proxies(reader: &mut Reader<'_>, ingress: &mut Section<'_>) -> Proxies {
    let mut section = ingress.section(reader, "proxies");
    if !section.is_there() {
        return Proxies::default();
    }
    let trusted = networks(reader, &mut section, "trusted");
    if trusted.is_empty() {
        let text =
            format!("{}: expected addresses of proxies such as [\"10.0.0.0/8\"], got none", section.name("trusted"));
        reader.problem(section.place("trusted"), text);
    }
    let address_header = header(reader, &mut section, "address_header");
    let certificate_header = header(reader, &mut section, "certificate_header");
    section.finish(reader);
    Proxies { trusted, address_header, certificate_header }
}

fn header(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &'static str) -> Option<HeaderName> {
    let text = section.text(reader, key, None)?;
    let parsed = HeaderName::from_bytes(text.as_bytes());
    let (name, place) = (section.name(key), section.place(key));
    parsed.map_err(|_| reader.problem(place, format!("{name}: expected the name of a header, got {text:?}"))).ok()
}

/// A list of networks, each as `address/bits` or an address alone; nothing where the key is not there.
pub(super) fn networks(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &'static str) -> Vec<IpNet> {
    let (name, place) = (section.name(key), section.place(key));
    let Some(item) = section.raw(key) else { return Vec::new() };
    let Some(list) = item.as_array() else {
        reader.problem(place, format!("{name}: expected a list of addresses, got {}", item.type_name()));
        return Vec::new();
    };
    let mut networks = Vec::new();
    for value in list {
        let network = value
            .as_str()
            .and_then(|text| text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?))));
        match network {
            Some(network) => networks.push(network),
            None => reader.problem(
                value.span().map(|span| span.start).or(place),
                format!(
                    "{name}: expected an address or a network such as \"203.0.113.0/24\", got {}",
                    value.to_string().trim()
                ),
            ),
        }
    }
    networks
}

fn limits(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Limits {
    let default = Limits::default();
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let rate = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let limits = Limits {
        connections: size(section.number(reader, "max_connections", 4_096, 1..=100_000)),
        connections_by_address: size(section.number(reader, "max_connections_by_address", 1_024, 1..=100_000)),
        in_flight_requests: size(section.number(reader, "max_in_flight", 1_024, 1..=100_000)),
        in_flight_body_bytes: size(section.number(reader, "max_in_flight_bytes", 64 << 20, 1 << 20..=256 << 20)),
        unproved_per_second: rate(section.number(reader, "max_unproved_per_second", 1_000, 1..=1_000_000)),
        unproved_per_second_by_address: rate(section.number(
            reader,
            "max_unproved_per_second_by_address",
            1_000,
            1..=1_000_000,
        )),
        body_bytes: size(section.number(reader, "max_body_bytes", 1 << 20, 1_024..=16 << 20)),
        header_bytes: size(section.number(reader, "max_header_bytes", 16 << 10, 8 << 10..=256 << 10)),
        headers: size(section.number(reader, "max_headers", 100, 8..=1_000)),
        header_read: section.millis(reader, "header_timeout_ms", 10_000, 100..=120_000),
        body_read: section.millis(reader, "body_timeout_ms", 15_000, 100..=120_000),
        body_idle: section.millis(reader, "body_idle_timeout_ms", 5_000, 100..=120_000),
        publish: section.millis(reader, "publish_timeout_ms", 5_000, 100..=60_000),
        drain: section.millis(reader, "drain_timeout_ms", 25_000, 100..=300_000),
        ..default
    };
    // A whole body cannot be waited for less long than its next piece.
    let limits = Limits { body_idle: limits.body_idle.min(limits.body_read), ..limits };
    if let Err(error) = limits.check() {
        reader.problem(section.start(), error.to_string());
    }
    limits
}

//! Where the broker is: one URL for all nodes of a cluster.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lapin::uri::{AMQPScheme, AMQPUri};

/// What a URL looks like, for messages.
const EXPECTED: &str =
    "expected amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps://, with HOST:PORT,HOST:PORT for a cluster";
/// How often both sides say that they live, in seconds, if the URL does not say. Two of them without a word end a connection.
const HEARTBEAT_SECONDS: u16 = 10;
/// What a query may say.
const PARAMETERS: [&str; 5] = ["heartbeat", "frame_max", "channel_max", "auth_mechanism", "cacertfile"];

/// The nodes of a RabbitMQ cluster and how to speak to them. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    nodes: Vec<AMQPUri>,
    ca_file: Option<PathBuf>,
    shown: String,
    password: bool,
}

impl BrokerUrl {
    /// Every node, in the order given: each try to connect takes the next.
    pub(crate) fn nodes(&self) -> &[AMQPUri] {
        &self.nodes
    }

    /// A file of certificates to trust beside the system's.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Whether the text holds a password, and so belongs into a file or the environment.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password
    }

    /// User and password, for the broker's other doors.
    #[must_use]
    pub fn login(&self) -> Option<(&str, &str)> {
        let info = &self.nodes.first()?.authority.userinfo;
        Some((&info.username, &info.password))
    }

    /// The virtual host: a name of its own for every deployment on one broker.
    #[must_use]
    pub fn vhost(&self) -> &str {
        self.nodes.first().map_or("/", |node| &node.vhost)
    }

    /// Whether it names this machine only.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let loopback =
            |host: &str| host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        self.nodes.iter().all(|node| loopback(&node.authority.host))
    }

    /// Whether what is said on the way can be read by others.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.nodes.iter().all(|node| node.scheme == AMQPScheme::AMQPS)
    }
}

impl FromStr for BrokerUrl {
    type Err = String;

    /// Reads a URL. The error never repeats the text, which may hold a password.
    fn from_str(url: &str) -> Result<BrokerUrl, String> {
        let Some((scheme @ ("amqp" | "amqps"), rest)) = url.split_once("://") else {
            let scheme = url.split_once("://").map_or("no scheme", |(scheme, _)| scheme);
            return Err(format!("{EXPECTED}; got {:?}", scheme.chars().take(20).collect::<String>()));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (user, hosts) = authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        let ca_file = check_query(tail)?;
        // Everything but the host, which may be one of several, and which the reader of one takes for a name.
        let at = user.map(|user| format!("{user}@")).unwrap_or_default();
        let template: AMQPUri =
            format!("{scheme}://{at}localhost{tail}").parse().map_err(|_| format!("{EXPECTED}; got something else"))?;
        let nodes = hosts.split(',').map(|host| node(&template, host)).collect::<Result<Vec<_>, _>>()?;
        let named: Vec<String> =
            nodes.iter().map(|node| format!("{}:{}", node.authority.host, node.authority.port)).collect();
        let shown = format!("{scheme}://{}/{}", named.join(","), template.vhost.trim_start_matches('/'));
        Ok(BrokerUrl { nodes, ca_file, shown, password: user.is_some_and(|user| user.contains(':')) })
    }
}

/// A parameter nobody reads would be a setting that somebody believes in.
fn check_query(tail: &str) -> Result<Option<PathBuf>, String> {
    let Some((_, query)) = tail.split_once('?') else { return Ok(None) };
    let mut ca_file = None;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=').or(Some((pair, "")))) {
        if !PARAMETERS.contains(&name) {
            let name: String = name.chars().take(30).collect();
            return Err(format!("expected parameters among {}, got {name:?}", PARAMETERS.join(", ")));
        }
        if name == "heartbeat" && value.parse().is_ok_and(|seconds: u16| seconds == 0) {
            return Err("expected a heartbeat of at least one second: without one a broker that is gone is not missed"
                .to_owned());
        }
        if name == "cacertfile" {
            ca_file = Some(PathBuf::from(value));
        }
    }
    Ok(ca_file)
}

fn node(template: &AMQPUri, text: &str) -> Result<AMQPUri, String> {
    let bad = || format!("{EXPECTED}; got a host that is none");
    // An IPv6 address stands in brackets, for its colons.
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':'))).ok_or_else(bad)?,
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let named = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(named) {
        return Err(bad());
    }
    let mut node = template.clone();
    host.clone_into(&mut node.authority.host);
    node.authority.port = match port {
        Some(port) => port.parse().map_err(|_| bad())?,
        None => node.scheme.default_port(),
    };
    // "amqp://host" and "amqp://host/" both mean the vhost everybody has: an empty name is nobody's.
    if node.vhost.is_empty() {
        "/".clone_into(&mut node.vhost);
    }
    node.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(node)
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> BrokerUrl {
        url.parse().unwrap()
    }

    #[test]
    fn a_cluster_is_one_url_and_its_password_is_not_shown() {
        let url = parse("amqps://us%40er:s3cret@one.example:5673,two.example,[::1]:99/shop%2fa?heartbeat=3");
        let nodes: Vec<_> =
            url.nodes().iter().map(|node| (node.authority.host.as_str(), node.authority.port)).collect();
        assert_eq!(nodes, [("one.example", 5673), ("two.example", 5671), ("::1", 99)]);
        assert!(url.nodes().iter().all(|node| node.vhost == "shop/a" && node.query.heartbeat == Some(3)));
        assert_eq!(url.nodes()[1].authority.userinfo.username, "us@er");
        assert_eq!(format!("{url} {url:?}").matches("s3cret").count(), 0);
        assert!(url.has_password() && url.is_encrypted() && !url.is_loopback());
    }

    #[test]
    fn what_is_left_out_is_what_everybody_has() {
        for text in ["amqp://localhost", "amqp://localhost/", "amqp://localhost/%2f"] {
            let url = parse(text);
            let node = &url.nodes()[0];
            assert_eq!(
                (node.vhost.as_str(), node.authority.port, node.query.heartbeat),
                ("/", 5672, Some(10)),
                "{text}"
            );
            assert!(!url.has_password() && url.is_loopback());
        }
        assert_eq!(parse("amqps://b/?cacertfile=/etc/ca.pem").ca_file(), Some(Path::new("/etc/ca.pem")));
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        for text in [
            "",
            "localhost",
            "http://s3cret@h",
            "amqp://",
            "amqp://u:s3cret@",
            "amqp://u:s3cret@h:port",
            "amqp://h,,i",
            "amqp://u:s3cret@h/%ff",
            "amqp://u:s3cret@h/?heartbeet=3",
            "amqp://u:s3cret@h?heartbeat=0",
            "amqp://[::1",
            "amqp://h ost",
        ] {
            let error = text.parse::<BrokerUrl>().unwrap_err();
            assert!(error.starts_with("expected") && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}

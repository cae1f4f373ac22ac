//! Where deliveries wait between ingress and worker: a file in the data folder, or a RabbitMQ broker.

use std::time::Duration;

use afluente_queue::{BrokerUrl, RabbitOptions};
use http::Uri;

use super::section::{Reader, Section};
use super::url::{self, Sought};

/// Where a spool lies inside a data folder.
pub(crate) const SPOOL_FOLDER: &str = "spool";

/// Which queue.
#[derive(Clone, Debug)]
pub(crate) enum QueueConfig {
    /// A file in the data folder that holds at most so many bytes.
    Embedded {
        /// Bytes of messages.
        limit_bytes: u64,
    },
    /// Queues on a broker.
    Broker {
        /// Which, and how.
        options: Box<RabbitOptions>,
        /// Bytes of deliveries an ingress keeps while the broker is away.
        spool_limit_bytes: u64,
        /// Where its management listens, for the doctor.
        management: Option<Uri>,
    },
}

/// What the queue has to fit to.
pub(super) struct Fit {
    /// Deliveries of a batch.
    pub(super) batch_size: usize,
    /// How long a request waits until its delivery is durable.
    pub(super) publish: Duration,
}

/// Reads `[queue]`, its keys aside.
pub(super) fn read<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, fit: &Fit) -> QueueConfig {
    let limit_bytes = section.number(reader, "max_bytes", 1 << 30, 1 << 20..=1 << 40);
    let prefix = prefix(reader, section);
    let spool_limit_bytes = section.number(reader, "spool_max_bytes", 256 << 20, 1 << 20..=1 << 40);
    let management = management(reader, section);
    let sought = Sought {
        says: "where the queue is",
        file: "queue.url",
        variable: "AMQP_URL",
        has_password: BrokerUrl::has_password,
    };
    let url = url::read(reader, section, &sought);
    let Some(url) = url else { return QueueConfig::Embedded { limit_bytes } };
    if !url.is_loopback() && !url.is_encrypted() {
        reader.note(format!("[queue] {url} is another machine, and what goes there can be read on the way; see amqps"));
    }
    let options = RabbitOptions {
        prefix,
        limit_bytes,
        // The broker gives up first: then the reason is told, and not only that it took too long.
        confirm_within: fit.publish * 4 / 5,
        prefetch: u16::try_from(2 * fit.batch_size).unwrap_or(u16::MAX),
        ..RabbitOptions::new(url)
    };
    QueueConfig::Broker { options: Box::new(options), spool_limit_bytes, management }
}

/// Without user and password: those of the broker's URL are used.
fn management(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Uri> {
    let text = section.text(reader, "management_url", None)?;
    let url = text.parse().ok().filter(|url: &Uri| {
        let host = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        host && matches!(url.scheme_str(), Some("http" | "https")) && url.path() == "/" && url.query().is_none()
    });
    if url.is_none() {
        // Not repeated: somebody may have put a password into it.
        let text =
            "expected http://HOST:PORT or https://HOST:PORT and nothing else: user and password are those of url";
        reader.problem(section.place("management_url"), format!("{}: {text}", section.name("management_url")));
    }
    url
}

fn prefix(reader: &mut Reader<'_>, section: &mut Section<'_>) -> String {
    let default = "afluente";
    let prefix = section.text(reader, "prefix", None).unwrap_or_else(|| default.to_owned());
    let named =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.');
    if (1..=64).contains(&prefix.len()) && prefix.chars().all(named) {
        return prefix;
    }
    let text = format!(
        "{}: expected 1 to 64 lower-case letters, digits, '-', '_' and '.', got {prefix:?}",
        section.name("prefix")
    );
    reader.problem(section.place("prefix"), text);
    default.to_owned()
}

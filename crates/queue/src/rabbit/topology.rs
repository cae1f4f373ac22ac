//! What we keep on a broker: exchanges, queues and their arguments, declared on every connect.
//!
//! ```text
//! PREFIX (direct) ──key GATEWAY──────> PREFIX.GATEWAY          one a gateway, so that no flood starves another
//!    │            ──key GATEWAY.hints─> PREFIX.GATEWAY.hints    what nobody signed, where a gateway sends such
//!    └ alternate: PREFIX.unrouted (fanout) ─> PREFIX.unrouted   a binding that is gone loses nothing
//! PREFIX.retry.WAIT (fanout) ─> PREFIX.retry.WAIT ─after WAIT, under the same key─> PREFIX
//! PREFIX.dead (fanout) ─> PREFIX.dead                           what the broker itself gives up
//! ```
//!
//! Every queue is a quorum queue that refuses what it cannot hold, hands dead letters on at least once, and gives a message
//! up only after a million returns: a limit of -1 loses the message at its first return on RabbitMQ 3.10, the default of
//! 4.x is twenty.

mod look;

use std::time::Duration;

use afluente_model::Gateway;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

/// How often a message may come back to its queue before the broker gives it up. Our own count decides long before.
pub(crate) const DELIVERY_LIMIT: i64 = 1_000_000;

/// The waits of retries. One that was asked for is the nearest of these.
const WAITS: [(&str, Duration); 6] = [
    ("5s", Duration::from_secs(5)),
    ("30s", Duration::from_secs(30)),
    ("2m", Duration::from_secs(120)),
    ("10m", Duration::from_secs(600)),
    ("1h", Duration::from_secs(3_600)),
    ("6h", Duration::from_secs(21_600)),
];

pub(crate) use look::Looked;

/// Names, arguments and bounds of one deployment's queues.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    prefix: String,
    limit_bytes: u64,
}

/// A queue, the exchange before it, and the key it is bound with.
struct Line {
    queue: String,
    exchange: String,
    key: String,
    /// Messages leave it after this long.
    wait: Option<Duration>,
    /// Where the broker puts what leaves it unsettled.
    dead_to: String,
}

/// What lies in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// What is proved.
    Deliveries,
    /// What nobody signed.
    Hints,
    /// What the broker gave up.
    GivenUp,
}

/// The routing key of a gateway's queue, and of its small one.
pub(crate) fn key(gateway: Gateway, hint: bool) -> String {
    if hint { format!("{}.hints", gateway.slug()) } else { gateway.slug().to_owned() }
}

/// Whose message this is, by its routing key, which it keeps wherever the broker moves it.
pub(crate) fn gateway_of(key: &str) -> Option<Gateway> {
    Gateway::from_slug(key.strip_suffix(".hints").unwrap_or(key))
}

/// Whether a gateway sends anything that nobody signed.
pub(crate) fn has_hints(gateway: Gateway) -> bool {
    match gateway {
        // Of Pagar.me: what only a token proves, and what was signed with a key nobody knows yet.
        // Of Open Finance: what only a registered text proves (Efí).
        Gateway::Pagarme | Gateway::Appmax | Gateway::MercadoPago | Gateway::OpenFinance => true,
        Gateway::Stripe => false,
    }
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

impl Topology {
    pub(crate) fn new(prefix: &str, limit_bytes: u64) -> Topology {
        Topology { prefix: prefix.to_owned(), limit_bytes }
    }

    /// The exchange deliveries are published to.
    pub(crate) fn exchange(&self) -> ShortString {
        self.prefix.as_str().into()
    }

    /// The exchange of the retry whose wait is nearest to this one, in proportion.
    pub(crate) fn retry_exchange(&self, wait: Duration) -> ShortString {
        let off = |have: Duration| (have.as_secs_f64().ln() - wait.as_secs_f64().max(0.001).ln()).abs();
        let nearest = WAITS.iter().min_by(|(_, one), (_, other)| off(*one).total_cmp(&off(*other)));
        format!("{}.retry.{}", self.prefix, nearest.map_or("6h", |(name, _)| name)).into()
    }

    /// The queues workers take from, and what lies in each.
    pub(crate) fn taken(&self) -> Vec<(String, Holds)> {
        let gateways = Gateway::ALL.iter().map(|gateway| (self.named(&key(*gateway, false)), Holds::Deliveries));
        let hints = Gateway::ALL.iter().filter(|gateway| has_hints(**gateway));
        let hints = hints.map(|gateway| (self.named(&key(*gateway, true)), Holds::Hints));
        let rest = [(self.named("unrouted"), Holds::Deliveries), (self.dead(), Holds::GivenUp)];
        gateways.chain(hints).chain(rest).collect()
    }

    fn dead(&self) -> String {
        self.named("dead")
    }

    fn named(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for gateway in Gateway::ALL {
            for hint in [false, true].into_iter().filter(|hint| !hint || has_hints(*gateway)) {
                let key = key(*gateway, hint);
                let (queue, exchange, dead_to) = (self.named(&key), self.prefix.clone(), self.dead());
                lines.push(Line { queue, exchange, key, wait: None, dead_to });
            }
        }
        for (name, wait) in WAITS {
            let name = self.named(&format!("retry.{name}"));
            let dead_to = self.prefix.clone();
            lines.push(Line { queue: name.clone(), exchange: name, key: String::new(), wait: Some(wait), dead_to });
        }
        // Whatever is given up even there goes round once more rather than away.
        for (name, other) in [("dead", "unrouted"), ("unrouted", "dead")] {
            let (name, dead_to) = (self.named(name), self.named(other));
            lines.push(Line { queue: name.clone(), exchange: name, key: String::new(), wait: None, dead_to });
        }
        lines
    }

    /// Makes what is not there. What is there with other arguments ends the channel with the broker's own words about both.
    pub(crate) async fn declare(&self, channel: &Channel) -> Result<(), lapin::Error> {
        let lasting = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let lines = self.lines();
        let mut fanouts: Vec<&str> =
            lines.iter().map(|line| line.exchange.as_str()).filter(|name| *name != self.prefix).collect();
        fanouts.dedup();
        for name in fanouts {
            channel.exchange_declare(name.into(), ExchangeKind::Fanout, lasting, FieldTable::default()).await?;
        }
        let mut alternate = FieldTable::default();
        alternate.insert("alternate-exchange".into(), AMQPValue::LongString(self.named("unrouted").into()));
        channel.exchange_declare(self.exchange(), ExchangeKind::Direct, lasting, alternate).await?;
        for line in &lines {
            channel.queue_declare(line.queue.as_str().into(), durable(), self.arguments(line)).await?;
            let (queue, exchange, key) = (line.queue.as_str(), line.exchange.as_str(), line.key.as_str());
            channel
                .queue_bind(
                    queue.into(),
                    exchange.into(),
                    key.into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await?;
        }
        Ok(())
    }

    /// Says for everybody that what was made has been there for a while.
    pub(crate) async fn settle(&self, channel: &Channel) -> Result<(), lapin::Error> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(self.settled(), ExchangeKind::Fanout, durable, FieldTable::default()).await
    }

    /// An exchange nothing is published to: that it is there is what it says.
    pub(crate) fn settled(&self) -> ShortString {
        self.named("settled").into()
    }

    fn arguments(&self, line: &Line) -> FieldTable {
        let text = |text: &str| AMQPValue::LongString(text.into());
        let number = |number: u64| AMQPValue::LongLongInt(i64::try_from(number).unwrap_or(i64::MAX));
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-max-length-bytes".into(), number(self.limit_bytes));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-dead-letter-exchange".into(), text(&line.dead_to));
        if let Some(wait) = line.wait {
            arguments.insert("x-message-ttl".into(), number(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_waits_as_nearly_as_long_as_it_was_asked_to() {
        let topology = Topology::new("a", 1);
        let waits = [
            (0, "5s"),
            (1, "5s"),
            (5, "5s"),
            (10, "5s"),
            (14, "30s"),
            (33, "30s"),
            (118, "2m"),
            (600, "10m"),
            (3_900, "1h"),
            (20_000, "6h"),
            (1 << 40, "6h"),
        ];
        for (seconds, name) in waits {
            let exchange = topology.retry_exchange(Duration::from_secs(seconds));
            assert_eq!(exchange.as_str(), format!("a.retry.{name}"), "{seconds} s");
        }
    }

    #[test]
    fn a_message_is_known_by_its_key_wherever_it_was_moved() {
        for gateway in Gateway::ALL {
            assert_eq!([false, true].map(|hint| gateway_of(&key(*gateway, hint))), [Some(*gateway); 2]);
        }
        assert_eq!(gateway_of("acquirer"), None);
    }

    #[test]
    fn every_queue_is_bounded_and_hands_on_what_leaves_it() {
        let topology = Topology::new("a", 1 << 20);
        let queues: Vec<String> = topology.lines().iter().map(|line| line.queue.clone()).collect();
        for line in topology.lines() {
            let arguments = topology.arguments(&line);
            for name in [
                "x-delivery-limit",
                "x-overflow",
                "x-max-length-bytes",
                "x-dead-letter-strategy",
                "x-dead-letter-exchange",
            ] {
                assert!(arguments.inner().keys().any(|key| key.as_str() == name), "{} has no {name}", line.queue);
            }
        }
        assert!(topology.taken().iter().all(|(queue, _)| queues.contains(queue)));
    }
}

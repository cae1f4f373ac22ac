//! Queues of a test's own on the broker that all tests share.

use afluente_model::Gateway;
use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use uuid::Uuid;

/// Names the broker, as `scripts/services env` prints it.
const VARIABLE: &str = "AFLUENTE_TEST_RABBITMQ";
/// What the names of a deployment's queues end with, beside its gateways.
const OTHERS: [&str; 11] = [
    "appmax.hints",
    "mercadopago.hints",
    "unrouted",
    "dead",
    "settled",
    "retry.5s",
    "retry.30s",
    "retry.2m",
    "retry.10m",
    "retry.1h",
    "retry.6h",
];

/// A prefix for names on a broker; what bears it is gone with the value.
pub struct Corner {
    url: String,
    prefix: String,
}

impl Corner {
    /// A corner of the shared broker.
    #[must_use]
    pub fn of_the_shared_broker() -> Corner {
        let Ok(url) = std::env::var(VARIABLE) else {
            panic!(
                "this test needs RabbitMQ: scripts/services up, then eval \"$(scripts/services env)\" ({VARIABLE} is not set)"
            );
        };
        Corner::of(&url)
    }

    /// A corner of a broker of the test's own.
    #[must_use]
    pub fn of(url: &str) -> Corner {
        Corner { url: url.to_owned(), prefix: format!("test-{}", Uuid::now_v7().simple()) }
    }

    /// Where the broker is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port on this machine.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// What every name of this corner begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a queue here.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// A connection beside the code under test, and a channel on it.
    pub async fn beside(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// How many messages wait in a queue, and how many consumers it has; `None` if there is no such queue.
    pub async fn looked_at(&self, name: &str) -> Option<(u32, u32)> {
        let (_connection, channel) = self.beside().await;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(self.queue(name).into(), passive, FieldTable::default()).await.ok()?;
        Some((queue.message_count(), queue.consumer_count()))
    }

    /// Takes one message off a queue, for good.
    pub async fn get(&self, name: &str) -> Option<BasicGetMessage> {
        let (_connection, channel) = self.beside().await;
        let got = channel.basic_get(self.queue(name).into(), BasicGetOptions::default()).await.unwrap()?;
        got.delivery.acker.ack(BasicAckOptions::default()).await.unwrap();
        Some(got)
    }

    /// Publishes something to this corner's exchange, and waits until the broker has it.
    pub async fn publish(&self, key: &str, properties: BasicProperties, body: &[u8]) {
        let (_connection, channel) = self.beside().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let exchange = self.prefix.as_str().into();
        let published =
            channel.basic_publish(exchange, key.into(), BasicPublishOptions::default(), body, properties).await;
        assert!(published.unwrap().await.unwrap().is_ack());
    }

    /// The same without any properties, as a stranger would.
    pub async fn publish_plain(&self, key: &str, body: &[u8]) {
        self.publish(key, BasicProperties::default(), body).await;
    }

    /// The same with a head of the caller's making, as a program of another version would.
    pub async fn publish_with_head(&self, key: &str, head: &str, body: &[u8]) {
        let sealed = BasicProperties::default().with_content_type("application/x-afluente-sealed".into());
        self.publish(key, sealed, &[head.as_bytes(), b"\n", body].concat()).await;
    }

    /// Deletes a queue.
    pub async fn delete(&self, name: &str) {
        let (_connection, channel) = self.beside().await;
        channel.queue_delete(self.queue(name).into(), QueueDeleteOptions::default()).await.unwrap();
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let gateways = Gateway::ALL.iter().map(|gateway| gateway.slug());
        gateways.chain(OTHERS).map(|name| self.queue(name))
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        let (url, names): (_, Vec<String>) = (self.url.clone(), self.names().collect());
        let exchange = self.prefix.clone();
        // On a thread of its own: the test's runtime may be ending. A broker that is gone took its queues with it.
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let failed = std::io::Error::other;
                let connection = Connection::connect(&url, ConnectionProperties::default()).await.map_err(failed)?;
                let channel = connection.create_channel().await.map_err(failed)?;
                for name in names {
                    channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await.map_err(failed)?;
                    channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await.map_err(failed)?;
                }
                channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.map_err(failed)?;
                connection.close(200, "OK".into()).await.map_err(failed)
            })
        });
        let _ = deleted.join();
    }
}

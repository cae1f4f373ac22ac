//! What of it is there.

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Connection, ErrorKind, ExchangeKind};

use super::{Topology, durable};

/// How a queue of ours was found.
pub(crate) enum Looked {
    /// As we need it.
    There { messages: u32, consumers: u32 },
    /// Not there.
    Missing,
    /// There with other arguments, or not ours to look at.
    Refused(lapin::Error),
}

/// Asks, and makes nothing.
fn passive() -> QueueDeclareOptions {
    QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() }
}

fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said) if said.kind() == &AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND))
}

impl Topology {
    /// Whether all of it is there, and has been for a while.
    pub(crate) async fn is_settled(&self, connection: &Connection) -> Result<bool, lapin::Error> {
        let channel = connection.create_channel().await?;
        let looked = async {
            for line in self.lines() {
                channel.queue_declare(line.queue.into(), passive(), FieldTable::default()).await?;
            }
            let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            channel.exchange_declare(self.settled(), ExchangeKind::Fanout, passive, FieldTable::default()).await?;
            channel.close(200, "OK".into()).await
        };
        match looked.await {
            Ok(()) => Ok(true),
            // This answer ends the channel.
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Looks at every queue: whether it is there, and whether it is as we need it. What is there is declared once more, which
    /// changes nothing.
    pub(crate) async fn look(&self, connection: &Connection) -> Result<Vec<(String, Looked)>, lapin::Error> {
        let mut found = Vec::new();
        for line in self.lines() {
            // A channel each: a refusal ends it.
            let channel = connection.create_channel().await?;
            let looked = match channel.queue_declare(line.queue.as_str().into(), passive(), FieldTable::default()).await
            {
                Err(error) if is_not_found(&error) => Looked::Missing,
                Err(error) => Looked::Refused(error),
                Ok(queue) => {
                    let declared =
                        channel.queue_declare(line.queue.as_str().into(), durable(), self.arguments(&line)).await;
                    let there = Looked::There { messages: queue.message_count(), consumers: queue.consumer_count() };
                    declared.map_or_else(Looked::Refused, |_| there)
                }
            };
            found.push((line.queue, looked));
        }
        Ok(found)
    }
}

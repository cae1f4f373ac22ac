//! What a bench leaves on a broker is deleted.

use afluente_queue::{BrokerUrl, RabbitOptions, examine};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};

use super::plain::connect;
use super::serve::ROOM;
use crate::exit::Failure;

/// Deletes every queue and exchange that bears this prefix.
pub(super) async fn sweep(url: &str, prefix: &str) -> Result<(), Failure> {
    let parsed: BrokerUrl = url.parse().map_err(Failure::Usage)?;
    // With other arguments than they were made with they would not be found.
    let options = RabbitOptions { prefix: prefix.to_owned(), limit_bytes: ROOM, ..RabbitOptions::new(parsed) };
    let examined = examine(&options).await.map_err(Failure::Unavailable)?;
    let ours = examined.queues.into_iter().map(|queue| queue.name);
    let names: Vec<String> = ours.chain(["plain", "settled"].map(|name| format!("{prefix}.{name}"))).collect();
    let swept = async {
        let (_connection, channel) = connect(url).await?;
        for name in &names {
            channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
            // Where there is none of this name nothing happens.
            channel.exchange_delete(name.as_str().into(), ExchangeDeleteOptions::default()).await?;
        }
        channel.exchange_delete(prefix.into(), ExchangeDeleteOptions::default()).await
    };
    swept.await.map_err(|error: lapin::Error| Failure::unavailable(&error))
}

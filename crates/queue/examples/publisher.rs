//! Publishes to the queue of a folder from 64 tasks for as long as it lives, and says each number once it is acknowledged.
//! The crash test kills it.

use std::error::Error;
use std::path::PathBuf;

use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Proof, SecretName, Timestamp};
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys};
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "expected a folder and a first number";
    let folder = PathBuf::from(args.next().ok_or(usage)?);
    let first: u128 = args.next().ok_or(usage)?.parse()?;
    let queue = Queue::open_embedded(EmbeddedOptions::new(&folder))?;
    let mut publishers = tokio::task::JoinSet::new();
    for publisher in 0..64 {
        let queue = queue.clone();
        publishers.spawn(async move {
            let keys = SealKeys::new(SealKey::from_bytes([7; 32]), []);
            for number in (first + publisher..).step_by(64) {
                let sealed = keys.seal(&delivery(number)?);
                queue.publish(sealed).await?;
                println!("stored {number}");
            }
            Ok::<(), Box<dyn Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = publishers.join_next().await {
        ended?.map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn delivery(number: u128) -> Result<Delivery, Box<dyn Error + Send + Sync>> {
    Ok(Delivery {
        id: DeliveryId(Uuid::from_u128(number)),
        gateway: Gateway::Stripe,
        account: AccountName::parse("shop")?,
        received_at: Timestamp::EPOCH,
        proof: Proof::Signed { secret: SecretName::of(b"secret") },
        headers: Vec::new(),
        query: None,
        traceparent: None,
        released_by: None,
        body: number.to_string().into_bytes().into(),
    })
}

//! Publishes to the queue of a folder from 64 tasks for as long as it lives, and says each number once it is acknowledged.
//! The crash test kills it.

use std::error::Error;
use std::path::PathBuf;

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
                let sealed = keys.seal(&afluente_testkit::delivery(Uuid::from_u128(number), number.to_string()));
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

//! The durable queue between ingress and worker.
//!
//! ```text
//! ingress: SealKeys::seal(delivery) -> Sealed -> Queue::publish ... Ok only when fsynced
//! worker:  Queue::take -> Vec<Received> -> SealKeys::open(head, body) -> Delivery ... Queue::settle
//! ```
//!
//! **Invariants.** What `publish` answered `Ok` to comes out of `take` until it is settled with [`Settlement::Ack`],
//! through kill -9 and power loss. It may come out more than once; it is never lost. The body travels byte for byte.
//! Messages carry a [`wire`] seal, so nothing that reached the queue past ingress can become a delivery.
//!
//! Two backends: [`embedded`], a SQLite file held by one process, and RabbitMQ, for several machines.

pub mod embedded;
mod error;
mod queue;
mod rabbit;
mod received;
mod seal;
mod settlement;
mod spool;
pub mod wire;

pub use embedded::EmbeddedOptions;
pub use error::{OpenError, PublishError, QueueError, Spooling, StorageError, Unhealthy};
pub use queue::Queue;
pub use rabbit::{BrokerUrl, Examined, QueueLook, RabbitOptions, examine};
pub use received::Received;
pub use seal::{BadSealKey, SealKey, SealKeys};
pub use settlement::{Depth, Held, Settled, Settlement};
pub use spool::{Poured, Spooled};
pub use wire::{Sealed, Undecodable};

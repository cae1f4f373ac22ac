//! The embedded backend: one SQLite file, one writing thread, one fsync for everything that waits.
//!
//! Publishes and settlements are commands of one bounded channel. The thread takes what is there, up to [`GROUP`]
//! commands, runs them in one transaction and answers when it has committed. What is ready, delayed and in flight is
//! known in memory; the file holds every message until it is acknowledged.

mod clock;
mod examine;
mod file;
mod handle;
mod lease;
mod lines;
mod lock;
mod peek;
mod rows;
mod shared;
mod thread;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::OpenError;
use clock::Clock;
pub use examine::{Examined, Flaw, examine};
pub(crate) use handle::Embedded;
pub(crate) use lease::Lease;
pub use peek::{Peeked, peek};
use shared::{Command, Shared};
pub use thread::Steps;
use thread::Writer;

/// The queue's file name inside its folder.
pub const QUEUE_FILE: &str = "queue.sqlite";
/// The name of the file whose lock says that a process holds the queue.
pub const LOCK_FILE: &str = "queue.lock";
/// When a message comes back that was dropped unsettled, or whose settlement could not be written.
pub const RETURN_DELAY: Duration = Duration::from_secs(1);
/// The longest a message can be delayed, and so the longest a wrong clock can have it wait.
pub const LONGEST_DELAY: Duration = Duration::from_hours(7 * 24);
/// Commands of one commit at most.
pub const GROUP: usize = 256;

/// Where the queue lies and how much it takes.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder; made if missing.
    pub folder: PathBuf,
    /// Bytes of heads and bodies held at most. Past it publishing is refused.
    pub limit_bytes: u64,
    /// Bytes of one message at most.
    pub message_limit_bytes: u64,
    /// A take ends once it holds this many bytes, so that a batch of large bodies does not fill the memory. It holds one
    /// message at least.
    pub take_bytes: u64,
    /// Pages of the file at most, 4 KiB each; `None` for as many as the disk has. Past it publishing fails as on a full
    /// disk.
    pub max_pages: Option<u32>,
}

impl EmbeddedOptions {
    /// A queue in this folder that holds at most 1 GiB, 32 MiB a message, and hands out at most 8 MiB at a time.
    #[must_use]
    pub fn new(folder: &Path) -> EmbeddedOptions {
        EmbeddedOptions {
            folder: folder.to_owned(),
            limit_bytes: 1 << 30,
            message_limit_bytes: 32 << 20,
            take_bytes: 8 << 20,
            max_pages: None,
        }
    }
}

/// Takes the lock, opens and checks the file, and starts the thread.
fn start(options: &EmbeddedOptions) -> Result<(Arc<Shared>, mpsc::Sender<Command>), OpenError> {
    let (writer, shared, sender, commands) = prepare(options, Clock::start())?;
    std::thread::Builder::new()
        .name("afluente-queue".to_owned())
        .spawn(move || writer.run(commands))
        .map_err(|source| OpenError::Unusable { path: options.folder.clone(), source })?;
    Ok((shared, sender))
}

/// Takes the lock, opens and checks the file.
#[allow(clippy::type_complexity, reason = "the two ends of one channel, and what is between them")]
fn prepare(
    options: &EmbeddedOptions,
    clock: Clock,
) -> Result<(Writer, Arc<Shared>, mpsc::Sender<Command>, mpsc::Receiver<Command>), OpenError> {
    let opened = file::open(options)?;
    let (sender, commands) = mpsc::channel(4 * GROUP);
    let shared = Arc::new(Shared::new(options.limit_bytes, clock, sender.downgrade()));
    let writer = Writer::new(opened, options, Arc::clone(&shared))
        .map_err(|source| OpenError::Storage { path: options.folder.join(QUEUE_FILE), source })?;
    Ok((writer, shared, sender, commands))
}

//! The other end: a command that wants something done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_queue::Queue;
use afluente_store::Store;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::{Desk, LINE_LIMIT_BYTES, Request, SOCKET_FILE, act};
use crate::adopt;
use crate::config::Config;
use crate::exit::Failure;
use crate::role::Stop;

/// How long a command waits for the broker.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// Where requests go: to the process that holds the folder, or, where none does, to this command, which holds it meanwhile.
/// A broker is nobody's alone: there the command always acts itself.
pub(crate) enum Door {
    /// To the process behind this socket.
    Process(PathBuf),
    /// To ourselves.
    Alone(Box<Desk>),
}

impl Door {
    /// Finds the process, or takes the folder.
    pub(crate) async fn open(folder: &Path, config: &Config) -> Result<Door, Failure> {
        if config.has_embedded_queue()
            && let Some(process) = Door::of_process(folder).await
        {
            return Ok(process);
        }
        let queue = config.open_queue(folder, false)?;
        connected(&queue).await?;
        let store = adopt::beside(Store::open(&config.ledger).await?, config).await?;
        let (_, accounts) = watch::channel(Arc::new(config.worker_accounts()));
        Ok(Door::Alone(Box::new(Desk { store, queue, keys: Arc::new(config.seal_keys()?), accounts })))
    }

    /// The process that holds the folder, if one does.
    pub(crate) async fn of_process(folder: &Path) -> Option<Door> {
        let path = folder.join(SOCKET_FILE);
        UnixStream::connect(&path).await.is_ok().then_some(Door::Process(path))
    }

    /// Has something done and waits for what came of it.
    pub(crate) async fn ask<A: DeserializeOwned>(&self, request: Request) -> Result<A, Failure> {
        let answered = match self {
            Door::Process(path) => exchange(path, &request).await.map_err(|error| {
                Failure::Unavailable(format!("the process behind {} did not answer: {error}", path.display()))
            })?,
            Door::Alone(desk) => {
                let (_tells, stop) = Stop::never();
                act(desk, request, &stop).await
            }
        };
        let answer = answered.map_err(Failure::Unavailable)?;
        serde_json::from_value(answer).map_err(|error| {
            Failure::Unavailable(format!("the process answered something else: {error}; are both of one version?"))
        })
    }

    /// Lets go of the folder, if this command held it.
    pub(crate) async fn close(self) {
        if let Door::Alone(desk) = self {
            desk.queue.close().await;
            desk.store.close().await;
        }
    }
}

/// Waits for the broker, if it is one.
async fn connected(queue: &Queue) -> Result<(), Failure> {
    let started = Instant::now();
    while let Err(unhealthy) = queue.health() {
        if started.elapsed() > CONNECT_WITHIN {
            return Err(Failure::Unavailable(format!("{unhealthy}; nothing was done")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn exchange(path: &Path, request: &Request) -> std::io::Result<Result<Value, String>> {
    let mut stream = UnixStream::connect(path).await?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.take(LINE_LIMIT_BYTES).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

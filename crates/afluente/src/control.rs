//! The control socket: how commands act through the process that holds the data folder.
//!
//! One request a connection, one line of JSON each way. The socket lies in the data folder with mode 0600, so whoever may
//! speak to it may also read the ledger.

mod door;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use afluente_model::chain;
use afluente_queue::{Queue, SealKeys};
use afluente_store::Store;
use afluente_store::report::{DeadFilter, DeadView};
use afluente_worker::Accounts;
use afluente_worker::decide::{Decision, decide};
use afluente_worker::desk::{self, Replay};
use afluente_worker::rebuild::Repair;
pub(crate) use door::Door;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tracing::{info, warn};
use uuid::Uuid;

use crate::exit::Failure;
use crate::role::Stop;

/// The socket's name inside a data folder.
pub(crate) const SOCKET_FILE: &str = "control.sock";
/// The longest request or answer, bytes.
const LINE_LIMIT_BYTES: u64 = 8 * 1024 * 1024;
/// How long a request may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// What can be asked of the process that holds the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Put these dead letters back on the queue.
    Replay {
        /// Which.
        ids: Vec<Uuid>,
        /// Who asks.
        by: String,
        /// At most so many a second; 0 for no limit.
        rate: u32,
    },
    /// Write a part of what a check found to differ.
    Repair {
        /// Which part.
        repair: Repair,
        /// Who asks.
        by: String,
    },
    /// Record that these inconsistencies were dealt with.
    Resolve {
        /// Which.
        ids: Vec<Uuid>,
        /// Who asks.
        by: String,
        /// What was found and done.
        because: String,
    },
    /// Ask these questions now.
    RetryWants {
        /// Which.
        ids: Vec<Uuid>,
        /// Who asks.
        by: String,
    },
    /// Give these questions up.
    DropWants {
        /// Which.
        ids: Vec<Uuid>,
        /// Who asks.
        by: String,
        /// Why.
        because: String,
    },
    /// Decide of who somebody is, or only look what would come of it.
    Decide {
        /// What.
        decision: Decision,
        /// Only look.
        dry_run: bool,
    },
    /// Make good what could not be written beside the facts.
    RepairGaps {},
    /// Give these dead letters up.
    Discard {
        /// Which.
        ids: Vec<Uuid>,
        /// Who asks.
        by: String,
        /// Why.
        because: String,
    },
}

/// What came of dead letters.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Done.
    pub(crate) done: Vec<Uuid>,
    /// Settled before, by somebody else.
    pub(crate) already_settled: Vec<Uuid>,
    /// Not done, with the reason.
    pub(crate) failed: Vec<(Uuid, String)>,
    /// Not reached, because the process was told to stop.
    #[serde(default)]
    pub(crate) left: Vec<Uuid>,
}

impl Answer {
    /// Those that were open are done now; of the others somebody else did it.
    pub(crate) fn settled(ids: &[Uuid], done: Vec<Uuid>) -> Answer {
        let already_settled = ids.iter().copied().filter(|id| !done.contains(id)).collect();
        Answer { done, already_settled, ..Answer::default() }
    }

    /// What came of more of them.
    pub(crate) fn add(&mut self, more: Answer) {
        let Answer { done, already_settled, failed, left } = more;
        self.done.extend(done);
        self.already_settled.extend(already_settled);
        self.failed.extend(failed);
        self.left.extend(left);
    }
}

/// What the process acts on.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    pub(crate) keys: Arc<SealKeys>,
    pub(crate) accounts: watch::Receiver<Arc<Accounts>>,
}

/// A socket being listened on; removed when dropped.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in this folder. The caller holds the folder's lock, so a socket found there is a dead process's.
    pub(crate) fn bind(folder: &Path) -> Result<Control, Failure> {
        let path = folder.join(SOCKET_FILE);
        let cannot =
            |error: std::io::Error| Failure::Unavailable(format!("cannot listen on {}: {error}", path.display()));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(cannot)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
        Ok(Control { listener, path })
    }

    /// Answers until `shutdown` ends.
    pub(crate) async fn run(self, desk: Desk, stop: Stop) {
        let shutdown = stop.told();
        tokio::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // One at a time: people wait for each other here, and two never interleave.
                    if let Err(error) = serve(stream, &desk, &stop).await {
                        warn!(error = %error, "A control request failed");
                    }
                }
                Err(error) => {
                    warn!(error = %error, "Cannot accept on the control socket");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A socket left behind is removed by the next process that binds.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, desk: &Desk, stop: &Stop) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut limited = (&mut stream).take(LINE_LIMIT_BYTES);
    let read = tokio::time::timeout(READ_TIMEOUT, limited.read_until(b'\n', &mut line));
    read.await.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    let answer = match serde_json::from_slice::<Request>(&line) {
        Ok(request) => act(desk, request, stop).await,
        Err(error) => Err(format!("expected a control request, got something else: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    stream.shutdown().await
}

/// Does what is asked. The same function whether it came through the socket or the command holds the folder itself.
async fn act(desk: &Desk, request: Request, stop: &Stop) -> Result<Value, String> {
    match request {
        Request::Replay { ids, by, rate } => {
            info!(actor = %by, count = ids.len(), "Replaying dead letters");
            let mut answer = Answer::default();
            let letters = letters(&desk.store, &ids, &mut answer).await?;
            let pause = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
            let replay = Replay { store: &desk.store, queue: &desk.queue, keys: &desk.keys, by: &by, pause };
            let report = replay.run(&letters, stop.told()).await.map_err(|error| chain(&error))?;
            answer.done = report.replayed;
            answer.already_settled.extend(report.already_settled);
            answer.failed.extend(report.failed);
            answer.left = report.left;
            value(&answer)
        }
        Request::Discard { ids, by, because } => {
            info!(actor = %by, count = ids.len(), "Discarding dead letters");
            let done = desk::discard(&desk.store, &ids, &by, &because).await.map_err(|error| chain(&error))?;
            value(&Answer::settled(&ids, done))
        }
        Request::Resolve { ids, by, because } => {
            info!(actor = %by, count = ids.len(), "Resolving inconsistencies");
            let done = desk::resolve(&desk.store, &ids, &by, &because).await.map_err(|error| chain(&error))?;
            value(&Answer::settled(&ids, done))
        }
        Request::RetryWants { ids, by } => {
            info!(actor = %by, count = ids.len(), "Asking questions again");
            let done = desk::retry_wants(&desk.store, &ids).await.map_err(|error| chain(&error))?;
            value(&Answer::settled(&ids, done))
        }
        Request::DropWants { ids, by, because } => {
            info!(actor = %by, count = ids.len(), "Giving questions up");
            let done = desk::drop_wants(&desk.store, &ids, &by, &because).await.map_err(|error| chain(&error))?;
            value(&Answer::settled(&ids, done))
        }
        Request::Decide { decision, dry_run } => {
            info!(actor = %decision.by, decided = %decision.decided, dry_run, "Deciding of who somebody is");
            let accounts = desk.accounts.borrow().clone();
            value(&decide(&desk.store, &accounts, &decision, dry_run).await.map_err(|error| chain(&error))?)
        }
        Request::RepairGaps {} => {
            info!("Making gaps good");
            value(&crate::gap::Repaired::all(&desk.store).await.map_err(|error| chain(&error))?)
        }
        Request::Repair { repair, by } => {
            let accounts = desk.accounts.borrow().clone();
            value(&repair.write(&desk.store, &accounts, &by).await.map_err(|error| chain(&error))?)
        }
    }
}

fn value(answer: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(answer).map_err(|error| error.to_string())
}

async fn letters(store: &Store, ids: &[Uuid], answer: &mut Answer) -> Result<Vec<DeadView>, String> {
    let mut letters = Vec::new();
    for id in ids {
        let filter = DeadFilter { id: Some(*id), limit: 1, ..DeadFilter::default() };
        match store.dead_letters(&filter).await.map_err(|error| chain(&error))?.pop() {
            Some(letter) if letter.state == "OPEN" => letters.push(letter),
            Some(_) => answer.already_settled.push(*id),
            None => answer.failed.push((*id, "no such dead letter".to_owned())),
        }
    }
    Ok(letters)
}

//! What keeps is killed once under load, and what was acknowledged is looked for afterwards.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::cast::{Peer, Site, Stand};
use super::kept::missing;
use crate::bench::apart::Apart;
use crate::bench::body::BenchAccount;
use crate::bench::ingress::request_to;
use crate::bench::load::exchange;
use crate::exit::Failure;

/// Connections during it.
pub(super) const CONNECTIONS: usize = 32;
/// Before it, and while what keeps is dead.
const CALM: Duration = Duration::from_secs(3);
const DEAD: Duration = Duration::from_secs(2);
/// How long an answer is waited for: less than a gateway does.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who was refused or had nobody to talk to waits so long.
const PAUSE: Duration = Duration::from_millis(50);

/// How one of them came through.
pub(super) struct Outage {
    pub(super) peer: Peer,
    pub(super) acknowledged: usize,
    /// Answers that said no.
    pub(super) refused: u64,
    /// Requests without any answer.
    pub(super) unanswered: u64,
    /// The longest time in which nothing was acknowledged.
    pub(super) silent: Duration,
    /// Acknowledged, and nowhere afterwards.
    pub(super) lost: usize,
}

impl Outage {
    pub(super) fn json(&self) -> Value {
        json!({
            "server": self.peer.name(), "killed": killed(self.peer), "acknowledged": self.acknowledged, "refused": self.refused,
            "unanswered": self.unanswered, "silent_seconds": self.silent.as_secs_f64(), "lost": self.lost,
        })
    }
}

/// Who is killed under it, in a word.
pub(super) fn killed(peer: Peer) -> &'static str {
    peer.keeper().service().unwrap_or("itself")
}

/// Loads it, kills what keeps for it, starts that again, goes on for so long after that, and looks for what was acknowledged.
pub(super) async fn outage(site: &Site, peer: Peer, after: Duration) -> Result<Outage, Failure> {
    let stand = Stand::new(site, peer).await?;
    let came_through = through(site, &stand, after).await?;
    stand.clear().await?;
    Ok(came_through)
}

async fn through(site: &Site, stand: &Stand<'_>, after: Duration) -> Result<Outage, Failure> {
    let apart = stand.start().await?;
    let (address, addresses) = watch::channel(Some(apart.address));
    let load = Arc::new(Load::new(stand.peer)?);
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        senders.spawn(Arc::clone(&load).send(addresses.clone()));
    }
    sleep(CALM).await;
    let apart = kill(site, stand, apart, &address).await?;
    sleep(after).await;
    address.send_replace(None);
    let stopped = Instant::now();
    let mut acknowledged = Vec::new();
    while let Some(sent) = senders.join_next().await {
        acknowledged.extend(sent.map_err(|error| Failure::unavailable(&error))?);
    }
    let numbers: HashSet<usize> = acknowledged.iter().map(|(number, _)| *number).collect();
    let lost = missing(site, stand, apart, numbers).await?;
    Ok(Outage {
        peer: stand.peer,
        refused: load.refused.load(Ordering::Relaxed),
        unanswered: load.unanswered.load(Ordering::Relaxed),
        silent: longest_silence(acknowledged.iter().map(|(_, at)| *at).chain([stopped]).collect()),
        acknowledged: acknowledged.len(),
        lost,
    })
}

/// Kills what keeps and starts it again; who keeps by itself may listen elsewhere then.
async fn kill(
    site: &Site,
    stand: &Stand<'_>,
    apart: Apart,
    address: &watch::Sender<Option<SocketAddr>>,
) -> Result<Apart, Failure> {
    let Some(service) = stand.peer.keeper().service() else {
        apart.kill().await;
        sleep(DEAD).await;
        let apart = stand.start().await?;
        address.send_replace(Some(apart.address));
        return Ok(apart);
    };
    site.services.tell(&["kill", service]).await?;
    sleep(DEAD).await;
    site.services.tell(&["again", service]).await?;
    Ok(apart)
}

/// The longest time between two of these moments.
fn longest_silence(mut moments: Vec<Instant>) -> Duration {
    moments.sort_unstable();
    moments.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default()
}

/// What is sent: every event once.
struct Load {
    account: BenchAccount,
    path: &'static str,
    next: AtomicUsize,
    refused: AtomicU64,
    unanswered: AtomicU64,
}

impl Load {
    fn new(peer: Peer) -> Result<Load, Failure> {
        Ok(Load {
            account: BenchAccount::new()?,
            path: peer.path(),
            next: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
        })
    }

    /// Sends to who listens until there is no address any more; what was acknowledged, and when.
    async fn send(self: Arc<Load>, addresses: watch::Receiver<Option<SocketAddr>>) -> Vec<(usize, Instant)> {
        let mut acknowledged = Vec::new();
        let mut open: Option<TcpStream> = None;
        loop {
            let Some(address) = *addresses.borrow() else { return acknowledged };
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            match self.post(&mut open, address, number).await {
                Some(true) => {
                    acknowledged.push((number, Instant::now()));
                    continue;
                }
                Some(false) => self.refused.fetch_add(1, Ordering::Relaxed),
                None => self.unanswered.fetch_add(1, Ordering::Relaxed),
            };
            sleep(PAUSE).await;
        }
    }

    /// One event, through the connection that is open or a new one. Nothing if there was no answer.
    async fn post(&self, open: &mut Option<TcpStream>, address: SocketAddr, number: usize) -> Option<bool> {
        let request = request_to(&self.account, self.path, number);
        let posted = async {
            let mut stream = match open.take() {
                Some(stream) => stream,
                None => TcpStream::connect(address).await.ok()?,
            };
            let accepted = exchange(&mut stream, &request).await.ok()?;
            Some((stream, accepted))
        };
        let (stream, accepted) = timeout(PATIENCE, posted).await.ok().flatten()?;
        *open = Some(stream);
        Some(accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_is_between_two_that_follow_each_other() {
        let start = Instant::now();
        let moments = [900, 0, 100, 700].map(|millis| start + Duration::from_millis(millis));
        assert_eq!(longest_silence(moments.to_vec()), Duration::from_millis(600));
        assert_eq!(longest_silence(Vec::new()), Duration::ZERO);
    }
}

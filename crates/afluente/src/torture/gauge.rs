//! What was done by the end of each second, and what the processes and their data took meanwhile.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afluente_store::{Health, Location, Store};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::killer::{Cast, VICTIMS};
use super::watcher;

/// How often sizes are taken, in seconds.
const SIZES_EVERY: usize = 30;
/// The metric that counts what workers are done with.
const HANDLED: &str = "afluente_worker_acknowledged_total";

/// What is watched.
pub(super) struct Watched {
    pub(super) cast: Cast,
    pub(super) admins: Vec<SocketAddr>,
    pub(super) folder: PathBuf,
    pub(super) ledger: Location,
    /// Deliveries answered for, counted by whoever sends them.
    pub(super) answered: Arc<AtomicU64>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By second, what was answered for by then.
    pub(super) answered: Vec<u64>,
    /// By second, what workers were done with by then.
    pub(super) handled: Vec<u64>,
    sizes: Vec<Size>,
}

/// What is held, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Size {
    /// Resident memory of each role; zero of one that is dead.
    resident: [u64; 4],
    /// Data folders, with their spools.
    folders: u64,
    /// The ledger, for each receipt in it.
    ledger_per_receipt: u64,
}

/// Watches until it is stopped.
pub(super) async fn watch(watched: Watched, mut stop: watch::Receiver<bool>) -> Seen {
    let (mut seen, mut counters) = (Seen::default(), vec![0; watched.admins.len()]);
    let mut handled = 0;
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = second.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return seen,
        }
        for (counter, admin) in counters.iter_mut().zip(&watched.admins) {
            handled += advanced(counter, watcher::get(*admin, "/metrics").await.as_deref());
        }
        seen.answered.push(watched.answered.load(Ordering::Relaxed));
        seen.handled.push(handled);
        if seen.handled.len() % SIZES_EVERY == 1 {
            seen.sizes.push(watched.size().await);
        }
    }
}

/// How far a counter went on; one that is lower than it was began anew with its process.
fn advanced(counter: &mut u64, page: Option<&str>) -> u64 {
    let Some(page) = page else { return 0 };
    let lines = page.lines().filter_map(|line| line.strip_prefix(HANDLED));
    let now = lines.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let now = now as u64;
    let before = std::mem::replace(counter, now);
    if now < before { now } else { now - before }
}

impl Watched {
    async fn size(&self) -> Size {
        let mut size = Size { folders: bytes(&self.folder), ..Size::default() };
        for (resident, role) in size.resident.iter_mut().zip(self.cast.iter()) {
            // One that is being killed has none.
            *resident = role.try_lock().ok().and_then(|role| role.id()).map_or(0, resident_of);
        }
        size.ledger_per_receipt = ledger_per_receipt(&self.ledger).await.unwrap_or(0);
        size
    }
}

async fn ledger_per_receipt(location: &Location) -> Option<u64> {
    let Ok((_, Health::Server(server))) = Health::ask(location, afluente_worker::now).await else { return None };
    let store = Store::open_read_only(location).await.ok()?;
    let counts = store.counts().await;
    store.close().await;
    u64::try_from(server.says.bytes.checked_div(counts.ok()?.receipts)?).ok()
}

fn resident_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Of the files of data folders and those in them; not of the servers beside them.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() && entry.file_name() != "services" => bytes(&entry.path()),
        // What was logged is not held.
        Ok(found) if found.is_file() && entry.file_name() != "log" => found.len(),
        Ok(_) | Err(_) => 0,
    };
    entries.map(of).sum()
}

impl Seen {
    /// The most of the second quarter and of the last: what grows without end is larger in the last.
    fn quarters(&self, of: impl Fn(&Size) -> u64) -> (u64, u64) {
        let quarter = self.sizes.len() / 4;
        let most = |sizes: &[Size]| sizes.iter().map(&of).max().unwrap_or(0);
        (most(&self.sizes[quarter..2 * quarter]), most(&self.sizes[self.sizes.len() - quarter..]))
    }

    fn grown(&self) -> Vec<(String, (u64, u64))> {
        let roles =
            (0..4).map(|role| (format!("memory of {}", VICTIMS[role]), self.quarters(|size| size.resident[role])));
        let rest = [
            ("data folders".to_owned(), self.quarters(|size| size.folders)),
            ("ledger, a receipt".to_owned(), self.quarters(|size| size.ledger_per_receipt)),
        ];
        roles.chain(rest).collect()
    }

    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let kib = |bytes: u64| bytes / 1024;
        let text = |(second, last): (u64, u64)| format!("{} KiB, then {} KiB", kib(second), kib(last));
        self.grown().into_iter().map(|(what, bytes)| (format!("{what}, 2nd and last quarter"), text(bytes))).collect()
    }

    pub(super) fn json(&self) -> Value {
        let grown = self.grown().into_iter();
        grown.map(|(what, (second, last))| (what, json!({"second_quarter": second, "last_quarter": last}))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_began_anew_goes_on_from_where_it_was() {
        let mut counter = 0;
        let page = |number: u64| format!("# HELP {HANDLED} x\n{HANDLED} {number}\nother_total 9\n");
        assert_eq!(advanced(&mut counter, Some(&page(5))), 5);
        assert_eq!(advanced(&mut counter, Some(&page(7))), 2);
        assert_eq!(advanced(&mut counter, None), 0);
        assert_eq!(advanced(&mut counter, Some(&page(3))), 3);
    }

    #[test]
    fn what_grew_is_the_last_quarter_against_the_second() {
        let sizes = (0..8).map(|folders| Size { folders, ..Size::default() }).collect();
        let seen = Seen { sizes, ..Seen::default() };
        assert_eq!(seen.quarters(|size| size.folders), (3, 7));
        assert_eq!(Seen::default().quarters(|size| size.folders), (0, 0));
    }
}

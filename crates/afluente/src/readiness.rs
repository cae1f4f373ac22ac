//! Whether this process can do its work, from memory: what `/readyz` says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use afluente_ingress::{Check, Readiness};
use afluente_lookup::PublicKeys;
use afluente_queue::Queue;
use afluente_worker::Pulse;
use tokio::sync::watch;

use crate::role::Sign;

/// Set once every role runs; readiness is asked from then on.
pub(crate) type Signs = Arc<OnceLock<Vec<Sign>>>;

/// What is asked.
pub(crate) struct Asked {
    /// The queue.
    pub(crate) queue: Queue,
    /// One a worker; none where nothing is worked on.
    pub(crate) pulses: Vec<Arc<Pulse>>,
    /// Whether the configuration in force is the one on disk.
    pub(crate) reloaded: Arc<AtomicBool>,
    /// Who asks which gateway; nobody where nothing is worked on.
    pub(crate) lookup: watch::Receiver<Arc<afluente_lookup::Accounts>>,
    /// What gateways show to verify with.
    pub(crate) keys: PublicKeys,
    /// The roles.
    pub(crate) signs: Signs,
}

impl Asked {
    /// Every part of this process, each with what is wrong with it.
    pub(crate) fn readiness(&self) -> Readiness {
        let health = self.queue.health().map(|spooling| spooling.map(|spooling| spooling.to_string()));
        let queue = Check { name: "queue", state: health.map_err(|unhealthy| unhealthy.to_string()) };
        let full = self.queue.depth().is_some_and(|held| held.is_full());
        let mut checks = vec![self.roles(), queue, check("queue_room", !full, "the queue is full; look at the worker")];
        if !self.pulses.is_empty() {
            let waiting = self.pulses.iter().any(|pulse| pulse.is_waiting_for_ledger());
            checks.push(check("ledger", !waiting, "the ledger cannot take batches; look at the log"));
            let missing = self.pulses.iter().any(|pulse| pulse.are_accounts_missing());
            let otherwise = "the ledger lacks rows of accounts; their deliveries wait; look at the log";
            checks.push(check("accounts", !missing, otherwise));
            checks.push(self.lookups());
        }
        let told = self.keys.told();
        checks.push(Check { name: "keys", state: Ok(Some(told).filter(|text| !text.is_empty())) });
        let reloaded = self.reloaded.load(Ordering::Relaxed);
        checks.push(check("configuration", reloaded, "the last reload was refused; run `afluente check`"));
        Readiness { checks }
    }

    /// Green, and what is unusual: whose answers are believed though they are not the gateway's own.
    fn lookups(&self) -> Check {
        let accounts = self.lookup.borrow();
        let told = accounts.0.iter().filter_map(|(name, account)| {
            Some(format!("{name} asks {}, not the gateway's own address", account.other_host()?))
        });
        let told: Vec<String> = told.collect();
        Check { name: "lookups", state: Ok(Some(told.join("; ")).filter(|text| !text.is_empty())) }
    }

    fn roles(&self) -> Check {
        let signs = self.signs.get().into_iter().flatten();
        let ended: Vec<&str> = signs.filter(|sign| !sign.is_running()).map(Sign::role).collect();
        check("roles", ended.is_empty(), &format!("{} ended; this process stops", ended.join(", ")))
    }
}

fn check(name: &'static str, holds: bool, otherwise: &str) -> Check {
    Check { name, state: if holds { Ok(None) } else { Err(otherwise.to_owned()) } }
}

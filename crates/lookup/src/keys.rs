//! Public keys that gateways show: asked for in the background, kept in a folder, and shared with whoever verifies.
//!
//! A request never waits for them. A key that is missed is asked for soon, and not more than once a minute: whoever writes
//! headers must not be able to make us ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use afluente_gateways::profile::KeysAt;
use afluente_gateways::{BadKeys, KeySet};
use afluente_model::chain;
use bytes::Bytes;
use http::HeaderMap;
use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::access::Base;
use crate::client::Client;
use crate::measure;
use crate::outcome::Outcome;

/// How keys are asked for.
#[derive(Clone, Copy, Debug)]
pub struct KeySettings {
    /// How often it is looked whether any are due.
    pub every: Duration,
    /// How old a set may become.
    pub fresh_for: Duration,
    /// How long after one call the next may be made because a key was missed.
    pub missed_after: Duration,
    /// How long after a call that failed the next is made.
    pub failed_after: Duration,
    /// How long a call may take.
    pub call_timeout: Duration,
}

impl Default for KeySettings {
    fn default() -> KeySettings {
        KeySettings {
            every: Duration::from_secs(1),
            fresh_for: Duration::from_secs(6 * 3_600),
            missed_after: Duration::from_secs(60),
            failed_after: Duration::from_secs(10),
            call_timeout: Duration::from_secs(10),
        }
    }
}

/// All sets of this process, by the address each is shown at. Clones share them.
#[derive(Clone)]
pub struct PublicKeys {
    folder: Arc<Path>,
    shown: Arc<Mutex<BTreeMap<String, Shown>>>,
}

/// One address.
#[derive(Clone)]
struct Shown {
    base: Base,
    at: &'static KeysAt,
    set: KeySet,
    asked_at: Option<Instant>,
    is_fresh: bool,
}

/// Why a set could not be had.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error("the call ended as {}", .0.as_str())]
    Call(Outcome),
    #[error("the answer was {0}")]
    Status(u16),
    #[error(transparent)]
    Keys(#[from] BadKeys),
}

impl PublicKeys {
    /// Sets that are kept in this folder, which is made when there is something to keep.
    #[must_use]
    pub fn kept_in(folder: &Path) -> PublicKeys {
        PublicKeys { folder: folder.into(), shown: Arc::default() }
    }

    /// The set shown at an address: what was kept of it, until it is fetched.
    #[must_use]
    pub fn at(&self, base: &Base, at: &'static KeysAt) -> KeySet {
        let address = format!("{base}{}", at.path);
        let mut shown = self.lock();
        if let Some(shown) = shown.get(&address) {
            return shown.set.clone();
        }
        let set = KeySet::default();
        if let Ok(kept) = std::fs::read(self.file(&address)) {
            // One that cannot be used any more is fetched like one that is not there.
            let _ = set.replace(&kept);
        }
        let new = Shown { base: base.clone(), at, set: set.clone(), asked_at: None, is_fresh: false };
        shown.insert(address, new);
        set
    }

    /// What is unusual, for people: addresses that are not the gateway's own, and those nothing was had from.
    #[must_use]
    pub fn told(&self) -> String {
        let all = self.lock();
        let told = all.values().flat_map(|shown| {
            let other = (!shown.base.is_own(shown.at.hosts))
                .then(|| format!("keys are asked of {}, not the gateway's own address", shown.base));
            let none = shown
                .set
                .is_empty()
                .then(|| format!("no keys of {} yet; nothing it signed is believed before they are there", shown.base));
            other.into_iter().chain(none)
        });
        told.collect::<Vec<String>>().join("; ")
    }

    /// Asks for what is due until `shutdown` ends.
    pub async fn run(self, settings: KeySettings, shutdown: impl Future<Output = ()>) {
        measure::describe_keys();
        let client = Client::new(settings.call_timeout);
        let mut ticks = interval(settings.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                _ = ticks.tick() => for (address, shown) in self.due(&settings, Instant::now()) {
                    self.fetch(&client, &address, &shown).await;
                },
            }
        }
    }

    /// What is to be asked for now; it counts as asked.
    fn due(&self, settings: &KeySettings, now: Instant) -> Vec<(String, Shown)> {
        let mut all = self.lock();
        let is_due = |shown: &Shown| {
            let Some(at) = shown.asked_at else { return true };
            let age = now.duration_since(at);
            if !shown.is_fresh {
                return age >= settings.failed_after;
            }
            // Asked last, so that what was missed meanwhile is not forgotten.
            age >= settings.fresh_for || (age >= settings.missed_after && shown.set.was_missed())
        };
        let due = all.iter_mut().filter(|(_, shown)| is_due(shown));
        due.map(|(address, shown)| {
            shown.asked_at = Some(now);
            (address.clone(), shown.clone())
        })
        .collect()
    }

    async fn fetch(&self, client: &Client, address: &str, shown: &Shown) {
        let fetched = fetched(client, shown).await;
        let is_fresh = fetched.is_ok();
        measure::keys(is_fresh);
        match fetched {
            Ok((count, body)) => {
                info!(keys = count, from = %shown.base, "Fetched public keys");
                if let Err(error) = self.keep(address, &body) {
                    warn!(error = %error, "Public keys cannot be kept; after a restart they have to be fetched first");
                }
            }
            Err(error) => {
                warn!(from = %shown.base, held = shown.set.len(), error = %chain(&error), "Cannot fetch public keys; those held stay");
            }
        }
        if let Some(shown) = self.lock().get_mut(address) {
            shown.is_fresh = is_fresh;
        }
    }

    /// A set beside its final name first, so that nothing half is ever read.
    fn keep(&self, address: &str, body: &[u8]) -> std::io::Result<()> {
        let file = self.file(address);
        let new = file.with_extension("new");
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(&new, body)?;
        std::fs::rename(new, file)
    }

    fn file(&self, address: &str) -> PathBuf {
        let name: String = Sha256::digest(address).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{name}.json"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetched(client: &Client, shown: &Shown) -> Result<(usize, Bytes), NoKeys> {
    let uri = shown.base.with(shown.at.path).ok_or(NoKeys::Call(Outcome::Impossible))?;
    let answer = client.get(uri, HeaderMap::new()).await.map_err(NoKeys::Call)?;
    if answer.status != 200 {
        return Err(NoKeys::Status(answer.status));
    }
    Ok((shown.set.replace(&answer.body)?, answer.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    static AT: KeysAt = KeysAt { base: "https://localhost", hosts: &[], path: "/jwks.json" };
    static OTHER: KeysAt = KeysAt { path: "/other.json", ..AT };

    fn keys() -> (tempfile::TempDir, PublicKeys, KeySet) {
        let folder = tempfile::tempdir().unwrap();
        let keys = PublicKeys::kept_in(folder.path());
        let set = keys.at(&Base::parse("http://127.0.0.1:9").unwrap(), &AT);
        (folder, keys, set)
    }

    #[test]
    fn a_set_is_due_at_once_soon_after_a_failure_and_when_it_is_old() {
        let (_folder, keys, _) = keys();
        let (settings, start) = (KeySettings::default(), Instant::now());
        let due = |seconds: u64| keys.due(&settings, start + Duration::from_secs(seconds)).len();
        assert_eq!((due(0), due(1), due(9), due(10)), (1, 0, 0, 1), "nothing was fetched");
        keys.lock().values_mut().for_each(|shown| shown.is_fresh = true);
        assert_eq!((due(100), due(10 + 6 * 3_600 - 1), due(10 + 6 * 3_600)), (0, 0, 1));
    }

    #[test]
    fn a_missed_key_is_asked_for_once_a_minute_however_often_it_is_missed() {
        let (_folder, keys, set) = keys();
        let (settings, start) = (KeySettings::default(), Instant::now());
        let due = |seconds: u64| keys.due(&settings, start + Duration::from_secs(seconds)).len();
        assert_eq!(due(0), 1);
        keys.lock().values_mut().for_each(|shown| shown.is_fresh = true);
        let mut calls = 0;
        for second in 1..=600 {
            set.miss();
            calls += due(second);
        }
        assert_eq!(calls, 10);
    }

    #[test]
    fn one_address_is_one_set_and_what_was_kept_is_there_after_a_restart() {
        let (folder, keys, set) = keys();
        let base = Base::parse("http://127.0.0.1:9").unwrap();
        let jwks =
            format!(r#"{{"keys":[{{"kty":"RSA","use":"sig","kid":"a","n":"s{}A","e":"AQAB"}}]}}"#, "B".repeat(340));
        keys.at(&base, &AT).replace(jwks.as_bytes()).unwrap();
        assert_eq!(set.len(), 1);
        keys.keep("http://127.0.0.1:9/jwks.json", jwks.as_bytes()).unwrap();
        let after = PublicKeys::kept_in(folder.path());
        assert_eq!(after.at(&base, &AT).len(), 1);
        assert_eq!(after.at(&base, &OTHER).len(), 0);
        keys.keep("http://127.0.0.1:9/jwks.json", b"half of").unwrap();
        assert_eq!(PublicKeys::kept_in(folder.path()).at(&base, &AT).len(), 0, "fetched like one that is not there");
    }
}

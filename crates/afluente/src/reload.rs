//! Accounts follow the configuration: on SIGHUP, or when the file or a file of secrets it names changes. A bad file keeps the old set.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use afluente_lookup::PublicKeys;
use afluente_store::Store;
use metrics::{describe_gauge, gauge};
use rustls::ServerConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};

use crate::config::{self, Config, Secured};
use crate::exit::Failure;

/// Seconds, nanoseconds, inode, length.
type Look = (i64, i64, u64, u64);

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The accounts as each role sees them.
pub(crate) struct Accounts {
    pub(crate) ingress: watch::Receiver<Arc<afluente_ingress::Accounts>>,
    pub(crate) worker: watch::Receiver<Arc<afluente_worker::Accounts>>,
    pub(crate) lookup: watch::Receiver<Arc<afluente_lookup::Accounts>>,
}

/// Watches the configuration.
pub(crate) struct Reload {
    folder: PathBuf,
    /// What accounts were before; nothing is held against that where there is no ledger.
    store: Option<Store>,
    files: Vec<PathBuf>,
    /// What gateways show to verify with.
    keys: PublicKeys,
    /// TLS of each listener that speaks it, by its section.
    tls: Vec<(&'static str, watch::Sender<Arc<ServerConfig>>)>,
    ingress: watch::Sender<Arc<afluente_ingress::Accounts>>,
    worker: watch::Sender<Arc<afluente_worker::Accounts>>,
    lookup: watch::Sender<Arc<afluente_lookup::Accounts>>,
    /// Whether the configuration in force is the one on disk.
    pub(crate) healthy: Arc<AtomicBool>,
}

impl Reload {
    /// Starts from the configuration already read.
    pub(crate) fn new(folder: &Path, config: &Config, store: Option<&Store>, keys: &PublicKeys) -> (Reload, Accounts) {
        let (ingress, ingress_accounts) = watch::channel(Arc::new(config.ingress_accounts(keys)));
        let (worker, worker_accounts) = watch::channel(Arc::new(config.worker_accounts()));
        let (lookup, lookup_accounts) = watch::channel(Arc::new(config.lookup_accounts(keys)));
        let reload = Reload {
            folder: folder.to_owned(),
            store: store.cloned(),
            files: config.files.clone(),
            keys: keys.clone(),
            tls: Vec::new(),
            ingress,
            worker,
            lookup,
            healthy: Arc::new(AtomicBool::new(true)),
        };
        (reload, Accounts { ingress: ingress_accounts, worker: worker_accounts, lookup: lookup_accounts })
    }

    /// The settings of a listener's TLS, which follow the configuration: a certificate is renewed by replacing its file.
    pub(crate) fn follow_tls(
        &mut self,
        config: &Config,
        secured: &Secured,
    ) -> Result<watch::Receiver<Arc<ServerConfig>>, Failure> {
        let settings = secured.settings(config.authorities()).map_err(|error| Failure::unavailable(&error))?;
        let (sender, receiver) = watch::channel(settings);
        self.tls.push((secured.name, sender));
        Ok(receiver)
    }

    fn renew_tls(&self, config: &Config) {
        for (name, sender) in &self.tls {
            let secured = config.edge.tls.iter().find(|secured| secured.name == *name);
            // Reading the configuration made the same settings already.
            if let Some(Ok(settings)) = secured.map(|secured| secured.settings(config.authorities())) {
                sender.send_replace(settings);
            }
        }
    }

    /// Reloads until `shutdown` ends.
    pub(crate) async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let Ok(mut hangups) = signal(SignalKind::hangup()) else {
            error!("Cannot listen for SIGHUP; the configuration stays as it is until a restart");
            return shutdown.await;
        };
        describe_gauge!("afluente_config_reload_ok", "1, or 0 after a reload that was refused");
        gauge!("afluente_config_reload_ok").set(1.0);
        let mut seen = self.looks();
        let mut look = tokio::time::interval(LOOK_EVERY);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(()) = hangups.recv() => self.reload().await,
                _ = look.tick() => {
                    let now = self.looks();
                    if now != seen {
                        self.reload().await;
                        seen = self.looks();
                    }
                }
            }
        }
    }

    /// How the configuration and the files of secrets it names look: a mounted secret is replaced by pointing its name
    /// elsewhere, so the file itself counts as well as its time.
    fn looks(&self) -> Vec<Option<Look>> {
        let configuration = self.folder.join(config::FILE);
        let look = |path: &Path| {
            std::fs::metadata(path).ok().map(|file| (file.mtime(), file.mtime_nsec(), file.ino(), file.len()))
        };
        std::iter::once(look(&configuration)).chain(self.files.iter().map(|path| look(path))).collect()
    }

    async fn load(&self) -> Result<Config, Failure> {
        let config = config::load(&self.folder)?;
        if let Some(store) = &self.store {
            config::agree::agree(&self.folder, &config, store).await?;
        }
        Ok(config)
    }

    async fn reload(&mut self) {
        match self.load().await {
            Ok(config) => {
                self.files.clone_from(&config.files);
                // The worker first: it must know an account before ingress accepts for it.
                self.worker.send_replace(Arc::new(config.worker_accounts()));
                self.lookup.send_replace(Arc::new(config.lookup_accounts(&self.keys)));
                self.ingress.send_replace(Arc::new(config.ingress_accounts(&self.keys)));
                self.renew_tls(&config);
                info!(accounts = config.worker_accounts().0.len(), "Reloaded the accounts");
                self.tell(true);
            }
            Err(failure) => {
                error!(problems = failure.text(), "The configuration has problems; the accounts stay as they were");
                self.tell(false);
            }
        }
    }

    fn tell(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
        gauge!("afluente_config_reload_ok").set(f64::from(u8::from(healthy)));
    }
}

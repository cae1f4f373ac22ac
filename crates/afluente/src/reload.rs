//! Accounts follow the configuration: on SIGHUP, or when the file changes. A bad file keeps the old set.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use metrics::gauge;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info};

use crate::config::{self, Config};

/// How often the file's time is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The accounts as each role sees them.
pub(crate) struct Accounts {
    pub(crate) ingress: watch::Receiver<Arc<afluente_ingress::Accounts>>,
    pub(crate) worker: watch::Receiver<Arc<afluente_worker::Accounts>>,
}

/// Watches the configuration.
pub(crate) struct Reload {
    folder: PathBuf,
    ingress: watch::Sender<Arc<afluente_ingress::Accounts>>,
    worker: watch::Sender<Arc<afluente_worker::Accounts>>,
    /// Whether the configuration in force is the one on disk.
    pub(crate) healthy: Arc<AtomicBool>,
}

impl Reload {
    /// Starts from the configuration already read.
    pub(crate) fn new(folder: &Path, config: &Config) -> (Reload, Accounts) {
        let (ingress, ingress_accounts) = watch::channel(Arc::new(config.ingress_accounts()));
        let (worker, worker_accounts) = watch::channel(Arc::new(config.worker_accounts()));
        let reload = Reload { folder: folder.to_owned(), ingress, worker, healthy: Arc::new(AtomicBool::new(true)) };
        (reload, Accounts { ingress: ingress_accounts, worker: worker_accounts })
    }

    /// Reloads until `shutdown` ends.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()>) {
        let Ok(mut hangups) = signal(SignalKind::hangup()) else {
            error!("Cannot listen for SIGHUP; the configuration stays as it is until a restart");
            return shutdown.await;
        };
        gauge!("afluente_config_reload_ok").set(1.0);
        let mut seen = self.changed_at();
        let mut look = tokio::time::interval(LOOK_EVERY);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(()) = hangups.recv() => self.reload(),
                _ = look.tick() => {
                    let now = self.changed_at();
                    if now != seen {
                        self.reload();
                    }
                    seen = now;
                }
            }
        }
    }

    fn changed_at(&self) -> Option<SystemTime> {
        std::fs::metadata(self.folder.join(config::FILE)).and_then(|file| file.modified()).ok()
    }

    fn reload(&self) {
        match config::load(&self.folder) {
            Ok(config) => {
                // The worker first: it must know an account before ingress accepts for it.
                self.worker.send_replace(Arc::new(config.worker_accounts()));
                self.ingress.send_replace(Arc::new(config.ingress_accounts()));
                info!(accounts = config.worker_accounts().0.len(), "Reloaded the accounts");
                self.tell(true);
            }
            Err(problems) => {
                error!(problems = %problems, "The configuration has problems; the accounts stay as they were");
                self.tell(false);
            }
        }
    }

    fn tell(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
        gauge!("afluente_config_reload_ok").set(f64::from(u8::from(healthy)));
    }
}

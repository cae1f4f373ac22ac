//! Every role in one process: ingress, embedded queue, worker, ledger, admin pages, control socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use afluente_ingress::{AdminPages, Check, Readiness, Receiver, system_clock};
use afluente_queue::{EmbeddedOptions, Queue};
use afluente_store::Store;
use afluente_worker::{Pulse, Settings, Worker, chain};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::config::Config;
use crate::control::{Control, Desk};
use crate::exit::Failure;
use crate::reload::Reload;

/// A running process with every role. [`Node::stop`] ends it in order.
pub(crate) struct Node {
    /// Where webhooks are posted.
    pub(crate) ingress: SocketAddr,
    /// Where health and metrics are read.
    pub(crate) admin: SocketAddr,
    queue: Queue,
    store: Store,
    stop_ingress: watch::Sender<bool>,
    stop_rest: watch::Sender<bool>,
    ingress_task: JoinHandle<()>,
    worker_task: JoinHandle<()>,
    other_tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Takes the folder, opens what is in it, binds, and begins. Nothing is served before everything is there.
    pub(crate) async fn start(folder: &Path, config: Config, metrics: PrometheusHandle) -> Result<Node, Failure> {
        let queue = Queue::open_embedded(EmbeddedOptions {
            limit_bytes: config.queue_limit_bytes(),
            ..EmbeddedOptions::new(folder)
        })?;
        let store = Store::open(folder).await?;
        let ingress_listener = bind("ingress.listen", config.ingress_listen()).await?;
        let admin_listener = bind("admin.listen", config.admin_listen()).await?;
        let control = Control::bind(folder)?;
        let (ingress, admin) = (address(&ingress_listener)?, address(&admin_listener)?);
        let keys = Arc::new(config.seal_keys());
        let (stop_ingress, _) = watch::channel(false);
        let (stop_rest, _) = watch::channel(false);
        let (reload, accounts) = Reload::new(folder, &config);
        let pulse = Arc::new(Pulse::default());
        let receiver = Receiver::new(
            accounts.ingress.clone(),
            queue.clone(),
            keys.as_ref().clone(),
            config.limits(),
            system_clock,
        );
        let worker = Worker {
            queue: queue.clone(),
            store: store.clone(),
            keys: Arc::clone(&keys),
            accounts: accounts.worker.clone(),
            settings: Settings { batch_size: config.batch_size(), linger: config.linger(), ..Settings::default() },
            pulse: Arc::clone(&pulse),
        };
        let ready = readiness(queue.clone(), pulse, Arc::clone(&reload.healthy));
        let measured = queue.clone();
        let render = move || {
            afluente_worker::measure::queue(&measured);
            metrics.render()
        };
        let pages = AdminPages { readiness: ready, render: Arc::new(render) };
        let desk = Desk { store: store.clone(), queue: queue.clone(), keys };
        let other_tasks = vec![
            spawn("admin", stopped(&stop_rest), move |stop| async move {
                afluente_ingress::run_admin(admin_listener, pages, stop).await;
                Ok(())
            }),
            spawn("control", stopped(&stop_rest), move |stop| async move {
                control.run(desk, stop).await;
                Ok(())
            }),
            spawn("reload", stopped(&stop_rest), move |stop| async move {
                reload.run(stop).await;
                Ok(())
            }),
        ];
        let ingress_task = spawn("ingress", stopped(&stop_ingress), move |stop| async move {
            let drained =
                afluente_ingress::run(ingress_listener, receiver, stop).await.map_err(|error| chain(&error))?;
            info!(cut_off = drained.cut_off, "Ingress drained");
            Ok(())
        });
        let worker_task = spawn("worker", stopped(&stop_rest), move |stop| async move {
            afluente_worker::run(worker, stop).await.map_err(|error| chain(&error))
        });
        Ok(Node { ingress, admin, queue, store, stop_ingress, stop_rest, ingress_task, worker_task, other_tasks })
    }

    /// The ledger, for reading what came of it.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Stops taking, finishes what is held, closes. What is on the queue stays there for the next start.
    pub(crate) async fn stop(self) {
        self.stop_ingress.send_replace(true);
        ended("ingress", self.ingress_task).await;
        self.stop_rest.send_replace(true);
        ended("worker", self.worker_task).await;
        for task in self.other_tasks {
            ended("task", task).await;
        }
        self.queue.close().await;
        self.store.close().await;
        info!("Stopped");
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::Unavailable(format!("{setting}: cannot listen on {address}: {error}; choose another address"))
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::unavailable(&error))
}

/// Ends when the channel says stop, or its sender is gone.
fn stopped(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + use<> {
    let mut stop = stop.subscribe();
    async move {
        // An error means that the sender is gone, which is a stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

/// Runs a role until it is told to stop. A role that fails is an error somebody must see; readiness turns red by itself.
fn spawn<S, F>(name: &'static str, stop: S, role: impl FnOnce(S) -> F) -> JoinHandle<()>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let running = role(stop);
    tokio::spawn(async move {
        if let Err(error) = running.await {
            error!(role = name, error = %error, "A role ended");
        }
    })
}

async fn ended(name: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        error!(role = name, error = %error, "A role panicked");
    }
}

fn readiness(
    queue: Queue,
    pulse: Arc<Pulse>,
    reloaded: Arc<std::sync::atomic::AtomicBool>,
) -> Arc<dyn Fn() -> Readiness + Send + Sync> {
    use std::sync::atomic::Ordering;
    Arc::new(move || {
        let full = queue.bytes() >= queue.limit_bytes();
        let check = |name, holds: bool, otherwise: &str| Check {
            name,
            state: if holds { Ok(()) } else { Err(otherwise.to_owned()) },
        };
        Readiness {
            checks: vec![
                check("queue", queue.is_healthy(), "the last commit failed; look at the disk"),
                check("queue_room", !full, "the queue is full; look at the worker"),
                check("worker", pulse.is_running(), "the worker does not run; look at the log"),
                check("ledger", !pulse.is_waiting_for_ledger(), "the ledger cannot take batches; look at the log"),
                check(
                    "configuration",
                    reloaded.load(Ordering::Relaxed),
                    "the last reload was refused; run `afluente check`",
                ),
            ],
        }
    })
}

/// Where a data folder lies: as given, absolute for messages.
pub(crate) fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

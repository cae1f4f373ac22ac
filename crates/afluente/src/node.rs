//! Every role in one process: ingress, embedded queue, worker, ledger, admin pages, control socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use afluente_ingress::{AdminPages, Check, Readiness, Receiver, system_clock};
use afluente_model::chain;
use afluente_queue::{EmbeddedOptions, Queue};
use afluente_store::{Store, StoreOptions};
use afluente_worker::{Pulse, Settings, Worker};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::config::{self, Config};
use crate::control::{Control, Desk};
use crate::exit::Failure;
use crate::measure;
use crate::reload::Reload;
use crate::role::{Ended, Roles, Sign};
use crate::upkeep;

/// Set once every role runs; readiness is asked from then on.
type Signs = Arc<std::sync::OnceLock<Vec<Sign>>>;

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
    worker_tasks: Vec<JoinHandle<()>>,
    other_tasks: Vec<JoinHandle<()>>,
    roles: Roles,
}

impl Node {
    /// Takes the folder, opens what is in it, binds, and begins. Nothing is served before everything is there.
    pub(crate) async fn start(folder: &Path, config: Config, metrics: PrometheusHandle) -> Result<Node, Failure> {
        let queue = Queue::open_embedded(EmbeddedOptions {
            limit_bytes: config.queue_limit_bytes(),
            ..EmbeddedOptions::new(folder)
        })?;
        let store = Store::open_with(&config.ledger, connections(&config)).await?;
        config::agree::agree(folder, &config, &store).await?;
        let ingress_listener = bind("ingress.listen", config.ingress_listen()).await?;
        let admin_listener = bind("admin.listen", config.admin_listen()).await?;
        let control = Control::bind(folder)?;
        let (ingress, admin) = (address(&ingress_listener)?, address(&admin_listener)?);
        let keys = Arc::new(config.seal_keys()?);
        let (stop_ingress, _) = watch::channel(false);
        let (stop_rest, _) = watch::channel(false);
        let (reload, accounts) = Reload::new(folder, &config, &store);
        let pulses: Vec<Arc<Pulse>> = (0..config.workers()).map(|_| Arc::default()).collect();
        let receiver = Receiver::new(
            accounts.ingress.clone(),
            queue.clone(),
            keys.as_ref().clone(),
            config.limits(),
            system_clock,
        );
        let desk = Desk { store: store.clone(), queue: queue.clone(), keys, accounts: accounts.worker.clone() };
        let workers: Vec<Worker> = pulses.iter().map(|pulse| worker(&config, &desk, Arc::clone(pulse))).collect();
        let looked_after = store.clone();
        let mut roles = Roles::new();
        let signs = Signs::default();
        let ready = readiness(queue.clone(), pulses, Arc::clone(&reload.healthy), signs.clone());
        let pages = AdminPages { readiness: ready, render: render(queue.clone(), metrics.clone()) };
        let other_tasks = vec![
            roles.start("admin", &stop_rest, move |stop| async move {
                afluente_ingress::run_admin(admin_listener, pages, stop.told()).await;
                Ok(())
            }),
            roles.start("metrics", &stop_rest, move |stop| async move {
                measure::keep_up(metrics, stop.told()).await;
                Ok(())
            }),
            roles.start("control", &stop_rest, move |stop| async move {
                control.run(desk, stop).await;
                Ok(())
            }),
            roles.start("reload", &stop_rest, move |stop| async move {
                reload.run(stop.told()).await;
                Ok(())
            }),
            roles.start("upkeep", &stop_rest, move |stop| async move {
                upkeep::run(looked_after, stop.told()).await;
                Ok(())
            }),
        ];
        let ingress_task = roles.start("ingress", &stop_ingress, move |stop| async move {
            let drained =
                afluente_ingress::run(ingress_listener, receiver, stop.told()).await.map_err(|error| chain(&error))?;
            info!(cut_off = drained.cut_off, "Ingress drained");
            Ok(())
        });
        let worker_tasks = workers.into_iter().map(|worker| {
            roles.start("worker", &stop_rest, move |stop| async move {
                afluente_worker::run(worker, stop.told()).await.map_err(|error| chain(&error))
            })
        });
        let worker_tasks = worker_tasks.collect();
        signs.set(roles.signs()).map_err(|_| Failure::Unavailable("the roles were started twice".to_owned()))?;
        Ok(Node {
            ingress,
            admin,
            queue,
            store,
            stop_ingress,
            stop_rest,
            ingress_task,
            worker_tasks,
            other_tasks,
            roles,
        })
    }

    /// Serves until `stop` ends, or until a role ends by itself: then this process is worth less than a fresh one, and
    /// exit code 3 tells its supervisor so.
    pub(crate) async fn serve(&mut self, stop: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        tokio::select! {
            stopped = stop => stopped,
            Ended { role, why } = self.roles.ended() => {
                Err(Failure::Unavailable(format!("the role {role} ended: {why}; stopped, to be started again")))
            }
        }
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
        for task in self.worker_tasks {
            ended("worker", task).await;
        }
        for task in self.other_tasks {
            ended("task", task).await;
        }
        self.queue.close().await;
        self.store.close().await;
        info!("Stopped");
    }
}

/// A connection for each worker, and two for what else is asked meanwhile.
fn connections(config: &Config) -> StoreOptions {
    StoreOptions { connections: u32::try_from(config.workers() + 2).unwrap_or(3), ..StoreOptions::default() }
}

/// A worker on the same queue, ledger, keys and accounts as the desk.
fn worker(config: &Config, desk: &Desk, pulse: Arc<Pulse>) -> Worker {
    Worker {
        queue: desk.queue.clone(),
        store: desk.store.clone(),
        keys: Arc::clone(&desk.keys),
        accounts: desk.accounts.clone(),
        settings: Settings { batch_size: config.batch_size(), linger: config.linger(), ..Settings::default() },
        pulse,
    }
}

/// The metrics page; the queue's gauges are set when somebody looks.
fn render(queue: Queue, metrics: PrometheusHandle) -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(move || {
        afluente_worker::measure::queue(&queue);
        metrics.render()
    })
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::Unavailable(format!("{setting}: cannot listen on {address}: {error}; choose another address"))
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::unavailable(&error))
}

async fn ended(name: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        error!(role = name, error = %error, "A role could not be waited for");
    }
}

fn readiness(
    queue: Queue,
    pulses: Vec<Arc<Pulse>>,
    reloaded: Arc<std::sync::atomic::AtomicBool>,
    signs: Signs,
) -> Arc<dyn Fn() -> Readiness + Send + Sync> {
    use std::sync::atomic::Ordering;
    Arc::new(move || {
        let full = queue.depth().is_some_and(|held| held.is_full());
        let check = |name, holds: bool, otherwise: &str| Check {
            name,
            state: if holds { Ok(()) } else { Err(otherwise.to_owned()) },
        };
        let missing: Vec<&str> =
            signs.get().into_iter().flatten().filter(|sign| !sign.is_running()).map(Sign::role).collect();
        Readiness {
            checks: vec![
                Check {
                    name: "roles",
                    state: if missing.is_empty() {
                        Ok(())
                    } else {
                        Err(format!("{} ended; this process stops", missing.join(", ")))
                    },
                },
                Check { name: "queue", state: queue.health().map_err(|unhealthy| unhealthy.to_string()) },
                check("queue_room", !full, "the queue is full; look at the worker"),
                check(
                    "ledger",
                    !pulses.iter().any(|pulse| pulse.is_waiting_for_ledger()),
                    "the ledger cannot take batches; look at the log",
                ),
                check(
                    "accounts",
                    !pulses.iter().any(|pulse| pulse.are_accounts_missing()),
                    "the ledger lacks rows of accounts; their deliveries wait; look at the log",
                ),
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

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::init;

    #[tokio::test]
    async fn a_process_whose_queue_is_gone_stops_serving_and_says_which_role_ended() {
        let folder = tempfile::tempdir().unwrap();
        init::complete(folder.path()).unwrap();
        let config = config::load(folder.path()).unwrap().on_free_ports();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let mut node = Node::start(folder.path(), config, metrics).await.unwrap();
        node.queue.close().await;
        let served = node.serve(std::future::pending()).await;
        let Err(Failure::Unavailable(text)) = served else { panic!("expected a role that ended, got {served:?}") };
        assert!(text.contains("the role worker ended"), "{text}");
        node.stop().await;
    }
}

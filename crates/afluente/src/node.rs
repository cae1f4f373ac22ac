//! A process: the roles it was asked to play, on one data folder, and how it begins and ends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use afluente_ingress::{AdminPages, Listener, Receiver, system_clock};
use afluente_lookup::{KeySettings, Lookup, PublicKeys};
use afluente_model::chain;
use afluente_queue::{Queue, SealKeys};
use afluente_store::{Store, StoreOptions};
use afluente_worker::{Pulse, Settings, Worker};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::adopt;
use crate::config::{self, Config};
use crate::control::{Control, Desk};
use crate::exit::Failure;
use crate::measure;
use crate::readiness::{Asked, Signs};
use crate::reload::{Accounts, Reload};
use crate::role::{Ended, Roles};
use crate::upkeep;

/// How long a process that serves waits for what it reads beside its work.
const READING: Duration = Duration::from_secs(15);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything.
    All,
    /// Receives webhooks and queues them.
    Ingress,
    /// Works on what is queued.
    Worker,
}

impl Part {
    fn receives(self) -> bool {
        self != Part::Worker
    }

    fn works(self) -> bool {
        self != Part::Ingress
    }

    /// A file in one folder has one process.
    fn check(self, config: &Config) -> Result<(), Failure> {
        if self == Part::All || !config.has_embedded_queue() {
            return Ok(());
        }
        Err(Failure::Usage(
            "expected [queue] url or AMQP_URL: without a broker ingress and worker are one process, `afluente up`"
                .to_owned(),
        ))
    }
}

/// A running process. [`Node::stop`] ends it in order.
pub(crate) struct Node {
    /// Where webhooks are posted, if they are.
    pub(crate) ingress: Option<SocketAddr>,
    /// Where health and metrics are read.
    pub(crate) admin: SocketAddr,
    queue: Queue,
    store: Option<Store>,
    stops: Stops,
    ingress_tasks: Vec<JoinHandle<()>>,
    worker_tasks: Vec<JoinHandle<()>>,
    other_tasks: Vec<JoinHandle<()>>,
    roles: Roles,
}

/// What is stopped first, and what after it.
struct Stops {
    ingress: watch::Sender<bool>,
    rest: watch::Sender<bool>,
}

impl Node {
    /// Takes the folder, opens what is in it, binds, and begins. Nothing is served before everything is there; only a broker
    /// may come later.
    pub(crate) async fn start(
        folder: &Path,
        config: Config,
        part: Part,
        metrics: PrometheusHandle,
    ) -> Result<Node, Failure> {
        part.check(&config)?;
        let keys = Arc::new(config.seal_keys()?);
        let queue = config.open_queue(folder, part.receives())?;
        let store = if part.works() { Some(ledger(folder, &config).await?) } else { None };
        let webhooks =
            if part.receives() { Some(bind("ingress.listen", config.ingress_listen()).await?) } else { None };
        let pages = bind("admin.listen", config.admin_listen()).await?;
        let ingress = webhooks.as_ref().map(address).transpose()?;
        let admin = address(&pages)?;
        let public_keys = PublicKeys::kept_in(&folder.join("keys"));
        let (mut reload, accounts) = Reload::new(folder, &config, store.as_ref(), &public_keys);
        let mut listeners: Vec<Listener> = webhooks.map(Listener::plain).into_iter().collect();
        if part.receives() {
            for secured in &config.edge.tls {
                let socket = bind(&format!("ingress.{}.listen", secured.name), secured.listen).await?;
                listeners.push(Listener::tls(socket, reload.follow_tls(&config, secured)?));
            }
        }
        let stops = Stops { ingress: watch::channel(false).0, rest: watch::channel(false).0 };
        let mut roles = Roles::new();
        let signs = Signs::default();
        let mut asked = Asked {
            queue: queue.clone(),
            pulses: Vec::new(),
            reloaded: Arc::clone(&reload.healthy),
            lookup: accounts.lookup.clone(),
            keys: public_keys.clone(),
            signs: signs.clone(),
        };
        let (mut other_tasks, mut worker_tasks) = (Vec::new(), Vec::new());
        if let Some(store) = &store {
            let desk = Desk {
                store: store.clone(),
                queue: queue.clone(),
                keys: Arc::clone(&keys),
                accounts: accounts.worker.clone(),
            };
            asked.pulses = (0..config.workers()).map(|_| Arc::default()).collect();
            worker_tasks = work(&mut roles, &stops, &config, &desk, &asked.pulses);
            if config.has_embedded_queue() {
                other_tasks.push(control(&mut roles, &stops, Control::bind(folder)?, desk.clone()));
            }
            other_tasks.push(look_after(&mut roles, &stops, desk));
            other_tasks.push(look_up(&mut roles, &stops, store.clone(), &accounts));
        }
        other_tasks.extend(serve_pages(&mut roles, &stops, pages, asked, metrics));
        other_tasks.push(roles.start("reload", &stops.rest, move |stop| async move {
            reload.run(stop.told()).await;
            Ok(())
        }));
        other_tasks.push(roles.start("keys", &stops.rest, move |stop| async move {
            public_keys.run(KeySettings::default(), stop.told()).await;
            Ok(())
        }));
        let ingress_tasks = receive(&mut roles, &stops, &config, listeners, &accounts, &queue, &keys);
        signs.set(roles.signs()).map_err(|_| Failure::Unavailable("the roles were started twice".to_owned()))?;
        Ok(Node { ingress, admin, queue, store, stops, ingress_tasks, worker_tasks, other_tasks, roles })
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

    /// Stops taking, finishes what is held, closes. What is on the queue stays there for the next start.
    pub(crate) async fn stop(self) {
        self.stops.ingress.send_replace(true);
        for task in self.ingress_tasks {
            ended("ingress", task).await;
        }
        self.stops.rest.send_replace(true);
        for task in self.worker_tasks {
            ended("worker", task).await;
        }
        for task in self.other_tasks {
            ended("task", task).await;
        }
        self.queue.close().await;
        if let Some(store) = self.store {
            store.close().await;
        }
        info!("Stopped");
    }
}

/// Opens the ledger with a connection for each worker, and two for what else is asked meanwhile.
async fn ledger(folder: &Path, config: &Config) -> Result<Store, Failure> {
    let connections = u32::try_from(config.workers() + 2).unwrap_or(3);
    let options = StoreOptions { connections, reading: READING, ..StoreOptions::default() };
    let store = Store::open_with(&config.ledger, options).await?;
    config::agree::agree(folder, config, &store).await?;
    adopt::beside(store, config).await
}

/// Workers on the same queue, ledger, keys and accounts as the desk, one for each pulse.
fn work(roles: &mut Roles, stops: &Stops, config: &Config, desk: &Desk, pulses: &[Arc<Pulse>]) -> Vec<JoinHandle<()>> {
    let settings = Settings { batch_size: config.batch_size(), linger: config.linger(), ..Settings::default() };
    let workers = pulses.iter().map(|pulse| Worker {
        queue: desk.queue.clone(),
        store: desk.store.clone(),
        keys: Arc::clone(&desk.keys),
        accounts: desk.accounts.clone(),
        settings: settings.clone(),
        pulse: Arc::clone(pulse),
    });
    let tasks = workers.map(|worker| {
        roles.start("worker", &stops.rest, move |stop| async move {
            afluente_worker::run(worker, stop.told()).await.map_err(|error| chain(&error))
        })
    });
    tasks.collect()
}

fn control(roles: &mut Roles, stops: &Stops, control: Control, desk: Desk) -> JoinHandle<()> {
    roles.start("control", &stops.rest, move |stop| async move {
        control.run(desk, stop).await;
        Ok(())
    })
}

fn look_up(roles: &mut Roles, stops: &Stops, store: Store, accounts: &Accounts) -> JoinHandle<()> {
    let lookup = Lookup { store, accounts: accounts.lookup.clone(), settings: afluente_lookup::Settings::default() };
    roles.start("lookup", &stops.rest, move |stop| async move {
        afluente_lookup::run(lookup, stop.told()).await;
        Ok(())
    })
}

fn look_after(roles: &mut Roles, stops: &Stops, desk: Desk) -> JoinHandle<()> {
    roles.start("upkeep", &stops.rest, move |stop| async move {
        Box::pin(upkeep::run(desk, stop.told())).await;
        Ok(())
    })
}

/// Health and metrics; the queue's gauges are set when somebody looks.
fn serve_pages(
    roles: &mut Roles,
    stops: &Stops,
    listener: TcpListener,
    asked: Asked,
    metrics: PrometheusHandle,
) -> [JoinHandle<()>; 2] {
    let (queue, rendered) = (asked.queue.clone(), metrics.clone());
    let render = move || {
        afluente_worker::measure::queue(&queue);
        rendered.render()
    };
    let pages = AdminPages { readiness: Arc::new(move || asked.readiness()), render: Arc::new(render) };
    [
        roles.start("admin", &stops.rest, move |stop| async move {
            afluente_ingress::run_admin(listener, pages, stop.told()).await;
            Ok(())
        }),
        roles.start("metrics", &stops.rest, move |stop| async move {
            measure::keep_up(metrics, stop.told()).await;
            Ok(())
        }),
    ]
}

/// One receiver behind all listeners: requests, bytes and rates are bounded for all of them together, connections for each.
fn receive(
    roles: &mut Roles,
    stops: &Stops,
    config: &Config,
    listeners: Vec<Listener>,
    accounts: &Accounts,
    queue: &Queue,
    keys: &SealKeys,
) -> Vec<JoinHandle<()>> {
    if listeners.is_empty() {
        return Vec::new();
    }
    let receiver = Receiver::new(accounts.ingress.clone(), queue.clone(), keys.clone(), config.limits(), system_clock);
    let receiver = Arc::new(receiver.behind(config.edge.proxies.clone()));
    let tasks = listeners.into_iter().map(|listener| {
        let receiver = Arc::clone(&receiver);
        roles.start("ingress", &stops.ingress, move |stop| async move {
            let drained =
                afluente_ingress::run(listener, receiver, stop.told()).await.map_err(|error| chain(&error))?;
            info!(cut_off = drained.cut_off, "Ingress drained");
            Ok(())
        })
    });
    tasks.collect()
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
        let mut node = Node::start(folder.path(), config, Part::All, metrics).await.unwrap();
        node.queue.close().await;
        let served = node.serve(std::future::pending()).await;
        let Err(Failure::Unavailable(text)) = served else { panic!("expected a role that ended, got {served:?}") };
        assert!(text.contains("the role worker ended"), "{text}");
        node.stop().await;
    }
}

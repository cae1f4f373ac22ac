//! The accept loop: a permit before each connection, an owner for each task, a bound on every wait.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use metrics::Gauge;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error, info, warn};

use crate::caller::Caller;
use crate::connection::{Ending, Patience, Pulse, drive, with_pulse};
use crate::crowd::Crowd;
use crate::limits::{BadLimit, Limits};
use crate::meter::{Held, Outcome};
use crate::receive::Receiver;
use crate::stream::Stream;

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections still busy when the drain ran out. Their callers got no answer, so nothing they sent counts as accepted.
    pub cut_off: usize,
}

/// Why a listener did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A limit cannot work. Nothing was accepted.
    #[error("the limits cannot work")]
    BadLimit(#[from] BadLimit),
}

/// Serves webhooks on `listener` until `shutdown` completes, then answers what is under way and returns.
///
/// On shutdown the listener is closed first, idle connections are closed at once, and busy ones are served to the end of
/// their request, for at most [`Limits::drain`]. The queue must outlive this.
pub async fn run(
    listener: Listener,
    receiver: Arc<Receiver>,
    shutdown: impl Future<Output = ()>,
) -> Result<Drained, RunError> {
    receiver.limits().check()?;
    let plan = Plan::of(receiver.limits(), receiver.meter().connections.clone(), receiver.crowd());
    let answering = Arc::clone(&receiver);
    let answer = move |request, pulse: Arc<Pulse>| {
        let receiver = Arc::clone(&answering);
        async move { receiver.receive(request, &pulse).await }
    };
    let observe = move |ending| match ending {
        Ending::Closed | Ending::Idle => {}
        Ending::NoRequest(hello) => receiver.no_request(hello.outcome, hello.message),
        Ending::SlowHead => receiver.no_request(Outcome::SlowHead, "expected whole headers sooner"),
        Ending::TooMany => {
            receiver.no_request(Outcome::TooManyConnections, "one address has as many connections as it may have");
        }
        Ending::NoTls => {
            receiver.no_request(Outcome::NoTls, "expected a TLS handshake, and a certificate where one is asked for");
        }
    };
    Ok(serve(listener, plan, answer, observe, shutdown).await)
}

/// Where connections come in, and what is spoken on them.
pub struct Listener {
    socket: TcpListener,
    /// The settings of the moment: a connection keeps those it began with.
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
}

impl Listener {
    /// Connections as they are.
    #[must_use]
    pub fn plain(socket: TcpListener) -> Listener {
        Listener { socket, tls: None }
    }

    /// TLS on every connection. Settings may be replaced: connections that are open go on with theirs.
    #[must_use]
    pub fn tls(socket: TcpListener, settings: watch::Receiver<Arc<ServerConfig>>) -> Listener {
        Listener { socket, tls: Some(settings) }
    }

    fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().map(|settings| TlsAcceptor::from(Arc::clone(&settings.borrow())))
    }
}

/// How a listener treats its connections.
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) http: Builder,
    pub(crate) patience: Patience,
    pub(crate) drain: Duration,
    pub(crate) open: Gauge,
    /// Who has how many.
    pub(crate) crowd: Arc<Crowd>,
}

/// hyper's own count, kept on the stack; any other costs an allocation a request.
const HYPER_HEADERS: usize = 100;

impl Plan {
    pub(crate) fn of(limits: &Limits, open: Gauge, crowd: Arc<Crowd>) -> Plan {
        let mut http = Builder::new();
        // Half-closed callers (`nc`, some proxies) still get their answer, and a caller that goes away does not take a
        // request down with it that the queue already has. Our own deadlines replace hyper's timeout, which starts anew
        // for an idle connection and knows no answer.
        http.half_close(true)
            .header_read_timeout(None)
            .max_header_size(limits.header_bytes)
            .max_buf_size(limits.header_bytes.max(READ_BUFFER_BYTES));
        if limits.headers != HYPER_HEADERS {
            http.max_headers(limits.headers);
        }
        Plan {
            connections: limits.connections,
            http,
            patience: Patience {
                header_read: limits.header_read,
                keep_alive_idle: limits.keep_alive_idle,
                linger: limits.linger,
            },
            drain: limits.drain,
            open,
            crowd,
        }
    }
}

/// The most that is read ahead on one connection.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// Accepts until `shutdown`, then drains.
pub(crate) async fn serve<A, F, O>(
    listener: Listener,
    plan: Plan,
    answer: A,
    observe: O,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    A: Fn(Request<Incoming>, Arc<Pulse>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    O: Fn(Ending) + Clone + Send + Sync + 'static,
{
    let permits = Arc::new(Semaphore::new(plan.connections));
    let (stop, stopped) = watch::channel(());
    let mut tasks = JoinSet::new();
    let mut troubles = Troubles::default();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = tasks.join_next() => note_panic(ended),
            (permit, stream, address) = next_connection(&listener.socket, &permits, &mut troubles) => {
                let Some(place) = plan.crowd.enter(address) else {
                    observe(Ending::TooMany);
                    continue;
                };
                let acceptor = listener.acceptor();
                let http = plan.http.clone();
                let patience = plan.patience;
                let stopped = stopped.clone();
                let answer = answer.clone();
                let observe = observe.clone();
                let open = Held::one(&plan.open);
                tasks.spawn(async move {
                    let accepted = tokio::time::Instant::now();
                    let ending = match secured(stream, acceptor, patience.header_read).await {
                        None => Ending::NoTls,
                        Some(stream) => {
                            let caller = Caller { address, certificates: stream.certificates() };
                            let pulse = Arc::new(Pulse::new(accepted, caller));
                            let keeping = Arc::clone(&pulse);
                            let service =
                                service_fn(move |request| with_pulse(Arc::clone(&keeping), request, answer.clone()));
                            drive(stream, &http, service, &pulse, patience, stopped).await
                        }
                    };
                    observe(ending);
                    drop((open, permit, place));
                });
            }
        }
    }
    drop(listener);
    drop(stopped);
    let _ = stop.send(());
    drain(tasks, plan.drain).await
}

/// A connection and its permit. The permit comes first: a listener at its limit leaves callers in the kernel's backlog.
async fn next_connection(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    troubles: &mut Troubles,
) -> (OwnedSemaphorePermit, TcpStream, IpAddr) {
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
            unreachable!("the semaphore is never closed");
        };
        match listener.accept().await {
            Ok((stream, address)) => {
                troubles.over();
                // Answers are written whole, so there is nothing for the kernel to wait for.
                let _ = stream.set_nodelay(true);
                return (permit, stream, address.ip().to_canonical());
            }
            Err(error) => troubles.wait(&error).await,
        }
    }
}

/// The connection with TLS on it, where TLS is spoken; `None` if the caller does not speak it as it has to, in time.
async fn secured(stream: TcpStream, acceptor: Option<TlsAcceptor>, patience: Duration) -> Option<Stream> {
    let Some(acceptor) = acceptor else { return Some(Stream::Plain(stream)) };
    let stream = timeout(patience, acceptor.accept(stream)).await.ok()?.ok()?;
    Some(Stream::Tls(Box::new(stream)))
}

/// What to do while accepting fails: for lack of file descriptors it fails at once, again and again.
#[derive(Default)]
struct Troubles {
    since: Option<Instant>,
    pause: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Troubles {
    /// A caller that gave up is none of our trouble; anything else waits, twice as long each time, and is logged once.
    async fn wait(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            return;
        }
        if self.since.is_none() {
            self.since = Some(Instant::now());
            warn!(error = %error, "Cannot accept connections, trying on");
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        sleep(self.pause).await;
    }

    fn over(&mut self) {
        if let Some(since) = self.since.take() {
            self.pause = Duration::ZERO;
            info!(
                duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
                "Accepting connections again"
            );
        }
    }
}

async fn drain(mut tasks: JoinSet<()>, patience: Duration) -> Drained {
    debug!(connections = tasks.len(), "Draining connections");
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            note_panic(ended);
        }
    };
    if timeout(patience, all).await.is_ok() {
        return Drained { cut_off: 0 };
    }
    while let Some(ended) = tasks.try_join_next() {
        note_panic(ended);
    }
    let cut_off = tasks.len();
    tasks.shutdown().await;
    Drained { cut_off }
}

/// A panic costs its connection and nothing else; the hook has printed where it was.
fn note_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        error!("A connection ended in a panic; its caller got no answer");
    }
}

//! One connection: hyper speaks HTTP on it, and here is what hyper leaves open: how long a caller may be silent, what
//! happens on shutdown, and how the last answer gets through to a caller who is still sending.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::caller::Caller;
use crate::hello::Hello;
use crate::meter::Outcome;
use crate::muted::Muted;
use crate::stream::Stream;

/// How long a connection may be silent, and what it may send while it is being closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From accepting it to the end of the first head.
    pub(crate) header_read: Duration,
    /// From an answer to the end of the next head.
    pub(crate) keep_alive_idle: Duration,
    /// How long a caller that is still sending is listened to after its answer.
    pub(crate) linger: Duration,
}

impl Patience {
    fn shortest(self) -> Duration {
        self.header_read.min(self.keep_alive_idle)
    }
}

/// What the service and the connection tell each other. Written by one task only, so the order of memory does not matter.
#[derive(Debug)]
pub(crate) struct Pulse {
    accepted: Instant,
    begun: AtomicBool,
    busy: AtomicBool,
    /// Milliseconds from `accepted` to the last answer, plus one; zero before the first.
    answered: AtomicU64,
    unread: AtomicBool,
    caller: Caller,
}

impl Pulse {
    /// Of a connection that was accepted then, by this caller.
    pub(crate) fn new(accepted: Instant, caller: Caller) -> Pulse {
        Pulse {
            accepted,
            caller,
            begun: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            unread: AtomicBool::new(false),
        }
    }

    /// Who is at the other end.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A request's head is complete; from here on the service's own deadlines hold.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
        self.busy.store(true, Ordering::Relaxed);
    }

    /// Whether any request has begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Its answer is made.
    pub(crate) fn end(&self) {
        let millis = u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.store(millis.saturating_add(1), Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// The answer was made although the body has not all come.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// When the caller's patience ends, as things stand.
    fn deadline(&self, patience: Patience) -> Instant {
        match (self.busy.load(Ordering::Relaxed), self.answered.load(Ordering::Relaxed)) {
            (true, _) => Instant::now() + patience.shortest(),
            (false, 0) => self.accepted + patience.header_read,
            (false, answered) => self.accepted + Duration::from_millis(answered) + patience.keep_alive_idle,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As HTTP has it, or the caller went away.
    Closed,
    /// Something came that is no head hyper could read.
    NoRequest(Hello),
    /// A head that began and did not end in time.
    SlowHead,
    /// Its address has as many as it may have.
    TooMany,
    /// No TLS could be agreed on, in time.
    NoTls,
    /// Nothing came for too long, or the caller did not take our answer.
    Idle,
}

/// Serves one connection to its end. After `stop` changes, the request being answered is the last one; an idle
/// connection is closed at once.
pub(crate) async fn drive<S>(
    stream: Stream,
    http: &Builder,
    service: S,
    pulse: &Arc<Pulse>,
    patience: Patience,
    mut stop: watch::Receiver<()>,
) -> Ending
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = http.serve_connection(TokioIo::new(Muted::new(stream, pulse)), service);
    let mut bell = pin!(sleep(patience.shortest()));
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            biased;
            served = &mut connection => break Some(served),
            _ = stop.changed(), if !stopping => {
                stopping = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
            // One timer a connection, looked at when it rings and never moved before: a busy connection pays nothing
            // for it. It rings often enough that no deadline is missed by more than it lasts.
            () = bell.as_mut() => {
                let deadline = pulse.deadline(patience);
                if deadline <= Instant::now() {
                    break None;
                }
                bell.as_mut().reset(deadline);
            }
        }
    };
    let parts = connection.into_parts();
    let (stream, held_back) = parts.io.into_inner().into_parts();
    part(stream, served, Rest { unread: &parts.read_buf, held_back }, pulse, patience).await
}

/// What was left when hyper was done.
struct Rest<'a> {
    /// Bytes that became no request.
    unread: &'a [u8],
    /// The status of hyper's own answer, which nobody was told.
    held_back: Option<StatusCode>,
}

/// Takes leave of a caller, whose last answer must get through.
async fn part(
    mut stream: Stream,
    served: Option<hyper::Result<()>>,
    rest: Rest<'_>,
    pulse: &Pulse,
    patience: Patience,
) -> Ending {
    match served {
        Some(Ok(())) => {
            if pulse.unread.load(Ordering::Relaxed) {
                linger(stream, patience.linger).await;
            }
            Ending::Closed
        }
        Some(Err(error)) if error.is_parse() => {
            let hello = Hello::of(rest.unread, rest.held_back);
            // After an answer hyper has told the status itself, and whoever sent that request knows how to ask.
            if !pulse.has_begun() {
                tell(&mut stream, hello.status, hello.outcome, hello.message, patience.linger).await;
            }
            linger(stream, patience.linger).await;
            Ending::NoRequest(hello)
        }
        Some(Err(_)) => {
            linger(stream, patience.linger).await;
            Ending::Closed
        }
        None if rest.unread.is_empty() => Ending::Idle,
        None => {
            let message = "expected whole headers sooner";
            tell(&mut stream, StatusCode::REQUEST_TIMEOUT, Outcome::SlowHead, message, patience.linger).await;
            linger(stream, patience.linger).await;
            Ending::SlowHead
        }
    }
}

/// Tells a caller what hyper has no words for. Nothing else is under way on this connection, so its buffer has room; if the caller
/// takes nothing there is nobody to tell.
async fn tell(stream: &mut Stream, status: StatusCode, outcome: Outcome, message: &str, patience: Duration) {
    let line = serde_json::json!({ "error": outcome.as_str(), "message": message }).to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{line}",
        line.len()
    );
    let written = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await
    };
    let _ = timeout(patience, written).await;
}

/// The most that is read of what nobody wants.
const MOST_LINGER_BYTES: usize = 16 << 20;

/// Says that no more will be written, then reads what still comes, for a while. Closing with bytes unread would make the
/// kernel reset the connection, and the reset can overtake the answer.
async fn linger(mut stream: Stream, patience: Duration) {
    let _ = timeout(patience, async {
        if stream.shutdown().await.is_ok() {
            discard(&mut stream).await;
        }
    })
    .await;
}

async fn discard(stream: &mut Stream) {
    let mut left = MOST_LINGER_BYTES;
    let mut scrap = Vec::with_capacity(8 << 10);
    while left > 0 {
        scrap.clear();
        match stream.read_buf(&mut scrap).await {
            Ok(0) | Err(_) => return,
            Ok(read) => left = left.saturating_sub(read),
        }
    }
}

/// A service that keeps the pulse around `answer`.
pub(crate) async fn with_pulse<F>(
    pulse: Arc<Pulse>,
    request: Request<Incoming>,
    answer: impl FnOnce(Request<Incoming>, Arc<Pulse>) -> F,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible>
where
    F: Future<Output = Response<Full<Bytes>>>,
{
    pulse.begin();
    let answered = answer(request, Arc::clone(&pulse)).await;
    pulse.end();
    Ok(answered)
}

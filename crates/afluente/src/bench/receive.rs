//! HTTP to the fsynced queue, against the same server that only reads the body and answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use afluente_ingress::{Account, Accounts, Limits, Receiver};
use afluente_model::Gateway;
use afluente_queue::{EmbeddedOptions, Queue, SealKey, SealKeys};
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::body::{BenchAccount, event};
use super::load::{Seen, drive};
use super::{Figure, percentiles};
use crate::exit::Failure;

/// Bodies prepared ahead; each is sent again and again under a fresh delivery, as the queue does not look inside.
const BODIES: usize = 4_096;

/// Measures ours and the bare server with this many connections.
#[allow(clippy::cast_precision_loss, reason = "for display")]
pub(super) async fn measure(connections: usize, lasting: Duration) -> Result<Vec<Figure>, Failure> {
    let account = Arc::new(BenchAccount::new()?);
    let requests: Arc<Vec<Vec<u8>>> = Arc::new((0..BODIES).map(|number| request(&account, number)).collect());
    let bare = bare(connections, lasting, Arc::clone(&requests)).await?;
    let ours = ours(&account, connections, lasting, requests).await?;
    let rate = |seen: &Seen| seen.accepted as f64 / seen.took.as_secs_f64();
    let (bare_rate, ours_rate) = (rate(&bare), rate(&ours));
    let refused = if ours.refused > 0 { format!(", {} refused", ours.refused) } else { String::new() };
    let figure = |what: String, mut seen: Seen, rate: f64, compared: String| {
        let (p50_ms, p99_ms) = percentiles(&mut seen.latencies);
        Figure { what, rate, unit: "requests/s", p50_ms, p99_ms, compared: Some(compared) }
    };
    let name = if connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") };
    Ok(vec![
        figure(format!("bare hyper, {name}"), bare, bare_rate, "reads the body, answers 200, keeps nothing".to_owned()),
        figure(
            format!("ingress to fsynced queue, {name}"),
            ours,
            ours_rate,
            format!("{:.2} of bare{refused}", ours_rate / bare_rate),
        ),
    ])
}

/// One signed request.
pub(super) fn request(account: &BenchAccount, number: usize) -> Vec<u8> {
    let body = event(number);
    let head = format!(
        "POST /webhooks/stripe/bench HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nStripe-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        account.signature(&body),
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

async fn ours(
    account: &BenchAccount,
    connections: usize,
    lasting: Duration,
    requests: Arc<Vec<Vec<u8>>>,
) -> Result<Seen, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::unavailable(&error))?;
    let queue = Queue::open_embedded(EmbeddedOptions { limit_bytes: 8 << 30, ..EmbeddedOptions::new(folder.path()) })?;
    let (_accounts, accounts) = watch::channel(Arc::new(known(account)?));
    let keys = SealKeys::new(SealKey::from_bytes([7; 32]), []);
    let receiver = Receiver::new(accounts, queue.clone(), keys, Limits::default(), afluente_ingress::system_clock);
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = listen().await?;
    let address = listener.local_addr().map_err(|error| Failure::unavailable(&error))?;
    let server = tokio::spawn(afluente_ingress::run(listener, receiver, async move {
        // A dropped sender is a stop as well.
        let _ = stopped.await;
    }));
    let seen = drive(address, connections, lasting, move |number| requests[number % BODIES].clone()).await;
    drop(stop);
    // The figures are taken; how the drain went does not change them.
    let _ = server.await;
    queue.close().await;
    Ok(seen)
}

/// The accounts a receiver knows: this one.
pub(super) fn known(account: &BenchAccount) -> Result<Accounts, Failure> {
    let known = Account::new(Gateway::Stripe, account.name.clone(), account.keyring());
    Ok(Accounts::from_iter([known.map_err(|error| Failure::unavailable(&error))?]))
}

async fn bare(connections: usize, lasting: Duration, requests: Arc<Vec<Vec<u8>>>) -> Result<Seen, Failure> {
    let listener = listen().await?;
    let address = listener.local_addr().map_err(|error| Failure::unavailable(&error))?;
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(|request: http::Request<hyper::body::Incoming>| async {
                // A body that breaks off ends the exchange; there is nothing to measure then.
                let _ = request.into_body().collect().await;
                Ok::<_, Infallible>(http::Response::new(Empty::<bytes::Bytes>::new()))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    let seen = drive(address, connections, lasting, move |number| requests[number % BODIES].clone()).await;
    server.abort();
    Ok(seen)
}

pub(super) async fn listen() -> Result<TcpListener, Failure> {
    TcpListener::bind("127.0.0.1:0").await.map_err(|error| Failure::unavailable(&error))
}

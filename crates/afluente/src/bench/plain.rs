//! What ingress is compared with: hyper that reads the body and answers; the same with an HMAC and one way to keep the
//! body, and nothing else: no limits, no accounts, no sealing, no metrics.

use std::convert::Infallible;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use afluente_gateways::Secret;
use afluente_gateways::stripe::sign;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::exit::Failure;

/// Bodies on their way into the file, at most.
const WAITING: usize = 4_096;

/// What becomes of a body before the answer.
pub(super) enum Keeps {
    /// It is read and dropped.
    Nothing,
    /// It is appended to a file that is synced before the answer.
    Appended { secret: Secret, file: mpsc::Sender<(Bytes, oneshot::Sender<()>)> },
    /// A broker confirms it.
    Confirmed { secret: Secret, queue: Box<Confirming> },
}

/// A queue on a broker.
pub(super) struct Confirming {
    /// Dropped, it would end the channel.
    _connection: Connection,
    channel: Channel,
    name: String,
}

impl Keeps {
    /// Appends to a file in this folder. Whoever waits meanwhile shares the next sync.
    pub(super) fn appended(secret: Secret, folder: &Path) -> Result<Keeps, Failure> {
        let file = File::options().create(true).append(true).open(folder.join("appended"));
        let mut file = file.map_err(|error| Failure::unavailable(&error))?;
        let (sender, mut waiting) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(WAITING);
        std::thread::spawn(move || -> std::io::Result<()> {
            let mut batch = Vec::new();
            while waiting.blocking_recv_many(&mut batch, WAITING) > 0 {
                let bodies: Vec<u8> = batch.iter().flat_map(|(body, _)| body.iter().copied()).collect();
                file.write_all(&bodies)?;
                file.sync_data()?;
                for (_, kept) in batch.drain(..) {
                    // One whose connection is gone asks no more.
                    let _ = kept.send(());
                }
            }
            Ok(())
        });
        Ok(Keeps::Appended { secret, file: sender })
    }

    /// Publishes to a quorum queue of this name, made here.
    pub(super) async fn confirmed(secret: Secret, url: &str, name: String) -> Result<Keeps, Failure> {
        let (connection, channel) = connect(url).await.map_err(|error| Failure::unavailable(&error))?;
        let made = async {
            let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            let mut quorum = FieldTable::default();
            quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            channel.queue_declare(name.as_str().into(), durable, quorum).await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await
        };
        made.await.map_err(|error| Failure::unavailable(&error))?;
        Ok(Keeps::Confirmed { secret, queue: Box::new(Confirming { _connection: connection, channel, name }) })
    }

    /// Whether this body is kept.
    async fn keep(&self, signature: Option<&str>, body: Bytes) -> bool {
        match self {
            Keeps::Nothing => true,
            Keeps::Appended { secret, file } => {
                let (kept, told) = oneshot::channel();
                signed(secret, signature, &body) && file.send((body, kept)).await.is_ok() && told.await.is_ok()
            }
            Keeps::Confirmed { secret, queue } => {
                signed(secret, signature, &body) && queue.publish(&body).await.unwrap_or(false)
            }
        }
    }
}

impl Confirming {
    async fn publish(&self, body: &[u8]) -> lapin::Result<bool> {
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let name = self.name.as_str().into();
        let published = self.channel.basic_publish("".into(), name, mandatory, body, persistent).await?;
        Ok(published.await?.is_ack())
    }
}

/// A connection and a channel on it.
pub(super) async fn connect(url: &str) -> lapin::Result<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

/// One HMAC over the time and the body.
fn signed(secret: &Secret, signature: Option<&str>, body: &[u8]) -> bool {
    let time = signature.and_then(|header| header.strip_prefix("t=")?.split_once(',')?.0.parse().ok());
    time.is_some_and(|time| signature == Some(sign(secret, time, body).as_str()))
}

/// Answers on this listener until it is dropped.
pub(super) async fn serve(listener: TcpListener, keeps: Keeps) {
    let keeps = Arc::new(keeps);
    while let Ok((stream, _)) = listener.accept().await {
        let keeps = Arc::clone(&keeps);
        let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let keeps = Arc::clone(&keeps);
            async move { Ok::<_, Infallible>(answer(request, &keeps).await) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(request: http::Request<hyper::body::Incoming>, keeps: &Keeps) -> http::Response<Empty<Bytes>> {
    let (head, body) = request.into_parts();
    let signature = head.headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let kept = match body.collect().await {
        Ok(body) => keeps.keep(signature, body.to_bytes()).await,
        Err(_) => false,
    };
    let mut response = http::Response::new(Empty::new());
    if !kept {
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

//! What is kept in the end, read where it is kept.

use std::collections::HashSet;
use std::time::Duration;

use afluente_queue::{Queue, Settlement};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lapin::options::BasicGetOptions;
use serde_json::{Value, json};

use super::cast::{Peer, Site, Stand};
use crate::bench::apart::Apart;
use crate::bench::body::{number_in, number_of};
use crate::bench::plain::connect;
use crate::bench::serve::{What, open};
use crate::exit::Failure;

/// Messages asked for at a time.
const BATCH: usize = 256;
/// A queue that gives nothing for so long has nothing more.
const QUIET: Duration = Duration::from_secs(10);

/// How many of these events are kept nowhere. The program ends, where it is not the one to ask.
pub(super) async fn missing(
    site: &Site,
    stand: &Stand<'_>,
    apart: Apart,
    mut looked_for: HashSet<usize>,
) -> Result<usize, Failure> {
    let broker = (site.services.queue.as_str(), stand.prefix.as_str());
    match stand.peer {
        Peer::QhookSqlite | Peer::QhookPostgres => {
            qhook(&apart, &mut looked_for).await?;
            apart.end().await?;
        }
        Peer::Embedded => {
            apart.end().await?;
            ours(open(What::Embedded, stand.folder(), None).await?, &mut looked_for).await?;
        }
        Peer::Rabbit => {
            apart.end().await?;
            ours(open(What::Rabbit, stand.folder(), Some(broker)).await?, &mut looked_for).await?;
        }
        Peer::Confirm | Peer::Fastify | Peer::Fastapi => {
            apart.end().await?;
            plain(broker.0, &stand.queue(), &mut looked_for).await.map_err(|error| Failure::unavailable(&error))?;
        }
        Peer::Append => {
            apart.end().await?;
            let file = std::fs::read(stand.folder().join("appended")).map_err(|error| Failure::unavailable(&error))?;
            // Bodies stand there one behind the other.
            for number in (0..file.len()).filter_map(|start| number_of(&file[start..])) {
                looked_for.remove(&number);
            }
        }
    }
    Ok(looked_for.len())
}

/// Takes what is in a queue of ours until nothing is missing.
async fn ours(queue: Queue, looked_for: &mut HashSet<usize>) -> Result<(), Failure> {
    while !looked_for.is_empty() {
        let Ok(taken) = tokio::time::timeout(QUIET, queue.take(BATCH, Duration::ZERO)).await else { break };
        let taken = taken.map_err(|error| Failure::unavailable(&error))?;
        remove(looked_for, taken.iter().map(|message| number_of(message.body())));
        let settled = queue.settle(taken.into_iter().map(|message| (message, Settlement::Ack)).collect()).await;
        settled.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| Failure::unavailable(&error))?;
    }
    queue.close().await;
    Ok(())
}

/// Takes what is in a plain queue until it is empty.
async fn plain(url: &str, queue: &str, looked_for: &mut HashSet<usize>) -> lapin::Result<()> {
    let (_connection, channel) = connect(url).await?;
    let taken = BasicGetOptions { no_ack: true };
    while let Some(message) = channel.basic_get(queue.into(), taken).await? {
        remove(looked_for, [number_of(&message.delivery.data)]);
    }
    Ok(())
}

/// Pulls what qhook has until it has nothing more.
async fn qhook(apart: &Apart, looked_for: &mut HashSet<usize>) -> Result<(), Failure> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let queue = format!("http://{}/api/queues/kept", apart.address);
    loop {
        let pulled = ask(&client, Method::GET, &format!("{queue}/messages?batch=100"), &Value::Null).await?;
        let messages = pulled["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        if messages.is_empty() {
            return Ok(());
        }
        remove(looked_for, messages.iter().map(|message| number_in(message["payload"]["id"].as_str()?)));
        let ids: Vec<&Value> = messages.iter().map(|message| &message["id"]).collect();
        ask(&client, Method::POST, &format!("{queue}/ack"), &json!({ "ids": ids })).await?;
    }
}

async fn ask(
    client: &Client<HttpConnector, Full<Bytes>>,
    method: Method,
    url: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let request = Request::builder().method(method).uri(url).header("content-type", "application/json");
    let request = request.body(Full::from(body.to_string())).map_err(|error| Failure::unavailable(&error))?;
    let answer = client.request(request).await.map_err(|error| Failure::unavailable(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| Failure::unavailable(&error))?.to_bytes();
    if status != StatusCode::OK {
        return Err(Failure::Unavailable(format!("{url} answered {status}: {}", String::from_utf8_lossy(&body))));
    }
    serde_json::from_slice(&body).map_err(|error| Failure::unavailable(&error))
}

fn remove(looked_for: &mut HashSet<usize>, numbers: impl IntoIterator<Item = Option<usize>>) {
    for number in numbers.into_iter().flatten() {
        looked_for.remove(&number);
    }
}

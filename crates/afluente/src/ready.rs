//! `afluente ready`: asks the process that serves a folder whether it can work. For the health check of a container, and for people.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::exit::Failure;
use crate::output;

/// How long the answer may take: it comes from memory.
const WITHIN: Duration = Duration::from_secs(5);
/// The most an answer may be.
const LIMIT_BYTES: usize = 1 << 16;

/// Asks the process at `admin.listen` whether it can do its work, part by part. Exit code 1 if it cannot, 3 if nobody answers.
#[derive(Args)]
pub(crate) struct ReadyArgs {
    /// The answer as it came, as JSON
    #[arg(long)]
    json: bool,
}

/// Asks, and prints every part.
pub(crate) async fn run(args: &ReadyArgs, config: &Config) -> Result<(), Failure> {
    let address = reachable(config.admin_listen());
    let (status, answer) = ask(address).await.map_err(|why| {
        Failure::Unavailable(format!("nobody answers at {address} (admin.listen): {why}; is `afluente up` running?"))
    })?;
    let parts = answer.get("checks").and_then(Value::as_object);
    let parts =
        parts.ok_or_else(|| Failure::Unavailable(format!("{address} answers {status}, and no process of ours")))?;
    output::print(&if args.json { format!("{answer}\n") } else { shown(parts) });
    if status == StatusCode::OK { Ok(()) } else { Err(Failure::Found("it cannot do its work".to_owned())) }
}

/// Where to ask a listener that listens everywhere.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let here = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(here, listen.port())
}

async fn ask(address: SocketAddr) -> Result<(StatusCode, Value), String> {
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let uri: Uri =
        format!("http://{address}/readyz").parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
    let asked = async {
        let answer = client.get(uri).await.map_err(|error| afluente_model::chain(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LIMIT_BYTES).collect().await.map_err(|error| error.to_string())?;
        Ok((status, serde_json::from_slice(&body.to_bytes()).unwrap_or_default()))
    };
    tokio::time::timeout(WITHIN, asked).await.map_err(|_| format!("no answer within {WITHIN:?}"))?
}

fn shown(parts: &Map<String, Value>) -> String {
    let rows = parts.iter().map(|(part, says)| vec![part.clone(), says.as_str().unwrap_or_default().to_owned()]);
    output::table(&["PART", "SAYS"], &[], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_on_this_machine() {
        for (listen, asked) in
            [("0.0.0.0:8421", "127.0.0.1:8421"), ("[::]:8421", "[::1]:8421"), ("10.0.0.7:1", "10.0.0.7:1")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}

//! How long each role was not ready.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How often readiness is asked.
const EVERY: Duration = Duration::from_millis(100);
/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(2);

/// Asks until it is stopped; the longest time it was not ready at a stretch.
pub(super) async fn longest_not_ready(address: SocketAddr, mut stop: watch::Receiver<bool>) -> Duration {
    let (mut longest, mut ready_at) = (Duration::ZERO, Instant::now());
    loop {
        if is_ready(address).await {
            ready_at = Instant::now();
        }
        longest = longest.max(ready_at.elapsed());
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return longest,
        }
    }
}

/// Whether it says so now.
pub(super) async fn is_ready(address: SocketAddr) -> bool {
    get(address, "/readyz").await.is_some()
}

/// A page of it; none if it does not answer in time, or with anything but success.
pub(super) async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    timeout(WITHIN, asked).await.ok()?.ok().filter(|answer| answer.starts_with("HTTP/1.1 200"))
}

//! A load generator that costs as little as it can: prepared requests over plain sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a run of load saw.
pub(super) struct Seen {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) latencies: Vec<u64>,
    pub(super) took: Duration,
}

/// Sends requests from this many connections, each waiting for its answer, for this long. `request` makes the n-th.
pub(super) async fn drive(
    address: SocketAddr,
    connections: usize,
    lasting: Duration,
    request: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Seen {
    let request = Arc::new(request);
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let started = Instant::now();
    let senders: Vec<_> = (0..connections)
        .map(|_| {
            let (request, next) = (Arc::clone(&request), Arc::clone(&next));
            tokio::spawn(async move {
                let mut seen = (0, 0, Vec::new());
                let Ok(mut stream) = TcpStream::connect(address).await else { return seen };
                // A failed setting costs latency, not correctness.
                let _ = stream.set_nodelay(true);
                while started.elapsed() < lasting {
                    let bytes = request(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                    let sent = Instant::now();
                    match exchange(&mut stream, &bytes).await {
                        Ok(true) => seen.0 += 1,
                        Ok(false) => seen.1 += 1,
                        Err(_) => break,
                    }
                    seen.2.push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
                }
                seen
            })
        })
        .collect();
    let mut all = Seen { accepted: 0, refused: 0, latencies: Vec::new(), took: Duration::ZERO };
    for mut sender in senders {
        let answered = tokio::time::timeout_at((started + lasting + PATIENCE).into(), &mut sender).await;
        // One that is still waiting would wait for ever.
        sender.abort();
        let (accepted, refused, latencies) = answered.ok().and_then(Result::ok).unwrap_or_default();
        all.accepted += accepted;
        all.refused += refused;
        all.latencies.extend(latencies);
    }
    all.took = started.elapsed();
    all
}

/// Whether the answer was 200. Answers here are small and have no body worth reading: they end with the head.
pub(super) async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<bool> {
    stream.write_all(bytes).await?;
    let mut answer = [0; 2048];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut answer[filled..]).await?;
        if read == 0 || filled + read == answer.len() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if answer[..filled].windows(4).any(|four| four == b"\r\n\r\n") {
            return Ok(answer.starts_with(b"HTTP/1.1 200"));
        }
    }
}

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

/// Whether the answer was 200. Answers here are small, and their bodies are read and dropped.
pub(super) async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<bool> {
    stream.write_all(bytes).await?;
    let mut answer = [0; 2048];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut answer[filled..]).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if length(&answer[..filled]).is_some_and(|length| length <= filled) {
            return Ok(answer.starts_with(b"HTTP/1.1 200"));
        }
        if filled == answer.len() {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
}

/// How long an answer is, head and body, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let lines = answer[..head].split(|byte| *byte == b'\n');
    let mut named = lines.filter(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    let digits = named.next().and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok());
    Some(head + digits.and_then(|digits| digits.trim().parse::<usize>().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_its_head_says() {
        assert_eq!(length(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Some(40));
        assert_eq!(length(b"HTTP/1.1 200 OK\r\ncontent-length:17\r\n\r\n"), Some(55));
        assert_eq!(length(b"HTTP/1.1 204 No Content\r\n\r\n"), Some(27));
        assert_eq!(length(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"), None);
    }
}

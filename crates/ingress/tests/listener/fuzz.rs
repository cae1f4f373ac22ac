//! Heads and bodies with anything changed, over a real socket: each is answered or closed in time, and a good one after it is
//! accepted.

use std::net::SocketAddr;
use std::time::Duration;

use afluente_testkit::fuzz::{fuzz, mutated};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, chunked, post, signed};
use crate::site::Site;
use afluente_ingress::Limits;

const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" ",
    b":",
    b"\0",
    b"\xff",
    b"POST ",
    b"GET ",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b" HTTP/2",
    b"Content-Length: 0\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Content-Encoding: gzip\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    b"\x16\x03\x01",
    b"/webhooks/stripe/main",
    b"%2e%2e/",
    b"?",
    b"#",
    b"Upgrade: h2c\r\n",
    b"Stripe-Signature: t=1,v1=00\r\n",
];

#[test]
fn whatever_comes_is_answered_or_closed_and_the_next_one_is_served() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let limits = Limits {
        header_read: Duration::from_millis(100),
        keep_alive_idle: Duration::from_millis(100),
        body_read: Duration::from_millis(100),
        body_idle: Duration::from_millis(100),
        linger: Duration::from_millis(50),
        unproved_per_second: 1_000_000,
        unproved_per_second_by_address: 1_000_000,
        ..Limits::default()
    };
    let site = runtime.block_on(Site::with_limits(limits));
    let good = [signed(b"{\"a\":1}"), chunked(b"{\"a\":2}", 3), post("/webhooks/stripe/nobody", &[], b"{}")];
    let address = site.address;
    fuzz("heads and bodies, 128 connections at once", |random| {
        let sent: Vec<Sent> = (0..128).map(|_| Sent::of(random, &good)).collect();
        runtime.block_on(futures_util::future::join_all(sent.iter().map(|one| one.is_answered(address))));
    });
    let answer = runtime.block_on(async { Client::connect(address).await.call(signed(b"{\"last\":1}")).await });
    assert_eq!(answer.status, 200);
    runtime.block_on(site.close());
}

/// What one connection brings.
struct Sent {
    bytes: Vec<u8>,
    /// Whether it comes in two pieces.
    pauses: bool,
    /// Whether it says that nothing more comes.
    finishes: bool,
}

impl Sent {
    fn of(random: &mut StdRng, good: &[Vec<u8>]) -> Sent {
        let which = random.random_range(0..good.len());
        let mut bytes = mutated(random, &good[which], WORDS);
        if random.random_bool(0.3) {
            bytes.extend(signed(b"{}"));
        }
        Sent { bytes, pauses: random.random_bool(0.05), finishes: random.random_bool(0.5) }
    }

    async fn is_answered(&self, address: SocketAddr) {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let cut = if self.pauses { self.bytes.len() / 2 } else { self.bytes.len() };
        // A server that closed early breaks this, which is an answer as well.
        let _ = stream.write_all(&self.bytes[..cut]).await;
        if self.pauses {
            // Whoever reads has its turn in between.
            tokio::task::yield_now().await;
            let _ = stream.write_all(&self.bytes[cut..]).await;
        }
        if self.finishes {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(4), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "neither answered nor closed: {:?}", String::from_utf8_lossy(&self.bytes));
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    }
}

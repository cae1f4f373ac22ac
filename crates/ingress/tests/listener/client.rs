//! A caller that sends bytes and reads bytes.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::site::{NOON, SECRET};

/// Long enough for any machine; a test that gets here has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What bytes go over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

pub(crate) struct Client {
    stream: Box<dyn Wire>,
    read: Vec<u8>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The `error` word of a JSON answer.
    pub(crate) fn error(&self) -> String {
        let line: serde_json::Value = serde_json::from_str(&self.body).expect("the body is JSON");
        assert!(line["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        assert!(!self.body.contains('\n') && self.has("content-type: application/json"), "{self:?}");
        line["error"].as_str().expect("the body has an error word").to_owned()
    }

    pub(crate) fn has(&self, header: &str) -> bool {
        self.head.lines().any(|line| line.eq_ignore_ascii_case(header))
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        let stream =
            timeout(DEADLINE, TcpStream::connect(address)).await.expect("connected in time").expect("connected");
        Client::over(stream)
    }

    pub(crate) fn over(stream: impl Wire + 'static) -> Client {
        Client { stream: Box::new(stream), read: Vec::new() }
    }

    /// What it was made over.
    pub(crate) fn into_wire(self) -> Box<dyn Wire> {
        self.stream
    }

    /// Sends; a server that has answered and closed already may break this, which reading the answer then shows.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = timeout(DEADLINE, self.stream.write_all(bytes.as_ref())).await.expect("sent in time");
    }

    /// Sends without reading; `false` once the server has closed.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.expect("half-closed");
    }

    /// The next answer; `None` if the server closed instead.
    pub(crate) async fn try_answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = self.take_answer() {
                return Some(answer);
            }
            let read = timeout(DEADLINE, self.stream.read_buf(&mut self.read)).await.expect("an answer in time");
            if read.unwrap_or(0) == 0 {
                assert!(self.read.is_empty(), "closed in the middle of an answer: {:?}", self.read);
                return None;
            }
        }
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer rather than a closed connection")
    }

    pub(crate) async fn call(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await
    }

    /// Everything up to the end of the connection, where an answer has no body though it says how long it would be.
    pub(crate) async fn head_alone(&mut self) -> String {
        timeout(DEADLINE, self.stream.read_to_end(&mut self.read)).await.expect("closed in time").expect("read");
        String::from_utf8(std::mem::take(&mut self.read)).expect("a head of text")
    }

    /// Whether the server closes the connection without another byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.try_answer().await.is_none()
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let end = self.read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.read[..end].to_vec()).expect("a head of text");
        let status = head[9..12].parse().expect("a status");
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let whole = end + if status == 100 { 0 } else { length.unwrap_or(0) };
        if self.read.len() < whole {
            return None;
        }
        let body = String::from_utf8(self.read[end..whole].to_vec()).expect("a body of text");
        self.read.drain(..whole);
        Some(Answer { status, head, body })
    }
}

/// The signature header's value for a body, by the scheme of the Stripe sheet.
pub(crate) fn signature(body: &[u8], secret: &str, seconds: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let mut header = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        write!(header, "{byte:02x}").expect("a text takes text");
    }
    header
}

/// A well-signed request for the account `main`.
pub(crate) fn signed(body: &[u8]) -> Vec<u8> {
    signed_with(body, SECRET)
}

pub(crate) fn signed_with(body: &[u8], secret: &str) -> Vec<u8> {
    post("/webhooks/stripe/main", &[("Stripe-Signature", &signature(body, secret, NOON))], body)
}

/// A POST with a JSON content type and these headers.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let all = [("Content-Type", "application/json"), ("Content-Length", length.as_str())];
    request("POST", path, &[&all, headers].concat(), body)
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: afluente\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// A signed request whose body comes in chunks of this size.
pub(crate) fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let headers = [
        ("Content-Type", "application/json"),
        ("Transfer-Encoding", "chunked"),
        ("Stripe-Signature", &signature(body, SECRET, NOON)),
    ];
    let mut bytes = request("POST", "/webhooks/stripe/main", &headers, b"");
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

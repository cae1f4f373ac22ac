//! HTTP as bytes on a socket, so that a test decides every one of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status; 0 if the connection ended without one.
    pub status: u16,
    /// Everything that came, head and body.
    pub text: String,
}

impl Answer {
    /// Whether the delivery was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends bytes and reads until the peer closes or nothing comes for a while.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let Ok(mut stream) = TcpStream::connect(address) else { return Answer::default() };
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    read_answer(&mut stream)
}

fn read_answer(stream: &mut TcpStream) -> Answer {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        bytes.extend_from_slice(&part[..read]);
        if is_whole(&bytes) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, text }
}

/// Whether the head and as much body as it announces are there.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let announced =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    announced.is_none_or(|length: usize| body.len() >= length)
}

/// A request with these headers and body, as text on the wire.
#[must_use]
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Posts a body with headers; the answer's status is 0 if there was none.
#[must_use]
pub fn send(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    exchange(address, &post(path, headers, body))
}

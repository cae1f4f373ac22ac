//! hyper answers a head it cannot read by itself, with a status and nothing else. Before the first request of a connection
//! nobody but hyper has anything to write: what it writes then is held back, and its status told with our own words.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::Pulse;
use crate::stream::Stream;

/// A connection that says nothing until a request has begun.
pub(crate) struct Muted {
    stream: Stream,
    pulse: Arc<Pulse>,
    held_back: Option<StatusCode>,
}

impl Muted {
    pub(crate) fn new(stream: Stream, pulse: &Arc<Pulse>) -> Muted {
        Muted { stream, pulse: Arc::clone(pulse), held_back: None }
    }

    /// The connection, and the status of the answer that was held back.
    pub(crate) fn into_parts(self) -> (Stream, Option<StatusCode>) {
        (self.stream, self.held_back)
    }
}

/// The status of an answer's first line, `HTTP/1.1 431 …`.
fn status(answer: &[u8]) -> Option<StatusCode> {
    StatusCode::from_bytes(answer.get(9..12)?).ok()
}

impl AsyncRead for Muted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Muted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.pulse.has_begun() {
            return Pin::new(&mut self.stream).poll_write(cx, buf);
        }
        self.held_back = self.held_back.or_else(|| status(buf));
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.pulse.has_begun() {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        }
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.held_back = self.held_back.or_else(|| first.and_then(|buf| status(buf)));
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Before the first request there is something left to say: the write side stays open for it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pulse.has_begun() { Pin::new(&mut self.stream).poll_shutdown(cx) } else { Poll::Ready(Ok(())) }
    }
}

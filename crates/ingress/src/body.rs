//! Reading one body under a limit, a budget and two deadlines.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::reply::Refusal;

/// How one body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// The most it may hold.
    pub(crate) bytes: usize,
    /// From now to its end.
    pub(crate) whole: Duration,
    /// From one piece to the next.
    pub(crate) idle: Duration,
}

/// Bytes that hold their share of the budget until the last copy of them is gone, wherever that is: a request that no
/// longer waits for the queue still has its body there.
struct Counted {
    bytes: Bytes,
    _share: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the body, byte for byte as it came; one piece is not copied. The budget is taken piece by piece for what has
/// arrived, so that announcing a large body costs others nothing, and is given back with the last copy of the bytes.
pub(crate) async fn read(body: &mut Incoming, limits: BodyLimits, budget: &Arc<Semaphore>) -> Result<Bytes, Refusal> {
    let end = Instant::now() + limits.whole;
    let mut share = take(budget, 0)?;
    let mut bytes = Bytes::new();
    while let Some(piece) = next_piece(body, end, limits.idle).await? {
        if piece.len() > limits.bytes - bytes.len() {
            return Err(Refusal::TooLarge { limit_bytes: limits.bytes });
        }
        share.merge(take(budget, piece.len())?);
        bytes = joined(bytes, piece);
    }
    Ok(Bytes::from_owner(Counted { bytes, _share: share }))
}

/// The next piece with something in it; `None` at the end. Trailers are read and forgotten: no signature covers them.
async fn next_piece(body: &mut Incoming, end: Instant, idle: Duration) -> Result<Option<Bytes>, Refusal> {
    while !body.is_end_stream() {
        let deadline = end.min(Instant::now() + idle);
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Refusal::SlowBody),
            Ok(Some(Err(_))) => return Err(Refusal::BrokenBody),
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) if !piece.is_empty() => return Ok(Some(piece)),
                Ok(_) | Err(_) => {}
            },
        }
    }
    Ok(None)
}

fn take(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let permits = u32::try_from(bytes).map_err(|_| Refusal::Busy)?;
    Arc::clone(budget).try_acquire_many_owned(permits).map_err(|_| Refusal::Busy)
}

/// Growing by doubling: the buffer of the first join is ours alone, so later joins append to it in place.
fn joined(head: Bytes, piece: Bytes) -> Bytes {
    if head.is_empty() {
        return piece;
    }
    let mut whole = head.try_into_mut().unwrap_or_else(|shared| {
        let mut whole = BytesMut::with_capacity(2 * (shared.len() + piece.len()));
        whole.extend_from_slice(&shared);
        whole
    });
    whole.extend_from_slice(&piece);
    whole.freeze()
}

/// Reads what has arrived of a body nobody wants, so that the connection can be used again; `false` if more is to come.
pub(crate) async fn discard_arrived(body: &mut Incoming) -> bool {
    poll_fn(|context| {
        while !body.is_end_stream() {
            match Pin::new(&mut *body).poll_frame(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(_))) | Poll::Pending => return Poll::Ready(false),
            }
        }
        Poll::Ready(true)
    })
    .await
}

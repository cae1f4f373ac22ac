//! Dead letters: deliveries that could not be handled, kept sealed as they came, with a reason.

use afluente_model::{DeliveryId, Timestamp};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::{Blob, Input, Slice, Statement, hex, statement};

static INSERT: Statement = statement!("dead_letters_insert");
static SETTLE: Statement = statement!("dead_letters_settle");

/// Declares the reasons with their words in one place.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)+) => {
        /// Why a delivery could not be handled.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DeadReason { $($(#[$doc])* $variant,)+ }

        impl DeadReason {
            /// Every reason.
            pub const ALL: &'static [DeadReason] = &[$(DeadReason::$variant,)+];

            /// The word stored in the ledger and used as a metric label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(DeadReason::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for DeadReason {
            type Err = String;
            fn from_str(word: &str) -> Result<DeadReason, String> {
                match word {
                    $($word => Ok(DeadReason::$variant),)+
                    _ => Err(format!("expected one of {}, got {word:?}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

reasons! {
    /// Not a message of ours, a broken seal, or a wire version we do not read.
    Undecodable => "undecodable",
    /// Proved, but not what the gateway documents: no retry helps.
    Malformed => "malformed",
    /// Its account is not in the configuration any more.
    UnknownAccount => "unknown_account",
    /// The gateway's clock ran more than five minutes ahead of ours. Replaying releases it.
    FutureDated => "future_dated",
    /// The ledger refused its rows.
    Refused => "refused",
    /// It was tried on every rung of the ladder.
    Exhausted => "exhausted",
    /// Handling it panicked: a bug of ours.
    Panicked => "panicked",
}

/// Where a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadState {
    /// Waits for somebody.
    Open,
    /// Went back to the queue.
    Replayed,
    /// Given up with a reason.
    Discarded,
}

impl DeadState {
    /// The word stored in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DeadState::Open => "OPEN",
            DeadState::Replayed => "REPLAYED",
            DeadState::Discarded => "DISCARDED",
        }
    }
}

/// A delivery on its way into the dead letters.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// UUIDv7, ours.
    pub id: Uuid,
    /// The delivery, as far as it could be read.
    pub delivery_id: DeliveryId,
    /// The gateway's slug.
    pub gateway: &'static str,
    /// The account, if it could be read.
    pub account: Option<Box<str>>,
    /// Why.
    pub reason: DeadReason,
    /// The whole chain of causes, without anything from the payload.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was received, or first taken if that cannot be read.
    pub first_seen_at: Timestamp,
    /// The sealed head, as it came off the queue.
    pub head: Bytes,
    /// The body, byte for byte.
    pub body: Bytes,
}

#[derive(Serialize)]
struct DeadInput<'a> {
    id: String,
    delivery_id: String,
    gateway: &'static str,
    account: Option<&'a str>,
    reason: &'static str,
    error: &'a str,
    attempts: u32,
    first_seen_at: i64,
    now: i64,
    hash: String,
    head_off: usize,
    head_len: usize,
    #[serde(flatten)]
    body: Slice,
}

#[derive(Serialize)]
struct SettleInput<'a> {
    id: String,
    state: &'static str,
    by: &'a str,
    because: &'a str,
    now: i64,
}

impl Tx {
    /// Buries deliveries. One that lies there open already with the same body (its message came again) is counted up; another
    /// body under the same id is a letter of its own.
    pub async fn bury(&mut self, letters: &[DeadLetter], now: Timestamp) -> Result<(), StoreError> {
        let mut blob = Blob::default();
        let rows: Vec<DeadInput<'_>> = letters
            .iter()
            .map(|letter| {
                let head = blob.push(&letter.head);
                DeadInput {
                    id: hex(letter.id.as_bytes()),
                    delivery_id: hex(letter.delivery_id.0.as_bytes()),
                    gateway: letter.gateway,
                    account: letter.account.as_deref(),
                    reason: letter.reason.as_str(),
                    error: &letter.error,
                    attempts: letter.attempts,
                    first_seen_at: letter.first_seen_at.as_micros(),
                    now: now.as_micros(),
                    hash: hex(&Sha256::digest(&letter.body)),
                    head_off: head.off,
                    head_len: head.len,
                    body: blob.push(&letter.body),
                }
            })
            .collect();
        self.execute(&INSERT, Input::with_blob(&rows, blob.into_bytes())).await?;
        Ok(())
    }

    /// Settles open dead letters; returns those that were open. Two operators at once: one of them settles each.
    pub async fn settle_dead(
        &mut self,
        ids: &[Uuid],
        state: DeadState,
        by: &str,
        because: &str,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<SettleInput<'_>> = ids
            .iter()
            .map(|id| SettleInput { id: hex(id.as_bytes()), state: state.as_str(), by, because, now: now.as_micros() })
            .collect();
        let settled: Vec<(Uuid,)> = self.fetch(&SETTLE, Input::of(&rows)).await?;
        Ok(settled.into_iter().map(|(id,)| id).collect())
    }
}

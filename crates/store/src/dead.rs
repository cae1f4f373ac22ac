//! Dead letters: deliveries that could not be handled, kept sealed as they came, with a reason.

use afluente_model::{DeliveryId, Timestamp};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::backend::Tx;
use crate::error::StoreError;
use crate::input::Blob;
use crate::rows::rows;

rows! {
    struct DeadInput<'a> {
        id: uuid,
        delivery_id: uuid,
        gateway: text,
        account: opt text,
        reason: text,
        error: text,
        attempts: int,
        first_seen_at: moment,
        now: moment,
        seen: int,
        body_bytes: int,
        body_hash: hash,
        head: bytes,
        body: bytes,
    }
    INSERT = "dead_letters_insert";
}

rows! {
    struct SettleInput<'a> {
        id: uuid,
        state: text,
        settled_by: text,
        settled_because: text,
        now: moment,
    }
    SETTLE = "dead_letters_settle";
}

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

impl Tx {
    /// Buries deliveries. One that lies there open already with the same body (its message came again) is counted up; another
    /// body under the same id is a letter of its own.
    pub async fn bury(&mut self, letters: &[DeadLetter], now: Timestamp) -> Result<(), StoreError> {
        let mut blob = Blob::default();
        let mut rows: Vec<DeadInput<'_>> =
            letters.iter().map(|letter| input(letter, &mut blob, now)).collect::<Result<_, _>>()?;
        rows.sort_by_key(|row| (row.delivery_id, row.body_hash));
        // One statement may not change a row twice: the same letter in one batch is one row that was seen more often.
        rows.dedup_by(|next, first| {
            let same = (next.delivery_id, next.body_hash) == (first.delivery_id, first.body_hash);
            if same {
                (first.seen, first.reason, first.error, first.attempts) =
                    (first.seen + 1, next.reason, next.error, next.attempts);
            }
            same
        });
        self.execute_with(&INSERT, &rows, Some(blob)).await?;
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
            .map(|id| SettleInput {
                id: (*id).into(),
                state: state.as_str(),
                settled_by: by,
                settled_because: because,
                now: now.into(),
            })
            .collect();
        let settled: Vec<(Uuid,)> = self.fetch(&SETTLE, &rows).await?;
        Ok(settled.into_iter().map(|(id,)| id).collect())
    }
}

fn input<'a>(letter: &'a DeadLetter, blob: &mut Blob<'a>, now: Timestamp) -> Result<DeadInput<'a>, StoreError> {
    Ok(DeadInput {
        id: letter.id.into(),
        delivery_id: letter.delivery_id.0.into(),
        gateway: letter.gateway,
        account: letter.account.as_deref(),
        reason: letter.reason.as_str(),
        error: &letter.error,
        attempts: letter.attempts.into(),
        first_seen_at: letter.first_seen_at.into(),
        now: now.into(),
        seen: 1,
        body_bytes: i64::try_from(letter.body.len()).unwrap_or(i64::MAX),
        body_hash: <[u8; 32]>::from(Sha256::digest(&letter.body)).into(),
        head: blob.push(&letter.head)?,
        body: blob.push(&letter.body)?,
    })
}

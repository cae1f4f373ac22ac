//! What was published and is not confirmed, and who waits for it.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use afluente_model::DeliveryId;
use lapin::Confirmation;
use tokio::sync::oneshot;

use super::link::said;
use super::message::id_of;
use crate::error::PublishError;
use crate::wire::Sealed;

/// What RabbitMQ 4 takes unless told otherwise. A larger message would end the channel, and with it what is under way there.
const LIMIT_BYTES: u64 = 16 << 20;

/// Who waits, and is told once.
pub(super) type Reply = oneshot::Sender<Result<(), PublishError>>;

/// A message the broker has and has not confirmed.
struct Open {
    id: DeliveryId,
    sent: Instant,
    reply: Reply,
}

/// Who waits for which confirm, the oldest first.
pub(super) struct Window {
    open: BTreeMap<u64, Open>,
    next: u64,
    /// What came back and has not been answered: a return may come with the confirm of another, long before its own.
    returned: HashSet<DeliveryId>,
}

impl Window {
    pub(super) fn new() -> Window {
        Window { open: BTreeMap::new(), next: 0, returned: HashSet::new() }
    }

    /// A number for a message to be sent. Whoever has stopped waiting has told its sender that we do not have the message, so
    /// it is not.
    pub(super) fn admit(&mut self, message: &Sealed, reply: Reply) -> Option<u64> {
        if reply.is_closed() {
            return None;
        }
        let message_bytes = message.size();
        if message_bytes > LIMIT_BYTES {
            let _ = reply.send(Err(PublishError::TooLarge { message_bytes, limit_bytes: LIMIT_BYTES }));
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.open.insert(number, Open { id: message.id, sent: Instant::now(), reply });
        Some(number)
    }

    /// Answers confirms; the error of one ends the channel.
    pub(super) fn confirmed(&mut self, ready: Vec<(u64, lapin::Result<Confirmation>)>) -> Option<lapin::Error> {
        self.returned.extend(ready.iter().filter_map(|(_, confirmed)| returned(confirmed)));
        let mut broken = None;
        for (number, confirmed) in ready {
            let outcome = match confirmed {
                Ok(Confirmation::Ack(_)) => Ok(()),
                Ok(Confirmation::Nack(_)) => Err(PublishError::Nacked),
                Ok(Confirmation::NotRequested) => Err(PublishError::Lost { why: "confirms are off".into() }),
                Err(error) => {
                    let why = said(&error).into();
                    broken.get_or_insert(error);
                    Err(PublishError::Lost { why })
                }
            };
            // Who was given up on meanwhile has had an answer.
            let Some(open) = self.open.remove(&number) else { continue };
            let was_returned = self.returned.remove(&open.id) && outcome.is_ok();
            let _ = open.reply.send(if was_returned { Err(PublishError::Returned) } else { outcome });
        }
        broken
    }

    /// When the oldest was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.open.values().next().map(|oldest| oldest.sent)
    }

    /// Stops waiting for what was sent too long ago.
    pub(super) fn give_up(&mut self, after: Duration) {
        while let Some(oldest) = self.open.first_entry().filter(|oldest| oldest.get().sent.elapsed() >= after) {
            let _ = oldest.remove().reply.send(Err(PublishError::TimedOut { after }));
        }
    }

    /// The channel is gone: nobody knows what the broker has.
    pub(super) fn fail(&mut self, why: &str) {
        for open in std::mem::take(&mut self.open).into_values() {
            let _ = open.reply.send(Err(PublishError::Lost { why: why.into() }));
        }
    }
}

fn returned(confirmed: &lapin::Result<Confirmation>) -> Option<DeliveryId> {
    match confirmed {
        Ok(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) => id_of(&message.delivery.properties),
        _ => None,
    }
}

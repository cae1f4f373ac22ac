//! A batch off the queue and read, not yet written.

use std::sync::Arc;

use afluente_queue::{Received, SealKeys};

use crate::account::Accounts;
use crate::prepare::{Prepared, prepare_all};

/// Messages and what each says. Whoever drops it unwritten gives the messages back as they were: none has been tried.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    messages: Vec<Received>,
    prepared: Vec<Option<Prepared>>,
}

impl Taken {
    /// Reads messages with these accounts: those of a moment after they were taken, or one could be new to the reader.
    pub(crate) async fn read(messages: Vec<Received>, accounts: &Arc<Accounts>, keys: &Arc<SealKeys>) -> Taken {
        let mut taken = Taken { messages, prepared: Vec::new() };
        taken.prepared = prepare_all(&taken.messages, accounts, keys).await;
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// To be written, and settled by whoever does.
    pub(crate) fn into_parts(mut self) -> (Vec<Received>, Vec<Option<Prepared>>) {
        (std::mem::take(&mut self.messages), std::mem::take(&mut self.prepared))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.messages.drain(..).for_each(Received::release);
    }
}

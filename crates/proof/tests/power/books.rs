//! What is known of a queue from outside: what was promised, and what may be either way since the power went.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// A message as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) attempt: u32,
    pub(crate) body: Vec<u8>,
}

/// What a publisher and a worker know. Ids are numbers.
#[derive(Default)]
pub(crate) struct Books {
    bodies: BTreeMap<u128, Vec<u8>>,
    /// Published, and said to be so; with the attempts it must have come back with.
    held: BTreeMap<u128, u32>,
    /// Published without an answer.
    sent: BTreeSet<u128>,
    /// Settled without an answer.
    ending: BTreeSet<u128>,
    /// Settled, and said to be so.
    gone: BTreeSet<u128>,
}

impl Books {
    pub(crate) fn send(&mut self, id: u128, body: Vec<u8>) {
        self.bodies.insert(id, body);
        self.sent.insert(id);
    }

    pub(crate) fn stored(&mut self, id: u128) {
        self.sent.remove(&id);
        self.held.insert(id, 0);
    }

    /// Whoever is told to come back later stays what it is, one attempt higher once that is said to be written.
    pub(crate) fn delayed(&mut self, id: u128) {
        if let Some(attempts) = self.held.get_mut(&id) {
            *attempts += 1;
        }
    }

    pub(crate) fn end(&mut self, id: u128) {
        self.ending.insert(id);
    }

    pub(crate) fn ended(&mut self, id: u128) {
        self.ending.remove(&id);
        self.held.remove(&id);
        self.gone.insert(id);
    }

    pub(crate) fn promised(&self) -> usize {
        self.held.len() + self.gone.len()
    }

    /// Holds what is there against what was promised, and takes over whatever the cut decided.
    pub(crate) fn check(&mut self, found: Vec<(u128, Found)>) -> Result<(), String> {
        let rows = found.len();
        let found: BTreeMap<u128, Found> = found.into_iter().collect();
        if found.len() < rows {
            return Err(format!("{} messages are there twice", rows - found.len()));
        }
        let (ending, mut sent) = (std::mem::take(&mut self.ending), std::mem::take(&mut self.sent));
        for (id, attempts) in &self.held {
            match found.get(id) {
                None if ending.contains(id) => {}
                None => return Err(format!("message {id} was acknowledged and is lost")),
                Some(Found { attempt, .. }) if attempt < attempts => {
                    return Err(format!("message {id} came back {attempts} times, its row says {attempt}"));
                }
                Some(_) => {}
            }
        }
        for (id, Found { attempt, body }) in &found {
            if self.gone.contains(id) {
                return Err(format!("message {id} was settled and is there again"));
            }
            if self.bodies.get(id) != Some(body) {
                return Err(format!("message {id} is not what was published"));
            }
            if sent.remove(id) {
                self.held.insert(*id, 0);
            }
            self.held.insert(*id, *attempt);
        }
        for id in ending.into_iter().filter(|id| !found.contains_key(id)) {
            self.ended(id);
        }
        Ok(())
    }
}

/// The messages in a queue's file.
pub(crate) fn look(path: &Path) -> Result<Vec<(u128, Found)>, String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let mut rows = connection.prepare("select id, attempt, body from messages").map_err(failed)?;
    let mut rows = rows.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let id: Vec<u8> = row.get(0).map_err(failed)?;
        let id = id.iter().fold(0, |id, byte| id << 8 | u128::from(*byte));
        let message = Found { attempt: row.get(1).map_err(failed)?, body: row.get(2).map_err(failed)? };
        found.push((id, message));
    }
    Ok(found)
}

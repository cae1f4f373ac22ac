//! What the processes and the disks of the protocol hold, and what a step makes of it.

use crate::system::{Action, DELIVERIES, LOCKS, RETRIES, System, Twin, WORKERS};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) publishers: [Publisher; DELIVERIES],
    pub(crate) messages: Vec<Message>,
    pub(crate) workers: [Option<Job>; WORKERS],
    pub(crate) locks: [Option<usize>; LOCKS],
    /// How often a delivery took effect, whether its receipt is there, what became of its letter.
    pub(crate) ledger: [Entry; DELIVERIES],
    pub(crate) faults: u8,
    pub(crate) repeats: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Publisher {
    pub(crate) answered: bool,
    pub(crate) stage: Stage,
    pub(crate) spool: Spool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    #[default]
    Idle,
    Received,
    /// The broker has it and did not confirm yet.
    Published,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Spool {
    #[default]
    Empty,
    Stored,
    /// The broker has it as well, and did not confirm yet.
    Drained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Message {
    pub(crate) delivery: usize,
    pub(crate) attempt: u8,
    pub(crate) delayed: bool,
    pub(crate) holder: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) delivery: usize,
    pub(crate) attempt: u8,
    pub(crate) step: Step,
    /// The broker knows the worker as its holder.
    pub(crate) holds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// So many locks are held.
    Locking(usize),
    /// It failed for the moment.
    Failed,
    /// Whatever is to be durable is.
    Done,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) effects: u8,
    pub(crate) receipt: bool,
    pub(crate) letter: Letter,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Letter {
    #[default]
    None,
    Open,
    /// The broker has its message, the letter is still open.
    Sent,
    /// The letter is closed, the broker has no message yet. Only of a twin.
    Unsent,
    Closed,
}

impl State {
    fn send(&mut self, delivery: usize, attempt: u8, delayed: bool) {
        self.messages.push(Message { delivery, attempt, delayed, holder: None });
        self.messages.sort_unstable();
    }

    fn job(&mut self, worker: usize) -> Option<&mut Job> {
        self.workers[worker].as_mut()
    }

    fn unlock(&mut self, worker: usize) {
        self.locks.iter_mut().filter(|lock| **lock == Some(worker)).for_each(|lock| *lock = None);
    }

    /// What a worker holds is handed out again, or removed.
    fn give_back(&mut self, worker: usize, removed: bool) {
        let Some(at) = self.messages.iter().position(|message| message.holder == Some(worker)) else { return };
        if removed {
            self.messages.remove(at);
        } else {
            self.messages[at].holder = None;
            self.messages.sort_unstable();
        }
    }

    pub(crate) fn publish(&mut self, system: System, index: usize, action: Action) {
        let twin_answers = system.twin == Twin::AnswersFirst;
        let publisher = &mut self.publishers[index];
        match action {
            Action::Receive(_) => {
                self.repeats -= u8::from(publisher.answered);
                publisher.stage = Stage::Received;
                publisher.answered |= twin_answers;
            }
            Action::Publish(_) => publisher.stage = Stage::Published,
            Action::Confirm(_) => *publisher = Publisher { answered: true, stage: Stage::Idle, ..*publisher },
            Action::Spool(_) => *publisher = Publisher { answered: true, stage: Stage::Idle, spool: Spool::Stored },
            Action::Drain(_) => publisher.spool = Spool::Drained,
            Action::ConfirmDrained(_) => publisher.spool = Spool::Empty,
            Action::LoseConfirm(_) => publisher.stage = Stage::Received,
            _ => {
                publisher.stage = Stage::Idle;
                if publisher.spool == Spool::Drained {
                    publisher.spool = Spool::Stored;
                }
            }
        }
        if matches!(action, Action::Publish(_) | Action::Drain(_)) {
            self.send(index, 0, false);
        }
    }

    pub(crate) fn work(&mut self, system: System, worker: usize, action: Action) -> Option<()> {
        let job = *self.job(worker)?;
        let delivery = job.delivery;
        match (action, job.step) {
            (Action::Lock(_), Step::Locking(held)) => {
                self.locks[system.lock(delivery, held)] = Some(worker);
                self.job(worker)?.step = Step::Locking(held + 1);
            }
            (Action::Commit(_), _) => {
                let entry = &mut self.ledger[delivery];
                entry.effects += u8::from(!entry.receipt || system.twin == Twin::KeepsNoReceipts);
                entry.receipt = true;
                self.job(worker)?.step = Step::Done;
                self.unlock(worker);
            }
            (Action::FailCommit(_), _) => {
                self.unlock(worker);
                let buried = job.attempt >= RETRIES;
                if buried && !self.ledger[delivery].receipt {
                    self.ledger[delivery].letter = Letter::Open;
                }
                let skipped = system.twin == Twin::SkipsRetries;
                self.job(worker)?.step = if buried || skipped { Step::Done } else { Step::Failed };
            }
            (Action::StoreRetry(_), _) => {
                self.send(delivery, job.attempt + 1, true);
                self.job(worker)?.step = Step::Done;
            }
            (Action::Settle(_), Step::Locking(_)) => {
                self.give_back(worker, true);
                self.job(worker)?.holds = false;
            }
            (Action::Settle(_), _) => {
                self.give_back(worker, true);
                self.workers[worker] = None;
            }
            (Action::LoseConnection(_), _) => {
                self.give_back(worker, false);
                self.job(worker)?.holds = false;
            }
            (Action::CrashWorker(_), _) => {
                if system.twin != Twin::WakesNobody {
                    self.give_back(worker, false);
                }
                self.unlock(worker);
                self.workers[worker] = None;
            }
            _ => return None,
        }
        Some(())
    }

    pub(crate) fn desk(&mut self, system: System, delivery: usize, action: Action) {
        let letter = &mut self.ledger[delivery].letter;
        let (sends, next) = match (action, *letter) {
            (Action::Replay(_), _) if system.twin == Twin::ClosesFirst => (false, Letter::Unsent),
            (Action::Replay(_), _) => (true, Letter::Sent),
            (Action::CloseLetter(_), was) => (was == Letter::Unsent, Letter::Closed),
            (_, Letter::Unsent) => (false, Letter::Closed),
            _ => (false, Letter::Open),
        };
        *letter = next;
        if sends {
            self.send(delivery, 0, false);
        }
    }

    /// Somewhere that outlives every process.
    pub(crate) fn is_kept(&self, delivery: usize) -> bool {
        let entry = self.ledger[delivery];
        entry.receipt
            || matches!(entry.letter, Letter::Open | Letter::Sent)
            || self.publishers[delivery].spool != Spool::Empty
            || self.messages.iter().any(|message| message.delivery == delivery)
    }

    pub(crate) fn wait_for_each_other(&self, system: System) -> bool {
        let wants = |worker: usize| match self.workers[worker] {
            Some(Job { step: Step::Locking(held), delivery, .. }) if held < LOCKS => {
                self.locks[system.lock(delivery, held)]
            }
            _ => None,
        };
        wants(0) == Some(1) && wants(1) == Some(0)
    }
}

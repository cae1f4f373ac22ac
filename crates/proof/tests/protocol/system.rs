//! The protocol between a gateway's request and the ledger's row, every step that may be the last one of a process on its own.

use stateright::{Model, Property};

use crate::state::{Entry, Job, Letter, Message, Publisher, Spool, Stage, State, Step};

/// Deliveries, each with a publisher of its own.
pub(crate) const DELIVERIES: usize = 2;
pub(crate) const WORKERS: usize = 2;
/// Two names of payments and a row.
pub(crate) const LOCKS: usize = 3;
/// How often a message comes back before it is buried.
pub(crate) const RETRIES: u8 = 1;

/// What is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    None,
    /// The gateway is answered before anything is durable.
    AnswersFirst,
    /// A message is settled before its work is committed.
    SettlesFirst,
    /// What comes back later is settled and not stored again.
    SkipsRetries,
    /// No receipt is looked for.
    KeepsNoReceipts,
    /// A letter is closed before its message is sent.
    ClosesFirst,
    /// Locks are taken in the order in which they are met.
    LocksAsMet,
    /// What a dead worker held is handed to nobody.
    WakesNobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) twin: Twin,
    /// Crashes, lost connections, lost answers and failed commits, all together.
    pub(crate) faults: u8,
    /// Times a gateway sends what it was answered for.
    pub(crate) repeats: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Receive(usize),
    Publish(usize),
    Confirm(usize),
    Spool(usize),
    Drain(usize),
    ConfirmDrained(usize),
    Take(usize, usize),
    ComeBack(usize),
    Lock(usize),
    Commit(usize),
    StoreRetry(usize),
    Settle(usize),
    Replay(usize),
    CloseLetter(usize),
    /// From here on each costs a fault.
    LoseConfirm(usize),
    CrashPublisher(usize),
    CrashWorker(usize),
    LoseConnection(usize),
    FailCommit(usize),
    CrashDesk(usize),
}

impl Action {
    fn is_fault(self) -> bool {
        matches!(
            self,
            Action::Spool(_)
                | Action::LoseConfirm(_)
                | Action::CrashPublisher(_)
                | Action::CrashWorker(_)
                | Action::LoseConnection(_)
                | Action::FailCommit(_)
                | Action::CrashDesk(_)
        )
    }
}

impl System {
    /// Which lock a delivery takes as its nth. Names before rows, each in their order, whatever order they are met in.
    pub(crate) fn lock(self, delivery: usize, nth: usize) -> usize {
        let met = if delivery == 0 { nth } else { LOCKS - 1 - nth };
        if self.twin == Twin::LocksAsMet { met } else { nth }
    }

    /// What can happen without anything going wrong.
    fn steps(self, state: &State, steps: &mut Vec<Action>) {
        for (index, publisher) in state.publishers.iter().enumerate() {
            let Publisher { answered, stage, spool } = publisher;
            match stage {
                Stage::Idle if !answered || state.repeats > 0 => steps.push(Action::Receive(index)),
                Stage::Idle => {}
                Stage::Received => steps.push(Action::Publish(index)),
                Stage::Published => steps.push(Action::Confirm(index)),
            }
            match spool {
                Spool::Empty => {}
                Spool::Stored => steps.push(Action::Drain(index)),
                Spool::Drained => steps.push(Action::ConfirmDrained(index)),
            }
        }
        for (index, message) in state.messages.iter().enumerate() {
            if message.delayed {
                steps.push(Action::ComeBack(index));
            } else if message.holder.is_none() {
                let idle = (0..WORKERS).filter(|worker| state.workers[*worker].is_none());
                steps.extend(idle.map(|worker| Action::Take(worker, index)));
            }
        }
        for (worker, job) in state.workers.iter().enumerate() {
            let Some(job) = job else { continue };
            match job.step {
                Step::Locking(LOCKS) => steps.push(Action::Commit(worker)),
                Step::Locking(held) => {
                    if state.locks[self.lock(job.delivery, held)].is_none() {
                        steps.push(Action::Lock(worker));
                    }
                    if held == 0 && self.twin == Twin::SettlesFirst && job.holds {
                        steps.push(Action::Settle(worker));
                    }
                }
                Step::Failed => steps.push(Action::StoreRetry(worker)),
                Step::Done => steps.push(Action::Settle(worker)),
            }
        }
        for (delivery, entry) in state.ledger.iter().enumerate() {
            match entry.letter {
                Letter::Open => steps.push(Action::Replay(delivery)),
                Letter::Sent | Letter::Unsent => steps.push(Action::CloseLetter(delivery)),
                Letter::None | Letter::Closed => {}
            }
        }
    }

    fn faults(state: &State, faults: &mut Vec<Action>) {
        if state.faults == 0 {
            return;
        }
        for (index, publisher) in state.publishers.iter().enumerate() {
            match publisher.stage {
                Stage::Idle => {}
                Stage::Received if publisher.spool == Spool::Empty => faults.push(Action::Spool(index)),
                Stage::Received => {}
                Stage::Published => faults.push(Action::LoseConfirm(index)),
            }
            if publisher.stage != Stage::Idle || publisher.spool == Spool::Drained {
                faults.push(Action::CrashPublisher(index));
            }
        }
        for (worker, job) in state.workers.iter().enumerate() {
            let Some(job) = job else { continue };
            faults.push(Action::CrashWorker(worker));
            if job.holds {
                faults.push(Action::LoseConnection(worker));
            }
            if job.step == Step::Locking(LOCKS) {
                faults.push(Action::FailCommit(worker));
            }
        }
        let acting = |letter| matches!(letter, Letter::Sent | Letter::Unsent);
        faults.extend((0..DELIVERIES).filter(|of| acting(state.ledger[*of].letter)).map(Action::CrashDesk));
    }
}

pub(crate) const KEPT: &str = "what was answered for is kept";
pub(crate) const ONCE: &str = "nothing takes effect twice";
pub(crate) const LETTERS: &str = "a letter is closed once its message is on its way";
pub(crate) const LOCKED: &str = "nobody waits for whoever waits for him";
pub(crate) const IN_THE_END: &str = "when nothing is left to do everything took effect";

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            publishers: [Publisher::default(); DELIVERIES],
            messages: Vec::new(),
            workers: [None; WORKERS],
            locks: [None; LOCKS],
            ledger: [Entry::default(); DELIVERIES],
            faults: self.faults,
            repeats: self.repeats,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.steps(state, actions);
        System::faults(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.faults -= u8::from(action.is_fault());
        match action {
            Action::Receive(index)
            | Action::Publish(index)
            | Action::Confirm(index)
            | Action::Spool(index)
            | Action::Drain(index)
            | Action::ConfirmDrained(index)
            | Action::LoseConfirm(index)
            | Action::CrashPublisher(index) => state.publish(*self, index, action),
            Action::Take(worker, index) => {
                let Message { delivery, attempt, .. } = state.messages[index];
                state.messages[index].holder = Some(worker);
                state.messages.sort_unstable();
                state.workers[worker] = Some(Job { delivery, attempt, step: Step::Locking(0), holds: true });
            }
            Action::ComeBack(index) => {
                state.messages[index].delayed = false;
                state.messages.sort_unstable();
            }
            Action::Replay(delivery) | Action::CloseLetter(delivery) | Action::CrashDesk(delivery) => {
                state.desk(*self, delivery, action);
            }
            Action::Lock(worker)
            | Action::Commit(worker)
            | Action::StoreRetry(worker)
            | Action::Settle(worker)
            | Action::CrashWorker(worker)
            | Action::LoseConnection(worker)
            | Action::FailCommit(worker) => state.work(*self, worker, action)?,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<System>> {
        vec![
            Property::always(KEPT, |_, state: &State| {
                (0..DELIVERIES).all(|delivery| !state.publishers[delivery].answered || state.is_kept(delivery))
            }),
            Property::always(ONCE, |_, state: &State| state.ledger.iter().all(|entry| entry.effects <= 1)),
            Property::always(LETTERS, |_, state: &State| {
                let closed =
                    |delivery: &usize| matches!(state.ledger[*delivery].letter, Letter::Closed | Letter::Unsent);
                (0..DELIVERIES).filter(closed).all(|delivery| state.is_kept(delivery))
            }),
            Property::always(LOCKED, |system: &System, state: &State| !state.wait_for_each_other(*system)),
            Property::always(IN_THE_END, |system: &System, state: &State| {
                let mut left = Vec::new();
                system.steps(state, &mut left);
                let done = |entry: &Entry| entry.effects == 1 && !matches!(entry.letter, Letter::Open | Letter::Sent);
                !left.is_empty() || (state.ledger.iter().all(done) && state.messages.is_empty())
            }),
        ]
    }
}

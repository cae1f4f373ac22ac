//! Who is next: the messages of each gateway that are ready, delayed or in flight. Only numbers; the bytes are in the file.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use afluente_model::Gateway;

use super::lease::Ticket;
use super::shared::Signal;
use crate::settlement::Depth;

#[derive(Default)]
struct Line {
    /// By place in the file, so that the oldest is first whatever made it wait: size, and how often it came back.
    ready: BTreeMap<i64, (u32, u32)>,
    delayed: u64,
    in_flight: HashSet<i64>,
    bytes: u64,
}

/// All lines.
pub(crate) struct Lines {
    by_gateway: Vec<(Gateway, Line)>,
    /// By due time, then place.
    delayed: BTreeSet<(i64, i64, Gateway, u32, u32)>,
    turn: usize,
}

impl Lines {
    pub(crate) fn new() -> Lines {
        Lines {
            by_gateway: Gateway::ALL.iter().map(|gateway| (*gateway, Line::default())).collect(),
            delayed: BTreeSet::new(),
            turn: 0,
        }
    }

    fn line(&mut self, gateway: Gateway) -> &mut Line {
        let at = Gateway::ALL.iter().position(|other| *other == gateway).unwrap_or(0);
        &mut self.by_gateway[at].1
    }

    /// What is in somebody's hands, by its place in the file.
    pub(crate) fn in_flight(&self) -> HashSet<i64> {
        self.by_gateway.iter().flat_map(|(_, line)| &line.in_flight).copied().collect()
    }

    /// A message that was found in the file while somebody works on it.
    pub(crate) fn hold(&mut self, ticket: Ticket) {
        let line = self.line(ticket.gateway);
        line.bytes += u64::from(ticket.size);
        line.in_flight.insert(ticket.seq);
    }

    /// A message that came in, or was found in the file.
    pub(crate) fn add(&mut self, ticket: Ticket, attempt: u32, due_at: i64) {
        self.line(ticket.gateway).bytes += u64::from(ticket.size);
        self.put(ticket, attempt, due_at);
    }

    fn put(&mut self, ticket: Ticket, attempt: u32, due_at: i64) {
        if due_at == 0 {
            self.line(ticket.gateway).ready.insert(ticket.seq, (ticket.size, attempt));
        } else {
            self.line(ticket.gateway).delayed += 1;
            self.delayed.insert((due_at, ticket.seq, ticket.gateway, ticket.size, attempt));
        }
    }

    /// The next ones, one gateway after the other, so that a flood of one does not starve another. Ends once it has so
    /// many bytes, so that a batch of large bodies does not fill the memory.
    pub(crate) fn take(&mut self, most: usize, most_bytes: u64, now: i64) -> Vec<(Ticket, u32)> {
        self.promote(now);
        let mut taken = Vec::new();
        let (mut bytes, mut empty_in_a_row) = (0, 0);
        while taken.len() < most && bytes < most_bytes && empty_in_a_row < self.by_gateway.len() {
            let (gateway, line) = &mut self.by_gateway[self.turn];
            match line.ready.pop_first() {
                Some((seq, (size, attempt))) => {
                    bytes += u64::from(size);
                    line.in_flight.insert(seq);
                    empty_in_a_row = 0;
                    taken.push((Ticket { gateway: *gateway, seq, size }, attempt));
                }
                None => empty_in_a_row += 1,
            }
            self.turn = (self.turn + 1) % self.by_gateway.len();
        }
        taken
    }

    fn promote(&mut self, now: i64) {
        while let Some((due_at, seq, gateway, size, attempt)) =
            self.delayed.first().copied().filter(|first| first.0 <= now)
        {
            self.delayed.remove(&(due_at, seq, gateway, size, attempt));
            let line = self.line(gateway);
            line.delayed -= 1;
            line.ready.insert(seq, (size, attempt));
        }
    }

    /// Settled for good. What is not in flight is not known any more: its row was gone when the file was opened anew.
    pub(crate) fn gone(&mut self, ticket: Ticket) {
        let line = self.line(ticket.gateway);
        if line.in_flight.remove(&ticket.seq) {
            line.bytes -= u64::from(ticket.size);
        }
    }

    /// Back from flight, for later.
    pub(crate) fn back(&mut self, ticket: Ticket, attempt: u32, due_at: i64) {
        if self.line(ticket.gateway).in_flight.remove(&ticket.seq) {
            self.put(ticket, attempt, due_at);
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.by_gateway.iter().map(|(_, line)| line.bytes).sum()
    }

    pub(crate) fn depth(&self) -> Vec<(Gateway, Depth)> {
        let depth = |line: &Line| Depth {
            ready: line.ready.len() as u64,
            delayed: line.delayed,
            in_flight: line.in_flight.len() as u64,
            bytes: line.bytes,
        };
        self.by_gateway.iter().map(|(gateway, line)| (*gateway, depth(line))).collect()
    }

    pub(crate) fn signal(&self) -> Signal {
        Signal {
            ready: self.by_gateway.iter().map(|(_, line)| line.ready.len() as u64).sum(),
            next_due: self.delayed.first().map(|first| first.0),
            closed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(gateway: Gateway, seq: i64) -> Ticket {
        Ticket { gateway, seq, size: 10 }
    }

    #[test]
    fn a_flood_of_one_gateway_does_not_starve_another() {
        let mut lines = Lines::new();
        (0..10_000).for_each(|seq| lines.add(ticket(Gateway::Stripe, seq), 0, 0));
        (10_000..10_010).for_each(|seq| lines.add(ticket(Gateway::Appmax, seq), 0, 0));
        let taken = lines.take(20, u64::MAX, 0);
        assert_eq!(taken.iter().filter(|(ticket, _)| ticket.gateway == Gateway::Appmax).count(), 10);
        assert!(
            taken
                .iter()
                .filter(|(ticket, _)| ticket.gateway == Gateway::Stripe)
                .map(|(ticket, _)| ticket.seq)
                .eq(0..10)
        );
    }

    #[test]
    fn a_delayed_message_is_ready_at_its_time_and_at_once_if_that_has_passed() {
        let mut lines = Lines::new();
        lines.add(ticket(Gateway::Stripe, 1), 3, 500);
        assert_eq!(lines.signal(), Signal { ready: 0, next_due: Some(500), closed: false });
        assert!(lines.take(5, u64::MAX, 499).is_empty());
        assert_eq!(
            lines.take(5, u64::MAX, 9_999).first().map(|(ticket, attempt)| (ticket.seq, *attempt)),
            Some((1, 3))
        );
    }

    #[test]
    fn the_numbers_add_up_through_a_message_s_life() {
        let mut lines = Lines::new();
        lines.add(ticket(Gateway::Stripe, 1), 0, 0);
        let (taken, _) = lines.take(1, u64::MAX, 0)[0];
        lines.back(taken, 1, 700);
        let depth = lines.depth()[0].1;
        assert_eq!((depth.ready, depth.delayed, depth.in_flight, depth.bytes), (0, 1, 0, 10));
        let (taken, attempt) = lines.take(1, u64::MAX, 700)[0];
        assert_eq!(attempt, 1);
        lines.gone(taken);
        assert_eq!((lines.bytes(), lines.signal().ready, lines.depth()[0].1.in_flight), (0, 0, 0));
    }

    #[test]
    fn a_message_that_came_back_goes_before_younger_ones() {
        let mut lines = Lines::new();
        (1..=3).for_each(|seq| lines.add(ticket(Gateway::Stripe, seq), 0, 0));
        let (first, _) = lines.take(1, u64::MAX, 0)[0];
        lines.back(first, 1, 100);
        assert_eq!(lines.take(1, u64::MAX, 99)[0].0.seq, 2);
        assert_eq!(lines.take(1, u64::MAX, 100)[0].0.seq, 1);
    }

    #[test]
    fn a_file_read_anew_leaves_what_is_worked_on_in_the_hands_it_is_in() {
        let mut before = Lines::new();
        (1..=2).for_each(|seq| before.add(ticket(Gateway::Stripe, seq), 0, 0));
        let (taken, _) = before.take(1, u64::MAX, 0)[0];
        assert_eq!(before.in_flight(), HashSet::from([1]));
        let mut lines = Lines::new();
        lines.hold(taken);
        lines.add(ticket(Gateway::Stripe, 2), 0, 0);
        let numbers = |lines: &Lines| {
            let depth = lines.depth()[0].1;
            (depth.ready, depth.in_flight, depth.bytes)
        };
        assert_eq!(numbers(&lines), (1, 1, 20));
        lines.gone(taken);
        assert_eq!(numbers(&lines), (1, 0, 10));
    }

    #[test]
    fn a_batch_ends_once_it_has_enough_bytes_but_is_never_empty_for_it() {
        let mut lines = Lines::new();
        (1..=5).for_each(|seq| lines.add(ticket(Gateway::Stripe, seq), 0, 0));
        assert_eq!(lines.take(5, 11, 0).len(), 2);
        assert_eq!(lines.take(5, 10, 0).len(), 1);
        assert_eq!(lines.take(5, 1, 0).len(), 1);
    }
}

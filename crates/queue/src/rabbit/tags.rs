//! The delivery tags of one channel that are not settled: which can be acknowledged together.

use std::collections::BTreeSet;

/// Tags that were delivered and neither acknowledged nor given back.
#[derive(Debug, Default)]
pub(crate) struct Tags(BTreeSet<u64>);

/// One acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) tag: u64,
    /// Every tag up to this one.
    pub(crate) multiple: bool,
}

impl Tags {
    pub(crate) fn delivered(&mut self, tag: u64) {
        self.0.insert(tag);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes one out; false if it was not there.
    pub(crate) fn remove(&mut self, tag: u64) -> bool {
        self.0.remove(&tag)
    }

    /// Takes tags out and returns the acknowledgements that say so: one for all before the oldest that is still held, and
    /// one for each behind it.
    pub(crate) fn settle(&mut self, tags: &[u64]) -> Vec<Ack> {
        let mut settled: Vec<u64> = tags.iter().copied().filter(|tag| self.0.remove(tag)).collect();
        settled.sort_unstable();
        let oldest_held = self.0.first().copied().unwrap_or(u64::MAX);
        let together = settled.partition_point(|tag| *tag < oldest_held);
        let first = together.checked_sub(1).map(|last| Ack { tag: settled[last], multiple: true });
        first.into_iter().chain(settled[together..].iter().map(|tag| Ack { tag: *tag, multiple: false })).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(delivered: impl IntoIterator<Item = u64>) -> Tags {
        Tags(delivered.into_iter().collect())
    }

    #[test]
    fn a_batch_in_order_is_one_acknowledgement() {
        let mut tags = tags(1..=512);
        let batch: Vec<u64> = (1..=256).rev().collect();
        assert_eq!(tags.settle(&batch), [Ack { tag: 256, multiple: true }]);
        assert_eq!(tags.len(), 256);
    }

    #[test]
    fn what_is_still_held_is_never_acknowledged_with_others() {
        let mut tags = tags(1..=5);
        assert_eq!(
            tags.settle(&[1, 3, 5]),
            [(1, true), (3, false), (5, false)].map(|(tag, multiple)| Ack { tag, multiple })
        );
        assert_eq!(tags.settle(&[4, 2]), [Ack { tag: 4, multiple: true }]);
        assert_eq!(tags.settle(&[4]), [], "twice is once");
    }

    proptest! {
        /// Plays the broker: an acknowledgement of a tag it does not hold would end the channel.
        #[test]
        fn a_broker_that_follows_the_acknowledgements_holds_what_we_hold(
            orders in prop::collection::vec(prop::collection::vec(0u64..40, 0..12), 1..12),
        ) {
            let (mut ours, mut broker) = (tags(0..40), (0..40).collect::<BTreeSet<u64>>());
            for settled in orders {
                for Ack { tag, multiple } in ours.settle(&settled) {
                    prop_assert!(broker.contains(&tag));
                    broker.retain(|held| *held != tag && (!multiple || *held > tag));
                }
                prop_assert_eq!(&broker, &ours.0);
            }
        }
    }
}

//! The queue whose writing is done step by step.

use afluente_model::Gateway;
use afluente_queue::Queue;
use futures_util::FutureExt;

use crate::site::{Site, held, message};

#[tokio::test]
async fn a_step_carries_out_as_many_of_those_that_wait_as_it_is_told_and_says_how_many() {
    let site = Site::new();
    let (queue, mut steps) = Queue::open_stepped(&site.options(), 1_790_000_000_000_000).unwrap();
    let mut publishing: Vec<_> =
        (1..=5).map(|number| Box::pin(queue.publish(message(Gateway::Stripe, number)))).collect();
    // Each waits from the first time it is asked.
    assert!(publishing.iter_mut().all(|one| one.as_mut().now_or_never().is_none()));
    assert_eq!(steps.waiting(), 5);
    assert_eq!((steps.step(0), steps.waiting()), (0, 5));
    assert_eq!((steps.step(2), steps.waiting()), (2, 3));
    assert_eq!(held(&queue).ready, 2);
    assert_eq!((steps.step(7), steps.waiting()), (3, 0));
    assert_eq!((steps.step(7), steps.waiting()), (0, 0));
    for one in publishing {
        one.await.unwrap();
    }
    assert_eq!(held(&queue).ready, 5);
}

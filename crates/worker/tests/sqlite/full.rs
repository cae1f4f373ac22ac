//! A disk that is full in the middle of a batch: nothing of it is there, and the rest comes when there is room.

use afluente_store::{Store, StoreOptions};
use afluente_worker::repair_gaps;
use rand::{SeedableRng, rngs::StdRng};

use crate::suite::bench::Bench;
use crate::suite::people::{agrees_with_the_law, everything_said, lined_up, people};

#[tokio::test]
async fn whatever_a_full_disk_takes_back_is_there_once_there_is_room() {
    let history = everything_said(&mut StdRng::seed_from_u64(3));
    let well = lined_up(StoreOptions::default()).await;
    let pages = |of: &Bench| of.ledger.read::<u32>("select page_count from pragma_page_count");
    let empty = pages(&well);
    well.insist(&history).await;
    let grown = pages(&well) - empty;
    let expected = (well.rows().await, people(&well).await);
    // It fills up sooner or later in a history, and so in one part of a batch or another.
    let mut filled = 0;
    for part in 1..8 {
        let pages = empty + grown * part / 8;
        let mut ill = lined_up(StoreOptions { max_pages: Some(pages), ..StoreOptions::default() }).await;
        let mut taken = 0;
        for part in history.chunks(7) {
            if !ill.offer(part).await {
                filled += 1;
                break;
            }
            taken += part.len();
        }
        ill.store.close().await;
        ill.store = Store::open(ill.ledger.location()).await.unwrap();
        ill.insist(&history[taken..]).await;
        // Where people alone found no room, what they miss was noted.
        while repair_gaps(&ill.store).await.unwrap() > 0 {}
        agrees_with_the_law(&ill).await;
        assert!((ill.rows().await, people(&ill).await) == expected, "{pages} pages");
    }
    assert_eq!(filled, 7, "each disk was full once");
}

//! A spool that drains into the queue of the next process, cut at any step: every message is in one of the two, or in both.

use std::collections::BTreeSet;
use std::path::Path;

use afluente_model::{DeliveryId, Gateway};
use afluente_proof::Counts;
use afluente_queue::{EmbeddedOptions, OpenError, Queue, Sealed, embedded};
use rand::RngExt;
use uuid::Uuid;

use crate::books::look;
use crate::site::{Site, Twin, block_on, cuts};

/// Cuts of one folder's history.
const CUTS_A_FOLDER: u64 = 25;

fn ids(folder: &Path) -> Result<BTreeSet<u128>, String> {
    Ok(look(&folder.join(embedded::QUEUE_FILE))?.into_iter().map(|(id, _)| id).collect())
}

/// Both, or neither.
async fn open(site: &Site) -> Result<(Queue, Queue), OpenError> {
    let open = |name: &str| Queue::open_embedded(EmbeddedOptions::new(&site.path().join(name)));
    let spool = open("spool")?;
    match open("queue") {
        Ok(queue) => Ok((spool, queue)),
        Err(error) => {
            spool.close().await;
            Err(error)
        }
    }
}

/// Spools and drains until the power goes. Adds what was said to be stored, and what may be.
async fn live(site: &mut Site, (spool, queue): (Queue, Queue), stored: &mut BTreeSet<u128>, sent: &mut BTreeSet<u128>) {
    while site.disk.is_on() && !site.rng.random_bool(0.03) {
        if site.rng.random_bool(0.6) {
            let number = stored.len() as u128 + sent.len() as u128 + 1;
            let body = vec![7; site.rng.random_range(1..2_000)];
            let id = DeliveryId(Uuid::from_u128(number));
            sent.insert(number);
            let message = Sealed { id, gateway: Gateway::Stripe, head: b"head".to_vec().into(), body: body.into() };
            if spool.publish(message).await.is_ok() {
                sent.remove(&number);
                stored.insert(number);
            }
        } else {
            let _ = spool.pour_into(&queue).await;
        }
    }
    spool.close().await;
    queue.close().await;
}

fn history(seed: u64, twin: Twin) -> Result<Counts, String> {
    let mut site = Site::new(seed, twin);
    let (mut stored, mut sent) = (BTreeSet::new(), BTreeSet::new());
    for cut in 0..CUTS_A_FOLDER {
        let fault = |error: String| format!("seed {seed}, cut {cut}: {error}");
        site.plan_a_cut();
        if let Ok(both) = block_on(open(&site)) {
            block_on(live(&mut site, both, &mut stored, &mut sent));
        }
        site.disk.power_on().map_err(|error| fault(error.to_string()))?;
        let (spool, queue) = block_on(open(&site)).map_err(|error| fault(format!("does not open: {error}")))?;
        let spooled = ids(&site.path().join("spool")).map_err(fault)?;
        let queued = ids(&site.path().join("queue")).map_err(fault)?;
        let found: BTreeSet<u128> = spooled.union(&queued).copied().collect();
        if let Some(lost) = stored.difference(&found).next() {
            return Err(fault(format!("message {lost} was acknowledged and is in neither")));
        }
        if let Some(strange) = found.iter().find(|id| !stored.contains(id) && !sent.contains(id)) {
            return Err(fault(format!("message {strange} was never published")));
        }
        stored.extend(found);
        block_on(async {
            spool.close().await;
            queue.close().await;
        });
    }
    if ids(&site.path().join("queue"))?.is_empty() {
        return Err(format!("seed {seed}: nothing was ever drained"));
    }
    Ok(site.disk.counts())
}

#[test]
fn no_cut_while_a_spool_drains_loses_what_it_acknowledged() {
    cuts(150, 10_000, CUTS_A_FOLDER, |seed| history(seed, Twin::None));
}

#[test]
fn a_spool_that_does_not_sync_its_commits_is_noticed() {
    crate::site::noticed("spool, synchronous=NORMAL", |seed| history(seed, Twin::SyncsNoCommit));
}

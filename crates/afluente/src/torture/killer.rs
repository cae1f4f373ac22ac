//! Who kills, whom, and when: everything from one seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::site::Role;
use crate::exit::Failure;
use crate::services::Services;

/// What may be killed.
pub(super) const VICTIMS: [&str; 6] = ["ingress 1", "ingress 2", "worker 1", "worker 2", "rabbitmq", "postgres"];
/// Between two kills, milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 500..6_000;
/// How long a victim stays dead, milliseconds.
const DEAD_MS: std::ops::Range<u64> = 0..3_000;

/// The processes of the roles, in the order of [`VICTIMS`].
pub(super) type Cast = Arc<[Mutex<Role>; 4]>;

/// One who was killed, and how long after the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) victim: &'static str,
    pub(super) after: Duration,
}

/// How often each was killed.
pub(super) fn counts(kills: &[Kill]) -> BTreeMap<&'static str, usize> {
    VICTIMS.iter().map(|victim| (*victim, kills.iter().filter(|kill| kill.victim == *victim).count())).collect()
}

/// Kills until it is stopped, with so much calm before each beside what chance adds. Whoever is dead by then is alive again.
pub(super) async fn run(
    (seed, calm): (u64, Duration),
    services: Arc<Services>,
    cast: Cast,
    mut stop: watch::Receiver<bool>,
) -> Result<Vec<Kill>, Failure> {
    let mut random = StdRng::seed_from_u64(seed);
    let (started, mut kills) = (Instant::now(), Vec::new());
    // A round is every victim once, in an order of its own, so that a short run spares nobody.
    let mut round: Vec<usize> = Vec::new();
    loop {
        let pause = calm + Duration::from_millis(random.random_range(PAUSE_MS));
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(kills),
        }
        if round.is_empty() {
            round = (0..VICTIMS.len()).collect();
        }
        let victim = round.swap_remove(random.random_range(0..round.len()));
        let dead = Duration::from_millis(random.random_range(DEAD_MS));
        kills.push(Kill { victim: VICTIMS[victim], after: started.elapsed() });
        if let Some(role) = cast.get(victim) {
            let mut role = role.lock().await;
            role.kill().await;
            sleep(dead).await;
            role.start()?;
        } else {
            services.tell(&["kill", VICTIMS[victim]]).await?;
            sleep(dead).await;
            services.tell(&["again", VICTIMS[victim]]).await?;
        }
    }
}

/// Starts again whoever ended by himself, as a supervisor does.
pub(super) async fn supervise(cast: Cast, mut stop: watch::Receiver<bool>) -> Result<u32, Failure> {
    let mut again = 0;
    loop {
        for role in cast.iter() {
            // One that is being killed is seen to by who kills it.
            let Ok(mut role) = role.try_lock() else { continue };
            if role.ended() {
                again += 1;
                role.start()?;
            }
        }
        tokio::select! {
            () = sleep(Duration::from_millis(200)) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(again),
        }
    }
}

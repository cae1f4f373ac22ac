//! The loop: what is due is taken, as far as each account's gate lets it, and asked side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_model::{AccountName, chain};
use afluente_store::{Store, StoreError, TakenWant};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::access::Accounts;
use crate::ask::{Desk, month};
use crate::client::Client;
use crate::measure;

/// How look-ups are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often due wants are looked for.
    pub every: Duration,
    /// How long a call may take, from connecting to the end of its answer.
    pub call_timeout: Duration,
    /// How long a want is one process's to ask. If it is killed meanwhile, the next takes it after this.
    pub lease: Duration,
    /// How long a stop waits for what is being asked.
    pub drain: Duration,
    /// How often the gauges are set.
    pub gauges_every: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            every: Duration::from_millis(200),
            call_timeout: Duration::from_secs(20),
            lease: Duration::from_secs(60),
            drain: Duration::from_secs(5),
            gauges_every: Duration::from_secs(15),
        }
    }
}

/// What look-ups need.
#[derive(Clone)]
pub struct Lookup {
    /// Where questions are, and where answers go.
    pub store: Store,
    /// Who may ask; replaced when the configuration changes.
    pub accounts: watch::Receiver<Arc<Accounts>>,
    /// How.
    pub settings: Settings,
}

/// Asks until `shutdown` ends. A ledger that is away is waited for; a gateway that is away keeps its questions open.
pub async fn run(lookup: Lookup, shutdown: impl Future<Output = ()>) {
    measure::describe();
    let mut desks = Desks::new(&lookup);
    let mut asking = JoinSet::new();
    let mut ticks = interval(lookup.settings.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut gauges = interval(lookup.settings.gauges_every);
    gauges.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_away = false;
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            // More is due than seats are for: who leaves makes place for the next, not for the next tick's.
            Some(_) = asking.join_next() => if desks.is_pressed && asking.len() <= desks.taken / 2 {
                ticks.reset_immediately();
            },
            _ = gauges.tick() => desks.measure(&lookup.store).await,
            _ = ticks.tick() => match desks.take(&lookup, &mut asking).await {
                Ok(()) if is_away => {
                    info!("The ledger gives out questions again");
                    is_away = false;
                }
                Ok(()) => {}
                Err(error) if is_away => tracing::debug!(error = %chain(&error), "The ledger gives out no questions"),
                Err(error) => {
                    warn!(error = %chain(&error), "The ledger gives out no questions; looking again and again");
                    is_away = true;
                }
            },
        }
    }
    let drained = timeout(lookup.settings.drain, async { while asking.join_next().await.is_some() {} }).await;
    info!(cut_off = asking.len(), whole = drained.is_ok(), "Look-ups stopped");
}

/// The desks of all accounts that may ask.
struct Desks {
    accounts: watch::Receiver<Arc<Accounts>>,
    client: Client,
    by_name: BTreeMap<AccountName, Arc<Desk>>,
    /// Whether some account had no seat left for what else is due, the last time.
    is_pressed: bool,
    /// Wants under way after the last look.
    taken: usize,
}

impl Desks {
    fn new(lookup: &Lookup) -> Desks {
        let client = Client::new(lookup.settings.call_timeout);
        let mut desks =
            Desks { accounts: lookup.accounts.clone(), client, by_name: BTreeMap::new(), is_pressed: false, taken: 0 };
        desks.follow();
        desks
    }

    /// Follows the configuration. Who is asked as before keeps gate and tokens.
    fn follow(&mut self) {
        let accounts = Arc::clone(&self.accounts.borrow_and_update());
        let mut before = std::mem::take(&mut self.by_name);
        for (name, account) in &accounts.0 {
            let kept = before.remove(name).filter(|desk| desk.account.access.is_same(&account.access));
            let desk = match kept {
                Some(desk) => desk.with(account.clone()),
                None => Desk::new(name.clone(), account.clone(), &self.client),
            };
            self.by_name.insert(name.clone(), Arc::new(desk));
        }
    }

    /// Takes what is due and may be asked, and asks it.
    async fn take(&mut self, lookup: &Lookup, asking: &mut JoinSet<()>) -> Result<(), StoreError> {
        if self.accounts.has_changed().unwrap_or(false) {
            self.follow();
        }
        self.is_pressed = false;
        for desk in self.by_name.values() {
            count(desk, &lookup.store).await?;
            let seats = desk.gate.seats(Instant::now());
            if seats.is_empty() || !lookup.store.is_want_due(&desk.name, afluente_worker::now()).await? {
                continue;
            }
            let wants = taken(desk, lookup, seats.len()).await?;
            self.is_pressed |= wants.len() == seats.len();
            for (want, seat) in wants.into_iter().zip(seats) {
                asking.spawn(asked(Arc::clone(desk), lookup.clone(), want, seat));
            }
        }
        self.taken = asking.len();
        Ok(())
    }

    async fn measure(&self, store: &Store) {
        let now = Instant::now();
        let desks = self.by_name.values();
        measure::accounts(desks.map(|desk| (desk.account.account.gateway, desk.gate.left(), desk.gate.is_closed(now))));
        if let Ok(wants) = store.open_wants().await {
            measure::open(&wants, afluente_worker::now());
        }
    }
}

async fn taken(desk: &Desk, lookup: &Lookup, most: usize) -> Result<Vec<TakenWant>, StoreError> {
    let now = afluente_worker::now();
    let until = now.shifted(i64::try_from(lookup.settings.lease.as_micros()).unwrap_or(i64::MAX));
    let mut tx = lookup.store.begin().await?;
    let wants = tx
        .take_wants(&desk.name, u32::try_from(most).unwrap_or(u32::MAX), desk.gate.takes_hints(), (now, until))
        .await?;
    tx.commit().await?;
    Ok(wants)
}

/// Asks one want within its lease; what takes longer comes back by itself.
async fn asked(desk: Arc<Desk>, lookup: Lookup, want: TakenWant, seat: OwnedSemaphorePermit) {
    let most = lookup.settings.lease.mul_f32(0.8);
    if timeout(most, Arc::clone(&desk).answer(lookup.store, want)).await.is_err() {
        warn!(account.id = %desk.name, "A question took too long to ask; it is asked again");
    }
    drop(seat);
}

/// Counts the calls of the month again, where that is due.
async fn count(desk: &Desk, store: &Store) -> Result<(), StoreError> {
    let (month, now) = (month(afluente_worker::now()), Instant::now());
    if desk.gate.wants_count(&month, now) {
        let spent = store.lookup_calls(&desk.name, &month).await?;
        desk.gate.counted(&month, u64::try_from(spent).unwrap_or(0), now);
    }
    Ok(())
}

//! The letters that are open and the money they are about, on the page that is scraped.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use afluente_gateways::adapter;
use afluente_model::{Amount, Currency, Gateway, Money, chain};
use afluente_store::StoreError;
use afluente_store::report::{DeadFilter, DeadView};
use afluente_worker::Accounts;
use metrics::{describe_gauge, gauge};
use tracing::warn;
use uuid::Uuid;

use super::stake::money_of;
use crate::control::Desk;

/// Nobody scrapes more often.
const EVERY: Duration = Duration::from_secs(10);
/// Letters that are read at most, the latest first: what is held of each is its id and an amount.
const MOST: u32 = 10_000;

const OPEN: &str = "afluente_dead_letters_open";
const MONEY: &str = "afluente_dead_letters_money";
const WITHOUT: &str = "afluente_dead_letters_without_amount";

/// What open letters say, each read once.
pub(crate) struct OpenLetters {
    desk: Desk,
    /// What each letter states; none where it states nothing or cannot be read by the accounts below.
    known: HashMap<Uuid, Option<Money>>,
    accounts: Arc<Accounts>,
    shown: BTreeMap<(&'static str, Currency), i64>,
}

impl OpenLetters {
    /// Those of this ledger.
    pub(crate) fn new(desk: Desk) -> OpenLetters {
        let accounts = Arc::clone(&desk.accounts.borrow());
        OpenLetters { desk, known: HashMap::new(), accounts, shown: BTreeMap::new() }
    }

    /// Looks again and again until it is dropped. A ledger that is away leaves what was last seen.
    pub(crate) async fn run(mut self) {
        describe_gauge!(OPEN, "Dead letters that wait for a person, by gateway; at most the latest 10,000 are counted");
        describe_gauge!(MONEY, "Money open dead letters state, in units of the currency, by gateway and currency");
        describe_gauge!(WITHOUT, "Open dead letters that state no amount, or cannot be read, by gateway");
        loop {
            if let Err(error) = self.look().await {
                warn!(error = %chain(&error), "Could not look at the dead letters; again in a moment");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        self.follow_accounts();
        let open =
            self.desk.store.dead_letters(&DeadFilter { settled: false, limit: MOST, ..DeadFilter::default() }).await?;
        let mut known = HashMap::with_capacity(open.len());
        for letter in &open {
            let money = match self.known.get(&letter.id) {
                Some(money) => *money,
                None => self.read(letter.id).await?,
            };
            known.insert(letter.id, money);
        }
        self.known = known;
        self.show(&open);
        Ok(())
    }

    async fn read(&self, letter: Uuid) -> Result<Option<Money>, StoreError> {
        let stated = money_of(&self.desk.store, letter, &self.accounts, &self.desk.keys).await?;
        Ok(stated.map(|(_, money)| money))
    }

    /// An account that was not configured may be now: what could not be read is read again.
    fn follow_accounts(&mut self) {
        let accounts = Arc::clone(&self.desk.accounts.borrow());
        if !Arc::ptr_eq(&accounts, &self.accounts) {
            self.accounts = accounts;
            self.known.retain(|_, money| money.is_some());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of at most ten thousand")]
    fn show(&mut self, open: &[DeadView]) {
        // What was shown once goes back to nothing, and is not left as it was.
        self.shown.values_mut().for_each(|minor| *minor = 0);
        for &gateway in Gateway::ALL {
            let slug = gateway.slug();
            let of_it = open.iter().filter(|letter| letter.gateway == slug);
            let (mut letters, mut without) = (0_u64, 0_u64);
            self.shown.entry((slug, Currency::BRL)).or_default();
            for letter in of_it {
                letters += 1;
                match self.known.get(&letter.id).copied().flatten() {
                    None => without += 1,
                    Some(Money { amount, currency }) => {
                        let sum = self.shown.entry((slug, currency)).or_default();
                        *sum = sum.saturating_add(amount.minor());
                    }
                }
            }
            gauge!(OPEN, "gateway" => slug).set(letters as f64);
            gauge!(WITHOUT, "gateway" => slug).set(without as f64);
            for ((_, currency), minor) in self.shown.iter().filter(|((of, _), _)| *of == slug) {
                gauge!(MONEY, "gateway" => slug, "currency" => currency.to_string())
                    .set(units(gateway, *currency, *minor));
            }
        }
    }
}

/// Minor units of a gateway's own count as units of the currency.
fn units(gateway: Gateway, currency: Currency, minor: i64) -> f64 {
    let scale = (adapter(gateway).profile().conventions.scale)(currency);
    Amount::new(minor).ok().and_then(|amount| scale.format(amount).parse().ok()).unwrap_or(f64::NAN)
}

//! Writes what a check found to differ, a part at a time, beside a running worker.

use std::collections::{BTreeSet, HashMap};

use afluente_gateways::IgnoredBecause;
use afluente_model::FactKey;
use afluente_store::people::IdentityKey;
use afluente_store::{
    ClaimRow, PaymentRow, ReceiptState, Register, Reread as Standing, Store, StoreError, StoredClaim, SubscriptionRow,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::reread::Reread;
use crate::account::Accounts;
use crate::apply;
use crate::entry::{Entry, notes_of};
use crate::followup::Followups;
use crate::names::Renaming;
use crate::people::{self, Touched};
use crate::refold::{self, Refolding};

/// A part of what differs, to be written in two transactions at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Payments whose row is not the fold of its facts, or that lose facts: by id.
    pub payments: Vec<Uuid>,
    /// Facts of payments that no receipt says.
    pub facts: Vec<(Uuid, [u8; 16])>,
    /// Subscriptions, likewise.
    pub subscriptions: Vec<Uuid>,
    /// Facts of subscriptions that no receipt says.
    pub subscription_facts: Vec<(Uuid, [u8; 16])>,
    /// Identities that are given to another than the law says: by key.
    #[serde(default)]
    pub identities: Vec<[u8; 16]>,
    /// Rows of registers that nobody says, or not so: out with them.
    #[serde(default)]
    pub dropped: Vec<(Register, [u8; 16])>,
    /// What follows another identity than it should: its kind, account, sub-account and id.
    #[serde(default)]
    pub links: Vec<[String; 4]>,
    /// Claims to be joined into their registers once more: by key.
    #[serde(default)]
    pub claims: Vec<[u8; 16]>,
    /// Receipts to be read again: their state, facts or names are not what the ledger holds.
    pub receipts: Vec<Uuid>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// Receipts read again.
    pub receipts: usize,
    /// Facts taken out.
    pub facts_dropped: usize,
    /// Rows folded anew because they or their facts were wrong.
    pub rows: usize,
}

impl Repair {
    /// Writes this part. What became right meanwhile stays as it is; the same part again changes nothing.
    ///
    /// Facts are taken out first, so that what a receipt does say comes back with it.
    pub async fn write(&self, store: &Store, accounts: &Accounts, by: &str) -> Result<Repaired, StoreError> {
        let rows = self.rows(store, accounts, by).await?
            + self.assign(store, by).await?
            + self.drop(store, by).await?
            + self.say(store, by).await?
            + self.link(store, by).await?;
        let receipts = self.reread(store, accounts, by).await?;
        Ok(Repaired { receipts, rows, facts_dropped: self.facts.len() + self.subscription_facts.len() })
    }

    async fn rows(&self, store: &Store, accounts: &Accounts, by: &str) -> Result<usize, StoreError> {
        let now = crate::now();
        let mut tx = store.begin().await?;
        let payments = tx.lock_payment_ids(&self.payments).await?;
        let subscriptions = tx.lock_subscription_ids(&self.subscriptions).await?;
        tx.drop_facts(&keys(&self.facts)).await?;
        tx.drop_subscription_facts(&keys(&self.subscription_facts)).await?;
        let mut followups = Followups::by(by);
        let conventions = |row: &PaymentRow| Ok(accounts.conventions(&row.key.account, row.gateway));
        let (renaming, brought) = (Renaming::default(), HashMap::new());
        let refolding = Refolding { renaming: &renaming, brought: &brought, conventions: &conventions };
        let rows: Vec<&PaymentRow> = payments.iter().collect();
        refold::payments(&mut tx, &rows, &refolding, now, &mut followups).await?;
        let rows: Vec<&SubscriptionRow> = subscriptions.iter().collect();
        refold::subscriptions(&mut tx, &rows, &brought, now, &mut followups).await?;
        followups.save(&mut tx, now).await?;
        tx.commit().await?;
        Ok(payments.len() + subscriptions.len())
    }

    /// Takes identities from everybody and gives them anew, as if they had just come.
    async fn assign(&self, store: &Store, by: &str) -> Result<usize, StoreError> {
        if self.identities.is_empty() {
            return Ok(0);
        }
        let now = crate::now();
        let mut tx = store.begin().await?;
        let keys: Vec<IdentityKey> = self.identities.iter().map(|key| IdentityKey(*key)).collect();
        people::assign_anew(&mut tx, keys, now, Followups::by(by)).await?;
        tx.commit().await?;
        Ok(self.identities.len())
    }

    /// Takes rows out of registers. Customers that lose an identity are written anew without it.
    async fn drop(&self, store: &Store, by: &str) -> Result<usize, StoreError> {
        if self.dropped.is_empty() {
            return Ok(0);
        }
        let now = crate::now();
        let mut tx = store.begin().await?;
        for register in Register::ALL {
            let keys: Vec<[u8; 16]> =
                self.dropped.iter().filter(|(of, _)| *of == register).map(|(_, key)| *key).collect();
            if register == Register::Decisions {
                let gone = tx.decisions(&keys).await?;
                tx.drop_register(register, &keys).await?;
                people::decided_anew(&mut tx, gone, now, Followups::by(by)).await?;
            } else if register == Register::Identities {
                let identities: Vec<IdentityKey> = keys.iter().map(|key| IdentityKey(*key)).collect();
                let losing: BTreeSet<Uuid> =
                    tx.identities(&identities).await?.into_iter().filter_map(|row| row.customer).collect();
                tx.drop_register(register, &keys).await?;
                people::lost(&mut tx, &losing, now, Followups::by(by)).await?;
            } else {
                tx.drop_register(register, &keys).await?;
            }
        }
        tx.commit().await?;
        Ok(self.dropped.len())
    }

    /// Makes claims of the ledger once more, as if they had just come.
    async fn say(&self, store: &Store, by: &str) -> Result<usize, StoreError> {
        if self.claims.is_empty() {
            return Ok(0);
        }
        let now = crate::now();
        let mut tx = store.begin().await?;
        let stored = tx.stored_claims(&self.claims).await?;
        let rows: Vec<ClaimRow<'_>> = stored.iter().map(StoredClaim::row).collect();
        let moving = tx.add_claims(&rows, now).await?;
        let touched = Touched::of(&[], &rows, moving).only(&tx.customers_of(), &rows);
        people::write_apart(&mut tx, &touched, now, Followups::by(by)).await?;
        tx.commit().await?;
        Ok(stored.len())
    }

    /// Lets payments and subscriptions follow whom they should.
    async fn link(&self, store: &Store, by: &str) -> Result<usize, StoreError> {
        if self.links.is_empty() {
            return Ok(0);
        }
        let now = crate::now();
        let mut tx = store.begin().await?;
        let mut followups = Followups::by(by);
        people::write(&mut tx, &Touched::linked(&self.links), now, &mut followups).await?;
        followups.save(&mut tx, now).await?;
        tx.commit().await?;
        Ok(self.links.len())
    }

    async fn reread(&self, store: &Store, accounts: &Accounts, by: &str) -> Result<usize, StoreError> {
        let now = crate::now();
        let mut tx = store.begin().await?;
        let held = tx.held_receipts(&self.receipts).await?;
        let again: Vec<Reread<'_>> = held.iter().filter_map(|receipt| Reread::of(receipt, accounts)).collect();
        tx.save_reread(&again.iter().map(stand).collect::<Vec<_>>()).await?;
        let entries: Vec<Entry<'_>> = again.iter().filter_map(Reread::entry).collect();
        apply::write(&mut tx, &entries, now, Followups::by(by)).await?;
        tx.commit().await?;
        Ok(again.len())
    }
}

fn keys(facts: &[(Uuid, [u8; 16])]) -> Vec<(Uuid, FactKey)> {
    facts.iter().map(|(owner, key)| (*owner, FactKey(*key))).collect()
}

/// How its receipt stands.
fn stand(read: &Reread<'_>) -> Standing {
    Standing {
        receipt: read.receipt.id,
        state: if read.reading.ignored.is_some() { ReceiptState::Ignored } else { ReceiptState::Applied },
        ignored_because: read.reading.ignored.map(IgnoredBecause::as_str),
        notes: notes_of(&read.reading),
        event_type: read.reading.event_type.clone(),
    }
}

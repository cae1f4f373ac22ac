//! Writes what a check found to differ, a part at a time, beside a running worker.

use std::collections::HashMap;

use afluente_gateways::{Envelope, IgnoredBecause, Reading, read};
use afluente_model::{FactKey, Source};
use afluente_store::people::IdentityKey;
use afluente_store::report::HeldReceipt;
use afluente_store::{PaymentRow, ReceiptState, Reread, Store, StoreError, SubscriptionRow};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Account, Accounts};
use crate::apply;
use crate::entry::{Entry, notes_of};
use crate::followup::Followups;
use crate::names::Renaming;
use crate::people;
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
        let rows = self.rows(store, accounts, by).await? + self.assign(store, by).await?;
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

    async fn reread(&self, store: &Store, accounts: &Accounts, by: &str) -> Result<usize, StoreError> {
        let now = crate::now();
        let mut tx = store.begin().await?;
        let held = tx.held_receipts(&self.receipts).await?;
        let again: Vec<Again<'_>> = held.iter().filter_map(|receipt| Again::of(receipt, accounts)).collect();
        let states: Vec<Reread> = again.iter().map(Again::state).collect();
        tx.save_reread(&states).await?;
        let entries: Vec<Entry<'_>> = again.iter().filter_map(Again::entry).collect();
        apply::write(&mut tx, &entries, now, Followups::by(by)).await?;
        tx.commit().await?;
        Ok(again.len())
    }
}

fn keys(facts: &[(Uuid, [u8; 16])]) -> Vec<(Uuid, FactKey)> {
    facts.iter().map(|(owner, key)| (*owner, FactKey(*key))).collect()
}

/// A receipt read with today's adapter and account.
struct Again<'a> {
    receipt: &'a HeldReceipt,
    account: &'a Account,
    source: Source,
    reading: Reading,
}

impl<'a> Again<'a> {
    /// `None` where nobody can read it today: then it stays as it is.
    fn of(receipt: &'a HeldReceipt, accounts: &'a Accounts) -> Option<Again<'a>> {
        let account = accounts.0.get(receipt.incoming.account())?;
        let envelope = Envelope::of(&receipt.incoming, &account.view);
        let source = envelope.source().unwrap_or(Source::Webhook);
        let reading = read(account.adapter, &envelope).ok()?;
        Some(Again { receipt, account, source, reading })
    }

    fn state(&self) -> Reread {
        let ignored = self.reading.ignored;
        Reread {
            receipt: self.receipt.id,
            state: if ignored.is_some() { ReceiptState::Ignored } else { ReceiptState::Applied },
            ignored_because: ignored.map(IgnoredBecause::as_str),
            notes: notes_of(&self.reading),
            event_type: self.reading.event_type.clone(),
        }
    }

    fn entry(&self) -> Option<Entry<'_>> {
        self.reading.ignored.is_none().then(|| Entry {
            account: self.receipt.incoming.account(),
            gateway: self.account.gateway,
            conventions: self.account.adapter.profile().conventions,
            source: self.source,
            reading: &self.reading,
            is_proved: self.receipt.incoming.is_proved(),
            receipt: self.receipt.id,
        })
    }
}

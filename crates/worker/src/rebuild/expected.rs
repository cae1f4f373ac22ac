//! What the receipts say, read again with today's adapters.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use afluente_gateways::{Alias, Reading};
use afluente_model::{AccountName, FactKey, PaymentKind};
use afluente_store::report::HeldReceipt;
use afluente_store::{PaymentKey, Store, StoreError, StoredFact, SubscriptionKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::claims::SaidAgain;
use super::reread::Reread;
use super::{PAGE, PAGE_BYTES, Progress, Report};
use crate::account::Accounts;
use crate::names::{Renaming, key_of};

/// Everything all receipts together say.
pub(super) struct Expected {
    pub(super) payments: BTreeMap<PaymentKey, BTreeSet<FactKey>>,
    pub(super) subscriptions: BTreeMap<SubscriptionKey, BTreeSet<FactKey>>,
    renaming: Renaming,
    read: HashSet<Uuid>,
}

#[derive(Default)]
struct Gathered {
    payments: BTreeMap<PaymentKey, BTreeSet<FactKey>>,
    subscriptions: BTreeMap<SubscriptionKey, BTreeSet<FactKey>>,
    aliases: BTreeSet<(AccountName, Alias)>,
    read: HashSet<Uuid>,
}

impl Expected {
    pub(super) async fn read(
        store: &Store,
        accounts: &Accounts,
        report: &mut Report,
        progress: &mut impl FnMut(Progress),
        said_again: &SaidAgain,
    ) -> Result<Expected, StoreError> {
        let (mut after, mut gathered) = (Uuid::nil(), Gathered::default());
        loop {
            let receipts = store.receipts_after(after, PAGE, PAGE_BYTES).await?;
            let Some(last) = receipts.last() else { break };
            after = last.id;
            report.receipts += receipts.len() as u64;
            let read: Vec<Reread<'_>> =
                receipts.iter().filter_map(|receipt| gathered.receipt(receipt, accounts, report)).collect();
            said_again.receipts(&read).await?;
            progress(Progress::Receipts(report.receipts));
        }
        let renaming = Renaming::of(gathered.aliases.iter().map(|(account, alias)| (account, alias)), &[]);
        let mut payments: BTreeMap<PaymentKey, BTreeSet<FactKey>> = BTreeMap::new();
        for (named, keys) in gathered.payments {
            payments.entry(renaming.resolve(&named)).or_default().extend(keys);
        }
        Ok(Expected { payments, subscriptions: gathered.subscriptions, renaming, read: gathered.read })
    }

    /// Goes through the receipts once more, for those that say what the ledger misses.
    pub(super) async fn look_for(
        store: &Store,
        accounts: &Accounts,
        report: &mut Report,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), StoreError> {
        let (mut after, mut seen) = (Uuid::nil(), 0);
        loop {
            let receipts = store.receipts_after(after, PAGE, PAGE_BYTES).await?;
            let Some(last) = receipts.last() else { break };
            after = last.id;
            for read in receipts.iter().filter_map(|receipt| Reread::of(receipt, accounts)) {
                report.plan.look_into(&read);
            }
            seen += receipts.len() as u64;
            progress(Progress::Receipts(seen));
        }
        let mut after = [0; 16];
        loop {
            let claims = store.claims_after(after, PAGE).await?;
            let Some(last) = claims.last() else { return Ok(()) };
            after = last.key;
            for claim in &claims {
                report.plan.join_again(claim);
            }
        }
    }

    /// Whether this receipt is held and was read.
    pub(super) fn was_read(&self, receipt: Uuid) -> bool {
        self.read.contains(&receipt)
    }

    pub(super) fn is_alias(&self, key: &PaymentKey) -> bool {
        self.renaming.is_alias(key)
    }

    /// Whether a fact came under a name of its payment, as far as its receipt can tell.
    pub(super) fn is_named(&self, payment: &PaymentKey, fact: &StoredFact<PaymentKind>) -> bool {
        let named = PaymentKey { id: fact.named.clone(), ..payment.clone() };
        !self.was_read(fact.receipt) || self.renaming.resolve(&named) == *payment
    }

    pub(super) async fn compare_aliases(&self, store: &Store, report: &mut Report) -> Result<(), StoreError> {
        let stored: BTreeMap<PaymentKey, Box<str>> =
            store.all_aliases().await?.into_iter().map(|alias| (alias.alias, alias.payment)).collect();
        for row in &self.renaming.changed {
            let found = stored.get(&row.name);
            if found != Some(&row.payment) {
                let found = found.map_or("missing", |payment| &**payment);
                report.differs(&format!("alias {}/{}", row.name.account, row.name.id), "payment", found, &*row.payment);
                report.plan.find_name(row.name.clone());
            }
        }
        Ok(())
    }
}

impl Gathered {
    fn receipt<'a>(
        &mut self,
        receipt: &'a HeldReceipt,
        accounts: &'a Accounts,
        report: &mut Report,
    ) -> Option<Reread<'a>> {
        let name = format!("receipt {}", receipt.id);
        let incoming = &receipt.incoming;
        if Sha256::digest(incoming.body()).as_slice() != receipt.body_hash {
            report.differs(&name, "body_hash", "another body's", "the body's");
            report.plan.beyond_repair += 1;
        }
        let Some(account) = accounts.0.get(incoming.account()) else {
            report.unread += 1;
            return None;
        };
        match Reread::read(receipt, account) {
            Ok(read) => {
                let state = if read.reading.ignored.is_some() { "IGNORED" } else { "APPLIED" };
                if receipt.state != state {
                    report.differs(&name, "state", &receipt.state, state);
                    report.plan.reread(receipt.id, incoming.body().len());
                }
                self.read.insert(receipt.id);
                self.reading(incoming.account(), &read.reading);
                Some(read)
            }
            Err(error) => {
                report.differs(&name, "state", &receipt.state, error);
                report.plan.beyond_repair += 1;
                None
            }
        }
    }

    fn reading(&mut self, account: &AccountName, reading: &Reading) {
        for (payment, fact) in &reading.facts {
            self.payments.entry(key_of(account, payment)).or_default().insert(fact.key());
        }
        for (named, fact) in &reading.subscriptions {
            let tenant = named.tenant.as_ref().map_or("", |tenant| tenant.as_str());
            let key = SubscriptionKey { account: account.clone(), tenant: tenant.into(), id: named.id.as_str().into() };
            self.subscriptions.entry(key).or_default().insert(fact.key());
        }
        self.aliases.extend(reading.aliases.iter().map(|alias| (account.clone(), alias.clone())));
    }
}

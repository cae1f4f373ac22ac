//! What has to be written so that a check finds nothing.

use std::collections::{BTreeSet, HashSet};

use afluente_model::FactKey;
use afluente_store::people::{IdentityKey, Subject};
use afluente_store::{PaymentKey, Register, StoredClaim};
use uuid::Uuid;

use super::repair::Repair;
use super::reread::Reread;
use crate::names::key_of;

/// Rows and facts written in one transaction at most.
const ROWS_A_PART: usize = 200;
/// Receipts read again in one transaction at most, and bytes of their bodies.
const RECEIPTS_A_PART: usize = 200;
const BYTES_A_PART: usize = 4 << 20;

/// Everything that differs and can be written, by what has to be done about it.
#[derive(Debug, Default)]
pub struct Plan {
    payments: BTreeSet<Uuid>,
    subscriptions: BTreeSet<Uuid>,
    identities: BTreeSet<IdentityKey>,
    facts: BTreeSet<(Uuid, FactKey)>,
    subscription_facts: BTreeSet<(Uuid, FactKey)>,
    receipts: BTreeSet<(Uuid, usize)>,
    /// What follows another identity than it should: its kind, account, sub-account and id.
    links: BTreeSet<[String; 4]>,
    /// Rows of registers that nobody says, or not so.
    dropped: BTreeSet<(Register, [u8; 16])>,
    /// Claims that are joined into their registers once more.
    claims: BTreeSet<[u8; 16]>,
    missing: HashSet<FactKey>,
    names: HashSet<PaymentKey>,
    /// Rows of registers that have to be said again.
    unsaid: HashSet<(Register, [u8; 16])>,
    /// What differs and nothing here can mend: a damaged body, a receipt nobody can read any more.
    pub beyond_repair: usize,
}

impl Plan {
    pub(super) fn refold_payment(&mut self, payment: Uuid) {
        self.payments.insert(payment);
    }

    pub(super) fn refold_subscription(&mut self, subscription: Uuid) {
        self.subscriptions.insert(subscription);
    }

    pub(super) fn assign(&mut self, identity: IdentityKey) {
        self.identities.insert(identity);
    }

    pub(super) fn drop_fact(&mut self, payment: Uuid, key: FactKey) {
        self.payments.insert(payment);
        self.facts.insert((payment, key));
    }

    pub(super) fn drop_subscription_fact(&mut self, subscription: Uuid, key: FactKey) {
        self.subscriptions.insert(subscription);
        self.subscription_facts.insert((subscription, key));
    }

    pub(super) fn find_fact(&mut self, key: FactKey) {
        self.missing.insert(key);
    }

    pub(super) fn find_facts(&mut self, keys: &BTreeSet<FactKey>) {
        self.missing.extend(keys);
    }

    pub(super) fn find_name(&mut self, name: PaymentKey) {
        self.names.insert(name);
    }

    pub(super) fn link(&mut self, kind: &str, subject: &Subject) {
        let (account, tenant, id) = (subject.account.to_string(), subject.tenant.to_string(), subject.id.to_string());
        self.links.insert([kind.to_owned(), account, tenant, id]);
    }

    pub(super) fn drop_row(&mut self, register: Register, key: [u8; 16]) {
        self.dropped.insert((register, key));
    }

    pub(super) fn say_again(&mut self, register: Register, key: [u8; 16]) {
        self.unsaid.insert((register, key));
    }

    /// Takes a claim of the ledger that is joined into what is missing.
    pub(super) fn join_again(&mut self, claim: &StoredClaim) {
        if Register::rows_of(&claim.row()).iter().any(|row| self.unsaid.contains(row)) {
            self.claims.insert(claim.key);
        }
    }

    pub(super) fn reread(&mut self, receipt: Uuid, bytes: usize) {
        self.receipts.insert((receipt, bytes));
    }

    /// Whether receipts have to be gone through for what is missing.
    pub(super) fn looks_for_something(&self) -> bool {
        !self.missing.is_empty() || !self.names.is_empty() || !self.unsaid.is_empty()
    }

    /// Takes a receipt that says something of what is missing.
    pub(super) fn look_into(&mut self, read: &Reread<'_>) {
        let (incoming, reading) = (&read.receipt.incoming, &read.reading);
        let facts = reading.facts.iter().map(|(_, fact)| fact.key());
        let mut facts = facts.chain(reading.subscriptions.iter().map(|(_, fact)| fact.key()));
        let mut names = reading.aliases.iter().map(|alias| key_of(incoming.account(), &alias.alias));
        let says_missing = facts.any(|key| self.missing.contains(&key))
            || names.any(|name| self.names.contains(&name))
            || self.claims_missing(read);
        if says_missing {
            self.reread(read.receipt.id, incoming.body().len());
        }
    }

    /// Whether it makes a claim that is to be made again.
    fn claims_missing(&self, read: &Reread<'_>) -> bool {
        let is_missing = |row: &(Register, [u8; 16])| row.0 == Register::Claims && self.unsaid.contains(row);
        !self.unsaid.is_empty() && read.claims().iter().any(|claim| Register::rows_of(claim).iter().any(is_missing))
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payments.is_empty()
            && self.subscriptions.is_empty()
            && self.receipts.is_empty()
            && self.identities.is_empty()
            && self.dropped.is_empty()
            && self.claims.is_empty()
            && self.links.is_empty()
    }

    /// How many receipts are read again, how many rows folded anew, how many facts taken out.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (
            self.receipts.len(),
            self.payments.len()
                + self.subscriptions.len()
                + self.identities.len()
                + self.dropped.len()
                + self.claims.len(),
            self.facts.len() + self.subscription_facts.len(),
        )
    }

    /// The parts in which it is written: rows first, receipts after them.
    #[must_use]
    pub fn parts(&self) -> Vec<Repair> {
        let mut parts = Vec::new();
        let payments: Vec<Uuid> = self.payments.iter().copied().collect();
        for ids in payments.chunks(ROWS_A_PART) {
            parts.push(Repair { payments: ids.to_vec(), facts: of(ids, &self.facts), ..Repair::default() });
        }
        let subscriptions: Vec<Uuid> = self.subscriptions.iter().copied().collect();
        for ids in subscriptions.chunks(ROWS_A_PART) {
            let subscription_facts = of(ids, &self.subscription_facts);
            parts.push(Repair { subscriptions: ids.to_vec(), subscription_facts, ..Repair::default() });
        }
        let identities: Vec<[u8; 16]> = self.identities.iter().map(|key| key.0).collect();
        for keys in identities.chunks(ROWS_A_PART) {
            parts.push(Repair { identities: keys.to_vec(), ..Repair::default() });
        }
        let dropped: Vec<(Register, [u8; 16])> = self.dropped.iter().copied().collect();
        for rows in dropped.chunks(ROWS_A_PART) {
            parts.push(Repair { dropped: rows.to_vec(), ..Repair::default() });
        }
        let claims: Vec<[u8; 16]> = self.claims.iter().copied().collect();
        for keys in claims.chunks(ROWS_A_PART) {
            parts.push(Repair { claims: keys.to_vec(), ..Repair::default() });
        }
        let links: Vec<[String; 4]> = self.links.iter().cloned().collect();
        for subjects in links.chunks(ROWS_A_PART) {
            parts.push(Repair { links: subjects.to_vec(), ..Repair::default() });
        }
        let (mut receipts, mut bytes) = (Vec::new(), 0);
        for (receipt, size) in &self.receipts {
            if receipts.len() >= RECEIPTS_A_PART || (bytes + size > BYTES_A_PART && !receipts.is_empty()) {
                parts.push(Repair { receipts: std::mem::take(&mut receipts), ..Repair::default() });
                bytes = 0;
            }
            receipts.push(*receipt);
            bytes += size;
        }
        if !receipts.is_empty() {
            parts.push(Repair { receipts, ..Repair::default() });
        }
        parts
    }
}

/// The facts of these owners.
fn of(owners: &[Uuid], facts: &BTreeSet<(Uuid, FactKey)>) -> Vec<(Uuid, [u8; 16])> {
    let range = |owner: &Uuid| (*owner, FactKey([0; 16]))..=(*owner, FactKey([255; 16]));
    owners.iter().flat_map(|owner| facts.range(range(owner))).map(|(owner, key)| (*owner, key.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_fact_with_its_row_and_every_receipt_once() {
        let mut plan = Plan::default();
        let id = |n: usize| Uuid::from_u128(n as u128);
        for n in 0..450 {
            plan.drop_fact(id(n), FactKey([u8::try_from(n % 256).unwrap(); 16]));
            plan.refold_subscription(id(n));
            plan.reread(id(n), 30_000);
        }
        plan.reread(id(1_000), 100 << 20);
        let parts = plan.parts();
        let count = |of: fn(&Repair) -> usize| parts.iter().map(of).sum::<usize>();
        assert_eq!(count(|part| part.payments.len()), 450);
        assert_eq!(count(|part| part.facts.len()), 450);
        assert_eq!(count(|part| part.subscriptions.len()), 450);
        assert_eq!(count(|part| part.receipts.len()), 451);
        for part in &parts {
            assert!(part.receipts.len() * 30_000 <= BYTES_A_PART, "{} receipts", part.receipts.len());
            assert!(part.facts.iter().all(|(owner, _)| part.payments.contains(owner)));
        }
    }
}

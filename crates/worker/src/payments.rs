//! Payments of a batch: names first, then rows, then facts, then the fold of what gained or lost any.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_model::{AccountName, Conventions, Gateway, Timestamp};
use afluente_store::people::IdentityKey;
use afluente_store::{FactMove, FactRow, Inconsistency, NewPayment, PaymentKey, PaymentRow, StoreError, Tx};
use uuid::Uuid;

use crate::entry::{Entry, NamedFact};
use crate::followup::Followups;
use crate::names::Renaming;
use crate::refold;

/// Adds the facts of these entries and writes the rows they change. New ones follow whom they are told to, by their names: made
/// with it, they need not be written a second time for it.
pub(crate) async fn write(
    tx: &mut Tx,
    entries: &[Entry<'_>],
    followed: &HashMap<PaymentKey, IdentityKey>,
    now: Timestamp,
    followups: &mut Followups,
) -> Result<(), StoreError> {
    let mentions = Mentions::of(entries);
    let names: Vec<PaymentKey> = mentions.by_name.keys().cloned().collect();
    let stored = tx.lock_names(&names, now).await?;
    let proposed = entries.iter().flat_map(|entry| entry.reading.aliases.iter().map(|alias| (entry.account, alias)));
    let renaming = Renaming::of(proposed, &stored);
    tx.save_names(&renaming.changed, now).await?;
    let facts: Vec<NamedFact<'_>> = entries.iter().flat_map(Entry::facts).collect();
    let rows = Rows::lock(tx, &facts, &renaming, &mentions, followed, now).await?;

    let mut touched = Touched::default();
    for fact_move in rows.moves(&renaming)? {
        let brought = mentions.receipt(&fact_move.named);
        touched.insert(fact_move.row.from, brought);
        touched.insert(fact_move.row.to, brought);
        touched.moves.push(fact_move.row);
    }
    tx.move_facts(&touched.moves).await?;
    let new: Vec<FactRow> = facts.iter().map(|fact| rows.fact(fact, &renaming)).collect::<Result<_, _>>()?;
    let gained: BTreeSet<Uuid> = tx.add_facts(&new, now).await?.into_iter().collect();
    for fact in new.iter().filter(|fact| gained.contains(&fact.payment)) {
        touched.insert(fact.payment, Some(fact.receipt));
    }
    let changing: Vec<&PaymentRow> =
        rows.rows.iter().filter(|row| row.row_version == 0 || touched.brought.contains_key(&row.id)).collect();
    let conventions = |row: &PaymentRow| mentions.conventions(&row.key.account);
    let refolding = refold::Refolding { renaming: &renaming, brought: &touched.brought, conventions: &conventions };
    refold::payments(tx, &changing, &refolding, now, followups).await?;
    let conflicts = renaming.contested.iter().map(|(alias, other)| alias_conflict(alias, other, &renaming));
    followups.inconsistencies.extend(conflicts);
    Ok(())
}

/// Every name a batch speaks of, with what is known about it from outside the ledger.
struct Mentions {
    by_name: HashMap<PaymentKey, Mention>,
    conventions: BTreeMap<AccountName, Conventions>,
}

#[derive(Clone, Copy)]
struct Mention {
    gateway: Gateway,
    receipt: Uuid,
}

impl Mentions {
    fn of(entries: &[Entry<'_>]) -> Mentions {
        let (mut by_name, mut conventions) = (HashMap::new(), BTreeMap::new());
        for entry in entries {
            conventions.insert(entry.account.clone(), entry.conventions);
            let mention = Mention { gateway: entry.gateway, receipt: entry.receipt };
            by_name.extend(entry.names().map(|name| (name, mention)));
        }
        Mentions { by_name, conventions }
    }

    fn receipt(&self, name: &PaymentKey) -> Option<Uuid> {
        self.by_name.get(name).map(|mention| mention.receipt)
    }

    /// Every row a batch touches is of an account it speaks of.
    fn conventions(&self, account: &AccountName) -> Result<Conventions, StoreError> {
        let missed = StoreError::Missed { table: "gateway_accounts", expected: 1, got: 0 };
        self.conventions.get(account).copied().ok_or(missed)
    }
}

/// The payments a batch touches whose facts change, each with the receipt that brought the change.
#[derive(Default)]
struct Touched {
    brought: HashMap<Uuid, Uuid>,
    moves: Vec<FactMove>,
}

impl Touched {
    fn insert(&mut self, payment: Uuid, receipt: Option<Uuid>) {
        self.brought.insert(payment, receipt.unwrap_or_default());
    }
}

/// The locked rows, in the order of their ids.
struct Rows {
    rows: Vec<PaymentRow>,
    ids: HashMap<PaymentKey, Uuid>,
}

struct RowMove {
    named: PaymentKey,
    row: FactMove,
}

impl Rows {
    /// Locks every row the batch may touch, in one call: those that get facts are made, those that may only lose some must
    /// exist. A row that is made and gets nothing goes again when it is folded.
    async fn lock(
        tx: &mut Tx,
        facts: &[NamedFact<'_>],
        renaming: &Renaming,
        mentions: &Mentions,
        followed: &HashMap<PaymentKey, IdentityKey>,
        now: Timestamp,
    ) -> Result<Rows, StoreError> {
        let mut make: HashMap<PaymentKey, Gateway> =
            facts.iter().map(|fact| (renaming.resolve(&fact.named), fact.gateway)).collect();
        for one in &renaming.moves {
            if let Some(mention) = mentions.by_name.get(&one.named) {
                make.entry(one.to.clone()).or_insert(mention.gateway);
            }
        }
        let followed: HashMap<PaymentKey, IdentityKey> =
            followed.iter().map(|(name, identity)| (renaming.resolve(name), *identity)).collect();
        let new = |(key, gateway)| {
            let identity = followed.get(&key).copied();
            NewPayment { id: Uuid::now_v7(), key, gateway, identity }
        };
        let make: Vec<NewPayment> = make.into_iter().map(new).collect();
        let leaving: Vec<PaymentKey> = renaming.moves.iter().map(|one| one.from.clone()).collect();
        let rows = tx.lock_payments(&make, &leaving, now).await?;
        let ids = rows.iter().map(|row| (row.key.clone(), row.id)).collect();
        Ok(Rows { rows, ids })
    }

    fn id(&self, key: &PaymentKey) -> Result<Uuid, StoreError> {
        let missed = StoreError::Missed { table: "payments", expected: 1, got: 0 };
        self.ids.get(key).copied().ok_or(missed)
    }

    /// What has to move: where a row stands under a name that is another payment's.
    fn moves(&self, renaming: &Renaming) -> Result<Vec<RowMove>, StoreError> {
        let standing = renaming.moves.iter().filter_map(|one| self.ids.get(&one.from).map(|id| (one, *id)));
        standing
            .map(|(one, from)| {
                let row = FactMove { named: one.named.id.clone(), from, to: self.id(&one.to)? };
                Ok(RowMove { named: one.named.clone(), row })
            })
            .collect()
    }

    fn fact(&self, fact: &NamedFact<'_>, renaming: &Renaming) -> Result<FactRow, StoreError> {
        let payment = self.id(&renaming.resolve(&fact.named))?;
        Ok(FactRow { payment, named: fact.named.id.clone(), fact: fact.fact.clone(), receipt: fact.receipt })
    }
}

fn alias_conflict(alias: &PaymentKey, other: &str, renaming: &Renaming) -> Inconsistency {
    let kept = renaming.resolve(alias);
    Inconsistency {
        id: Uuid::now_v7(),
        kind: "alias_claimed_twice",
        fingerprint: format!("alias_claimed_twice {} {} {} {other}", alias.account, alias.tenant, alias.id),
        account: alias.account.clone(),
        entity: format!("payment {}", kept.id),
        detail: format!("{} is claimed by {} and by {other}; {} keeps it", alias.id, kept.id, kept.id),
    }
}

//! Which name of a payment is the one that stays, and which facts have to move when that becomes known late.
//!
//! A charge may be heard of before the intent it belongs to. Its facts then wait in a row of their own; the moment an
//! envelope names both, they move. Two intents that claim one charge contradict each other: the smaller name keeps it,
//! whatever the order, and a person is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_gateways::Alias;
use afluente_model::{AccountName, PaymentRef};
use afluente_store::{AliasRow, PaymentKey};

/// The key under which a reference is stored.
pub(crate) fn key_of(account: &AccountName, payment: &PaymentRef) -> PaymentKey {
    let tenant = payment.tenant.as_ref().map_or("", |tenant| tenant.as_str());
    PaymentKey { account: account.clone(), tenant: tenant.into(), id: payment.id.as_str().into() }
}

/// What the aliases of a batch change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// From another name to the name that stays, stored ones and new ones.
    by_alias: BTreeMap<PaymentKey, Box<str>>,
    /// New or re-pointed aliases, to be stored.
    pub(crate) changed: Vec<AliasRow>,
    /// Facts under this name move out of the first payment into the second.
    pub(crate) moves: Vec<Move>,
    /// Names two payments claim.
    pub(crate) contested: BTreeSet<(PaymentKey, Box<str>)>,
}

/// Facts that came under `named` move.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) named: PaymentKey,
    pub(crate) from: PaymentKey,
    pub(crate) to: PaymentKey,
}

impl Renaming {
    /// Settles what the batch proposes against what is stored.
    pub(crate) fn of<'a>(
        proposed: impl Iterator<Item = (&'a AccountName, &'a Alias)>,
        stored: &[AliasRow],
    ) -> Renaming {
        let stored: HashMap<PaymentKey, Box<str>> =
            stored.iter().map(|row| (alias_key(row), row.payment.clone())).collect();
        let mut claims: BTreeMap<PaymentKey, BTreeSet<Box<str>>> = BTreeMap::new();
        for (account, alias) in proposed {
            let key = key_of(account, &alias.alias);
            if *key.id != *alias.payment.id.as_str() {
                claims.entry(key).or_default().insert(alias.payment.id.as_str().into());
            }
        }
        let mut renaming = Renaming::default();
        for (alias, mut payments) in claims {
            let before = stored.get(&alias).map(|payment| &**payment);
            payments.extend(before.map(Into::into));
            renaming.settle(alias, &payments, before);
        }
        for (alias, payment) in stored {
            renaming.by_alias.entry(alias).or_insert(payment);
        }
        renaming
    }

    fn settle(&mut self, alias: PaymentKey, payments: &BTreeSet<Box<str>>, before: Option<&str>) {
        let Some(payment) = payments.first().cloned() else { return };
        for other in payments.iter().skip(1) {
            self.contested.insert((alias.clone(), other.clone()));
        }
        if before != Some(&*payment) {
            let named = |id: Box<str>| PaymentKey { id, ..alias.clone() };
            let from = named(before.unwrap_or(&alias.id).into());
            self.moves.push(Move { named: alias.clone(), from, to: named(payment.clone()) });
            self.changed.push(AliasRow {
                account: alias.account.clone(),
                tenant: alias.tenant.clone(),
                alias: alias.id.clone(),
                payment: payment.clone(),
            });
        }
        self.by_alias.insert(alias, payment);
    }

    /// The name that stays.
    pub(crate) fn resolve(&self, key: &PaymentKey) -> PaymentKey {
        match self.by_alias.get(key) {
            Some(payment) => PaymentKey { id: payment.clone(), ..key.clone() },
            None => key.clone(),
        }
    }

    /// Whether this is another payment's name.
    pub(crate) fn is_alias(&self, key: &PaymentKey) -> bool {
        self.by_alias.contains_key(key)
    }
}

fn alias_key(row: &AliasRow) -> PaymentKey {
    PaymentKey { account: row.account.clone(), tenant: row.tenant.clone(), id: row.alias.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use afluente_model::ProviderId;

    fn account() -> AccountName {
        AccountName::parse("shop").unwrap()
    }

    fn key(id: &str) -> PaymentKey {
        PaymentKey { account: account(), tenant: "".into(), id: id.into() }
    }

    fn alias(alias: &str, payment: &str) -> Alias {
        let name = |id: &str| PaymentRef { tenant: None, id: ProviderId::parse(id).unwrap() };
        Alias { payment: name(payment), alias: name(alias) }
    }

    fn renaming(proposed: &[Alias], stored: &[(&str, &str)]) -> Renaming {
        let account = account();
        let stored: Vec<AliasRow> = stored
            .iter()
            .map(|(alias, payment)| AliasRow {
                account: account.clone(),
                tenant: "".into(),
                alias: (*alias).into(),
                payment: (*payment).into(),
            })
            .collect();
        Renaming::of(proposed.iter().map(|alias| (&account, alias)), &stored)
    }

    #[test]
    fn a_charge_heard_of_first_moves_to_its_intent() {
        let renaming = renaming(&[alias("ch_1", "pi_1"), alias("ch_1", "pi_1")], &[]);
        assert_eq!(renaming.moves, [Move { named: key("ch_1"), from: key("ch_1"), to: key("pi_1") }]);
        assert_eq!(renaming.resolve(&key("ch_1")), key("pi_1"));
        assert_eq!(renaming.resolve(&key("pi_1")), key("pi_1"));
    }

    #[test]
    fn a_known_alias_changes_nothing() {
        let renaming = renaming(&[alias("ch_1", "pi_1")], &[("ch_1", "pi_1")]);
        assert!(renaming.moves.is_empty() && renaming.changed.is_empty() && renaming.contested.is_empty());
        assert!(renaming.is_alias(&key("ch_1")));
    }

    #[test]
    fn of_two_payments_that_claim_one_charge_the_smaller_name_keeps_it_in_any_order() {
        let late = renaming(&[alias("ch_1", "pi_1")], &[("ch_1", "pi_2")]);
        assert_eq!(late.moves, [Move { named: key("ch_1"), from: key("pi_2"), to: key("pi_1") }]);
        let early = renaming(&[alias("ch_1", "pi_2")], &[("ch_1", "pi_1")]);
        assert!(early.moves.is_empty());
        let together = renaming(&[alias("ch_1", "pi_2"), alias("ch_1", "pi_1")], &[]);
        for renaming in [late, early, together] {
            assert_eq!(renaming.resolve(&key("ch_1")), key("pi_1"));
            assert_eq!(renaming.contested, BTreeSet::from([(key("ch_1"), "pi_2".into())]));
        }
    }

    #[test]
    fn a_name_is_never_an_alias_of_itself() {
        let renaming = renaming(&[alias("ch_1", "ch_1")], &[]);
        assert!(renaming.changed.is_empty() && !renaming.is_alias(&key("ch_1")));
    }
}

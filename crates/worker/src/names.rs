//! Which name of a payment is the one that stays, and which facts have to move when that becomes known late.
//!
//! A charge may be heard of before the intent it belongs to. Its facts then wait in a row of their own; the moment an
//! envelope names both, they move. Two intents that claim one charge contradict each other: the smaller name keeps it,
//! whatever the order, and an inconsistency is recorded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_gateways::Alias;
use afluente_model::{AccountName, PaymentRef};
use afluente_store::{NameRow, PaymentKey};

/// The key under which a reference is stored.
pub(crate) fn key_of(account: &AccountName, payment: &PaymentRef) -> PaymentKey {
    let tenant = payment.tenant.as_ref().map_or("", |tenant| tenant.as_str());
    PaymentKey { account: account.clone(), tenant: tenant.into(), id: payment.id.as_str().into() }
}

/// What the names of a batch stand for, and what its aliases change about that.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// From another name to the name that stays, stored ones and new ones.
    by_alias: HashMap<PaymentKey, Box<str>>,
    /// Names that stand for another payment than before, to be stored.
    pub(crate) changed: Vec<NameRow>,
    /// Where facts may stand that belong elsewhere.
    pub(crate) moves: Vec<Move>,
    /// Names two payments claim.
    pub(crate) contested: BTreeSet<(PaymentKey, Box<str>)>,
}

/// If there is a row `from`, its facts that came under `named` belong to `to`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) named: PaymentKey,
    pub(crate) from: PaymentKey,
    pub(crate) to: PaymentKey,
}

impl Renaming {
    /// Settles what the batch proposes against what is stored.
    pub(crate) fn of<'a>(proposed: impl Iterator<Item = (&'a AccountName, &'a Alias)>, stored: &[NameRow]) -> Renaming {
        let known: HashMap<&PaymentKey, &Box<str>> =
            stored.iter().filter(|row| row.payment != row.name.id).map(|row| (&row.name, &row.payment)).collect();
        let mut claims: BTreeMap<PaymentKey, BTreeSet<Box<str>>> = BTreeMap::new();
        for (account, alias) in proposed {
            let key = key_of(account, &alias.alias);
            if *key.id != *alias.payment.id.as_str() {
                claims.entry(key).or_default().insert(alias.payment.id.as_str().into());
            }
        }
        let mut renaming = Renaming::default();
        for (alias, mut payments) in claims {
            let before = known.get(&alias).map(|payment| (*payment).clone());
            payments.extend(before.clone());
            renaming.settle(alias, payments, before);
        }
        // Those nobody spoke of, in the order of their names.
        for row in stored.iter().filter(|row| known.contains_key(&row.name)) {
            if !renaming.is_alias(&row.name) {
                renaming.stands_for(row.name.clone(), row.payment.clone());
            }
        }
        renaming
    }

    /// Of several payments that claim a name the smallest keeps it.
    fn settle(&mut self, alias: PaymentKey, mut payments: BTreeSet<Box<str>>, before: Option<Box<str>>) {
        let Some(payment) = payments.pop_first() else { return };
        self.contested.extend(payments.into_iter().map(|other| (alias.clone(), other)));
        if before.as_ref() != Some(&payment) {
            self.changed.push(NameRow { name: alias.clone(), payment: payment.clone() });
            if let Some(before) = before {
                let named = |id: Box<str>| PaymentKey { id, ..alias.clone() };
                self.moves.push(Move { named: alias.clone(), from: named(before), to: named(payment.clone()) });
            }
        }
        self.stands_for(alias, payment);
    }

    /// A row of its own may stand under an alias whenever it was learned, so it is looked for every time.
    fn stands_for(&mut self, alias: PaymentKey, payment: Box<str>) {
        let to = PaymentKey { id: payment.clone(), ..alias.clone() };
        self.moves.push(Move { named: alias.clone(), from: alias.clone(), to });
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
        let stored: Vec<NameRow> =
            stored.iter().map(|(name, payment)| NameRow { name: key(name), payment: (*payment).into() }).collect();
        Renaming::of(proposed.iter().map(|alias| (&account, alias)), &stored)
    }

    fn moves(from: &str, to: &str) -> Move {
        Move { named: key("ch_1"), from: key(from), to: key(to) }
    }

    #[test]
    fn a_charge_heard_of_first_moves_to_its_intent() {
        let renaming = renaming(&[alias("ch_1", "pi_1"), alias("ch_1", "pi_1")], &[("ch_1", "ch_1"), ("pi_1", "pi_1")]);
        assert_eq!(renaming.moves, [moves("ch_1", "pi_1")]);
        assert_eq!(renaming.changed, [NameRow { name: key("ch_1"), payment: "pi_1".into() }]);
        assert_eq!(renaming.resolve(&key("ch_1")), key("pi_1"));
        assert_eq!(renaming.resolve(&key("pi_1")), key("pi_1"));
    }

    #[test]
    fn a_known_alias_changes_nothing_and_a_row_left_under_it_is_still_looked_for() {
        for proposed in [vec![alias("ch_1", "pi_1")], vec![]] {
            let renaming = renaming(&proposed, &[("ch_1", "pi_1")]);
            assert!(renaming.changed.is_empty() && renaming.contested.is_empty());
            assert!(renaming.is_alias(&key("ch_1")));
            assert_eq!(renaming.moves, [moves("ch_1", "pi_1")]);
        }
    }

    #[test]
    fn of_two_payments_that_claim_one_charge_the_smaller_name_keeps_it_in_any_order() {
        let late = renaming(&[alias("ch_1", "pi_1")], &[("ch_1", "pi_2")]);
        assert_eq!(late.moves, [moves("pi_2", "pi_1"), moves("ch_1", "pi_1")]);
        let early = renaming(&[alias("ch_1", "pi_2")], &[("ch_1", "pi_1")]);
        assert!(early.changed.is_empty());
        let together = renaming(&[alias("ch_1", "pi_2"), alias("ch_1", "pi_1")], &[]);
        for renaming in [late, early, together] {
            assert_eq!(renaming.resolve(&key("ch_1")), key("pi_1"));
            assert_eq!(renaming.contested, BTreeSet::from([(key("ch_1"), "pi_2".into())]));
        }
    }

    #[test]
    fn a_name_is_never_an_alias_of_itself() {
        let renaming = renaming(&[alias("ch_1", "ch_1")], &[("ch_1", "ch_1")]);
        assert!(renaming.changed.is_empty() && renaming.moves.is_empty() && !renaming.is_alias(&key("ch_1")));
    }
}

//! Which payment of ours a row of theirs shows, and in which words. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afluente_model::legacy::{of_status, provider_label};
use afluente_store::PaymentKey;
use afluente_store::legacy::{Beside, Relative, TheirRow, Words};

fn is(ids: &BTreeSet<Box<str>>, id: Option<&str>) -> bool {
    id.is_some_and(|id| ids.contains(id))
}

/// Payments by everything a row may name them by.
pub(super) struct Related<'a> {
    by_id: HashMap<&'a str, Vec<&'a Relative>>,
}

impl<'a> Related<'a> {
    pub(super) fn of(family: &'a [Relative]) -> Related<'a> {
        let mut by_id: HashMap<&str, Vec<&Relative>> = HashMap::new();
        for one in family {
            for id in one.own.union(&one.groups) {
                by_id.entry(id).or_default().push(one);
            }
        }
        Related { by_id }
    }

    /// Every payment one of a row's ids may mean, some of them twice.
    fn named_by(&self, row: &TheirRow) -> impl Iterator<Item = &'a Relative> {
        let ids = [row.charge_id.as_deref(), row.order_id.as_deref(), Some(&*row.row_id)];
        ids.into_iter().flatten().filter_map(|id| self.by_id.get(id)).flatten().copied()
    }

    /// Payments that none of these rows names.
    pub(super) fn unnamed(&self, family: &'a [Relative], rows: &[(TheirRow, &Relative)]) -> Vec<&'a Relative> {
        let named: BTreeSet<&PaymentKey> = rows
            .iter()
            .flat_map(|(row, _)| self.named_by(row).filter(|one| names(row, one)))
            .map(|one| &one.key)
            .collect();
        family.iter().filter(|one| !named.contains(&one.key)).collect()
    }
}

/// Whether a row names a payment: by its charge, its order or invoice, or its own id.
fn names(row: &TheirRow, one: &Relative) -> bool {
    let (order, charge) = (row.order_id.as_deref(), row.charge_id.as_deref());
    is(&one.own, charge) || is(&one.own, order) || is(&one.own, Some(&row.row_id)) || is(&one.groups, order)
}

/// The payment a row shows. Theirs is a row an order, ours a payment a charge: of several the newest that took money, else the
/// one whose charge the row holds, else the newest.
pub(super) fn shown<'a>(row: &TheirRow, related: &Related<'a>) -> Option<&'a Relative> {
    let newest = |one: &&'a Relative, other: &&'a Relative| (one.as_of, &one.key).cmp(&(other.as_of, &other.key));
    let candidates: Vec<&Relative> = related.named_by(row).filter(|one| names(row, one)).collect();
    let paid = candidates.iter().filter(|one| one.took_money).max_by(|one, other| newest(one, other));
    let held = candidates.iter().find(|one| is(&one.own, row.charge_id.as_deref()));
    let any = candidates.iter().max_by(|one, other| newest(one, other));
    paid.or(held).or(any).copied()
}

/// The words for a payment, as far as there are any; and the first that has no place there.
pub(super) fn told(payment: &Relative, beside: &Beside) -> (Words<'static>, Option<String>) {
    let status = of_status(payment.status);
    let provider = provider_label(payment.gateway);
    let targets = &beside.targets;
    let taken =
        |target: &afluente_store::legacy::Target, word: Option<&'static str>| word.filter(|word| target.takes(word));
    let words = Words {
        provider: taken(&targets.provider, Some(provider)),
        status: taken(&targets.status, status.label),
        word: taken(&targets.word, status.word).filter(|_| beside.writes_status),
    };
    let missing = if words.provider.is_none() {
        Some(format!("provider_v2 has no label for {provider}"))
    } else if words.status.is_none() {
        Some(format!("status_v2 has no label for {}", payment.status))
    } else {
        None
    };
    // Half a row would say something of another gateway, or nothing of what it is.
    if missing.is_some() { (Words::default(), missing) } else { (words, None) }
}

/// Words of `status` that revenue and plan limits count, a row each.
const COUNTED: [&str; 5] = ["paid", "authorized", "captured", "succeeded", "confirmed"];

fn is_counted(word: Option<&str>) -> bool {
    word.is_some_and(|word| COUNTED.contains(&word.to_ascii_lowercase().as_str()))
}

/// Of the rows of each payment the one that may begin to be counted: one that is counted already, else the one that holds its
/// charge, else the smallest that is no placeholder. Two rows that say paid would be money twice.
pub(super) fn speakers<'a>(rows: &'a [(TheirRow, &Relative)]) -> BTreeSet<&'a str> {
    let mut speakers: BTreeMap<&PaymentKey, (bool, bool, bool, &str)> = BTreeMap::new();
    for (row, payment) in rows {
        let holds = row.charge_id.as_deref().is_some_and(|charge| payment.own.contains(charge));
        let rank = (!is_counted(row.word_now.as_deref()), !holds, row.row_id.starts_with("wh_"), row.row_id.as_str());
        speakers.entry(&payment.key).and_modify(|best| *best = rank.min(*best)).or_insert(rank);
    }
    speakers.into_values().map(|(_, _, _, row)| row).collect()
}

/// The words without one by which a second row of a payment would begin to be counted.
pub(super) fn once_counted(words: Words<'static>, row: &TheirRow, speaks: bool) -> Words<'static> {
    let word = words.word.filter(|word| speaks || !is_counted(Some(word)) || is_counted(row.word_now.as_deref()));
    Words { word, ..words }
}

/// Of these words those whose columns are written; none if no column is, or where a word of the row has no place.
pub(super) fn written<'a>(words: Words<'a>, beside: &Beside) -> Option<Words<'a>> {
    let targets = &beside.targets;
    let written = Words {
        provider: words.provider.filter(|_| targets.provider.is_written()),
        status: words.status.filter(|_| targets.status.is_written()),
        word: words.word.filter(|_| targets.word.is_written()),
    };
    (written != Words::default()).then_some(written)
}

/// What stands there instead of the words; nothing if it is them. A word that is none is not compared.
pub(super) fn difference(row: &TheirRow, words: Words<'_>) -> Option<String> {
    let each = [
        ("provider_v2", words.provider, &row.provider_now),
        ("status_v2", words.status, &row.status_now),
        ("status", words.word, &row.word_now),
    ];
    let other = each.into_iter().filter(|(_, wanted, now)| wanted.is_some() && *wanted != now.as_deref());
    let said: Vec<String> = other
        .map(|(name, wanted, now)| {
            format!("{name} is {}, ours is {}", now.as_deref().unwrap_or("empty"), wanted.unwrap_or_default())
        })
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use afluente_model::{AccountName, Gateway, PaymentStatus, Timestamp};

    fn payment(id: &str, groups: &[&str], took_money: bool, second: i64) -> Relative {
        Relative {
            key: PaymentKey { account: AccountName::parse("loja").unwrap(), tenant: "".into(), id: id.into() },
            gateway: Gateway::Pagarme,
            status: PaymentStatus::Failed,
            took_money,
            as_of: Timestamp::from_seconds(second).ok(),
            own: [id.into()].into(),
            groups: groups.iter().map(|group| (*group).into()).collect(),
        }
    }

    fn row(order: Option<&str>, charge: Option<&str>) -> TheirRow {
        TheirRow {
            place: 0,
            row_id: "row".to_owned(),
            order_id: order.map(str::to_owned),
            charge_id: charge.map(str::to_owned),
            provider_now: None,
            status_now: Some("PROCESSING".to_owned()),
            word_now: None,
        }
    }

    #[test]
    fn an_order_with_a_declined_and_a_paid_charge_shows_the_paid_one() {
        let family = [payment("ch_1", &["or_1"], true, 5), payment("ch_2", &["or_1"], false, 9)];
        let related = Related::of(&family);
        let of = |row: &TheirRow| shown(row, &related).map(|one| &*one.key.id);
        assert_eq!(of(&row(Some("or_1"), Some("ch_2"))), Some("ch_1"));
        assert_eq!(of(&row(Some("or_2"), Some("ch_2"))), Some("ch_2"), "another order's row holds the charge");
        assert_eq!(of(&row(Some("or_2"), None)), None);
    }

    #[test]
    fn without_money_the_charge_the_row_holds_is_shown_and_else_the_newest() {
        let family = [payment("ch_1", &["or_1"], false, 5), payment("ch_2", &["or_1"], false, 9)];
        let of = |row: &TheirRow| shown(row, &Related::of(&family)).map(|one| &*one.key.id);
        assert_eq!(of(&row(Some("or_1"), Some("ch_1"))), Some("ch_1"));
        assert_eq!(of(&row(Some("or_1"), None)), Some("ch_2"));
        assert_eq!(of(&row(Some("ch_1"), None)), Some("ch_1"), "a placeholder that only knows the charge");
    }

    #[test]
    fn of_two_rows_of_a_payment_one_begins_to_be_counted() {
        let paid = payment("ch_1", &["or_1"], true, 5);
        let called = |id: &str, charge: Option<&str>, word: &str| {
            let row = TheirRow { row_id: id.to_owned(), word_now: Some(word.to_owned()), ..row(Some("or_1"), charge) };
            (row, &paid)
        };
        let speaker =
            |rows: &[(TheirRow, &Relative)]| speakers(rows).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let (a, b, wh) =
            (called("a", None, "processing"), called("b", Some("ch_1"), "processing"), called("wh_1", None, "PAID"));
        assert_eq!(speaker(&[a.clone(), b.clone()]), ["b"], "it holds the charge");
        assert_eq!(speaker(&[a.clone(), b.clone(), wh.clone()]), ["wh_1"], "it is counted already");
        let word = |row: &TheirRow, speaks: bool, word| {
            once_counted(Words { word: Some(word), ..Words::default() }, row, speaks).word
        };
        assert_eq!(word(&a.0, true, "paid"), Some("paid"));
        assert_eq!(word(&a.0, false, "paid"), None, "it would be money twice");
        assert_eq!(word(&wh.0, false, "paid"), Some("paid"), "their own doubling is theirs");
        assert_eq!(word(&a.0, false, "failed"), Some("failed"));
    }

    #[test]
    fn only_what_is_wanted_and_not_there_is_a_difference() {
        let words = Words { provider: None, status: Some("SUCCEEDED"), word: None };
        let said = difference(&row(None, None), words).unwrap();
        assert_eq!(said, "status_v2 is PROCESSING, ours is SUCCEEDED");
        assert_eq!(difference(&row(None, None), Words { status: Some("PROCESSING"), ..words }), None);
    }
}

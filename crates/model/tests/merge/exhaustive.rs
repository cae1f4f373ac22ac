//! Every set of up to five facts of a small universe: whatever their order, however they are split and whatever is said twice,
//! one state; and that is the one of the strongest fact of each kind.
//!
//! Each set is compared with the sets that lack one of its facts and with both halves of each of its splits. So by induction all
//! orders and all splits into any number of parts agree.

use afluente_model::{
    Amount, Conventions, Currency, Detail, Fact, Kind, PaymentFact, PaymentKind, Source, State, Timestamp, fold,
    project,
};

/// Facts of a set at most.
const MOST: usize = 5;

fn said(kind: PaymentKind, op: &str, at: Option<i64>, amount: i64, source: Source) -> PaymentFact {
    let at = at.and_then(|seconds| Timestamp::from_seconds(seconds).ok());
    Fact::new(kind, op, at, source).money(Amount::new(amount).ok(), Some(Currency::BRL))
}

/// One fact of each kind, and around some of them everything that decides: a later and an earlier clock, none, the same moment with
/// another amount, source or word, another currency, an earlier moment it counts from, another operation, a row of theirs.
fn universe() -> Vec<PaymentFact> {
    let kinds = PaymentKind::all().into_iter().filter(|kind| !kind.is_strike());
    let mut all: Vec<PaymentFact> = kinds.map(|kind| said(kind, "a", Some(10), 100, Source::Webhook)).collect();
    let (captured, held) = (PaymentKind::parse("capture", "succeeded"), PaymentKind::parse("auth", "authorized"));
    for kind in [captured.unwrap(), held.unwrap()] {
        let same = said(kind, "a", Some(10), 100, Source::Webhook);
        all.push(said(kind, "a", Some(11), 40, Source::Webhook));
        all.push(said(kind, "a", None, 70, Source::Webhook));
        all.push(said(kind, "a", Some(10), 60, Source::Webhook));
        all.push(said(kind, "a", Some(10), 100, Source::Fetch));
        all.push(same.clone().money(None, None));
        all.push(same.clone().detail(Detail::word("paid")));
        all.push(same.counted_from(Timestamp::from_seconds(3).ok()));
        all.push(said(kind, "b", Some(10), 100, Source::Webhook));
        all.push(said(kind, "a", Some(12), 30, Source::Legacy));
    }
    let dollars = said(captured.unwrap(), "c", None, 5, Source::Webhook);
    all.push(dollars.money(Amount::new(5).ok(), Currency::parse("USD").ok()));
    all
}

/// Every subset of a set by the bits of its members; the last is the whole.
fn states(set: &[&PaymentFact]) -> Vec<State<PaymentKind>> {
    (0..1_usize << set.len()).map(|members| of(set, members)).collect()
}

fn of(set: &[&PaymentFact], members: usize) -> State<PaymentKind> {
    let mut state = State::default();
    set.iter().enumerate().filter(|(index, _)| members >> index & 1 == 1).for_each(|(_, fact)| state.add(fact));
    state
}

fn check(set: &[&PaymentFact]) {
    let states = states(set);
    let all = states.len() - 1;
    let whole = &states[all];
    for (index, fact) in set.iter().enumerate() {
        let mut last = states[all & !(1 << index)].clone();
        last.add(fact);
        assert_eq!(last, *whole, "{fact:?} added last to {set:?}");
        last.add(fact);
        assert_eq!(last, *whole, "{fact:?} added twice to {set:?}");
    }
    for part in 0..=all {
        for other in [all & !part, all] {
            let mut joined = states[part].clone();
            joined.join(states[other].clone());
            assert_eq!(joined, *whole, "{part:b} joined with {other:b} of {set:?}");
        }
    }
    let reversed = fold(set.iter().rev().copied());
    assert_eq!(reversed, *whole, "{set:?} folded from its end");
    strongest(set, whole);
    let amounts = project(whole, Conventions::PLAIN).amounts;
    assert!(amounts.refunded <= amounts.captured, "{set:?}");
}

/// That each register is the strongest fact's of its kind, told in other words than the fold tells it.
fn strongest(set: &[&PaymentFact], whole: &State<PaymentKind>) {
    for ((family, op), kinds) in whole.ops() {
        for (kind, register) in kinds {
            let rivals: Vec<&&PaymentFact> = set
                .iter()
                .filter(|fact| {
                    fact.kind == *kind
                        && fact.op == *op
                        && (fact.source == Source::Legacy) == (register.key.source == Source::Legacy)
                })
                .collect();
            let strength = |fact: &PaymentFact| {
                let minor = fact.amount.map(Amount::minor);
                (fact.at, if *family == "auth" { minor.map(|minor| -minor) } else { minor }, fact.source)
            };
            let best = rivals.iter().map(|fact| strength(fact)).max();
            let winners: Vec<_> = rivals.iter().filter(|fact| Some(strength(fact)) == best).collect();
            let winner = winners.iter().max_by_key(|fact| fact.key()).unwrap();
            assert_eq!((register.amount, &register.detail), (winner.amount, &winner.detail), "{kind:?} of {set:?}");
            assert_eq!(register.tied, winners.len() > 1, "{kind:?} of {set:?}");
            assert_eq!(register.op_at, rivals.iter().filter_map(|fact| fact.op_at).min(), "{kind:?} of {set:?}");
            assert_eq!(register.first_at, rivals.iter().filter_map(|fact| fact.at).min(), "{kind:?} of {set:?}");
        }
    }
}

/// Calls `each` with every set of up to so many of these facts; returns how many there are.
fn sets<'a>(
    of: &'a [PaymentFact],
    most: usize,
    set: &mut Vec<&'a PaymentFact>,
    each: &mut impl FnMut(&[&'a PaymentFact]),
) {
    each(set);
    if set.len() == most {
        return;
    }
    for (index, fact) in of.iter().enumerate() {
        set.push(fact);
        sets(&of[index + 1..], most, set, each);
        set.pop();
    }
}

/// All of them where `AFLUENTE_TEST_FULL` is set (two million, for a release build); else all of up to three, and of the larger ones
/// one of many.
#[test]
fn every_set_of_up_to_five_facts_is_one_state_whatever_the_order_the_split_and_the_repetition() {
    let full = std::env::var_os("AFLUENTE_TEST_FULL").is_some();
    let universe = universe();
    assert!(universe.len() >= 24);
    let (mut seen, mut checked) = (0_u64, 0_u64);
    sets(&universe, MOST, &mut Vec::new(), &mut |set| {
        seen += 1;
        if full || set.len() < 3 || (set.len() == 3 && seen % 17 == 0) || seen % 1_999 == 0 {
            check(set);
            checked += 1;
        }
    });
    println!("{} facts, {seen} sets, {checked} checked", universe.len());
}

#[test]
fn every_set_with_strikes_of_facts_and_of_strikes_is_one_state_whatever_the_order() {
    let mut universe: Vec<PaymentFact> = universe().into_iter().step_by(9).collect();
    for target in 0..3 {
        let key = universe[target].key().to_string();
        universe.push(Fact::new(PaymentKind::Strike, &key, None, Source::Operator));
    }
    let strike = universe.last().unwrap().key().to_string();
    universe.push(Fact::new(PaymentKind::Strike, &strike, None, Source::Operator));
    sets(&universe, 4, &mut Vec::new(), &mut |set| {
        let whole = fold(set.iter().copied());
        for turn in 0..set.len() {
            let turned = set[turn..].iter().chain(&set[..turn]).chain(&set[turn..]).copied();
            assert_eq!(fold(turned), whole, "{set:?} from its fact {turn}");
        }
        let left = set.iter().filter(|fact| !fact.kind.is_strike() && !is_struck(fact, set)).copied();
        assert_eq!(fold(left), whole, "{set:?}");
    });
}

/// Struck by a strike that is not struck itself, told in other words than the fold tells it.
fn is_struck(fact: &PaymentFact, set: &[&PaymentFact]) -> bool {
    let key = fact.key().to_string();
    set.iter().any(|strike| strike.kind.is_strike() && *strike.op == *key && !is_struck(strike, set))
}

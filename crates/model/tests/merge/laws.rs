//! The laws on random facts: join is commutative, associative and idempotent, and no way to split, order or repeat the
//! work shows in the row.

use afluente_model::money::Scale;
use afluente_model::{
    Amount, CaptureKind, Conventions, Currency, Detail, DetailKey, Fact, Kind, PaymentFact, PaymentKind, PaymentStatus,
    Source, State, SubscriptionFact, SubscriptionKind, Timestamp, fold, project, project_subscription,
};
use proptest::prelude::*;

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    // Few moments, so that ties are the rule.
    prop_oneof![1 => Just(None), 5 => (0..8_i64).prop_map(|seconds| Timestamp::from_seconds(seconds).ok())]
}

fn amount() -> impl Strategy<Value = Option<Amount>> {
    let minor = prop_oneof![8 => 0..5_i64, 1 => Just(i64::MAX), 1 => 0..i64::MAX];
    prop_oneof![1 => Just(None), 5 => minor.prop_map(|minor| Amount::new(minor).ok())]
}

fn detail() -> impl Strategy<Value = Detail> {
    proptest::collection::vec((0..DetailKey::ALL.len(), "[0-9a-z]{0,3}"), 0..2).prop_map(|entries| {
        entries.iter().fold(Detail::none(), |detail, (key, value)| detail.with(DetailKey::ALL[*key], value))
    })
}

fn facts<K: Kind>(most: usize) -> impl Strategy<Value = Vec<Fact<K>>> {
    let kinds: Vec<K> = K::all().into_iter().filter(|kind| !kind.is_strike()).collect();
    let currency = prop_oneof![6 => Just(None), 6 => Just(Some(Currency::BRL)), 1 => Just(Currency::parse("USD").ok())];
    let fact = (0..kinds.len(), 0..3_u8, time(), time(), amount(), currency, 0..Source::ALL.len(), detail()).prop_map(
        move |(kind, op, at, op_at, amount, currency, source, detail)| {
            Fact::new(kinds[kind], &format!("op{op}"), at, Source::ALL[source])
                .counted_from(op_at)
                .money(amount, currency)
                .detail(detail)
        },
    );
    proptest::collection::vec(fact, 0..most)
}

/// The facts with strikes mixed in: of facts, of strikes, of nothing.
fn with_strikes() -> impl Strategy<Value = Vec<PaymentFact>> {
    (facts::<PaymentKind>(8), proptest::collection::vec(any::<prop::sample::Index>(), 0..4)).prop_map(
        |(mut facts, targets)| {
            for target in targets {
                if !facts.is_empty() {
                    let key = facts[target.index(facts.len())].key().to_string();
                    facts.push(Fact::new(PaymentKind::Strike, &key, None, Source::Operator));
                }
            }
            facts
        },
    )
}

fn joined<K: Kind>(mut a: State<K>, b: &State<K>) -> State<K> {
    a.join(b.clone());
    a
}

fn config() -> ProptestConfig {
    // PROPTEST_CASES raises or lowers it; the default is what CI runs.
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn join_is_commutative_associative_and_idempotent(a in facts::<PaymentKind>(6), b in facts(6), c in facts(6)) {
        let (a, b, c) = (fold(&a), fold(&b), fold(&c));
        prop_assert_eq!(joined(a.clone(), &b), joined(b.clone(), &a));
        prop_assert_eq!(joined(joined(a.clone(), &b), &c), joined(a.clone(), &joined(b.clone(), &c)));
        prop_assert_eq!(joined(a.clone(), &a), a);
    }

    #[test]
    fn order_repetition_and_split_over_two_replicas_do_not_show(
        facts in facts::<PaymentKind>(10),
        order in any::<u64>(),
        split in any::<u16>(),
    ) {
        let whole = fold(&facts);
        let mut shuffled: Vec<&PaymentFact> = facts.iter().chain(facts.iter().take(facts.len() / 2)).collect();
        super::scenario::Random::new(order).shuffle(&mut shuffled);
        prop_assert_eq!(&fold(shuffled), &whole);
        let side = |wanted| fold(facts.iter().enumerate().filter(|(index, _)| split >> index & 1 == wanted).map(|(_, fact)| fact));
        prop_assert_eq!(&joined(side(0), &side(1)), &whole);
        prop_assert_eq!(project(&joined(side(1), &side(0)), Conventions::PLAIN), project(&whole, Conventions::PLAIN));
    }

    #[test]
    fn strikes_are_part_of_the_set_whatever_their_order(facts in with_strikes(), order in any::<u64>()) {
        let mut shuffled: Vec<&PaymentFact> = facts.iter().chain(&facts).collect();
        super::scenario::Random::new(order).shuffle(&mut shuffled);
        prop_assert_eq!(fold(shuffled), fold(&facts));
    }

    #[test]
    fn every_row_keeps_the_promises_the_ledger_checks(facts in facts::<PaymentKind>(10)) {
        let row = project(&fold(&facts), Conventions::PLAIN);
        let amounts = row.amounts;
        prop_assert!(amounts.refunded <= amounts.captured);
        prop_assert!(amounts.refund_pending.wide() <= amounts.captured.wide() - amounts.refunded.wide());
        let captured = amounts.captured > Amount::ZERO;
        let holds = match row.status {
            PaymentStatus::Refunded => captured && amounts.refunded == amounts.captured,
            PaymentStatus::PartiallyRefunded => captured && Amount::ZERO < amounts.refunded && amounts.refunded < amounts.captured,
            PaymentStatus::Succeeded => captured && amounts.refunded == Amount::ZERO,
            PaymentStatus::ChargedBack | PaymentStatus::Disputed => captured,
            PaymentStatus::Pending | PaymentStatus::Processing | PaymentStatus::RequiresAction | PaymentStatus::InReview
            | PaymentStatus::Authorized | PaymentStatus::Failed | PaymentStatus::Canceled | PaymentStatus::Expired
            | PaymentStatus::Unknown => !captured,
        };
        prop_assert!(holds, "{row:?}");
    }

    #[test]
    fn subscriptions_obey_the_same_laws(facts in facts::<SubscriptionKind>(10), order in any::<u64>(), now in 0..10_i64) {
        let mut shuffled: Vec<&SubscriptionFact> = facts.iter().chain(&facts).collect();
        super::scenario::Random::new(order).shuffle(&mut shuffled);
        let (one, other) = (project_subscription(&fold(shuffled)), project_subscription(&fold(&facts)));
        prop_assert_eq!(&one, &other);
        let now = Timestamp::from_seconds(now).unwrap();
        if let Some(next) = one.next_transition_at(now) {
            prop_assert!(next > now && one.status(now) != one.status(next));
        }
    }
}

#[test]
fn one_amount_its_gateway_should_never_have_written_marks_the_payment() {
    let stripe = Conventions { scale: Scale::stripe, ..Conventions::PLAIN };
    let taken = |minor: i64, code: &str| {
        Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), "c", None, Source::Webhook)
            .money(Some(Amount::new(minor).unwrap()), Some(Currency::parse(code).unwrap()))
    };
    let is_doubted = |facts: &[PaymentFact], conventions| project(&fold(facts), conventions).amount_doubted;
    assert!(is_doubted(&[taken(550, "ISK")], stripe));
    assert!(!is_doubted(&[taken(500, "ISK")], stripe));
    assert!(!is_doubted(&[taken(550, "ISK")], Conventions::PLAIN));
    assert!(!is_doubted(&[], stripe));
}

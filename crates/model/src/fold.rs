//! The fold: a set of facts joined into one state.
//!
//! The state maps each operation to its kinds, and each kind to one register. Joining keeps the greater evidence and the
//! smaller `op_at`; that is commutative, associative and idempotent, so any order, any repetition and any split of the
//! facts over machines ends in the same state.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::fact::{Detail, Fact, FactKey};
use crate::kind::Kind;
use crate::money::{Amount, Currency};
use crate::source::Source;
use crate::time::Timestamp;

/// The whole tie-break law, compared from the top field down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidenceKey {
    /// The gateway's clock; none is smallest.
    pub at: Option<Timestamp>,
    /// Rank of the kind within its family.
    pub precedence: u8,
    /// The amount as it weighs: larger later, in family `auth` smaller later; none is smallest.
    weight: Option<i64>,
    /// The fuller reading of one moment.
    pub source: Source,
    /// Makes the order total. Where it decides, the register is tied.
    digest: FactKey,
}

impl EvidenceKey {
    fn of<K: Kind>(fact: &Fact<K>, digest: FactKey) -> EvidenceKey {
        let weight = fact.amount.map(Amount::minor);
        EvidenceKey {
            at: fact.at,
            precedence: fact.kind.precedence(),
            weight: if fact.kind.smaller_amount_wins() { weight.map(|minor| -minor) } else { weight },
            source: fact.source,
            digest,
        }
    }

    /// Everything but the digest agrees: two facts of one moment that say different things.
    fn ties(&self, other: &EvidenceKey) -> bool {
        self.digest != other.digest && EvidenceKey { digest: other.digest, ..*self } == *other
    }
}

/// The strongest thing said of one kind of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its evidence.
    pub key: EvidenceKey,
    /// The amount of the strongest fact.
    pub amount: Option<Amount>,
    /// The currency of the strongest fact.
    pub currency: Option<Currency>,
    /// The detail of the strongest fact.
    pub detail: Detail,
    /// The smallest `op_at` any fact of this kind carried.
    pub op_at: Option<Timestamp>,
    /// The smallest `at` any fact of this kind carried; none if all were without time.
    pub first_at: Option<Timestamp>,
    /// Whether the digest alone decided: two facts of one moment disagree.
    pub tied: bool,
}

impl Register {
    fn of<K: Kind>(fact: &Fact<K>, digest: FactKey) -> Register {
        Register {
            key: EvidenceKey::of(fact, digest),
            amount: fact.amount,
            currency: fact.currency,
            detail: fact.detail.clone(),
            op_at: fact.op_at,
            first_at: fact.at,
            tied: false,
        }
    }

    fn join(&mut self, other: Register) {
        let op_at = earliest(self.op_at, other.op_at);
        let first_at = earliest(self.first_at, other.first_at);
        let disagree = self.key.ties(&other.key);
        let tied = match self.key.cmp(&other.key) {
            Ordering::Less => {
                let inherited = other.tied;
                *self = other;
                disagree || inherited
            }
            Ordering::Equal => self.tied || other.tied,
            Ordering::Greater => disagree || self.tied,
        };
        self.op_at = op_at;
        self.first_at = first_at;
        self.tied = tied;
    }
}

/// The smaller of two moments, where an unknown one is no statement at all.
fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (known, None) | (None, known) => known,
    }
}

/// Names one operation: its family and the gateway's id of it.
pub type OpName = (&'static str, Box<str>);

/// What one voice says: gateways and people, or rows of an application beside us.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voice<K> {
    ops: BTreeMap<OpName, BTreeMap<K, Register>>,
    currencies: BTreeSet<(u8, Currency)>,
}

impl<K> Default for Voice<K> {
    fn default() -> Voice<K> {
        Voice { ops: BTreeMap::new(), currencies: BTreeSet::new() }
    }
}

impl<K: Kind> Voice<K> {
    fn add(&mut self, fact: &Fact<K>) {
        if let Some(currency) = fact.currency {
            self.currencies.insert((currency_rank(fact.kind.family()), currency));
        }
        let register = Register::of(fact, fact.key());
        self.join_register((fact.kind.family(), fact.op.clone()), fact.kind, register);
    }

    fn join(&mut self, other: Voice<K>) {
        self.currencies.extend(other.currencies);
        for (op, kinds) in other.ops {
            for (kind, register) in kinds {
                self.join_register(op.clone(), kind, register);
            }
        }
    }

    fn join_register(&mut self, op: OpName, kind: K, register: Register) {
        match self.ops.entry(op).or_default().entry(kind) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(register);
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => slot.get_mut().join(register),
        }
    }
}

/// What a set of facts says, joined. Equal for equal sets.
///
/// What rows of an application beside us say is kept apart, since it is heard only where no gateway says it: not at all once the
/// payment itself was read back or a person spoke of it, for that says everything; before that not of a matter of which a gateway
/// said something. A late word of one matter (a try that was made) takes nothing from what only the row knows of another (that
/// money was taken).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<K> {
    said: Voice<K>,
    rows: Voice<K>,
    /// Whether a fact of the payment itself was read back, or said by a person.
    was_read: bool,
}

impl<K> Default for State<K> {
    fn default() -> State<K> {
        State { said: Voice::default(), rows: Voice::default(), was_read: false }
    }
}

impl<K: Kind> State<K> {
    /// Adds what one fact says. Adding it again changes nothing.
    pub fn add(&mut self, fact: &Fact<K>) {
        if fact.source == Source::Legacy {
            return self.rows.add(fact);
        }
        self.was_read |= fact.source > Source::Webhook && matches!(matter(fact.kind.family()), "attempt" | "money");
        self.said.add(fact);
    }

    /// Joins the state of another replica, or of the other half of a set.
    pub fn join(&mut self, other: State<K>) {
        self.was_read |= other.was_read;
        self.said.join(other.said);
        self.rows.join(other.rows);
    }

    /// Every operation that is heard, with the registers of its kinds: by family and name, those of rows last.
    pub fn ops(&self) -> impl Iterator<Item = (&OpName, &BTreeMap<K, Register>)> {
        self.said.ops.iter().chain(self.rows.ops.iter().filter(|((family, _), _)| self.hears_rows_of(family)))
    }

    /// The currency of the row: of the facts that name one, the family that knows best, then the smaller code.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.currencies().first().map(|(_, currency)| *currency)
    }

    /// Whether facts in another currency than the row's exist: their kinds count, their amounts do not.
    #[must_use]
    pub fn has_other_currency(&self) -> bool {
        let row = self.currency();
        self.currencies().iter().any(|(_, currency)| Some(*currency) != row)
    }

    fn currencies(&self) -> &BTreeSet<(u8, Currency)> {
        if self.said.currencies.is_empty() { &self.rows.currencies } else { &self.said.currencies }
    }

    fn hears_rows_of(&self, family: &str) -> bool {
        !self.was_read && !self.said.ops.keys().any(|(said, _)| matter(said) == matter(family))
    }
}

/// Holds, takes and totals are one matter: money of the payer's. Every other family is its own.
fn matter(family: &str) -> &str {
    match family {
        "auth" | "capture" | "totals" => "money",
        other => other,
    }
}

/// Which family's currency names the row's, best first.
fn currency_rank(family: &str) -> u8 {
    match family {
        "totals" => 0,
        "capture" => 1,
        "auth" => 2,
        "refund" => 3,
        "dispute" => 4,
        "attempt" => 5,
        _ => 6,
    }
}

/// Folds a set of facts. Facts an operator struck are left out; a strike that was itself struck strikes nothing.
pub fn fold<'a, K: Kind>(facts: impl IntoIterator<Item = &'a Fact<K>>) -> State<K> {
    let facts: Vec<&Fact<K>> = facts.into_iter().collect();
    let struck = struck_facts(&facts);
    let mut state = State::default();
    for fact in facts {
        if !fact.kind.is_strike() && (struck.is_empty() || !struck.contains(&fact.key())) {
            state.add(fact);
        }
    }
    state
}

/// The keys of facts that a standing strike names. A strike's key is a hash over what it names, so no two strikes can
/// name each other and the walk ends.
fn struck_facts<K: Kind>(facts: &[&Fact<K>]) -> HashSet<FactKey> {
    let mut strikes: HashMap<FactKey, Vec<FactKey>> = HashMap::new();
    for fact in facts.iter().filter(|fact| fact.kind.is_strike()) {
        if let Ok(target) = FactKey::parse(&fact.op) {
            strikes.entry(target).or_default().push(fact.key());
        }
    }
    let mut verdicts = HashMap::new();
    let targets: Vec<FactKey> = strikes.keys().copied().collect();
    targets.into_iter().filter(|target| is_struck(*target, &strikes, &mut verdicts)).collect()
}

fn is_struck(target: FactKey, strikes: &HashMap<FactKey, Vec<FactKey>>, known: &mut HashMap<FactKey, bool>) -> bool {
    if let Some(verdict) = known.get(&target) {
        return *verdict;
    }
    let by = strikes.get(&target).map_or(&[][..], Vec::as_slice);
    let verdict = by.iter().any(|strike| !is_struck(*strike, strikes, known));
    known.insert(target, verdict);
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{AttemptKind, AuthKind, CaptureKind, PaymentKind};

    fn capture(at: i64, amount: i64, source: Source) -> Fact<PaymentKind> {
        Fact::new(PaymentKind::Capture(CaptureKind::Succeeded), "c", Timestamp::from_seconds(at).ok(), source)
            .money(Amount::new(amount).ok(), None)
    }

    fn only_register(facts: &[Fact<PaymentKind>]) -> Register {
        fold(facts).ops().next().and_then(|(_, kinds)| kinds.values().next().cloned()).unwrap()
    }

    #[test]
    fn evidence_is_compared_time_then_amount_then_source() {
        let amount = |facts: &[Fact<PaymentKind>]| only_register(facts).amount.map(Amount::minor);
        assert_eq!(amount(&[capture(10, 9, Source::Operator), capture(11, 1, Source::Webhook)]), Some(1));
        assert_eq!(amount(&[capture(10, 9, Source::Webhook), capture(10, 1, Source::Operator)]), Some(9));
        let by = only_register(&[capture(10, 9, Source::Operator), capture(10, 9, Source::Fetch)]);
        assert_eq!(by.key.source, Source::Operator);
        assert!(!by.tied);
    }

    #[test]
    fn a_lowered_hold_wins_within_one_moment() {
        let hold =
            |amount| Fact { kind: PaymentKind::Auth(AuthKind::Authorized), ..capture(10, amount, Source::Webhook) };
        assert_eq!(only_register(&[hold(100), hold(70)]).amount, Amount::new(70).ok());
    }

    #[test]
    fn two_facts_of_one_moment_that_disagree_are_tied() {
        let other = capture(10, 9, Source::Webhook).detail(Detail::word("paid"));
        assert!(only_register(&[capture(10, 9, Source::Webhook), other.clone()]).tied);
        assert!(!only_register(&[capture(10, 9, Source::Webhook), capture(10, 9, Source::Webhook)]).tied);
        assert!(!only_register(&[capture(10, 9, Source::Webhook), other, capture(12, 9, Source::Webhook)]).tied);
    }

    #[test]
    fn a_struck_fact_is_left_out_and_a_struck_strike_puts_it_back() {
        let fact = capture(10, 9, Source::Webhook);
        let strike = Fact::new(PaymentKind::Strike, &fact.key().to_string(), None, Source::Operator);
        let unstrike = Fact::new(PaymentKind::Strike, &strike.key().to_string(), None, Source::Operator);
        assert_eq!(fold([&fact, &strike]).ops().count(), 0);
        assert_eq!(fold([&unstrike, &fact, &strike]), fold([&fact]));
        let nonsense = Fact::new(PaymentKind::Strike, "not a key", None, Source::Operator);
        assert_eq!(fold([&fact, &nonsense]), fold([&fact]));
    }

    #[test]
    fn the_row_s_currency_is_that_of_the_family_that_knows_best_then_the_smaller_code() {
        let best_first = ["totals", "capture", "auth", "refund", "dispute", "attempt", "risk", "unmapped"];
        let of = |family: &str, currency: &str| {
            let kind = PaymentKind::all().into_iter().find(|kind| kind.family() == family).unwrap();
            Fact::new(kind, "c", None, Source::Webhook).money(None, Currency::parse(currency).ok())
        };
        for (better, worse) in best_first[..7].iter().zip(&best_first[1..7]) {
            let state = fold(&[of(worse, "AAA"), of(better, "ZZZ")]);
            assert_eq!(state.currency(), Currency::parse("ZZZ").ok(), "{better} knows better than {worse}");
            assert!(state.has_other_currency());
        }
        let alike = fold(&[of("risk", "ZZZ"), of("unmapped", "AAA")]);
        assert_eq!(alike.currency(), Currency::parse("AAA").ok());
        let one = fold(&[of("auth", "BRL"), of("capture", "BRL")]);
        assert!(!one.has_other_currency() && !fold::<PaymentKind>(&[]).has_other_currency());
    }

    fn kinds(facts: &[Fact<PaymentKind>]) -> Vec<PaymentKind> {
        let mut kinds: Vec<_> = fold(facts).ops().flat_map(|(_, kinds)| kinds.keys().copied()).collect();
        kinds.sort_unstable();
        kinds
    }

    #[test]
    fn what_a_row_of_theirs_says_is_left_out_where_a_gateway_says_it() {
        let said = |kind, source| Fact::new(kind, "c", None, source);
        let (took, held) = (PaymentKind::Capture(CaptureKind::Succeeded), PaymentKind::Auth(AuthKind::Voided));
        let tried = PaymentKind::Attempt(AttemptKind::Pending);
        let row = [said(took, Source::Legacy), said(tried, Source::Legacy)];
        assert_eq!(kinds(&row), [tried, took]);
        let with = |one: Fact<PaymentKind>| kinds(&[row[0].clone(), one, row[1].clone()]);
        let created = PaymentKind::Attempt(AttemptKind::Created);
        assert_eq!(with(said(created, Source::Webhook)), [created, took]);
        assert_eq!(with(said(held, Source::Webhook)), [tried, held], "money is one matter");
        assert_eq!(with(said(held, Source::Fetch)), [held], "the payment as read back says everything");
        let refund = PaymentKind::Refund(crate::kind::RefundKind::Succeeded);
        assert_eq!(with(said(refund, Source::Fetch)), [tried, took, refund], "a refund says nothing of the payment");
    }
}

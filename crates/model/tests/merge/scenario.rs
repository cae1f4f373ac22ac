//! Reads scenarios and prints rows the way they are written there.

use std::collections::BTreeMap;

use afluente_model::{
    Amount, Conventions, Currency, Detail, DetailKey, Fact, Kind, PaymentFact, PaymentKind, Source, Timestamp, fold,
    project,
};
use serde_json::Value;

/// One case: a set of facts and the row declared right by hand.
pub(crate) struct Scenario {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) facts: Vec<PaymentFact>,
    pub(crate) expected: BTreeMap<String, Value>,
}

impl Scenario {
    pub(crate) fn has_strikes(&self) -> bool {
        self.facts.iter().any(|fact| fact.kind.is_strike())
    }
}

/// The shared scenarios (S…) and our own (A…).
pub(crate) fn scenarios() -> Vec<Scenario> {
    [include_str!("scenarios.json"), include_str!("scenarios_own.json")].iter().flat_map(|text| parse(text)).collect()
}

fn parse(text: &str) -> Vec<Scenario> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["scenarios"].as_array().unwrap().iter().map(scenario).collect()
}

fn scenario(value: &Value) -> Scenario {
    let text = |field: &str| value[field].as_str().unwrap().to_owned();
    let mut facts = Vec::new();
    for fact in value["facts"].as_array().unwrap() {
        facts.push(fact_of(fact, &facts));
    }
    let expected = value["expected"].as_object().unwrap().clone().into_iter().collect();
    Scenario { id: text("id"), title: text("title"), facts, expected }
}

/// `op` of a strike may be `#N`: the key of the N-th fact of the scenario.
fn fact_of(value: &Value, earlier: &[PaymentFact]) -> PaymentFact {
    let text = |field: &str| value[field].as_str();
    let time = |field: &str| value[field].as_i64().map(|seconds| Timestamp::from_seconds(seconds).unwrap());
    let kind = PaymentKind::parse(text("family").unwrap(), text("kind").unwrap()).unwrap();
    let op = match text("op").unwrap().strip_prefix('#') {
        Some(index) => earlier[index.parse::<usize>().unwrap()].key().to_string(),
        None => text("op").unwrap().to_owned(),
    };
    let mut detail = Detail::none();
    for (key, value) in value["detail"].as_object().into_iter().flatten() {
        detail = detail.with(DetailKey::parse(key).unwrap(), value.as_str().unwrap());
    }
    Fact::new(kind, &op, time("at"), Source::parse(text("source").unwrap()).unwrap())
        .counted_from(time("op_at"))
        .money(
            value["amount"].as_i64().map(|minor| Amount::new(minor).unwrap()),
            text("currency").map(|code| Currency::parse(code).unwrap()),
        )
        .detail(detail)
}

/// The row of a sequence of facts, by column.
pub(crate) fn row_of(facts: &[&PaymentFact]) -> BTreeMap<String, Value> {
    let payment = project(&fold(facts.iter().copied()), Conventions::PLAIN);
    let amounts = payment.amounts;
    let time = |at: Option<Timestamp>| at.map_or(Value::Null, |at| at.as_seconds().into());
    let row: [(&str, Value); 24] = [
        ("status_v2", payment.status.as_str().into()),
        ("authorized", amounts.authorized.minor().into()),
        ("captured", amounts.captured.minor().into()),
        ("refunded", amounts.refunded.minor().into()),
        ("refund_pending", amounts.refund_pending.minor().into()),
        ("disputed", amounts.disputed.minor().into()),
        ("charged_back", amounts.charged_back.minor().into()),
        ("capture_inferred", payment.capture_inferred.into()),
        ("contested", payment.contested.into()),
        ("returned_more_than_captured", payment.returned_more_than_captured.into()),
        ("mixed_currency", payment.mixed_currency.into()),
        ("currency", payment.currency.map_or(Value::Null, |currency| currency.as_str().into())),
        ("capture_state", payment.capture_state.as_str().into()),
        ("funding_state", payment.funding_state.as_str().into()),
        ("dispute_state", payment.dispute_state.as_str().into()),
        ("dispute_stage", payment.dispute_stage.into()),
        ("risk_state", payment.risk_state.as_str().into()),
        ("closed_reason", payment.closed_reason.map_or(Value::Null, |reason| reason.as_str().into())),
        ("evidence", payment.evidence.as_str().into()),
        ("attempt_count", payment.attempt_count.into()),
        ("last_failure_code", payment.last_failure_code.as_deref().map_or(Value::Null, Into::into)),
        ("word", payment.word.as_deref().map_or(Value::Null, Into::into)),
        ("expires_at", time(payment.expires_at)),
        ("scheduled_for", time(payment.scheduled_for)),
    ];
    row.into_iter().map(|(column, value)| (column.to_owned(), value)).collect()
}

/// A small reproducible generator: the tests need variety, not quality.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

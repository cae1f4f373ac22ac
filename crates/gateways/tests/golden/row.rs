//! Rows of a series of deliveries, in a form to compare.

use std::collections::{BTreeMap, BTreeSet};

use afluente_model::{
    Conventions, Payment, PaymentFact, PaymentKind, ProviderId, State, Subscription, SubscriptionFact,
    SubscriptionKind, Timestamp, fold, project, project_subscription,
};
use serde_json::{Value, json};

use crate::case::{Case, Outcome};

/// Everything known after deliveries came in this order, by payment and subscription.
#[derive(Default)]
struct Known {
    payments: BTreeMap<String, Vec<PaymentFact>>,
    subscriptions: BTreeMap<String, Vec<SubscriptionFact>>,
}

fn known(outcomes: &[Outcome], order: &[usize]) -> Known {
    let readings = || order.iter().filter_map(|index| outcomes[*index].as_ref().ok());
    let primary: BTreeMap<String, String> = readings()
        .flat_map(|reading| &reading.aliases)
        .map(|alias| {
            (name(alias.alias.tenant.as_ref(), &alias.alias.id), name(alias.payment.tenant.as_ref(), &alias.payment.id))
        })
        .collect();
    let mut known = Known::default();
    for (payment, fact) in readings().flat_map(|reading| &reading.facts) {
        let named = name(payment.tenant.as_ref(), &payment.id);
        known.payments.entry(primary.get(&named).cloned().unwrap_or(named)).or_default().push(fact.clone());
    }
    for (subscription, fact) in readings().flat_map(|reading| &reading.subscriptions) {
        let named = name(subscription.tenant.as_ref(), &subscription.id);
        known.subscriptions.entry(named).or_default().push(fact.clone());
    }
    known
}

fn name(tenant: Option<&ProviderId>, id: &ProviderId) -> String {
    tenant.map_or_else(|| id.to_string(), |tenant| format!("{tenant}/{id}"))
}

/// The rows after deliveries came in this order.
pub(crate) fn rows(case: &Case, outcomes: &[Outcome], order: &[usize]) -> Value {
    let known = known(outcomes, order);
    let payments = known.payments.iter().map(|(id, facts)| (id.clone(), fold(facts))).collect();
    let subscriptions = known.subscriptions.iter().map(|(id, facts)| (id.clone(), fold(facts))).collect();
    shown(case, &payments, &subscriptions)
}

/// The rows when two workers took every other fact and joined what they knew.
pub(crate) fn joined_halves(case: &Case, outcomes: &[Outcome], order: &[usize]) -> Value {
    let known = known(outcomes, order);
    let payments = known.payments.iter().map(|(id, facts)| (id.clone(), halves(facts))).collect();
    let subscriptions = known.subscriptions.iter().map(|(id, facts)| (id.clone(), halves(facts))).collect();
    shown(case, &payments, &subscriptions)
}

fn halves<K: afluente_model::Kind>(facts: &[afluente_model::Fact<K>]) -> State<K> {
    let mut one = fold(facts.iter().step_by(2));
    one.join(fold(facts.iter().skip(1).step_by(2)));
    one
}

fn shown(
    case: &Case,
    payments: &BTreeMap<String, State<PaymentKind>>,
    subscriptions: &BTreeMap<String, State<SubscriptionKind>>,
) -> Value {
    let conventions = case.adapter().profile().conventions;
    let now = Timestamp::from_seconds(case.expected["now"].as_i64().unwrap_or(1_764_000_000)).unwrap();
    let payments: serde_json::Map<String, Value> =
        payments.iter().map(|(id, state)| (id.clone(), payment(state, conventions))).collect();
    let subscriptions: serde_json::Map<String, Value> =
        subscriptions.iter().map(|(id, state)| (id.clone(), subscription(&project_subscription(state), now))).collect();
    json!({ "payments": payments, "subscriptions": subscriptions })
}

fn payment(state: &State<PaymentKind>, conventions: Conventions) -> Value {
    let row: Payment = project(state, conventions);
    let ops: BTreeSet<&str> = state.ops().map(|((_, op), _)| &**op).collect();
    let registers = || state.ops().flat_map(|(_, kinds)| kinds.values());
    json!({
        "status_v2": row.status.as_str(),
        "currency": row.currency.map(|currency| currency.to_string()),
        "authorized": row.amounts.authorized.minor(),
        "captured": row.amounts.captured.minor(),
        "refunded": row.amounts.refunded.minor(),
        "refund_pending": row.amounts.refund_pending.minor(),
        "disputed": row.amounts.disputed.minor(),
        "charged_back": row.amounts.charged_back.minor(),
        "capture_inferred": row.capture_inferred,
        "evidence": row.evidence.as_str(),
        "capture_state": row.capture_state.as_str(),
        "dispute_state": row.dispute_state.as_str(),
        "dispute_stage": row.dispute_stage,
        "risk_state": row.risk_state.as_str(),
        "closed_reason": row.closed_reason.map(afluente_model::ClosedReason::as_str),
        "expires_at": row.expires_at.map(Timestamp::as_seconds),
        "scheduled_for": row.scheduled_for.map(Timestamp::as_seconds),
        "attempt_count": row.attempt_count,
        "last_failure_code": row.last_failure_code,
        "contested": row.contested,
        "tied": registers().any(|register| register.tied),
        // The first moment anything is said of.
        "said_from": registers().filter_map(|register| register.first_at).min().map(Timestamp::as_seconds),
        "returned_more_than_captured": row.returned_more_than_captured,
        "mixed_currency": row.mixed_currency,
        "amount_doubted": row.amount_doubted,
        "word": row.word,
        "ops": ops,
    })
}

fn subscription(row: &Subscription, now: Timestamp) -> Value {
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_seconds);
    json!({
        "base": row.base.as_str(),
        "status": row.status(now).as_str(),
        "reason": row.reason.map(afluente_model::SubscriptionReason::as_str),
        "starts_at": seconds(row.starts_at),
        "cancel_at": seconds(row.cancel_at),
        "period_start": seconds(row.period_start),
        "period_end": seconds(row.period_end),
        "trial_end": seconds(row.trial_end),
        "ended_at": seconds(row.ended_at),
        "pause_kind": row.pause_kind.map(afluente_model::PauseKind::as_str),
        "word": row.word,
        "contested": row.contested,
    })
}

//! The merge law on real cases: every scenario, in every order and with every repetition, ends in the one row declared
//! right by hand.

#![allow(clippy::unwrap_used, reason = "a broken scenario file must fail the test")]

mod exhaustive;
mod laws;
mod scenario;

use std::collections::BTreeSet;

use afluente_model::{Conventions, PaymentFact, State, fold, project};
use scenario::{Scenario, row_of, scenarios};

/// Orders tried of a set too large for all of them.
const SAMPLED_ORDERS: usize = 5_000;

fn check(scenario: &Scenario, order: &[&PaymentFact]) {
    let row = row_of(order);
    for (column, expected) in &scenario.expected {
        assert_eq!(
            row.get(column),
            Some(expected),
            "{} {}: {column} in the order {order:#?}",
            scenario.id,
            scenario.title
        );
    }
}

/// Every different order of the facts at these indices, or a fixed sample of them.
fn each_order(facts: &[PaymentFact], mut indices: Vec<usize>, mut visit: impl FnMut(&[&PaymentFact])) {
    let mut visit = |order: &[usize]| visit(&order.iter().map(|index| &facts[*index]).collect::<Vec<_>>());
    if indices.len() <= 8 {
        return permute(&mut indices, 0, &mut visit);
    }
    let mut random = scenario::Random::new(7);
    for _ in 0..SAMPLED_ORDERS {
        random.shuffle(&mut indices);
        visit(&indices);
    }
}

fn permute(indices: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == indices.len() {
        return visit(indices);
    }
    let mut placed = BTreeSet::new();
    for index in from..indices.len() {
        if placed.insert(indices[index]) {
            indices.swap(from, index);
            permute(indices, from + 1, visit);
            indices.swap(from, index);
        }
    }
}

#[test]
fn every_scenario_in_every_order_gives_the_right_row() {
    for scenario in scenarios() {
        each_order(&scenario.facts, (0..scenario.facts.len()).collect(), |order| check(&scenario, order));
    }
}

#[test]
fn every_scenario_with_every_fact_repeated_gives_the_right_row() {
    for scenario in scenarios() {
        let twice = (0..scenario.facts.len()).chain(0..scenario.facts.len()).collect();
        each_order(&scenario.facts, twice, |order| check(&scenario, order));
    }
}

#[test]
fn every_scenario_split_over_two_replicas_gives_the_right_row() {
    for scenario in scenarios().iter().filter(|scenario| !scenario.has_strikes()) {
        let whole = fold(&scenario.facts);
        for split in 0..1_u32 << scenario.facts.len() {
            let side = |wanted: u32| -> State<_> {
                fold(
                    scenario
                        .facts
                        .iter()
                        .enumerate()
                        .filter(|(index, _)| split >> index & 1 == wanted)
                        .map(|(_, fact)| fact),
                )
            };
            let mut joined = side(0);
            joined.join(side(1));
            assert_eq!(joined, whole, "{}", scenario.id);
            assert_eq!(project(&joined, Conventions::PLAIN), project(&whole, Conventions::PLAIN));
        }
    }
}

#[test]
fn the_shipped_and_our_own_scenarios_are_all_there() {
    let ids: BTreeSet<String> = scenarios().into_iter().map(|scenario| scenario.id).collect();
    assert_eq!(ids.len(), scenarios().len(), "two scenarios share an id");
    assert!(ids.iter().filter(|id| id.starts_with('S')).count() >= 36, "the shared scenarios are missing");
    assert!(ids.iter().filter(|id| id.starts_with('A')).count() >= 30, "our own scenarios are missing");
}

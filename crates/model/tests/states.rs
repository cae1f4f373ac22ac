//! `docs/states.md` names every word the ledger can hold.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::collections::BTreeSet;
use std::path::Path;

use afluente_model::{
    CaptureState, DisputeState, FundingState, PauseKind, PaymentStatus, RiskState, SettlementState, SubscriptionBase,
};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/states.md")).unwrap()
}

/// The first cell of every row of the table that begins with this head.
fn first_cells(page: &str, head: &str) -> BTreeSet<String> {
    let (_, table) = page.split_once(head).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

fn words<T: ToString>(all: &[T]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn every_status_has_its_row_and_no_row_is_left_over() {
    let page = page();
    assert_eq!(first_cells(&page, "| Word | Means |"), words(PaymentStatus::ALL));
    assert_eq!(first_cells(&page, "| Stored | Reads as |"), words(SubscriptionBase::ALL));
}

#[test]
fn every_dimension_lists_its_values() {
    let page = page();
    let lists = |column: &str, values: BTreeSet<String>| {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{column}`"))).unwrap();
        for value in values {
            assert!(row.contains(&value), "{column} lacks {value}: {row}");
        }
    };
    lists("capture_state", words(CaptureState::ALL));
    lists("funding_state", words(FundingState::ALL));
    lists("dispute_state", words(DisputeState::ALL));
    lists("risk_state", words(RiskState::ALL));
    lists("settlement_state", words(SettlementState::ALL));
    for kind in words(PauseKind::ALL) {
        assert!(page.contains(&kind), "{kind} is not explained");
    }
}

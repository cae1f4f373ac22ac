//! What a simulation is told as.

use afluente_simulate::{Difference, Sent};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

pub(super) fn text(sent: &Sent, payments: usize, differences: Option<&[Difference]>) -> String {
    let mut text = format!(
        "deliveries  {} sent, {} acknowledged, {} sent again after no success, {} given up\n\
         forgeries   {} sent, {} refused, {} believed, {} never answered\n\
         speed       {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms\n",
        sent.deliveries,
        sent.accepted,
        sent.retried,
        sent.given_up,
        sent.forgeries(),
        sent.refused(),
        sent.believed(),
        sent.unanswered(),
        sent.rate(),
        sent.percentile(50),
        sent.percentile(99),
    );
    if let Some(differences) = differences {
        let found = output::count(differences.len() as i128, "difference");
        text.push_str(&format!(
            "check       {payments} payments and {} acknowledged events: {found}\n",
            sent.acknowledged.len()
        ));
        text.push_str(&table(differences));
    }
    text
}

pub(super) fn document(sent: &Sent, differences: Option<&[Difference]>) -> Value {
    json!({
        "deliveries": sent.deliveries, "acknowledged": sent.accepted, "retried": sent.retried, "given_up": sent.given_up,
        "forgeries": sent.forgeries(), "refused": sent.refused(), "believed": sent.believed(), "unanswered": sent.unanswered(),
        "rate": sent.rate(),
        "p50_ms": sent.percentile(50), "p99_ms": sent.percentile(99), "events": sent.acknowledged.len(),
        "differences": differences.map(|all| all.iter().map(difference_json).collect::<Vec<_>>()),
    })
}

fn difference_json(one: &Difference) -> Value {
    json!({"entity": one.entity, "life": one.life, "column": one.column, "expected": one.expected, "found": one.found})
}

/// How many differences a person is shown.
const SHOWN: usize = 40;

/// The differences as a table; nothing for none.
pub(crate) fn table(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let rows = differences.iter().take(SHOWN).map(|one| {
        vec![one.entity.clone(), one.life.to_owned(), one.column.to_owned(), one.expected.clone(), one.found.clone()]
    });
    let mut text = format!("\n{}", output::table(&["ENTITY", "LIFE", "COLUMN", "EXPECTED", "FOUND"], &[], rows));
    if differences.len() > SHOWN {
        text.push_str(&format!("… and {} more; --json shows all\n", differences.len() - SHOWN));
    }
    text
}

pub(super) fn verdict(sent: &Sent, differences: Option<&[Difference]>) -> Result<(), Failure> {
    if sent.believed() > 0 {
        return Err(Failure::Found(format!("{} forged requests were answered with success", sent.believed())));
    }
    if sent.given_up > 0 {
        let why = sent.last_status.map_or_else(
            || "nobody answered; is `afluente up` running?".to_owned(),
            |status| format!("the last answer was {status}; look at the log of `afluente up`"),
        );
        return Err(Failure::Unavailable(format!("{} deliveries were never acknowledged: {why}", sent.given_up)));
    }
    if sent.unanswered() > 0 {
        return Err(Failure::Unavailable(format!(
            "{} forged requests were never answered, so nobody knows whether they would be refused",
            sent.unanswered()
        )));
    }
    match differences {
        Some(differences) if !differences.is_empty() => Err(Failure::Found(String::new())),
        Some(_) | None => Ok(()),
    }
}

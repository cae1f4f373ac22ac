//! Rows of the application beside which we write, taken in once so that nothing of before is missing.
//!
//! What is read is a JSON object of named columns and paths, put together where the row is; no stored body ever leaves its
//! table. Every row is of the source `legacy` and has no time: the weakest there is. A decision is of the source `operator`.

mod decision;
mod payment;
mod person;
mod row;
mod word;

use afluente_model::{Source, Statement};

use crate::draft::Draft;
use crate::error::Malformed;
use crate::json;
use crate::reading::Reading;

/// The source of what a statement says.
pub(crate) fn source(statement: &Statement) -> Source {
    let is_decision = || {
        let text = json::text(&statement.body).ok()?;
        let object = json::object(&text).ok()?;
        Some(object.text("of").ok()?? == DECISION)
    };
    if is_decision().unwrap_or(false) { Source::Operator } else { Source::Legacy }
}

const DECISION: &str = "decision";

/// Reads a statement as it was taken in.
pub(crate) fn read(statement: &Statement) -> Result<Reading, Malformed> {
    let text = json::text(&statement.body)?;
    let object = json::object(&text)?;
    let of = object.text("of")?.unwrap_or_default();
    if of == DECISION {
        return decision::read(&object);
    }
    let mut draft = Draft::new(Some(Source::Legacy), None, &format!("legacy {of}"));
    match of {
        "payment" => {
            row::is_of(statement.gateway, &object)?;
            payment::read(&mut draft, statement.gateway, &object)?;
        }
        "buyer" => {
            row::is_of(statement.gateway, &object)?;
            person::buyer(&mut draft, statement.gateway, &object);
        }
        "customer" => person::customer(&mut draft, &object)?,
        "session" => person::session(&mut draft, &object)?,
        _ => return Err(Malformed::Shape { field: "of", expected: "payment, buyer, customer, session or decision" }),
    }
    Ok(draft.finish())
}

//! `afluente customers decisions`: what persons decided of who somebody is.

use afluente_model::identity::{Decided, Verdict};
use afluente_store::Store;
use afluente_store::people::DecisionRow;
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

#[derive(Args)]
pub(crate) struct DecisionsArgs {
    /// Those that were taken back too
    #[arg(long)]
    undone: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &Store, args: &DecisionsArgs) -> Result<(), Failure> {
    let mut decisions = store.all_decisions().await?;
    decisions.retain(|one| args.undone || one.verdict != Verdict::Undone);
    if args.json {
        output::print_json(&Value::Array(decisions.iter().map(document).collect()));
    } else {
        output::print(&table(&decisions));
    }
    Ok(())
}

/// What it is of, as a person names it.
pub(super) fn of(one: &DecisionRow) -> String {
    match &one.of {
        Decided::Email(email) => email.to_string(),
        Decided::Customer(customer) => {
            format!("{}/{}", super::show::at_account(one.account.as_str(), &one.tenant), customer.id)
        }
    }
}

pub(super) fn table(decisions: &[DecisionRow]) -> String {
    let rows = decisions.iter().map(|one| {
        vec![
            of(one),
            one.verdict.to_string(),
            one.merchant.to_string(),
            one.at.to_string(),
            one.decided_by.clone(),
            one.because.clone(),
        ]
    });
    output::table(&["OF", "WHOSE IT IS", "MERCHANT", "DECIDED", "BY", "BECAUSE"], &[], rows)
}

/// A decision as programs read it.
pub(super) fn document(one: &DecisionRow) -> Value {
    let (customer, email) = match &one.of {
        Decided::Customer(customer) => (Some(&*customer.id), None),
        Decided::Email(email) => (None, Some(&**email)),
    };
    json!({
        "merchant": one.merchant.as_str(), "account": one.account.as_str(), "tenant": &*one.tenant, "customer": customer,
        "email": email, "decided": one.verdict.kind(), "target": one.verdict.target(), "at": one.at.to_string(),
        "by": one.decided_by, "because": one.because,
    })
}

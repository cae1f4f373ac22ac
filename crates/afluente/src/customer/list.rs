//! `afluente customers list`.

use afluente_store::Store;
use afluente_store::report::CustomerView;
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this merchant's
    #[arg(long, value_name = "NAME")]
    merchant: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    let customers = store.customers(args.merchant.as_deref(), args.limit).await?;
    if args.json {
        output::print_json(&Value::Array(customers.iter().map(document).collect()));
        return Ok(());
    }
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let rows = customers.iter().map(|one| {
        vec![
            one.id.to_string(),
            one.merchant.clone(),
            shown(&one.document),
            shown(&one.email),
            shown(&one.name),
            one.links.to_string(),
            one.payments.to_string(),
            one.updated_at.to_string(),
        ]
    });
    let headings = ["CUSTOMER", "MERCHANT", "DOCUMENT", "E-MAIL", "NAME", "ACCOUNTS", "PAYMENTS", "UPDATED"];
    output::print(&output::table(&headings, &[5, 6], rows));
    Ok(())
}

/// A customer as programs read it.
pub(super) fn document(one: &CustomerView) -> Value {
    json!({
        "id": one.id.to_string(), "merchant": one.merchant, "known_by": one.key_kind, "key": one.key_value,
        "document": one.document, "email": one.email, "name": one.name, "phone": one.phone, "accounts": one.links,
        "payments": one.payments, "merged_into": one.merged_into.map(|id| id.to_string()), "vacant": one.is_vacant,
        "row_version": one.row_version, "created_at": one.created_at.to_string(), "updated_at": one.updated_at.to_string(),
    })
}

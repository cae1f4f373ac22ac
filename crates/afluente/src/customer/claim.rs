//! `afluente customers claims`: what gateways claim of people.

use afluente_store::Store;
use afluente_store::report::ClaimView;
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

#[derive(Args)]
pub(crate) struct ClaimsArgs {
    /// The gateway's id, for example cus_123
    id: String,
    /// Also what names it as its customer: reads every claim there is
    #[arg(long)]
    naming: bool,
    /// At most this many of each
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &Store, args: &ClaimsArgs) -> Result<(), Failure> {
    let mut claims = store.claims_of(&args.id, args.limit).await?;
    if args.naming {
        claims.extend(store.claims_naming_customer(&args.id, args.limit).await?);
    }
    if claims.is_empty() {
        let hint = if args.naming { "" } else { "; --naming also looks for what names it as its customer" };
        return Err(Failure::Found(format!("nothing is claimed of {}{hint}", args.id)));
    }
    if args.json {
        output::print_json(&Value::Array(claims.iter().map(document).collect()));
    } else {
        output::print(&table(&claims));
    }
    Ok(())
}

pub(super) fn table(claims: &[ClaimView]) -> String {
    let rows = claims.iter().flat_map(|said| {
        said.claims.iter().map(|(kind, value)| {
            vec![
                said.subject_kind.clone(),
                said.subject_id.clone(),
                if said.tenant.is_empty() { said.account.clone() } else { format!("{}/{}", said.account, said.tenant) },
                kind.clone(),
                value.clone(),
                said.at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
                said.source.clone(),
                said.receipt.to_string(),
            ]
        })
    });
    output::table(&["OF", "ID", "ACCOUNT", "CLAIM", "VALUE", "NEWEST", "SOURCE", "RECEIPT"], &[], rows)
}

pub(super) fn document(said: &ClaimView) -> Value {
    let claims = said.claims.iter().map(|(kind, value)| json!({"kind": kind, "value": value}));
    json!({
        "account": said.account, "tenant": said.tenant, "subject_kind": said.subject_kind, "subject_id": said.subject_id,
        "claims": claims.collect::<Vec<_>>(), "source": said.source, "at": said.at.map(|at| at.to_string()),
        "receipt": said.receipt.to_string(), "recorded_at": said.recorded_at.to_string(),
    })
}

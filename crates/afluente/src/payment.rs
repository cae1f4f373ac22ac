//! `afluente payments`: what we believe, and why.

pub(crate) mod timeline;

use afluente_gateways::adapter;
use afluente_model::{Amount, PaymentStatus};
use afluente_store::report::PaymentFilter;
use afluente_store::{Location, PaymentRow, Store};
use afluente_worker::column;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::output;

/// Looks at payments: what each one is, and every fact that made it so.
#[derive(Subcommand)]
pub(crate) enum PaymentsCommand {
    /// Lists payments, the latest change first
    List(ListArgs),
    /// Shows one payment: its row, every fact in the order it was learned, what each receipt changed
    Show(ShowArgs),
}

/// Which payments to list.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this status, for example SUCCEEDED
    #[arg(long, value_name = "STATUS")]
    status: Option<PaymentStatus>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which payment to show.
#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The gateway's id of the payment, or another name of it such as a charge
    #[arg(value_name = "ID")]
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command on the ledger in this folder.
pub(crate) async fn run(command: &PaymentsCommand, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        PaymentsCommand::List(args) => list(&store, args).await,
        PaymentsCommand::Show(args) => show(&store, args).await,
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    let filter = PaymentFilter { account: args.account.clone(), status: args.status, limit: args.limit };
    let rows = store.payments(&filter).await?;
    if args.json {
        output::print_json(&Value::Array(rows.iter().map(row_json).collect()));
    } else {
        output::print(&payments_table(&rows));
    }
    Ok(())
}

/// Payments as people read them: amounts with their decimals.
pub(crate) fn payments_table(rows: &[PaymentRow]) -> String {
    let headings =
        ["PAYMENT", "ACCOUNT", "STATUS", "CURRENCY", "CAPTURED", "REFUNDED", "DISPUTED", "LOST", "WORD", "UPDATED"];
    output::table(
        &headings,
        &[4, 5, 6, 7],
        rows.iter().map(|row| {
            let amounts = &row.payment.amounts;
            let shown = |amount: Amount| if amount == Amount::ZERO { "-".to_owned() } else { decimal(row, amount) };
            vec![
                row.key.id.to_string(),
                row.key.account.to_string(),
                row.payment.status.to_string(),
                row.payment.currency.map_or_else(|| "-".to_owned(), |currency| currency.to_string()),
                shown(amounts.captured),
                shown(amounts.refunded),
                shown(amounts.disputed),
                shown(amounts.charged_back),
                row.payment.word.as_deref().unwrap_or("-").to_owned(),
                row.updated_at.to_string(),
            ]
        }),
    )
}

/// The amount with the decimals the gateway gives this currency; one the gateway should never have written by its own
/// rule is marked, because nobody knows what it meant.
fn decimal(row: &PaymentRow, amount: Amount) -> String {
    let Some(currency) = row.payment.currency else { return amount.to_string() };
    let scale = (adapter(row.gateway).profile().conventions.scale)(currency);
    let shown = scale.format(amount);
    if scale.doubts(amount) { format!("{shown} ?") } else { shown }
}

async fn show(store: &Store, args: &ShowArgs) -> Result<(), Failure> {
    let rows = store.payments_named(&args.id, 10).await?;
    if rows.is_empty() {
        return Err(Failure::Found(format!(
            "no payment {} in the ledger; `afluente payments list` shows what there is",
            args.id
        )));
    }
    let mut documents = Vec::new();
    for row in &rows {
        let timeline = timeline::Timeline::read(store, row).await?;
        if args.json {
            documents.push(timeline.json(row));
        } else {
            output::print(&one(row));
            output::print(&timeline.text());
        }
    }
    if args.json {
        output::print_json(&Value::Array(documents));
    }
    Ok(())
}

fn one(row: &PaymentRow) -> String {
    let name = format!("{} of account {} ({})", row.key.id, row.key.account, row.gateway);
    let columns = column::of_payment(&row.payment).into_iter().filter(|(_, cell)| !cell.is_blank());
    let lines = columns.map(|(name, cell)| {
        let value = Value::from(cell);
        let plain = timeline::plain(&value);
        let money = value.as_i64().and_then(|minor| Amount::new(minor).ok()).filter(|_| name.ends_with("_amount"));
        let shown = money.map_or_else(String::new, |amount| decimal(row, amount));
        vec![format!("  {name}"), plain, shown]
    });
    let rest = [("row_version", row.row_version), ("fact_count", row.fact_count)]
        .map(|(name, value)| vec![format!("  {name}"), value.to_string(), String::new()]);
    format!("{name}\n{}", output::table(&["", "", ""], &[], lines.chain(rest)).trim_start_matches('\n'))
}

/// A payment row as programs read it: money in whole minor units.
pub(crate) fn row_json(row: &PaymentRow) -> Value {
    let mut columns: Map<String, Value> = Map::new();
    columns.insert("account".to_owned(), json!(row.key.account.as_str()));
    columns.insert("tenant".to_owned(), json!(&*row.key.tenant));
    columns.insert("provider_payment_id".to_owned(), json!(&*row.key.id));
    columns.insert("provider_v2".to_owned(), json!(row.gateway.as_str()));
    columns.extend(column::of_payment(&row.payment).into_iter().map(|(name, cell)| (name.to_owned(), cell.into())));
    columns.insert("row_version".to_owned(), json!(row.row_version));
    columns.insert("fact_count".to_owned(), json!(row.fact_count));
    columns.insert("created_at".to_owned(), json!(row.created_at.to_string()));
    columns.insert("updated_at".to_owned(), json!(row.updated_at.to_string()));
    Value::Object(columns)
}

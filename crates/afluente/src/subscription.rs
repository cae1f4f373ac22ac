//! `afluente subscriptions`: what is known of subscriptions, and how they read now.

use afluente_model::{SubscriptionBase, Timestamp};
use afluente_store::report::{EventView, SubscriptionFilter};
use afluente_store::{Location, Store, SubscriptionRow};
use afluente_worker::column;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::event::{change_json, told};
use crate::exit::Failure;
use crate::output;

/// Looks at subscriptions.
#[derive(Subcommand)]
pub(crate) enum SubscriptionsCommand {
    /// Lists subscriptions, the newest change first
    List(ListArgs),
    /// Shows one: its dates, how it reads now, and every change
    Show(ShowArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only this stored word, for example PAST_DUE
    #[arg(long, value_name = "WORD")]
    base: Option<SubscriptionBase>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The gateway's id of the subscription
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Of how many accounts one id is shown.
const MOST_NAMED: u32 = 10;

/// Runs the command.
pub(crate) async fn run(command: &SubscriptionsCommand, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    let now = afluente_worker::now();
    match command {
        SubscriptionsCommand::List(args) => list(&store, args, now).await,
        SubscriptionsCommand::Show(args) => show(&store, args, now).await,
    }
}

async fn list(store: &Store, args: &ListArgs, now: Timestamp) -> Result<(), Failure> {
    let filter = SubscriptionFilter { account: args.account.clone(), base: args.base, limit: args.limit };
    let rows = store.subscriptions(&filter).await?;
    if args.json {
        output::print_json(&Value::Array(rows.iter().map(|row| document(row, now)).collect()));
        return Ok(());
    }
    output::print(&table(&rows, now));
    Ok(())
}

/// Subscriptions as people read them.
pub(crate) fn table(rows: &[SubscriptionRow], now: Timestamp) -> String {
    let shown = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let lines = rows.iter().map(|row| {
        vec![
            row.key.id.to_string(),
            row.key.account.to_string(),
            row.subscription.status(now).to_string(),
            row.subscription.base.to_string(),
            shown(row.subscription.period_end),
            shown(row.subscription.cancel_at),
            shown(row.subscription.next_transition_at(now)),
            row.subscription.word.as_deref().unwrap_or("-").to_owned(),
            row.updated_at.to_string(),
        ]
    });
    let headings =
        ["SUBSCRIPTION", "ACCOUNT", "STATUS", "STORED", "PERIOD END", "CANCEL AT", "NEXT CHANGE", "WORD", "UPDATED"];
    output::table(&headings, &[], lines)
}

/// A subscription as programs read it.
pub(crate) fn document(row: &SubscriptionRow, now: Timestamp) -> Value {
    let mut columns = Map::new();
    columns.insert("account".to_owned(), json!(row.key.account.as_str()));
    columns.insert("tenant".to_owned(), json!(&*row.key.tenant));
    columns.insert("provider_subscription_id".to_owned(), json!(&*row.key.id));
    columns.insert("status_v2".to_owned(), json!(row.subscription.status(now).as_str()));
    let next = row.subscription.next_transition_at(now).map(|at| at.to_string());
    columns.insert("next_transition_at".to_owned(), json!(next));
    let stored = column::of_subscription(&row.subscription);
    columns.extend(stored.into_iter().map(|(name, cell)| (name.to_owned(), cell.into())));
    columns.insert("row_version".to_owned(), json!(row.row_version));
    columns.insert("fact_count".to_owned(), json!(row.fact_count));
    columns.insert("updated_at".to_owned(), json!(row.updated_at.to_string()));
    Value::Object(columns)
}

async fn show(store: &Store, args: &ShowArgs, now: Timestamp) -> Result<(), Failure> {
    let rows = store.subscriptions_named(&args.id, MOST_NAMED).await?;
    if rows.is_empty() {
        let text =
            format!("no subscription {} in the ledger; `afluente subscriptions list` shows what there is", args.id);
        return Err(Failure::Found(text));
    }
    let mut documents = Vec::new();
    for row in &rows {
        let events = store.events_of("subscription", row.id).await?;
        let document = document(row, now);
        if args.json {
            documents
                .push(json!({"subscription": document, "events": events.iter().map(change_json).collect::<Vec<_>>()}));
        } else {
            output::print(&output::record(&document));
            output::print(&changes(&events));
        }
    }
    if args.json {
        output::print_json(&Value::Array(documents));
    }
    Ok(())
}

/// Changes as people read them.
pub(crate) fn changes(events: &[EventView]) -> String {
    let rows = events.iter().map(|event| {
        vec![
            event.row_version.to_string(),
            event.recorded_at.to_string(),
            event.kind.clone(),
            told(&event.detail),
            event.actor.clone(),
        ]
    });
    format!("\n{}", output::table(&["VERSION", "WRITTEN", "EVENT", "CHANGED", "BY"], &[], rows))
}

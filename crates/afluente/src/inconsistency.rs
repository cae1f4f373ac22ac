//! `afluente inconsistencies`: what contradicts itself, for a person to decide.

use std::path::Path;

use afluente_store::report::{InconsistencyFilter, InconsistencyView};
use afluente_store::{Location, Store};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::control::{Answer, Door, Request};
use crate::decide::{DecideArgs, Told};
use crate::exit::Failure;
use crate::output;

/// Looks at what contradicts itself, and records what was decided. Nothing here changes a payment.
#[derive(Subcommand)]
pub(crate) enum InconsistenciesCommand {
    /// Lists open inconsistencies, the one seen last first
    List(ListArgs),
    /// Shows one: what was seen, how often, and what to do about it
    Show(ShowArgs),
    /// Records that inconsistencies were dealt with; what is seen again is a new one
    Resolve(ResolveArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only this kind, for example alias_claimed_twice
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Resolved ones too
    #[arg(long)]
    resolved: bool,
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The inconsistency
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ResolveArgs {
    /// These inconsistencies
    #[arg(required = true)]
    ids: Vec<Uuid>,
    /// What was found and done, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    #[command(flatten)]
    decide: DecideArgs,
}

/// What each kind means, and what to do.
const ADVICE: &[(&str, &str)] = &[
    (
        "alias_claimed_twice",
        "two payments claim one charge; the smaller name keeps it. Compare both at the gateway: one of them says too much",
    ),
    (
        "returned_more_than_captured",
        "more money went back than was taken; a capture is missing or a refund belongs elsewhere. A want asks the gateway",
    ),
    (
        "mixed_currency",
        "facts of one payment name two currencies; amounts of the other are left out. Compare with the gateway's page",
    ),
    (
        "amount_doubted",
        "the gateway wrote an amount its own rule for the currency forbids; it is kept. Ask whoever creates the payments \
         which unit they send",
    ),
    (
        "wrong_mode",
        "deliveries of the other mode (test or live) come to this account: its `mode`, or the endpoint at the gateway, is \
         wrong. After mending: `afluente rebuild --apply --yes`",
    ),
    (
        "wrong_account",
        "deliveries name an account that `external_id` and `tenants` do not allow. After mending: `afluente rebuild --apply --yes`",
    ),
    (
        "chargeback_reimbursed",
        "the money of a chargeback was given back and Mercado Pago does not say to whom; the payment stays DISPUTED. Look at it \
         in the panel",
    ),
    (
        "do_not_deliver",
        "Mercado Pago warns that this payment looks like fraud: stop the delivery, then look at the payment in the panel",
    ),
    (
        "legacy_overwritten",
        "a handler of the application still writes the columns we write: move the gateway's webhook to Afluente, or take the two \
         columns out of its code",
    ),
    (
        "shared_value",
        "a document or address stands beside more than ten others, so it links nobody: a placeholder of the checkout, or the \
         shop's own. Let the checkout ask for real ones",
    ),
    (
        "tenant_deauthorized",
        "a connected account ended our access: nothing of it can be read back. Ask them, or take it out of `tenants`",
    ),
];

/// Runs the command. Resolving goes through the process that holds the folder, where one does.
pub(crate) async fn run(command: &InconsistenciesCommand, folder: &Path, location: &Location) -> Result<(), Failure> {
    let store = Store::open_read_only(location).await?;
    match command {
        InconsistenciesCommand::List(args) => list(&store, args).await,
        InconsistenciesCommand::Show(args) => show(&store, args).await,
        InconsistenciesCommand::Resolve(args) => resolve(&store, args, folder, location).await,
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<(), Failure> {
    let filter = InconsistencyFilter {
        id: None,
        kind: args.kind.clone(),
        account: args.account.clone(),
        resolved: args.resolved,
        limit: args.limit,
    };
    let found = store.inconsistencies(&filter).await?;
    if args.json {
        output::print_json(&Value::Array(found.iter().map(document).collect()));
    } else {
        output::print(&table(&found));
    }
    Ok(())
}

fn table(found: &[InconsistencyView]) -> String {
    let rows = found.iter().map(|one| {
        vec![
            one.id.to_string(),
            one.kind.clone(),
            one.entity.clone(),
            one.account.clone().unwrap_or_else(|| "-".to_owned()),
            one.seen.to_string(),
            one.first_seen_at.to_string(),
            one.last_seen_at.to_string(),
            one.resolved_by.as_ref().map_or_else(|| "open".to_owned(), |by| format!("resolved by {by}")),
        ]
    });
    let headings = ["INCONSISTENCY", "KIND", "ABOUT", "ACCOUNT", "SEEN", "FIRST", "LAST", "STATE"];
    output::table(&headings, &[4], rows)
}

fn document(one: &InconsistencyView) -> Value {
    json!({
        "id": one.id.to_string(), "kind": one.kind, "entity": one.entity, "account": one.account, "detail": one.detail,
        "seen": one.seen, "first_seen_at": one.first_seen_at.to_string(), "last_seen_at": one.last_seen_at.to_string(),
        "resolved_at": one.resolved_at.map(|at| at.to_string()), "resolved_by": one.resolved_by, "resolution": one.resolution,
    })
}

async fn show(store: &Store, args: &ShowArgs) -> Result<(), Failure> {
    let one = named(store, args.id).await?;
    let advice = ADVICE.iter().find(|(kind, _)| *kind == one.kind).map_or("-", |(_, advice)| *advice);
    let mut document = document(&one);
    document["advice"] = json!(advice);
    if args.json {
        output::print_json(&document);
    } else {
        output::print(&output::record(&document));
    }
    Ok(())
}

async fn named(store: &Store, id: Uuid) -> Result<InconsistencyView, Failure> {
    let filter = InconsistencyFilter { id: Some(id), limit: 1, ..InconsistencyFilter::default() };
    let missing =
        || Failure::Found(format!("no inconsistency {id}; `afluente inconsistencies list` shows what there is"));
    store.inconsistencies(&filter).await?.pop().ok_or_else(missing)
}

async fn resolve(store: &Store, args: &ResolveArgs, folder: &Path, location: &Location) -> Result<(), Failure> {
    if args.because.trim().is_empty() {
        return Err(Failure::Usage("--because expects what was found and done, got an empty text".to_owned()));
    }
    let mut found = Vec::new();
    for id in &args.ids {
        found.push(named(store, *id).await?);
    }
    if args.decide.dry_run {
        output::print(&table(&found));
        return Ok(());
    }
    let (ids, by, because) = (args.ids.clone(), args.decide.by.clone(), args.because.clone());
    let answer: Answer = match Door::of_process(folder).await {
        Some(door) => door.ask(Request::Resolve { ids, by, because }).await?,
        None => Answer::settled(&args.ids, by_ourselves(args, location).await?),
    };
    TOLD.print(&answer, args.decide.json);
    Ok(())
}

const TOLD: Told = Told {
    one: "inconsistency",
    several: "inconsistencies",
    done: "resolved",
    before: "resolved before by somebody else",
};

async fn by_ourselves(args: &ResolveArgs, location: &Location) -> Result<Vec<Uuid>, Failure> {
    let store = Store::open(location).await?;
    let done = afluente_worker::desk::resolve(&store, &args.ids, &args.decide.by, &args.because).await?;
    store.close().await;
    Ok(done)
}

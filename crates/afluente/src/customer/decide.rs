//! `afluente customers merge|split|undo`: what a person knows better than what was said.

use std::path::Path;

use afluente_model::identity::{Decided, Verdict};
use afluente_store::Store;
use afluente_store::people::DecisionRow;
use afluente_worker::decide::{Decision, Move, decide};
use clap::Args;
use serde_json::json;

use super::subject::{person, subject};
use crate::adopt;
use crate::config::Config;
use crate::control::{Door, Request};
use crate::decide::DecideArgs;
use crate::exit::Failure;
use crate::output;

#[derive(Args)]
pub(crate) struct MergeArgs {
    /// An e-mail address, a gateway's customer (cus_123, or account/cus_123), or our id of a customer without a document
    #[arg(value_name = "WHO")]
    who: String,
    /// Whose that is: an address, a document, a gateway's customer or our id, of one customer
    #[arg(value_name = "INTO")]
    into: String,
    #[command(flatten)]
    because: BecauseArgs,
}

#[derive(Args)]
pub(crate) struct SplitArgs {
    /// An e-mail address, a gateway's customer (cus_123, or account/cus_123), or our id of a customer without a document
    #[arg(value_name = "WHO")]
    who: String,
    #[command(flatten)]
    because: BecauseArgs,
}

#[derive(Args)]
pub(crate) struct UndoArgs {
    /// The e-mail address or the gateway's customer it is of, as `afluente customers decisions` lists it
    #[arg(value_name = "WHO")]
    who: String,
    #[command(flatten)]
    because: BecauseArgs,
}

#[derive(Args)]
struct BecauseArgs {
    /// What makes you know it, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// Whose customers, where several merchants have one of that name
    #[arg(long, value_name = "NAME")]
    merchant: Option<String>,
    #[command(flatten)]
    decide: DecideArgs,
}

/// Says that somebody is another.
pub(super) async fn merge(store: &Store, args: &MergeArgs, folder: &Path, config: &Config) -> Result<(), Failure> {
    let merchant = args.because.merchant.as_deref();
    let into = person(store, &args.into, merchant).await?;
    let who = subject(store, config, &args.who, Some(&into.merchant)).await?;
    if !matches!(&*into.key_kind, "document" | "email") {
        return Err(Failure::Usage(format!(
            "nothing but its gateway knows {}: neither a document nor an address of it was ever said. Merge it into the other",
            into.id
        )));
    }
    if into.key_kind == "email" && who.is_address(&into.key_value) {
        return Err(Failure::Usage(format!(
            "{} is what makes {} the same; it cannot be merged into itself",
            args.who, into.id
        )));
    }
    make(who.decided(&into.key_kind, &into.key_value), &args.because, folder, config).await
}

/// Says that somebody is nobody else.
pub(super) async fn split(store: &Store, args: &SplitArgs, folder: &Path, config: &Config) -> Result<(), Failure> {
    let who = subject(store, config, &args.who, args.because.merchant.as_deref()).await?;
    make(who.decided("itself", ""), &args.because, folder, config).await
}

/// Takes back what was decided.
pub(super) async fn undo(store: &Store, args: &UndoArgs, folder: &Path, config: &Config) -> Result<(), Failure> {
    let who = args.who.trim();
    let merchant = args.because.merchant.as_deref();
    let mut held: Vec<DecisionRow> = store.all_decisions().await?;
    held.retain(|one| {
        one.verdict != Verdict::Undone
            && merchant.is_none_or(|merchant| one.merchant.as_str() == merchant)
            && is_of(one, who)
    });
    let Some(one) = held.first() else {
        return Err(Failure::Found(format!(
            "nothing is decided of {who}; `afluente customers decisions` lists what is"
        )));
    };
    if let Some(other) = held.iter().find(|other| other.of != one.of || other.merchant != one.merchant) {
        return Err(Failure::Usage(format!(
            "{who} may be {} or {}; name the account, or the merchant by --merchant",
            super::decision::of(one),
            super::decision::of(other)
        )));
    }
    let (customer, email) = match &one.of {
        Decided::Customer(customer) => (Some(customer.id.to_string()), None),
        Decided::Email(email) => (None, Some(email.to_string())),
    };
    let decision = Decision {
        account: one.account.to_string(),
        tenant: one.tenant.to_string(),
        customer,
        email,
        decided: Verdict::Undone.kind().to_owned(),
        ..Decision::default()
    };
    make(decision, &args.because, folder, config).await
}

/// Whether a person may mean this decision.
fn is_of(one: &DecisionRow, who: &str) -> bool {
    match &one.of {
        Decided::Email(email) => **email == *who.to_lowercase(),
        Decided::Customer(customer) => *customer.id == *who || super::decision::of(one) == who,
    }
}

/// Through the process that holds the folder, where one does.
async fn make(mut decision: Decision, args: &BecauseArgs, folder: &Path, config: &Config) -> Result<(), Failure> {
    if args.because.trim().is_empty() {
        return Err(Failure::Usage("--because expects what makes you know it, got an empty text".to_owned()));
    }
    let (dry_run, is_undone) = (args.decide.dry_run, decision.decided == Verdict::Undone.kind());
    let place = super::show::at_account(&decision.account, &decision.tenant);
    let of =
        decision.customer.as_ref().map(|customer| format!("{place}/{customer}")).or_else(|| decision.email.clone());
    decision.by.clone_from(&args.decide.by);
    decision.because.clone_from(&args.because);
    let moves: Vec<Move> = if let Some(door) = Door::of_process(folder).await {
        door.ask(Request::Decide { decision, dry_run }).await?
    } else {
        let store = adopt::beside(Store::open(&config.ledger).await?, config).await?;
        let made = decide(&store, &config.worker_accounts(), &decision, dry_run).await;
        store.close().await;
        made.map_err(|error| Failure::unavailable(&error))?
    };
    if args.decide.json {
        output::print_json(&json!({"is_preview": dry_run, "moved": moves}));
        return Ok(());
    }
    output::print(&told(&moves, dry_run));
    if !dry_run && !is_undone {
        let of = of.unwrap_or_default();
        output::print(&format!("taken back by `afluente customers undo {of} --because …`\n"));
    }
    Ok(())
}

fn told(moves: &[Move], dry_run: bool) -> String {
    if moves.is_empty() {
        return format!("nobody {} by it\n", if dry_run { "would move" } else { "moved" });
    }
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let id = |id: Option<uuid::Uuid>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let rows = moves.iter().map(|one| {
        vec![
            super::show::at_account(&one.account, &one.tenant),
            shown(&one.customer),
            shown(&one.document),
            shown(&one.email),
            one.payments.to_string(),
            one.subscriptions.to_string(),
            id(one.from),
            id(one.to),
            shown(&one.to_key),
        ]
    });
    let headings = [
        "ACCOUNT",
        "CUSTOMER THERE",
        "DOCUMENT",
        "E-MAIL",
        "PAYMENTS",
        "SUBSCRIPTIONS",
        "FROM",
        "TO",
        "WHO IS KNOWN BY",
    ];
    let verb = if dry_run { "would move" } else { "moved" };
    let (payments, subscriptions) =
        moves.iter().fold((0, 0), |sum, one| (sum.0 + one.payments, sum.1 + one.subscriptions));
    format!(
        "{}\n{} and {} {verb}\n",
        output::table(&headings, &[4, 5], rows),
        output::count(payments, "payment"),
        output::count(subscriptions, "subscription"),
    )
}

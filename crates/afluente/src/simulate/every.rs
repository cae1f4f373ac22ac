//! All gateways at once: every test account of the configuration, side by side, told in one table and in one vocabulary.

use std::collections::BTreeMap;

use afluente_model::{Gateway, Mode, PaymentStatus};
use afluente_simulate::{Difference, Sent, Truth};
use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::report::{Told, table, ways};
use super::{Playing, SimulateArgs, bar};
use crate::config::{AccountConfig, Config};
use crate::exit::Failure;
use crate::output;

/// What came of one account.
pub(crate) struct OfAccount<'a> {
    pub(crate) account: &'a AccountConfig,
    pub(crate) told: Told,
}

pub(super) async fn run(args: &SimulateArgs, config: &Config) -> Result<(), Failure> {
    let all = played(args, config).await?;
    if args.json {
        let accounts: Vec<Value> = all.iter().map(document).collect();
        output::print_json(&json!({ "accounts": accounts }));
    } else {
        output::print(&text(&all));
    }
    all.iter().try_for_each(|one| one.told.verdict())
}

/// Plays every test account.
pub(crate) async fn played<'a>(args: &SimulateArgs, config: &'a Config) -> Result<Vec<OfAccount<'a>>, Failure> {
    let accounts: Vec<&AccountConfig> =
        config.accounts.iter().filter(|account| account.mode != Mode::Live && is_played(account)).collect();
    if accounts.is_empty() {
        return Err(Failure::Usage(
            "--gateways: expected accounts for tests in the configuration, got none".to_owned(),
        ));
    }
    let share = (args.payments as usize).div_ceil(accounts.len());
    let begun = accounts.iter().map(|account| Playing::begin(args, account, config, share));
    let playing = try_join_all(begun).await?;
    let bar = bar(playing.iter().map(|one| one.posts.len()).sum());
    let ended = playing.into_iter().map(async |one| {
        let account = one.account;
        Ok(OfAccount { account, told: one.end(args, &config.ledger, &bar).await? })
    });
    let ended: Vec<Result<OfAccount<'a>, Failure>> = join_all(ended).await;
    bar.finish_and_clear();
    ended.into_iter().collect()
}

/// What an initiator that is read back by lists of days posts is not played.
fn is_played(account: &AccountConfig) -> bool {
    account.adapter.profile().name != "efi"
}

fn document(one: &OfAccount<'_>) -> Value {
    let mut document = one.told.document();
    document["account"] = json!(one.account.name.as_str());
    document["gateway"] = json!(one.account.gateway.slug());
    document["profile"] = json!(one.account.adapter.profile().name);
    document["payments"] = json!(one.told.truth.len());
    document
}

/// One line an account, how payments ended at each gateway, every way to forge, and every difference.
pub(crate) fn text(all: &[OfAccount<'_>]) -> String {
    let mut text = accounts(all);
    text.push_str(&format!("\n{}", endings(all)));
    let mut ways_of_all = Sent::default();
    for one in all {
        for (way, came) in &one.told.sent.ways {
            ways_of_all.ways.entry(*way).or_default().add(came);
        }
    }
    text.push_str(&ways(&ways_of_all));
    let differences: Vec<Difference> =
        all.iter().flat_map(|one| one.told.differences.iter().flatten()).cloned().collect();
    if all.iter().all(|one| one.told.differences.is_some()) {
        let payments: usize = all.iter().map(|one| one.told.truth.len()).sum();
        let found = output::count(differences.len() as i128, "difference");
        text.push_str(&format!("\n{payments} payments at {} accounts: {found}\n", all.len()));
    }
    text.push_str(&table(&differences));
    text
}

fn accounts(all: &[OfAccount<'_>]) -> String {
    let rows = all.iter().map(|OfAccount { account, told }| {
        let sent = &told.sent;
        let differences = told.differences.as_ref().map_or_else(|| "-".to_owned(), |all| all.len().to_string());
        let counts =
            [told.truth.len() as u64, sent.accepted, sent.forgeries(), sent.refused(), sent.hints(), sent.believed()];
        let calls = told.calls().map_or_else(|| "-".to_owned(), |calls| calls.to_string());
        [account.name.to_string(), account.adapter.profile().title.to_owned()]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain([calls, differences])
            .collect()
    });
    let headings = [
        "ACCOUNT",
        "GATEWAY",
        "PAYMENTS",
        "ACCEPTED",
        "FORGED",
        "REFUSED",
        "AS HINTS",
        "BELIEVED",
        "CALLS",
        "DIFFERENCES",
    ];
    output::table(&headings, &[2, 3, 4, 5, 6, 7, 8, 9], rows)
}

/// How many payments of each gateway ended under each of our words.
fn endings(all: &[OfAccount<'_>]) -> String {
    let gateways: Vec<Gateway> =
        Gateway::ALL.iter().copied().filter(|gateway| all.iter().any(|one| one.account.gateway == *gateway)).collect();
    let mut counts: BTreeMap<(&str, Gateway), usize> = BTreeMap::new();
    for OfAccount { account, told } in all {
        for Truth { status, .. } in &told.truth {
            *counts.entry((*status, account.gateway)).or_default() += 1;
        }
    }
    let statuses = PaymentStatus::ALL.iter().map(|status| status.as_str());
    let rows = statuses.filter(|status| counts.keys().any(|(known, _)| known == status)).map(|status| {
        let of = |gateway: &Gateway| counts.get(&(status, *gateway)).map_or_else(|| "-".to_owned(), usize::to_string);
        std::iter::once(status.to_owned()).chain(gateways.iter().map(of)).collect()
    });
    let headings: Vec<&str> =
        std::iter::once("KNOWN TO END AS").chain(gateways.iter().map(|gateway| gateway.slug())).collect();
    output::table(&headings, &(1..=gateways.len()).collect::<Vec<_>>(), rows)
}

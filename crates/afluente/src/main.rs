//! Afluente: payment webhooks from many gateways into one true ledger. One binary, a subcommand a role.

mod adopt;
mod audit;
mod backfill;
mod bench;
mod config;
mod control;
mod customer;
mod dead;
mod decide;
mod deep;
mod demo;
mod doctor;
mod event;
mod exit;
mod fold;
mod gap;
mod inconsistency;
mod init;
mod logging;
mod manual;
mod measure;
mod migrate;
mod moment;
mod node;
mod output;
mod partition;
mod payment;
mod readiness;
mod ready;
mod rebuild;
mod reload;
mod role;
mod services;
mod simulate;
mod spool;
mod subscription;
mod torture;
mod unknown;
mod up;
mod upkeep;
mod vocabulary;
mod want;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use exit::Failure;

/// Payment webhooks from many gateways into one true ledger.
///
/// Exit codes: 0 done; 1 it ran and what it looked for is wrong; 2 the command line or the configuration is wrong; 3
/// something it needs is away.
#[derive(Parser)]
#[command(name = "afluente", version, propagate_version = true)]
struct Cli {
    /// The data folder
    #[arg(long, global = true, env = "AFLUENTE_DATA", default_value = "./afluente-data", value_name = "DIR")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Up(up::UpArgs),
    Init(init::InitArgs),
    Ingress(up::IngressArgs),
    Worker(up::WorkerArgs),
    Check(config::CheckArgs),
    Ready(ready::ReadyArgs),
    Simulate(simulate::SimulateArgs),
    #[command(subcommand)]
    Payments(payment::PaymentsCommand),
    #[command(subcommand)]
    Subscriptions(subscription::SubscriptionsCommand),
    #[command(subcommand)]
    Customers(customer::CustomersCommand),
    #[command(subcommand)]
    Gaps(gap::GapsCommand),
    Audit(audit::AuditArgs),
    #[command(subcommand)]
    Events(event::EventsCommand),
    #[command(subcommand)]
    Inconsistencies(inconsistency::InconsistenciesCommand),
    #[command(subcommand)]
    Unknown(unknown::UnknownCommand),
    #[command(subcommand)]
    Wants(want::WantsCommand),
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    #[command(subcommand)]
    Spool(spool::SpoolCommand),
    Fold(fold::FoldArgs),
    Vocabulary(vocabulary::VocabularyArgs),
    Rebuild(rebuild::RebuildArgs),
    Migrate(migrate::MigrateArgs),
    Adopt(adopt::AdoptArgs),
    #[command(subcommand)]
    Backfill(backfill::BackfillCommand),
    #[command(subcommand)]
    Partitions(partition::PartitionsCommand),
    Doctor(doctor::DoctorArgs),
    Bench(bench::BenchArgs),
    Torture(torture::TortureArgs),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes; clap prints each where it belongs.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let folder = cli.data;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Unavailable(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        match &cli.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Up(args) => up::run(args, &folder).await,
            Command::Init(init::InitArgs {}) => init::run(&folder),
            Command::Ingress(args) => up::ingress(args, &folder).await,
            Command::Worker(args) => up::worker(args, &folder).await,
            Command::Ready(args) => ready::run(args, &config::load(&folder)?).await,
            Command::Simulate(args) => simulate::run(args, &config::load(&folder)?).await,
            Command::Payments(command) => payment::run(command, &config::ledger::location(&folder)?).await,
            Command::Subscriptions(command) => subscription::run(command, &config::ledger::location(&folder)?).await,
            Command::Customers(command) => customer::run(command, &folder, &config::ledger::location(&folder)?).await,
            Command::Gaps(command) => gap::run(command, &folder, &config::ledger::location(&folder)?).await,
            Command::Audit(args) => audit::run(args, &folder, &config::ledger::location(&folder)?).await,
            Command::Events(command) => event::run(command, &config::ledger::location(&folder)?).await,
            Command::Inconsistencies(command) => {
                inconsistency::run(command, &folder, &config::ledger::location(&folder)?).await
            }
            Command::Unknown(command) => unknown::run(command, &config::ledger::location(&folder)?).await,
            Command::Wants(command) => want::run(command, &folder, &config::ledger::location(&folder)?).await,
            Command::Dead(command) => dead::run(command, &folder, &config::load(&folder)?).await,
            Command::Spool(command) => spool::run(command, &folder).await,
            Command::Rebuild(args) => rebuild::run(args, &folder, &config::load(&folder)?).await,
            Command::Adopt(args) => adopt::run(args, &folder, &config::ledger::location(&folder)?).await,
            Command::Backfill(command) => backfill::run(command, &config::load(&folder)?).await,
            Command::Migrate(args) => migrate::run(args, &folder, &config::ledger::location(&folder)?).await,
            Command::Partitions(command) => partition::run(command, &config::ledger::location(&folder)?).await,
            Command::Doctor(args) => doctor::run(args, &folder).await,
            Command::Bench(args) => bench::run(args).await,
            Command::Torture(args) => torture::run(args).await,
            Command::Check(args) => config::check(args, &folder).await,
            Command::Fold(args) => fold::run(args),
            Command::Vocabulary(args) => vocabulary::run(args),
            Command::Completions(args) => {
                manual::completions(args, Cli::command());
                Ok(())
            }
            Command::Man(args) => manual::man(args, Cli::command()),
        }
    })
}

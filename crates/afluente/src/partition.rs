//! `afluente partitions`: receipts and events of past weeks on Postgres.

use afluente_model::Timestamp;
use afluente_store::{Location, Partition, Store};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::output;

/// How long after its end a partition stays, days. Gateways send again for weeks, and what was ignored is applied then only
/// while its receipt is held.
const KEPT_DAYS: i64 = 35;

/// Looks at the partitions of receipts and events, and lets old ones go. Only a ledger on Postgres has them.
#[derive(Subcommand)]
pub(crate) enum PartitionsCommand {
    /// Lists partitions, the oldest first
    List(ListArgs),
    /// Drops one with everything in it
    Drop(DropArgs),
}

/// How to list them.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which to drop.
#[derive(Args)]
pub(crate) struct DropArgs {
    /// Its name, as listed
    name: String,
    /// Mean it: payments are not rebuilt any more from receipts that are gone
    #[arg(long)]
    yes: bool,
}

/// Runs the command on this ledger.
pub(crate) async fn run(command: &PartitionsCommand, location: &Location) -> Result<(), Failure> {
    if let Location::Folder(_) = location {
        return Err(Failure::Usage("this ledger is a file, which has no partitions; they are for Postgres".to_owned()));
    }
    let store = match command {
        PartitionsCommand::List(_) => Store::open_read_only(location).await?,
        PartitionsCommand::Drop(_) => Store::open(location).await?,
    };
    let partitions = store.partitions().await?;
    match command {
        PartitionsCommand::List(args) => list(&partitions, args.json),
        PartitionsCommand::Drop(args) => {
            let partition = droppable(&partitions, args, afluente_worker::now())?;
            store.drop_partition(&partition.name).await?;
            output::print(&format!("dropped {}, about {}", partition.name, output::count(partition.rows, "row")));
        }
    }
    store.close().await;
    Ok(())
}

fn list(partitions: &[Partition], as_json: bool) {
    let until = |part: &Partition| part.until.map(|until| until.to_string());
    if as_json {
        let list = partitions.iter().map(|part| {
            json!({"table": part.table, "name": part.name, "rows": part.rows, "bytes": part.bytes, "until": until(part)})
        });
        output::print_json(&Value::Array(list.collect()));
        return;
    }
    let rows = partitions.iter().map(|part| {
        let until = until(part).unwrap_or_else(|| "default: what belongs nowhere else".to_owned());
        vec![part.name.clone(), part.rows.to_string(), part.bytes.to_string(), until]
    });
    output::print(&output::table(&["PARTITION", "ROWS, ABOUT", "BYTES", "UNTIL"], &[1, 2], rows));
}

/// One that is old enough and meant.
fn droppable<'a>(partitions: &'a [Partition], args: &DropArgs, now: Timestamp) -> Result<&'a Partition, Failure> {
    let name = &args.name;
    let found = partitions.iter().find(|part| part.name == *name);
    let partition = found.ok_or_else(|| {
        Failure::Usage(format!("expected a partition, got {name:?}; `afluente partitions list` names them"))
    })?;
    let Some(until) = partition.until else {
        return Err(Failure::Usage(format!("{name} is the default partition, which stays; mend what fell into it")));
    };
    let days = (now.as_micros() - until.as_micros()) / 86_400_000_000;
    if days < KEPT_DAYS {
        let left = output::count(KEPT_DAYS - days, "day");
        return Err(Failure::Found(format!(
            "{name} ends {until}: gateways may still send its deliveries again; it can be dropped in {left}"
        )));
    }
    if !args.yes {
        let rows = output::count(partition.rows, "row");
        return Err(Failure::Usage(format!(
            "{name} has about {rows}, which cannot be brought back; add --yes to mean it"
        )));
    }
    Ok(partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(name: &str, until: Option<i64>) -> Partition {
        let until = until.map(|days| Timestamp::from_micros(days * 86_400_000_000).unwrap());
        Partition { table: "webhook_receipts".to_owned(), name: name.to_owned(), rows: 3, bytes: 8_192, until }
    }

    #[test]
    fn only_a_known_old_partition_that_is_meant_goes() {
        let partitions = [partition("old", Some(10)), partition("young", Some(12)), partition("default", None)];
        let now = Timestamp::from_micros(46 * 86_400_000_000).unwrap();
        let asked = |name: &str, yes| {
            let args = DropArgs { name: name.to_owned(), yes };
            droppable(&partitions, &args, now)
                .map(|part| part.name.clone())
                .map_err(|failure| failure.text().to_owned())
        };
        assert_eq!(asked("old", true), Ok("old".to_owned()));
        for (name, yes, why) in [
            ("old", false, "--yes"),
            ("young", true, "dropped in 1 day"),
            ("default", true, "default partition"),
            ("payments", true, "expected a partition, got \"payments\""),
        ] {
            let refused = asked(name, yes).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}

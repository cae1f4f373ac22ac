//! What a Postgres server's answers mean.

use afluente_model::chain;
use afluente_store::{ServerHealth, ServerSays, StoreError};

use super::Finding;

/// The servers the ledger's statements are written for.
const VERSIONS: std::ops::RangeInclusive<i64> = 13..=17;
/// Clocks that differ by more tell wrong stories; a delivery dated five minutes ahead is not applied.
const SKEW_NOTED_MICROS: i64 = 1_000_000;
const SKEW_WRONG_MICROS: i64 = 60_000_000;
/// A transaction open for longer keeps the server from cleaning up.
const LONG_TRANSACTION_SECONDS: i64 = 300;

/// Everything that can be said.
pub(super) fn findings(health: &ServerHealth) -> Vec<Finding> {
    let says = &health.says;
    let mut findings = vec![
        Finding::fine("server", format!("PostgreSQL {} as {}, {} MiB", says.version_text, says.role, says.bytes >> 20)),
        version(says),
        writes(says),
        rights(health),
        search_path(says),
        pooler(health),
        clock(health),
        connections(says),
        encryption(says),
        cleaning(says),
    ];
    findings.extend(durability(says));
    findings
}

/// A server that does not let us in.
pub(super) fn unreachable(error: &StoreError) -> Finding {
    let text = chain(error);
    let mend = if text.contains("unsupported startup parameter") {
        "the pooler refuses a setting: add it to its ignore_startup_parameters"
    } else if text.contains("password") || text.contains("authentication") {
        "look at user, password and pg_hba.conf"
    } else if text.contains("does not exist") {
        "create the database and the role the URL names"
    } else if text.contains("too many") || text.contains("remaining connection slots") {
        "raise max_connections, or let others close theirs"
    } else {
        "look whether the server runs and this machine reaches it"
    };
    Finding::wrong("ledger", text, mend)
}

/// How many partitions there are, and what fell beside them.
pub(super) fn partitions(count: usize, stray: i64) -> Finding {
    if stray == 0 {
        return Finding::fine("partitions", format!("{count}, nothing beside them"));
    }
    Finding::wrong(
        "partitions",
        format!("{stray} rows or more are in the default partitions: their ids were made at a time nobody expects"),
        "mend the clock of the machine that made them; then: select make_partitions('THE WEEK', 0, 0)",
    )
}

fn version(says: &ServerSays) -> Finding {
    let major = says.version / 10_000;
    if major < *VERSIONS.start() {
        Finding::wrong("version", format!("{major} is too old"), format!("upgrade to {} or later", VERSIONS.start()))
    } else if major > *VERSIONS.end() {
        Finding::note(
            "version",
            format!("{major} is newer than what this was written for"),
            format!("nothing, if it works; else {}", VERSIONS.end()),
        )
    } else {
        Finding::fine("version", major.to_string())
    }
}

fn writes(says: &ServerSays) -> Finding {
    if says.in_recovery {
        Finding::wrong("writes", "the server follows another and takes none", "let the URL name the primary")
    } else if says.read_only {
        Finding::wrong(
            "writes",
            "transactions are read-only",
            "reset default_transaction_read_only for role and database",
        )
    } else {
        Finding::fine("writes", "taken")
    }
}

fn rights(health: &ServerHealth) -> Finding {
    if health.without_rights.is_empty() {
        return Finding::fine("rights", "all tables may be read and written");
    }
    let role = &health.says.role;
    Finding::wrong(
        "rights",
        format!("{role} may not read and write {}", health.without_rights.join(", ")),
        format!("grant select, insert, update, delete on all tables in schema afluente to {role}"),
    )
}

fn search_path(says: &ServerSays) -> Finding {
    if says.searched == "afluente" {
        return Finding::fine("search_path", "finds our schema first");
    }
    Finding::wrong(
        "search_path",
        format!("finds {:?} first", says.searched),
        format!(
            "alter role {} in database … set search_path = afluente; `afluente migrate` does it for a role of its own",
            says.role
        ),
    )
}

fn pooler(health: &ServerHealth) -> Finding {
    if !health.shared_sessions {
        return Finding::fine("sessions", "are ours alone");
    }
    Finding::note(
        "sessions",
        "are handed on after each transaction: a pooler in transaction mode",
        "it must keep prepared statements (PgBouncer 1.21: max_prepared_statements = 200); nothing else here needs a session",
    )
}

/// The server read its clock at some moment of the question.
fn clock(health: &ServerHealth) -> Finding {
    let (before, there) = (health.asked_at.as_micros(), health.says.clock.as_micros());
    let after = before + health.asked_micros;
    let apart = if there < before { before - there } else { (there - after).max(0) };
    let says = format!("{}.{:03} s apart", apart / 1_000_000, apart / 1_000 % 1_000);
    let mend = "let both machines follow the same time servers";
    if apart > SKEW_WRONG_MICROS {
        Finding::wrong("clock", says, mend)
    } else if apart > SKEW_NOTED_MICROS {
        Finding::note("clock", says, mend)
    } else {
        Finding::fine("clock", says)
    }
}

fn connections(says: &ServerSays) -> Finding {
    let text = format!("{} of {}", says.connections_used, says.connections_allowed);
    if says.connections_used * 10 >= says.connections_allowed * 9 {
        Finding::note("connections", text, "raise max_connections, or put a pooler in front of the others")
    } else {
        Finding::fine("connections", text)
    }
}

fn encryption(says: &ServerSays) -> Finding {
    let here = says.address.is_empty() || says.address.starts_with("127.") || says.address == "::1";
    if says.encrypted {
        Finding::fine("encryption", "TLS")
    } else if here {
        Finding::fine("encryption", "none, on this machine")
    } else {
        Finding::note(
            "encryption",
            "none: bodies with names and documents cross the network",
            "add sslmode=verify-full to the URL",
        )
    }
}

fn cleaning(says: &ServerSays) -> Finding {
    if !says.autovacuum {
        return Finding::wrong("cleaning", "autovacuum is off: tables grow for ever", "set autovacuum = on");
    }
    let oldest = says.oldest_transaction_seconds;
    if oldest > LONG_TRANSACTION_SECONDS {
        return Finding::note(
            "cleaning",
            format!("somebody's transaction has been open for {} min: nothing is cleaned up meanwhile", oldest / 60),
            "select pid, usename, xact_start, query from pg_stat_activity order by xact_start; end it",
        );
    }
    Finding::fine("cleaning", "autovacuum is on, no long transaction")
}

/// Settings under which what was acknowledged can be gone after a crash.
fn durability(says: &ServerSays) -> Vec<Finding> {
    let mut findings = Vec::new();
    let off = |name: &str| {
        Finding::wrong(
            "durability",
            format!("{name} = off: a crash can lose what was acknowledged"),
            format!("set {name} = on"),
        )
    };
    if !says.fsync {
        findings.push(off("fsync"));
    }
    if !says.full_page_writes {
        findings.push(off("full_page_writes"));
    }
    if says.synchronous_commit == "off" {
        findings.push(off("synchronous_commit"));
    }
    if findings.is_empty() {
        findings.push(Finding::fine("durability", format!("synchronous_commit = {}", says.synchronous_commit)));
    }
    findings
}

#[cfg(test)]
mod tests;

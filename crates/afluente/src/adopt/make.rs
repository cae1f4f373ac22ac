//! `afluente adopt --apply` and `--undo`.

use std::os::unix::net::UnixStream;
use std::path::Path;

use afluente_store::legacy::{Adoption, Catalogue, Roles, Targets};
use afluente_store::{Location, Schema, Server};
use serde_json::json;

use super::{AdoptArgs, plan};
use crate::control::SOCKET_FILE;
use crate::exit::Failure;
use crate::{migrate, output};

pub(super) async fn run(args: &AdoptArgs, admin: &Server, ledger: &Server, folder: &Path) -> Result<(), Failure> {
    let catalogue = Catalogue::read(admin, &args.schema).await?;
    let targets = Targets::of(&catalogue).map_err(|unfit| Failure::Found(plan::cannot(&unfit)))?;
    let roles = Roles::of(admin, ledger).await?;
    let adoption = Adoption::of(&catalogue, &targets, &roles, args.status)
        .map_err(|odd| Failure::Found(format!("cannot be adopted: {odd}")))?;
    if !args.yes {
        show(args, &adoption, &roles);
        return Ok(());
    }
    if args.apply {
        // Its tables of ours stand in our schema.
        migrate::judged(&Schema::read(&Location::Server(ledger.clone())).await?)?;
        adoption.apply(admin, ledger).await?;
        told(args, "made", "set [legacy] write = \"shadow\" and start again; a process that runs has read the old");
    } else {
        if UnixStream::connect(folder.join(SOCKET_FILE)).is_ok() {
            return Err(Failure::Unavailable(
                "a process works on this ledger: set [legacy] write = \"off\" and start it again before taking away what it calls"
                    .to_owned(),
            ));
        }
        adoption.undo(admin, ledger).await?;
        told(args, "taken away", "nothing of ours is left in their tables");
    }
    Ok(())
}

fn told(args: &AdoptArgs, done: &str, next: &str) {
    if args.json {
        output::print_json(&json!({"done": done}));
    } else {
        output::print(&format!("{done}; {next}\n"));
    }
}

/// What would run, as whom.
fn show(args: &AdoptArgs, adoption: &Adoption, roles: &Roles) {
    let (as_admin, as_ledger) = if args.apply {
        (adoption.rights.clone(), adoption.made.clone())
    } else {
        let made = Adoption::made_away().into_iter().map(ToOwned::to_owned).collect();
        ([adoption.given_back.clone(), vec![adoption.rights_away()]].concat(), made)
    };
    if args.json {
        output::print_json(&json!({
            "as_admin": {"role": roles.admin, "statements": as_admin}, "as_ledger": {"role": roles.ledger, "statements": as_ledger},
        }));
        return;
    }
    for (role, statements) in [(&roles.admin, as_admin), (&roles.ledger, as_ledger)] {
        output::print(&format!("-- as {role}\n{};\n", statements.join(";\n")));
    }
    output::print("-- nothing was run: --yes runs it\n");
}

//! What every ledger does, whichever database it is in. A test crate mounts this beside its own module `site`, which opens
//! a fresh ledger with [`content::account_rows`] in it.

mod account;
pub(crate) mod content;
pub(crate) mod dead;
mod fact;
mod payment;
mod people;
mod receipt;
mod record;
mod register;
mod report;
mod savepoint;
mod schema;
mod subscription;
pub(crate) mod want;

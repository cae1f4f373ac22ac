//! Asks the gateways what only they know.
//!
//! ```text
//! due wants -> take (leased) -> the adapter's calls -> HTTP within budgets -> record (answers and want in one transaction)
//! ```
//!
//! **Invariants.** A want is open until it is answered or a person gives it up; a kill at any point leaves it to the next who
//! takes it. Nothing is asked beyond an account's budgets, of a host nobody allowed, or over plain HTTP except on this machine;
//! no redirect is followed. Addresses, tokens and bodies never reach a log or an error.

mod access;
mod ask;
mod assertion;
mod client;
mod gate;
mod keys;
mod measure;
mod outcome;
mod run;
mod signed;
mod tls;
mod token;

pub use access::{Access, Accounts, Auth, BadBase, Base, Budget, LookupAccount, SignedBy};
pub use assertion::{Assertion, BadKey, SigningKey};
pub use keys::{KeySettings, PublicKeys};
pub use outcome::Outcome;
pub use run::{Lookup, Settings, run};
pub use tls::{BadTls, ClientTls, Identity};

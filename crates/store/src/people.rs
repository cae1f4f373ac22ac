//! Who is behind what: identities as they were said, the people they are, and their links.
//!
//! Identities, decisions, methods, sessions and relations are registers of the claims and written with them. Everything else here is a function of all identities of a
//! merchant; whoever recomputes a part of it holds that part's locks (see [`crate::Tx::lock_people`]) and reads afterwards.

pub(crate) mod customer;
pub(crate) mod decision;
pub(crate) mod identity;
pub(crate) mod link;
pub(crate) mod method;
pub(crate) mod owner;
pub(crate) mod provider;
pub(crate) mod relation;
pub(crate) mod session;
pub(crate) mod value;

pub use customer::{CustomerKey, Refreshed};
pub use decision::DecisionRow;
pub use identity::{IdentityKey, IdentityRow};
pub use link::{Linked, Subject, claimed_of_payments};
pub use provider::{ProviderRow, Unnamed};
pub use value::{Counted, Said, Value, ValueKind, ValueRow};

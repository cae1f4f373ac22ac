//! What a worker does, whichever database its ledger is in.

mod batch;
pub(crate) mod bench;
mod left_behind;
mod people;
mod rebuild;

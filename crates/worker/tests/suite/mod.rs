//! What a worker does, whichever database its ledger is in.

mod batch;
pub(crate) mod bench;
mod decide;
mod left_behind;
pub(crate) mod people;
mod rebuild;

//! A legacy application's tables in the database our schema is in: read from the catalogue, since nothing else says what an
//! installation really has.
//!
//! Only `adopt` looks here, and only it makes anything: see [`Catalogue`].

mod catalogue;
mod survey;
mod target;

pub use catalogue::{Catalogue, Column, Index, Table, Trigger};
pub use survey::{Count, Survey};
pub use target::{Target, Targets, Unfit};

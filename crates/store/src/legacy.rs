//! A legacy application's tables in the database our schema is in: read from the catalogue, since nothing else says what an
//! installation really has.
//!
//! Only `adopt` makes anything here (see [`Adoption`]); the worker calls the functions it made, and nothing else.

mod adoption;
mod beside;
mod catalogue;
pub(crate) mod page;
mod reading;
mod survey;
mod target;
pub(crate) mod write;

pub use adoption::{Adoption, OddName, Roles, example, lacks};
pub use beside::Beside;
pub use catalogue::{Catalogue, Column, Index, Table, Trigger};
pub use page::{AuditedRows, Counted, MissingMerchant, NamedPayment, PageRow, Progress, Rows};
pub use survey::{Count, Survey};
pub use target::{Target, Targets, Unfit};
pub use write::{Relative, RowNote, Stood, TheirRow, Words, Written};

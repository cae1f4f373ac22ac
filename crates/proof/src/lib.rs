//! For tests: a disk whose power may be cut.
//!
//! A kill leaves the page cache behind, so no test that kills can notice a sync that is missing. [`Disk`] stands between SQLite and
//! the files of one folder: writes that were not synced are lost at a cut, a seeded part of them.
#![allow(clippy::missing_panics_doc, reason = "a test says what failed by failing")]

mod disk;
mod vfs;

pub use disk::{Counts, Disk, Plan, SECTOR_BYTES};

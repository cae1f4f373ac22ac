//! A database as the legacy application leaves it: its tables in either shape, and rows of our own making with its flaws.

use crate::Database;

/// How it was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// By its scripts: varchar, timestamptz, uniques.
    Scripts,
    /// By Prisma: text, timestamp without zone, foreign keys, no uniques on payments.
    Prisma,
}

impl Shape {
    /// Both.
    pub const BOTH: [Shape; 2] = [Shape::Scripts, Shape::Prisma];
}

const WORDS: &str = include_str!("../../../tests/legacy/words.sql");
const SCRIPTS: &str = include_str!("../../../tests/legacy/s.sql");
const PRISMA: &str = include_str!("../../../tests/legacy/p.sql");
const EITHER: &str = include_str!("../../../tests/legacy/both.sql");
const ROWS: &str = include_str!("../../../tests/legacy/rows.sql");

/// What makes the application's tables and this many payments with everything around them, to be run in this order.
pub fn scripts(shape: Shape, payments: u32) -> Vec<String> {
    let tables = if shape == Shape::Scripts { SCRIPTS } else { PRISMA };
    let mut scripts = vec![WORDS.to_owned(), tables.to_owned(), EITHER.to_owned()];
    if payments > 0 {
        scripts.push(ROWS.replace("{rows}", &payments.to_string()));
    }
    scripts
}

/// Makes all of it in a database.
pub async fn build(database: &Database, shape: Shape, payments: u32) {
    for script in scripts(shape, payments) {
        // Ours are found first by whoever has a ledger there.
        database.run(format!("set search_path = public;\n{script}")).await;
    }
}

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

/// Makes the application's tables in a database, and this many payments with everything around them.
pub async fn build(database: &Database, shape: Shape, payments: u32) {
    // Ours are found first by whoever has a ledger there.
    let theirs = |sql: &str| format!("set search_path = public;\n{sql}");
    let tables = if shape == Shape::Scripts { SCRIPTS } else { PRISMA };
    for sql in [WORDS, tables, EITHER] {
        database.run(theirs(sql)).await;
    }
    if payments > 0 {
        database.run(theirs(&ROWS.replace("{rows}", &payments.to_string()))).await;
    }
}

//! Rows of an application beside us, taken in as receipts: its payments as the weakest facts there are, its customers, buyers and
//! sessions as claims.
//!
//! A row that is taken in again as it was is known and changes nothing, so a backfill that was killed goes on anywhere before
//! where it ended.

mod place;
mod statement;

use std::collections::BTreeMap;
use std::sync::Arc;

use afluente_model::{Incoming, Statement};
use afluente_store::legacy::{PageRow, Rows};
use afluente_store::{Store, StoreError};

use crate::account::Accounts;
use crate::batch::write_all;
use crate::outcome::{Outcome, Postponed};
use crate::prepare::{Good, Prepared};

pub use place::Sellers;
use statement::{Said, said};

/// How many rows one transaction takes in at most.
pub const PAGE: u32 = 500;
/// How many rows of a kind are listed.
const LISTED: usize = 1_000;

/// What is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Payments, as facts.
    Payments,
    /// Customers, as claims.
    Customers,
    /// Who is behind payments, as claims.
    Buyers,
    /// Checkout sessions, as claims.
    Sessions,
}

impl Kind {
    /// Whose rows it reads.
    #[must_use]
    pub const fn rows(self) -> Rows {
        match self {
            Kind::Payments | Kind::Buyers => Rows::Payments,
            Kind::Customers => Rows::Customers,
            Kind::Sessions => Rows::Sessions,
        }
    }

    /// The word its progress is kept under.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Payments => "payments",
            Kind::Customers => "customers",
            Kind::Buyers => "buyers",
            Kind::Sessions => "sessions",
        }
    }
}

/// What came of rows, in words of a closed set; of what is left to a person also which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub counts: BTreeMap<&'static str, u64>,
    /// The first of those somebody should look at, by their ids.
    pub listed: BTreeMap<&'static str, Vec<String>>,
}

impl Tally {
    fn count(&mut self, word: &'static str) {
        *self.counts.entry(word).or_default() += 1;
    }

    fn list(&mut self, word: &'static str, row: &str) {
        self.count(word);
        let listed = self.listed.entry(word).or_default();
        if listed.len() < LISTED {
            listed.push(row.to_owned());
        }
    }
}

/// Takes rows in.
#[derive(Clone, Copy)]
pub struct Backfill<'a> {
    /// The ledger, beside the application.
    pub store: &'a Store,
    /// The accounts rows may belong to.
    pub accounts: &'a Accounts,
    /// Whose sellers are whose.
    pub sellers: &'a Sellers,
    /// Only look.
    pub is_dry: bool,
}

impl Backfill<'_> {
    /// Takes a page in: one transaction, unless a row of it has to stand alone. What was written before it ended stays and is
    /// known the next time.
    pub async fn take(&self, kind: Kind, rows: &[PageRow], tally: &mut Tally) -> Result<(), Postponed> {
        let mut said_of: Vec<(&str, Said<'_>)> = Vec::new();
        let named = self.named(kind, rows).await.map_err(|error| Postponed::LedgerAway(Arc::new(error)))?;
        for (place, row) in rows.iter().enumerate() {
            tally.count("rows");
            let found = named.get(&place);
            match said(kind, row, found, self.accounts, self.sellers, tally) {
                Ok(said) => said_of.extend(said.into_iter().map(|one| (row.row_id.as_str(), one))),
                Err(word) => tally.list(word, &row.row_id),
            }
        }
        let mut prepared = Vec::new();
        for (row, Said { account, body }) in said_of {
            let (name, account) = account;
            let (gateway, received_at) = (account.gateway, crate::now());
            let incoming = Incoming::Statement(Statement { gateway, account: name.clone(), received_at, body });
            match Good::read(incoming, account) {
                Ok(good) => {
                    told(&good, row, tally);
                    prepared.push((row, Prepared::Good(Box::new(good))));
                }
                Err(_) => tally.list("unreadable", row),
            }
        }
        if self.is_dry {
            return Ok(());
        }
        let (ids, prepared): (Vec<&str>, Vec<_>) = prepared.into_iter().map(|(row, one)| (row, Some(one))).unzip();
        for (row, verdict) in ids.into_iter().zip(write_all(self.store, prepared).await) {
            match verdict {
                Ok(Outcome::Applied) => tally.count("taken"),
                Ok(Outcome::Repeated) => tally.count("known"),
                Ok(Outcome::Ignored(_)) => tally.count("silent"),
                Ok(Outcome::Buried(_)) => tally.list("unreadable", row),
                Err(postponed) => return Err(postponed),
            }
        }
        Ok(())
    }

    /// The payments that sessions lead to.
    async fn named(&self, kind: Kind, rows: &[PageRow]) -> Result<statement::Named, StoreError> {
        if kind != Kind::Sessions {
            return Ok(statement::Named::new());
        }
        let names = statement::names(rows);
        let names: Vec<(usize, &str)> = names.iter().map(|(place, name)| (*place, name.as_str())).collect();
        let mut tx = self.store.begin().await?;
        let found = tx.legacy_named(&names).await?;
        tx.commit().await?;
        Ok(statement::chosen(found))
    }
}

/// What a reading leaves to be looked at.
fn told(good: &Good, row: &str, tally: &mut Tally) {
    if !good.reading.unmapped.is_empty() {
        tally.list("unknown_word", row);
    }
    if !good.reading.wants.is_empty() {
        tally.count("asked");
    }
}

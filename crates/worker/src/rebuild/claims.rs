//! Whether the claims are what the receipts say, and the registers what all claims together say: by saying all of it again to a
//! ledger that is there for that alone.

use afluente_store::{ClaimRow, Register, RegisterRow, Store, StoreError, StoredClaim};
use tempfile::TempDir;

use super::expected::Expected;
use super::reread::Reread;
use super::{PAGE, Report};

/// A ledger with nothing but claims. It goes when this does.
pub(super) struct SaidAgain {
    store: Store,
    _folder: TempDir,
}

impl SaidAgain {
    /// With the accounts of this ledger.
    pub(super) async fn to(ledger: &Store) -> Result<SaidAgain, StoreError> {
        let unopened = |error: std::io::Error| StoreError::Open {
            what: "a folder for a while".to_owned(),
            reason: error.to_string(),
        };
        let folder = tempfile::tempdir().map_err(unopened)?;
        let store = Store::open(folder.path()).await?;
        let mut tx = store.begin().await?;
        tx.save_accounts(&ledger.accounts().await?, crate::now()).await?;
        tx.commit().await?;
        Ok(SaidAgain { store, _folder: folder })
    }

    /// Says what these receipts claim.
    pub(super) async fn receipts(&self, receipts: &[Reread<'_>]) -> Result<(), StoreError> {
        self.say(&receipts.iter().flat_map(Reread::claims).collect::<Vec<_>>()).await
    }

    /// Says those claims of the ledger that no receipt can be asked for: it is not held any more, or nobody can read it.
    pub(super) async fn uncovered(&self, ledger: &Store, expected: &Expected) -> Result<(), StoreError> {
        let is_covered = |claim: &StoredClaim| expected.was_read(claim.receipt);
        let mut after = [0; 16];
        loop {
            let claims = ledger.claims_after(after, PAGE).await?;
            let Some(last) = claims.last() else { return Ok(()) };
            after = last.key;
            let rows: Vec<ClaimRow<'_>> =
                claims.iter().filter(|claim| !is_covered(claim)).map(StoredClaim::row).collect();
            self.say(&rows).await?;
        }
    }

    async fn say(&self, rows: &[ClaimRow<'_>]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        tx.add_claims(rows, crate::now()).await?;
        tx.commit().await
    }

    /// Every row of every register, both ways. What it holds stays in the ledger: a report is printed.
    pub(super) async fn compare(self, ledger: &Store, report: &mut Report) -> Result<(), StoreError> {
        for register in Register::ALL {
            let (mut stored, mut said) = (Rows::of(ledger, register), Rows::of(&self.store, register));
            let (mut one, mut other) = (stored.next().await?, said.next().await?);
            loop {
                let order = match (&one, &other) {
                    (None, None) => break,
                    (Some(_), None) => std::cmp::Ordering::Less,
                    (None, Some(_)) => std::cmp::Ordering::Greater,
                    (Some(one), Some(other)) => one.key.cmp(&other.key),
                };
                if order.is_le() && register == Register::Claims {
                    report.claims += 1;
                }
                if !(order.is_eq() && one == other) {
                    differs(
                        report,
                        register,
                        one.as_ref().filter(|_| order.is_le()),
                        other.as_ref().filter(|_| order.is_ge()),
                    );
                }
                if order.is_le() {
                    one = stored.next().await?;
                }
                if order.is_ge() {
                    other = said.next().await?;
                }
            }
        }
        self.store.close().await;
        Ok(())
    }
}

fn differs(report: &mut Report, register: Register, stored: Option<&RegisterRow>, said: Option<&RegisterRow>) {
    let Some(key) = stored.or(said).map(|row| row.key) else { return };
    let name = format!("{} {:032x}", register.as_str(), u128::from_be_bytes(key));
    let (is, should_be) = match (stored, said) {
        (Some(_), Some(_)) => ("another", "what was said"),
        (Some(_), None) => ("there", "nothing: nobody says it"),
        (None, _) => ("missing", "what was said"),
    };
    report.differs(&name, "row", is, should_be);
    if stored.is_some() {
        report.plan.drop_row(register, key);
    }
    if said.is_some() {
        report.plan.say_again(register, key);
    }
}

/// The rows of a register, page by page.
struct Rows<'a> {
    store: &'a Store,
    register: Register,
    after: [u8; 16],
    page: std::vec::IntoIter<RegisterRow>,
}

impl<'a> Rows<'a> {
    fn of(store: &'a Store, register: Register) -> Rows<'a> {
        Rows { store, register, after: [0; 16], page: Vec::new().into_iter() }
    }

    async fn next(&mut self) -> Result<Option<RegisterRow>, StoreError> {
        if self.page.len() == 0 {
            self.page = self.store.register_after(self.register, self.after, PAGE).await?.into_iter();
        }
        let next = self.page.next();
        self.after = next.as_ref().map_or(self.after, |row| row.key);
        Ok(next)
    }
}

//! What belongs together, as claims say it: a payment and its method, an invoice and its subscription, a session and its payment.

use std::collections::BTreeSet;

use crate::backend::Tx;
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::rows::rows;

rows! {
    struct RelationInput<'a> {
        key: key,
        account: text,
        tenant: text,
        subject_kind: text,
        subject_id: text,
        kind: text,
        value: text,
    }
    JOIN = "people/relations_join";
}

/// The kinds of claims that name another thing, or what the shop calls this one.
const KINDS: [&str; 6] = ["method", "subscription", "invoice", "payment", "order", "reference"];

/// What a claim says belongs together.
fn relations_of<'a>(row: &ClaimRow<'a>) -> impl Iterator<Item = [&'a str; 6]> {
    let (account, tenant, kind, id) = (row.account.as_str(), row.tenant, row.subject_kind, row.subject_id);
    let named = row.claims.iter().filter(|(kind, _)| KINDS.contains(kind)).copied().collect::<Vec<_>>();
    named.into_iter().map(move |(relation, value)| [account, tenant, kind, id, relation, value])
}

/// The keys of the relations in a claim.
pub(crate) fn keys_of(row: &ClaimRow<'_>) -> impl Iterator<Item = [u8; 16]> {
    relations_of(row).map(|said| key_of(said.into_iter()))
}

impl Tx {
    /// Keeps what claims say belongs together, each said once.
    pub(crate) async fn join_relations(&mut self, rows: &[ClaimRow<'_>]) -> Result<(), StoreError> {
        let said: BTreeSet<[&str; 6]> = rows.iter().flat_map(relations_of).collect();
        let mut inputs: Vec<RelationInput<'_>> = said.into_iter().map(input).collect();
        inputs.sort_unstable_by_key(|row| row.key);
        self.execute(&JOIN, &inputs).await?;
        Ok(())
    }
}

fn input(said: [&str; 6]) -> RelationInput<'_> {
    let [account, tenant, subject_kind, subject_id, kind, value] = said;
    RelationInput { key: key_of(said.into_iter()).into(), account, tenant, subject_kind, subject_id, kind, value }
}

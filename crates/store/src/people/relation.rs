//! What belongs together, as claims say it: a payment and its method, an invoice and its subscription, a session and its payment.

use std::collections::BTreeMap;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::claim::{ClaimRow, key_of};
use crate::error::StoreError;
use crate::people::owner::since;
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
        at: moment,
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
    /// Joins what claims say belongs together: each said once, with the newest time.
    pub(crate) async fn join_relations(&mut self, rows: &[ClaimRow<'_>]) -> Result<(), StoreError> {
        let mut joined: BTreeMap<[&str; 6], Moment> = BTreeMap::new();
        for row in rows {
            for key in relations_of(row) {
                let at = since(row.at);
                joined.entry(key).and_modify(|newest| *newest = at.max(*newest)).or_insert(at);
            }
        }
        let mut inputs: Vec<RelationInput<'_>> = joined
            .into_iter()
            .map(|(said @ [account, tenant, subject_kind, subject_id, kind, value], at)| RelationInput {
                key: key_of(said.into_iter()).into(),
                account,
                tenant,
                subject_kind,
                subject_id,
                kind,
                value,
                at,
            })
            .collect();
        inputs.sort_unstable_by_key(|row| row.key);
        self.execute(&JOIN, &inputs).await?;
        Ok(())
    }
}

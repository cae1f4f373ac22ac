//! What belongs together, as claims say it: a payment and its method, an invoice and its subscription, a session and its payment.

use std::collections::BTreeMap;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::claim::ClaimRow;
use crate::error::StoreError;
use crate::people::owner::since;
use crate::rows::rows;

rows! {
    struct RelationInput<'a> {
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

impl Tx {
    /// Joins what claims say belongs together: each said once, with the newest time.
    pub(crate) async fn join_relations(&mut self, rows: &[ClaimRow<'_>]) -> Result<(), StoreError> {
        let mut joined: BTreeMap<[&str; 6], Moment> = BTreeMap::new();
        for row in rows {
            for (kind, value) in row.claims.iter().filter(|(kind, _)| KINDS.contains(kind)) {
                let key = [row.account.as_str(), row.tenant, row.subject_kind, row.subject_id, kind, value];
                let at = since(row.at);
                joined.entry(key).and_modify(|newest| *newest = at.max(*newest)).or_insert(at);
            }
        }
        let inputs: Vec<RelationInput<'_>> = joined
            .into_iter()
            .map(|([account, tenant, subject_kind, subject_id, kind, value], at)| RelationInput {
                account,
                tenant,
                subject_kind,
                subject_id,
                kind,
                value,
                at,
            })
            .collect();
        self.execute(&JOIN, &inputs).await?;
        Ok(())
    }
}

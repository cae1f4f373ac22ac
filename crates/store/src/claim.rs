//! What is claimed about who is behind something: one row for everything one envelope says of one subject.

use std::borrow::Cow;
use std::cmp::Reverse;

use afluente_model::{AccountName, Source, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Moment;
use crate::error::StoreError;
use crate::input::{json_text, text_without_nul};
use crate::people::identity::said_by;
use crate::people::{DecisionRow, IdentityRow};
use crate::rows::rows;

rows! {
    struct ClaimInput<'a> {
        key: key,
        account: text,
        tenant: text,
        subject_kind: text,
        subject_id: text,
        claims: string,
        identity: opt key,
        at: opt moment,
        source: text,
        receipt_id: uuid,
        now: moment,
    }
    CLAIMS = "claims_insert";
}

/// What one envelope claims about one subject.
#[derive(Clone, Debug)]
pub struct ClaimRow<'a> {
    /// The account.
    pub account: &'a AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: &'a str,
    /// `payment`, `subscription`, `customer`, `method`, `checkout`, `invoice`, `account` or `decision`.
    pub subject_kind: &'a str,
    /// The gateway's id of the subject.
    pub subject_id: &'a str,
    /// Kinds and normalised values, in any order; no value is empty.
    pub claims: Vec<(&'a str, &'a str)>,
    /// The gateway's time.
    pub at: Option<Timestamp>,
    /// Where it was read.
    pub source: Source,
    /// The receipt it was read in.
    pub receipt: Uuid,
}

/// What claims said that may make somebody another person.
#[derive(Clone, Debug, Default)]
pub struct Moving {
    /// Identities that are new, have nobody yet, or of which something newer is known.
    pub identities: Vec<IdentityRow>,
    /// Decisions that hold now and did not before.
    pub decisions: Vec<DecisionRow>,
}

impl Tx {
    /// Adds what envelopes claim. Who says the same again of the same subject adds no row: the newest time stays, with the
    /// receipt that brought it, in whatever order they come.
    ///
    /// Gives what of that may move people.
    pub async fn add_claims(&mut self, rows: &[ClaimRow<'_>], now: Timestamp) -> Result<Moving, StoreError> {
        let mut inputs = rows.iter().map(|row| input(row, now)).collect::<Result<Vec<_>, _>>()?;
        inputs.sort_by_key(|row| (row.key, Reverse(row.at)));
        inputs.dedup_by_key(|row| row.key);
        self.execute(&CLAIMS, &inputs).await?;
        self.join_methods(rows, now).await?;
        self.join_sessions(rows, now).await?;
        self.join_relations(rows).await?;
        let decisions = self.join_decisions(rows, now).await?;
        Ok(Moving { identities: self.join_identities(rows, now).await?, decisions })
    }
}

/// What is said, each once and in an order of its own.
fn said<'a>(row: &ClaimRow<'a>) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut claims: Vec<_> = row.claims.iter().map(|(kind, value)| (*kind, text_without_nul(value))).collect();
    claims.sort_unstable();
    claims.dedup();
    claims
}

/// The key a claim is kept under.
pub(crate) fn claim_key(row: &ClaimRow<'_>) -> [u8; 16] {
    key(row, &said(row))
}

fn input<'a>(row: &ClaimRow<'a>, now: Timestamp) -> Result<ClaimInput<'a>, StoreError> {
    let claims = said(row);
    Ok(ClaimInput {
        key: key(row, &claims).into(),
        account: row.account.as_str(),
        tenant: row.tenant,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        claims: json_text(&claims)?,
        identity: said_by(row).map(|said| said.key().0.into()),
        at: row.at.map(Moment::from),
        source: row.source.as_str(),
        receipt_id: row.receipt.into(),
        now: now.into(),
    })
}

/// Of everything that is said and by whom, and nothing of when.
fn key(row: &ClaimRow<'_>, claims: &[(&str, Cow<'_, str>)]) -> [u8; 16] {
    let who = [row.account.as_str(), row.tenant, row.subject_kind, row.subject_id, row.source.as_str()];
    key_of(who.into_iter().chain(claims.iter().flat_map(|(kind, value)| [kind, &**value])))
}

/// A key of texts in this order: every one after its length.
pub(crate) fn key_of<'a>(texts: impl Iterator<Item = &'a str>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

//! Registers of the claims, row by row: to compare them with what claims say, and to make again what differs.

use afluente_model::{AccountName, Source, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::{Store, Tx, fetch};
use crate::cell::{Hex, Id, Moment};
use crate::claim::{ClaimRow, claim_key};
use crate::error::StoreError;
use crate::people::identity::{account, said_by};
use crate::people::{decision, method, relation, session};
use crate::rows::{Statement, records, rows, text};

const CLAIMS: &str = "identity_claims";

records! {
    struct ClaimCells {
        key: key, merchant: opt string, account: string, tenant: string, subject_kind: string, subject_id: string, claims: string,
        identity: opt key, source: string, at: opt moment,
    }
}
records! {
    struct IdentityCells {
        key: key, merchant: string, account: string, tenant: string, provider_customer_id: string, document: string, email: string,
        own: flag, at: opt moment, name: opt string, name_at: opt moment, phone: opt string, phone_at: opt moment,
    }
}
records! {
    struct MethodCells {
        key: key, merchant: string, account: string, tenant: string, provider_method_id: opt string, kind: string, kind_at: moment,
        brand: string, brand_at: moment, last4: string, last4_at: moment, expiry: string, expiry_at: moment, fingerprint: string,
        fingerprint_at: moment, attachment: string, attachment_at: moment, deleted: flag, used_at: opt moment, owner_rank: int,
        owner_at: moment, identity: opt key,
    }
}
records! {
    struct SessionCells {
        key: key, merchant: string, account: string, tenant: string, provider_session_id: string, status_v2: string,
        status_rank: int, status_at: moment, owner_rank: int, owner_at: moment, identity: opt key,
    }
}
records! {
    struct RelationCells {
        key: key, account: string, tenant: string, subject_kind: string, subject_id: string, kind: string, value: string,
    }
}

records! {
    struct DecisionCells {
        key: key, merchant: string, account: string, tenant: string, kind: string, value: string, verdict: string, target: string,
        at: moment, decided_by: string, because: string,
    }
}

static CLAIMS_AFTER: Statement = text!("register/claims_after");
static IDENTITIES_AFTER: Statement = text!("register/identities_after");
static METHODS_AFTER: Statement = text!("register/methods_after");
static SESSIONS_AFTER: Statement = text!("register/sessions_after");
static RELATIONS_AFTER: Statement = text!("register/relations_after");
static DECISIONS_AFTER: Statement = text!("register/decisions_after");
static STORED_AFTER: Statement = text!("register/stored_after");

rows! {
    struct KeyInput {
        key: key,
    }
    CLAIMS_DROP = "register/claims_drop";
    IDENTITIES_DROP = "register/identities_drop";
    METHODS_DROP = "register/methods_drop";
    SESSIONS_DROP = "register/sessions_drop";
    RELATIONS_DROP = "register/relations_drop";
    DECISIONS_DROP = "register/decisions_drop";
    PAYMENTS_LET_GO = "register/payments_let_go";
    SUBSCRIPTIONS_LET_GO = "register/subscriptions_let_go";
    BY_KEY = "register/stored_by_key";
}

/// What is kept of claims: themselves, and what is joined of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// The claims, each said once.
    Claims,
    /// Who was said to be behind something.
    Identities,
    /// What somebody pays with.
    Methods,
    /// Checkout sessions.
    Sessions,
    /// What belongs together.
    Relations,
    /// What persons decided of who somebody is.
    Decisions,
}

impl Register {
    /// All of them; claims first.
    pub const ALL: [Register; 6] = [
        Register::Claims,
        Register::Identities,
        Register::Methods,
        Register::Sessions,
        Register::Relations,
        Register::Decisions,
    ];

    /// What a row of it is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Register::Claims => "claim",
            Register::Identities => "identity",
            Register::Methods => "method",
            Register::Sessions => "session",
            Register::Relations => "relation",
            Register::Decisions => "decision",
        }
    }

    /// The rows of every register that this claim is joined into, its own first.
    #[must_use]
    pub fn rows_of(claim: &ClaimRow<'_>) -> Vec<(Register, [u8; 16])> {
        let mut rows = vec![(Register::Claims, claim_key(claim))];
        rows.extend(said_by(claim).map(|said| (Register::Identities, said.key().0)));
        rows.extend(method::keys_of(claim).map(|key| (Register::Methods, key)));
        rows.extend(session::key_of_session(claim).map(|key| (Register::Sessions, key)));
        rows.extend(decision::key_of_decision(claim).map(|key| (Register::Decisions, key)));
        rows.extend(relation::keys_of(claim).map(|key| (Register::Relations, key)));
        rows
    }
}

/// A row of a register as it can be compared: nothing of ours in it, no id and no time of recording.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterRow {
    /// Its key.
    pub key: [u8; 16],
    /// Its cells, the key first.
    pub cells: Value,
}

/// A claim as it is kept.
#[derive(Clone, Debug)]
pub struct StoredClaim {
    /// Its key.
    pub key: [u8; 16],
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: String,
    /// What it is about.
    pub subject_kind: String,
    /// The gateway's id of that.
    pub subject_id: String,
    /// Kinds and values.
    pub claims: Vec<(String, String)>,
    /// Where it was read.
    pub source: Source,
    /// The newest time it was said at.
    pub at: Option<Timestamp>,
    /// The receipt of that time.
    pub receipt: Uuid,
}

impl StoredClaim {
    /// The same, to be added once more.
    #[must_use]
    pub fn row(&self) -> ClaimRow<'_> {
        ClaimRow {
            account: &self.account,
            tenant: &self.tenant,
            subject_kind: &self.subject_kind,
            subject_id: &self.subject_id,
            claims: self.claims.iter().map(|(kind, value)| (&**kind, &**value)).collect(),
            at: self.at,
            source: self.source,
            receipt: self.receipt,
        }
    }
}

#[derive(FromRow)]
struct StoredRecord {
    key: Hex<16>,
    account: String,
    tenant: String,
    subject_kind: String,
    subject_id: String,
    claims: String,
    source: String,
    at: Option<Moment>,
    receipt_id: Id,
}

impl Store {
    /// Rows of a register after this key, in the order of their keys.
    pub async fn register_after(
        &self,
        register: Register,
        after: [u8; 16],
        limit: u32,
    ) -> Result<Vec<RegisterRow>, StoreError> {
        let (after, limit) = (after.to_vec(), i64::from(limit));
        Ok(match register {
            Register::Claims => cells::<ClaimCells>(&fetch!(self, fetch_all, CLAIMS_AFTER, after, limit)?),
            Register::Identities => cells::<IdentityCells>(&fetch!(self, fetch_all, IDENTITIES_AFTER, after, limit)?),
            Register::Methods => cells::<MethodCells>(&fetch!(self, fetch_all, METHODS_AFTER, after, limit)?),
            Register::Sessions => cells::<SessionCells>(&fetch!(self, fetch_all, SESSIONS_AFTER, after, limit)?),
            Register::Relations => cells::<RelationCells>(&fetch!(self, fetch_all, RELATIONS_AFTER, after, limit)?),
            Register::Decisions => cells::<DecisionCells>(&fetch!(self, fetch_all, DECISIONS_AFTER, after, limit)?),
        })
    }

    /// Claims as they are kept, after this key and in the order of their keys.
    pub async fn claims_after(&self, after: [u8; 16], limit: u32) -> Result<Vec<StoredClaim>, StoreError> {
        let records: Vec<StoredRecord> = fetch!(self, fetch_all, STORED_AFTER, after.to_vec(), i64::from(limit))?;
        records.into_iter().map(StoredClaim::try_from).collect()
    }
}

impl Tx {
    /// Takes rows out of a register. What followed an identity that goes follows nobody.
    pub async fn drop_register(&mut self, register: Register, keys: &[[u8; 16]]) -> Result<(), StoreError> {
        let rows = inputs(keys);
        let statement = match register {
            Register::Claims => &CLAIMS_DROP,
            Register::Identities => {
                self.execute(&PAYMENTS_LET_GO, &rows).await?;
                self.execute(&SUBSCRIPTIONS_LET_GO, &rows).await?;
                &IDENTITIES_DROP
            }
            Register::Methods => &METHODS_DROP,
            Register::Sessions => &SESSIONS_DROP,
            Register::Relations => &RELATIONS_DROP,
            Register::Decisions => &DECISIONS_DROP,
        };
        self.execute(statement, &rows).await?;
        Ok(())
    }

    /// These claims as they are kept.
    pub async fn stored_claims(&mut self, keys: &[[u8; 16]]) -> Result<Vec<StoredClaim>, StoreError> {
        let records: Vec<StoredRecord> = self.fetch(&BY_KEY, &inputs(keys)).await?;
        records.into_iter().map(StoredClaim::try_from).collect()
    }
}

fn inputs(keys: &[[u8; 16]]) -> Vec<KeyInput> {
    let mut rows: Vec<KeyInput> = keys.iter().map(|key| KeyInput { key: (*key).into() }).collect();
    rows.sort_unstable_by_key(|row| row.key);
    rows
}

/// A row whose first cell is its key.
trait Keyed {
    fn key(&self) -> [u8; 16];
}

macro_rules! keyed {
    ($($cells:ident),+) => { $(impl Keyed for $cells { fn key(&self) -> [u8; 16] { self.key.bytes() } })+ };
}
keyed!(ClaimCells, IdentityCells, MethodCells, SessionCells, RelationCells, DecisionCells);

fn cells<R: Keyed + Serialize>(records: &[R]) -> Vec<RegisterRow> {
    let row = |record: &R| RegisterRow {
        key: record.key(),
        cells: serde_json::to_value(record).expect("cells of texts, numbers and flags have a JSON value"),
    };
    records.iter().map(row).collect()
}

impl TryFrom<StoredRecord> for StoredClaim {
    type Error = StoreError;

    fn try_from(row: StoredRecord) -> Result<StoredClaim, StoreError> {
        let claims = serde_json::from_str(&row.claims);
        let source = row.source.parse::<Source>();
        Ok(StoredClaim {
            key: row.key.bytes(),
            account: account(CLAIMS, &row.account)?,
            tenant: row.tenant,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            claims: claims.map_err(|_| StoreError::unreadable(CLAIMS, "claims", &row.claims))?,
            source: source.map_err(|_| StoreError::unreadable(CLAIMS, "source", &row.source))?,
            at: row.at.map(|at| at.read(CLAIMS, "at")).transpose()?,
            receipt: row.receipt_id.into(),
        })
    }
}

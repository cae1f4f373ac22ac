//! Receipts that are read again.

use afluente_model::{AccountName, Answer, Delivery, DeliveryId, Gateway, Incoming, Statement};
use bytes::Bytes;
use sqlx::FromRow;
use uuid::Uuid;

use super::{call, proof};
use crate::cell::Moment;
use crate::error::StoreError;
use crate::payment::word;

/// A receipt with its body, as a rebuild reads it again.
#[derive(Clone, Debug)]
pub struct HeldReceipt {
    /// The receipt.
    pub id: Uuid,
    /// APPLIED or IGNORED.
    pub state: String,
    /// The hash stored with it.
    pub body_hash: Vec<u8>,
    /// The body, and where it came from.
    pub incoming: Incoming,
}

#[derive(FromRow)]
pub(crate) struct Record {
    id: Uuid,
    account: String,
    provider_v2: String,
    received_at: Moment,
    kind: String,
    delivery_id: Uuid,
    proof: String,
    proved_by: Option<String>,
    released_by: Option<String>,
    headers: String,
    query: Option<String>,
    traceparent: Option<String>,
    call: Option<String>,
    status: Option<i64>,
    state: String,
    body_hash: Vec<u8>,
    body: Vec<u8>,
}

const TABLE: &str = "webhook_receipts";

impl TryFrom<Record> for HeldReceipt {
    type Error = StoreError;

    fn try_from(mut row: Record) -> Result<HeldReceipt, StoreError> {
        let (id, state, body_hash) = (row.id, std::mem::take(&mut row.state), std::mem::take(&mut row.body_hash));
        Ok(HeldReceipt { id, state, body_hash, incoming: row.incoming()? })
    }
}

impl Record {
    fn incoming(self) -> Result<Incoming, StoreError> {
        let bad = |column, got: &str| StoreError::unreadable(TABLE, column, got);
        let account = AccountName::parse(&self.account).map_err(|_| bad("account", &self.account))?;
        let gateway: Gateway = word(TABLE, "provider_v2", &self.provider_v2)?;
        let received_at = self.received_at.read(TABLE, "received_at")?;
        let headers: Vec<(Box<str>, Box<str>)> =
            serde_json::from_str(&self.headers).map_err(|_| bad("headers", &self.headers))?;
        let body = Bytes::from(self.body);
        if let Some(text) = &self.call {
            let asked = call::read(text).ok_or_else(|| bad("call", text))?;
            let status = self.status.and_then(|status| u16::try_from(status).ok()).ok_or_else(|| bad("status", ""))?;
            return Ok(Incoming::Answer(Answer { gateway, account, asked, status, received_at, headers, body }));
        }
        if self.kind == "OPERATOR" {
            return Ok(Incoming::Statement(Statement { gateway, account, received_at, body }));
        }
        let proof = proof::read(&self.proof, self.proved_by).map_err(|column| bad(column, &self.proof))?;
        Ok(Incoming::Delivery(Delivery {
            id: DeliveryId(self.delivery_id),
            gateway,
            account,
            received_at,
            proof,
            headers,
            query: self.query.map(Into::into),
            traceparent: self.traceparent.map(Into::into),
            released_by: self.released_by.map(Into::into),
            body,
        }))
    }
}

//! What to put into a ledger.

use afluente_model::{AccountName, Delivery, Gateway, Incoming, MerchantName, Mode, Source, Timestamp};
use afluente_store::{AccountRow, ClaimRow, NewPayment, PaymentKey, PaymentRow, Receipt, ReceiptState, Tx};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The accounts every test finds.
pub(crate) fn account_rows() -> [AccountRow; 2] {
    [account_row("shop"), account_row("other")]
}

pub(crate) fn account_row(name: &str) -> AccountRow {
    AccountRow {
        name: account(name),
        merchant: MerchantName::parse("default").unwrap(),
        gateway: Gateway::Stripe,
        external_id: None,
        mode: Mode::Test,
        replaces: None,
    }
}

pub(crate) fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000).unwrap()
}

pub(crate) fn key(name: &str, tenant: &str, id: &str) -> PaymentKey {
    PaymentKey { account: account(name), tenant: tenant.into(), id: id.into() }
}

/// A receipt of this event with this body.
pub(crate) fn receipt(event: Option<&str>, body: &[u8]) -> Receipt {
    let delivery = Delivery { received_at: at(1), ..afluente_testkit::delivery(Uuid::now_v7(), body) };
    Receipt {
        id: Uuid::now_v7(),
        event: event.map(Into::into),
        event_type: "payment_intent.succeeded".into(),
        state: ReceiptState::Applied,
        ignored_because: None,
        notes: None,
        body_hash: Sha256::digest(body).into(),
        incoming: Incoming::Delivery(delivery),
    }
}

/// A stored receipt's id, for rows that must name one.
pub(crate) async fn stored_receipt(tx: &mut Tx) -> Uuid {
    let one = receipt(None, Uuid::now_v7().as_bytes());
    tx.claim(std::slice::from_ref(&one), at(1)).await.unwrap();
    one.id
}

/// What a webhook claims of something of this account.
pub(crate) fn claim<'a>(
    shop: &'a AccountName,
    receipt: Uuid,
    subject_kind: &'a str,
    subject_id: &'a str,
    claims: Vec<(&'a str, &'a str)>,
) -> ClaimRow<'a> {
    let (at, source) = (Some(at(1)), Source::Webhook);
    ClaimRow { account: shop, tenant: "", subject_kind, subject_id, claims, at, source, receipt }
}

/// Makes and locks one payment.
pub(crate) async fn payment(tx: &mut Tx, key: &PaymentKey) -> PaymentRow {
    let make = [NewPayment { id: Uuid::now_v7(), key: key.clone(), gateway: Gateway::Stripe, identity: None }];
    let mut rows = tx.lock_payments(&make, &[], at(1)).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

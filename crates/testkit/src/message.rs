//! What a queue carries and a worker takes, where it does not matter what it says.

use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Proof, SecretName, Timestamp};
use uuid::Uuid;

/// A signed delivery of Stripe's to the account `shop`, received in 1970: what differs in a test is written there.
#[must_use]
pub fn delivery(id: Uuid, body: impl Into<Vec<u8>>) -> Delivery {
    Delivery {
        id: DeliveryId(id),
        gateway: Gateway::Stripe,
        account: AccountName::parse("shop").unwrap(),
        received_at: Timestamp::EPOCH,
        proof: Proof::Signed { secret: SecretName::of(b"secret") },
        headers: vec![("stripe-signature".into(), "t=1,v1=00".into())],
        query: None,
        traceparent: None,
        released_by: None,
        body: body.into().into(),
    }
}

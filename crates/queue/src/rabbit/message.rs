//! A sealed message as the broker carries it: the body as it came, the head in one header.

use afluente_model::{DeliveryId, Gateway};
use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::topology::gateway_of;
use crate::wire::Sealed;

/// The sealed head, as JSON.
const HEAD: &str = "afluente-head";
/// How often it was handed out before and came back by a retry of ours. What the broker counts decides nothing.
const ATTEMPT: &str = "afluente-attempt";
/// Written to disk by the broker before it confirms.
const PERSISTENT: u8 = 2;

/// Everything but the body.
pub(crate) fn properties(message: &Sealed, attempt: u32) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(HEAD.into(), AMQPValue::LongString(message.head.to_vec().into()));
    if attempt > 0 {
        headers.insert(ATTEMPT.into(), AMQPValue::LongUInt(attempt));
    }
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message.id.to_string().into())
        .with_app_id("afluente".into())
        .with_headers(headers)
}

/// The id in a message's properties, if there is one of ours.
pub(crate) fn id_of(properties: &BasicProperties) -> Option<DeliveryId> {
    let id = properties.message_id().as_ref()?;
    Uuid::parse_str(id.as_str()).ok().map(DeliveryId)
}

/// An id for a message without one: the same for the same bytes, so that one that comes again is known.
fn id_from(head: &[u8], body: &[u8]) -> DeliveryId {
    let hash = Sha256::new().chain_update(head).chain_update(body).finalize();
    DeliveryId(Uuid::from_slice(&hash[..16]).unwrap_or_default())
}

/// What came, whatever it is: one no version of ours wrote has an empty head, and goes to the dead letters with its body.
pub(crate) fn sealed(delivery: Delivery) -> (Sealed, u32) {
    let headers = delivery.properties.headers().as_ref();
    let header = |name: &str| headers.and_then(|headers| headers.inner().get(name));
    let head = match header(HEAD) {
        Some(AMQPValue::LongString(head)) => Bytes::copy_from_slice(head.as_bytes()),
        Some(_) | None => Bytes::new(),
    };
    let attempt = header(ATTEMPT).and_then(count).unwrap_or(0);
    let id = id_of(&delivery.properties).unwrap_or_else(|| id_from(&head, &delivery.data));
    // Whose it is says its key; a gateway we do not know was written by a newer version, and its head still says so.
    let gateway = gateway_of(delivery.routing_key.as_str()).unwrap_or(Gateway::Stripe);
    (Sealed { id, gateway, head, body: delivery.data.into() }, attempt)
}

/// Why the broker moved a message to where it gives messages up: its own word, and the queue it was in.
pub(crate) fn given_up(delivery: &Delivery) -> Box<str> {
    let headers = delivery.properties.headers().as_ref();
    let said = |name: &str| match headers.and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(text)) => String::from_utf8_lossy(text.as_bytes()).chars().take(100).collect(),
        Some(_) | None => "unknown".to_owned(),
    };
    format!("{} in queue {}", said("x-first-death-reason"), said("x-first-death-queue")).into()
}

/// Clients write whole numbers as they please.
fn count(value: &AMQPValue) -> Option<u32> {
    match *value {
        AMQPValue::ShortShortUInt(number) => Some(number.into()),
        AMQPValue::ShortUInt(number) => Some(number.into()),
        AMQPValue::LongUInt(number) => Some(number),
        AMQPValue::LongInt(number) => number.try_into().ok(),
        AMQPValue::LongLongInt(number) => number.try_into().ok(),
        _ => None,
    }
}

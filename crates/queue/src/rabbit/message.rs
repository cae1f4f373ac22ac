//! A sealed message as the broker carries it: one line of JSON, which is the head, and after it the body as it came.
//!
//! A broker decodes the headers of what is published and not its payload: a head among them costs it a sixth of what it can
//! confirm a second, and has to fit into one frame.

use afluente_model::{DeliveryId, Gateway};
use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::topology::gateway_of;
use crate::wire::Sealed;

/// Marks a payload that is a head and a body.
const CONTENT_TYPE: &str = "application/x-afluente-sealed";
/// Between the two. JSON as we write it has none.
const END_OF_HEAD: u8 = b'\n';
/// How often it was handed out before and came back by a retry of ours. What the broker counts decides nothing.
const ATTEMPT: &str = "afluente-attempt";
/// Written to disk by the broker before it confirms.
const PERSISTENT: u8 = 2;

/// Everything but the payload.
pub(crate) fn properties(message: &Sealed, attempt: u32) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type(CONTENT_TYPE.into())
        .with_message_id(message.id.to_string().into())
        .with_app_id("afluente".into());
    if attempt == 0 {
        return properties;
    }
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPT.into(), AMQPValue::LongUInt(attempt));
    properties.with_headers(headers)
}

/// Head and body.
pub(crate) fn payload(message: &Sealed) -> Vec<u8> {
    [&message.head, &[END_OF_HEAD][..], &message.body].concat()
}

/// Head and body of a payload. One that is not ours is all body: what it may be is not ours to say.
fn parts(properties: &BasicProperties, payload: Bytes) -> (Bytes, Bytes) {
    let ours = properties.content_type().as_ref().is_some_and(|kind| kind.as_str() == CONTENT_TYPE);
    match payload.iter().position(|byte| *byte == END_OF_HEAD).filter(|_| ours) {
        Some(end) => (payload.slice(..end), payload.slice(end + 1..)),
        None => (Bytes::new(), payload),
    }
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
    let attempt = headers.and_then(|headers| headers.inner().get(ATTEMPT)).and_then(count).unwrap_or(0);
    let (head, body) = parts(&delivery.properties, delivery.data.into());
    let id = id_of(&delivery.properties).unwrap_or_else(|| id_from(&head, &body));
    // Whose it is says its key; a gateway we do not know was written by a newer version, and its head still says so.
    let gateway = gateway_of(delivery.routing_key.as_str()).unwrap_or(Gateway::Stripe);
    (Sealed { id, gateway, head, body }, attempt)
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

//! The query tells the two channels apart, and holds the one id that is signed.

use std::borrow::Cow;

use crate::error::Rejection;

/// Which channel a notice came on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channel<'a> {
    /// Webhooks: `data.id=…&type=…`, signed.
    Webhook(Notice<'a>),
    /// The old IPN, also called Feed: `id=…&topic=…`, signed by nobody.
    Ipn(Notice<'a>),
}

/// What a query says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) topic: Option<Cow<'a, str>>,
}

const MALFORMED: Rejection =
    Rejection::MalformedQuery { expected: "data.id and type, or id and topic, of letters, digits, - and _, once each" };

impl<'a> Channel<'a> {
    /// Reads a query. Parameters of our own notification address stand beside Mercado Pago's.
    ///
    /// An id of other characters is refused: parts of what is signed are joined with `;`, and an id with one inside would
    /// stand for another id with another part.
    pub(super) fn of(query: Option<&'a str>) -> Result<Channel<'a>, Rejection> {
        let query = query.unwrap_or_default().as_bytes();
        let one = |key: &str| {
            let mut found = form_urlencoded::parse(query).filter(|(name, _)| name == key).map(|(_, value)| value);
            let first = found.next();
            if found.next().is_some() { Err(MALFORMED) } else { Ok(first) }
        };
        let (data_id, kind, id, topic) = (one("data.id")?, one("type")?, one("id")?, one("topic")?);
        match (data_id, id, topic) {
            (Some(id), _, _) if is_id(&id) => Ok(Channel::Webhook(Notice { id, topic: kind })),
            (None, Some(id), Some(topic)) if is_id(&id) => Ok(Channel::Ipn(Notice { id, topic: Some(topic) })),
            (_, _, _) => Err(MALFORMED),
        }
    }
}

/// Whether an id may be signed, asked for, and become a path segment.
pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

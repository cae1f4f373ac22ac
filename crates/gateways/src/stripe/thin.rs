//! Thin events: signed, but without the object. They raise a question and assert nothing.

use afluente_model::{Timestamp, WantKind, WantReason};

use super::lookup::{self, is_safe_id};
use super::{context, words};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::IgnoredBecause;

const PING: &str = "v2.core.event_destination.ping";

pub(super) fn read(envelope: &Envelope<'_>, body: &Object<'_>) -> Result<Draft, Malformed> {
    let (mut draft, not_ours) =
        context::open(envelope, body, if envelope.answer().is_some() { "answer" } else { "thin" })?;
    let created = body.text("created")?;
    draft.set_at(created.map(Timestamp::parse_rfc3339).transpose().map_err(|_| Malformed::Time { field: "created" })?);
    if draft.kind() == PING {
        draft.ignore(IgnoredBecause::Ping);
        return Ok(draft);
    }
    if let Some(because) = not_ours {
        draft.ignore(because);
        return Ok(draft);
    }
    let related = body.object("related_object")?;
    let kind = related.map(|related| related.text("type")).transpose()?.flatten();
    let id = related.map(|related| related.id("id")).transpose()?.flatten();
    if id.as_ref().is_some_and(|id| !is_safe_id(id.as_str())) {
        return Err(Malformed::Id { field: "related_object.id" });
    }
    let known = kind.and_then(lookup::kind);
    match (known, id) {
        (Some(kind), Some(id)) => draft.want(kind, &id, WantReason::Hint),
        _ if kind.is_some_and(words::is_silent) => draft.ignore(IgnoredBecause::NothingToSay),
        // The event itself was read already.
        _ if envelope.answer().is_some() => draft.ignore(IgnoredBecause::UnknownType),
        // Nothing is named, a singleton, or an object no call of ours reads: the event itself can be read.
        _ => {
            let own = body.required_id("id")?;
            if !is_safe_id(own.as_str()) {
                return Err(Malformed::Id { field: "id" });
            }
            draft.want(WantKind::Event, &own, WantReason::Hint);
        }
    }
    Ok(draft)
}

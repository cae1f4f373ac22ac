//! Thin events: signed, but without the object. They raise a question and assert nothing.

use afluente_model::Timestamp;

use super::event::{self, Context, not_ours};
use super::lookup::{self, is_safe_id};
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{IgnoredBecause, Reading, WantReason};

const PING: &str = "v2.core.event_destination.ping";

pub(super) fn read(envelope: &Envelope<'_>, body: &Object<'_>) -> Result<Reading, Malformed> {
    let mut context = Context::of(envelope, body, "thin")?;
    let created = body.text("created")?;
    context.at = created.map(Timestamp::parse_rfc3339).transpose().map_err(|_| Malformed::Time { field: "created" })?;
    context.reading.latest = context.at;
    if &*context.kind == PING {
        context.reading.ignored = Some(IgnoredBecause::Ping);
        return Ok(context.reading);
    }
    if let Some(because) = not_ours(envelope.account(), body, context.tenant.as_ref())? {
        context.reading.ignored = Some(because);
        return Ok(context.reading);
    }
    context.tenant = context.tenant.filter(|tenant| envelope.account().external_id.as_ref() != Some(tenant));
    let related = body.object("related_object")?;
    let kind = related.map(|related| related.text("type")).transpose()?.flatten();
    let id = related.map(|related| related.id("id")).transpose()?.flatten();
    if id.as_ref().is_some_and(|id| !is_safe_id(id.as_str())) {
        return Err(Malformed::Id { field: "related_object.id" });
    }
    let known = kind.and_then(lookup::kind);
    match (known, id) {
        (Some(kind), Some(id)) => context.want(kind, &id, WantReason::Hint),
        _ if kind.is_some_and(event::is_silent) => context.reading.ignored = Some(IgnoredBecause::NothingToSay),
        // Nothing is named, a singleton, or an object no call of ours reads: the event itself can be read.
        _ => {
            let own = body.required_id("id")?;
            if !is_safe_id(own.as_str()) {
                return Err(Malformed::Id { field: "id" });
            }
            context.want(lookup::EVENT, &own, WantReason::Hint);
        }
    }
    Ok(context.reading)
}

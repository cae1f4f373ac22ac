//! Thin events: signed, but without the object. They raise a question and assert nothing.

use afluente_model::Timestamp;

use super::event::{Context, not_ours};
use super::lookup::is_safe_id;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{IgnoredBecause, Reading, WantReason};

const PING: &str = "v2.core.event_destination.ping";

pub(super) fn read(envelope: &Envelope<'_>, event: &Object<'_>) -> Result<Reading, Malformed> {
    let mut context = Context::of(envelope, event, "thin")?;
    let created = event.text("created")?;
    context.at = created.map(Timestamp::parse_rfc3339).transpose().map_err(|_| Malformed::Time { field: "created" })?;
    context.reading.latest = context.at;
    if &*context.kind == PING {
        context.reading.ignored = Some(IgnoredBecause::Ping);
        return Ok(context.reading);
    }
    if let Some(because) = not_ours(envelope.account(), event, context.tenant.as_ref())? {
        context.reading.ignored = Some(because);
        return Ok(context.reading);
    }
    context.tenant = context.tenant.filter(|tenant| envelope.account().external_id.as_ref() != Some(tenant));
    let related = event.object("related_object")?;
    let kind = related.map(|related| related.text("type")).transpose()?.flatten();
    let id = related.map(|related| related.id("id")).transpose()?.flatten();
    match (kind, id) {
        (Some(kind), Some(id)) if is_safe_id(id.as_str()) => context.want(kind, &id, WantReason::Hint),
        (_, Some(id)) if !is_safe_id(id.as_str()) => return Err(Malformed::Id { field: "related_object.id" }),
        // Nothing is named, or a singleton: the event itself can be read.
        _ => {
            let own = event.required_id("id")?;
            context.want("event", &own, WantReason::Hint);
        }
    }
    Ok(context.reading)
}

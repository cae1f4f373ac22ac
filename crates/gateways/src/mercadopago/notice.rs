//! What is posted: a hint at an object, whichever channel it came on. Nothing in its body is believed.

use afluente_model::{ProviderId, WantKind, WantReason};

use super::lookup::is_readable;
use super::query::{Channel, Notice};
use super::words::{self, Topic};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Object};
use crate::reading::{IgnoredBecause, Raised, Reading};

pub(super) fn read(envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
    let bad_query = Malformed::Shape { field: "query", expected: "data.id and type, or id and topic" };
    let channel = Channel::of(envelope.query()).map_err(|_| bad_query.clone())?;
    let text = json::text(envelope.body())?;
    let body = json::object(&text)?;
    let draft = match &channel {
        Channel::Webhook(notice) => webhook(notice, &body)?,
        Channel::Ipn(notice) => ipn(notice)?,
    };
    Ok(draft.finish())
}

/// A notice of the channel that signs an id. A body about another id is not what was signed.
fn webhook(notice: &Notice<'_>, body: &Object<'_>) -> Result<Draft, Malformed> {
    let data = body.object("data")?;
    let named = data.map(|data| data.number_or_id("id")).transpose()?.flatten();
    if named.is_some_and(|id| !id.as_str().eq_ignore_ascii_case(&notice.id)) {
        return Err(Malformed::Contradiction { field: "data.id", expected: "the id that was signed" });
    }
    let topic = notice.topic.as_deref().map_or_else(|| body.text("type"), |topic| Ok(Some(topic)))?.unwrap_or_default();
    let action = body.text("action")?.unwrap_or_default();
    let mut draft =
        Draft::new(None, Some(event(topic, notice, action, body)), if action.is_empty() { topic } else { action });
    hint(&mut draft, topic, &notice.id)?;
    if let Some(data) = data {
        beside(&mut draft, topic, data);
    }
    Ok(draft)
}

/// The same of the old channel, which is signed by nobody.
fn ipn(notice: &Notice<'_>) -> Result<Draft, Malformed> {
    let topic = notice.topic.as_deref().unwrap_or_default();
    let mut draft = Draft::new(None, Some(format!("ipn:{topic}/{}", notice.id)), topic);
    hint(&mut draft, topic, &notice.id)?;
    Ok(draft)
}

/// A notice's own id is another at every repetition, and the panel's always the same. Where the object has a version that tells
/// a repetition, else its topic, id and action.
fn event(topic: &str, notice: &Notice<'_>, action: &str, body: &Object<'_>) -> String {
    let version = body.amount("version").ok().flatten().map(|version| version.to_string());
    format!("notice:{topic}/{}@{}", notice.id, version.as_deref().unwrap_or(action))
}

/// What is to be read back.
fn hint(draft: &mut Draft, topic: &str, id: &str) -> Result<(), Malformed> {
    let id = ProviderId::parse(id).map_err(|_| Malformed::Id { field: "data.id" })?;
    match words::topic(topic) {
        Some(Topic::Of(kind)) if is_readable(kind, &id) => draft.want(kind, &id, WantReason::Hint),
        // Plugins have notices of their own, whose ids nothing here reads.
        Some(Topic::Of(_)) => {
            draft.note(Malformed::Id { field: "data.id" });
            draft.ignore(IgnoredBecause::UnknownType);
        }
        Some(Topic::Beside | Topic::Silent) => {}
        None => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(())
}

/// Objects a body names beside the one it is about. They are hints as well: each is read back before it is believed.
fn beside(draft: &mut Draft, topic: &str, data: &Object<'_>) {
    for (key, kind) in words::BESIDE {
        let id = draft.soft(data.number_or_id(key));
        if let Some(id) = id.filter(|id| is_readable(*kind, id)) {
            draft.want(*kind, &id, WantReason::Hint);
            if topic == words::FRAUD && *kind == WantKind::Payment {
                draft.raise(Raised {
                    kind: "do_not_deliver",
                    entity: format!("payment {id}").into(),
                    detail: "Mercado Pago warns of fraud: do not deliver before the payment was looked at in its panel",
                });
            }
        }
    }
}

//! The envelope: what it is about, and who reads that.

use std::borrow::Cow;

use afluente_model::{ProviderId, WantKind};

use super::words::{is_silent, object_of};
use super::{
    answer, charge, checkout, context, customer, invoice, lookup, payment_intent, refund, risk, subscription, thin,
};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Object};
use crate::reading::{IgnoredBecause, Reading};

/// Reads a body.
pub(super) fn read(envelope: &Envelope<'_>) -> Result<Reading, Malformed> {
    let text = json::text(envelope.body())?;
    let event = json::object(&text)?;
    let mut draft = match (envelope.answer(), event.text("object")?) {
        (Some(answer), _) => answer::read(envelope, answer, &event)?,
        (None, Some("event")) => snapshot(envelope, &event)?,
        (None, Some("v2.core.event")) => thin::read(envelope, &event)?,
        (None, _) => return Err(Malformed::Shape { field: "object", expected: "event or v2.core.event" }),
    };
    if matches!(text, Cow::Owned(_)) {
        draft.note(Malformed::HalfPair);
    }
    Ok(draft.finish())
}

fn snapshot(envelope: &Envelope<'_>, event: &Object<'_>) -> Result<Draft, Malformed> {
    let (mut draft, not_ours) = context::open(envelope, event, "snapshot")?;
    draft.set_at(event.seconds("created")?);
    if let Some(because) = not_ours {
        draft.ignore(because);
        return Ok(draft);
    }
    let data = event.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let object = data.object("object")?.ok_or(Malformed::Shape { field: "data.object", expected: "an object" })?;
    // Very old events carry objects without a word of their own: then the event's type says what they are.
    let word = object.text("object")?.map_or_else(|| object_of(draft.kind()).to_owned(), str::to_owned);
    dispatch(&mut draft, &word, object, data)?;
    if !draft.is_proved() {
        draft.only_hint(about(&word, object)?);
    }
    Ok(draft)
}

/// The object's own word decides what it is, not the event's name.
pub(super) fn dispatch(draft: &mut Draft, word: &str, object: &Object<'_>, data: &Object<'_>) -> Result<(), Malformed> {
    match word {
        "payment_intent" => payment_intent::read(draft, object),
        "charge" => charge::read(draft, object, None),
        "refund" => refund::read(draft, object),
        "dispute" => risk::dispute(draft, object),
        "review" => risk::review(draft, object),
        "checkout.session" => checkout::read(draft, object),
        "invoice" => invoice::read(draft, object),
        "invoice_payment" => invoice::payment(draft, object),
        "subscription" => subscription::read(draft, object),
        "customer" => customer::read(draft, object),
        "payment_method" => customer::method(draft, object, data),
        "application" if customer::access(draft) => Ok(()),
        other => {
            let silent = is_silent(other);
            draft.ignore(if silent { IgnoredBecause::NothingToSay } else { IgnoredBecause::UnknownType });
            Ok(())
        }
    }
}

/// What a call could read back.
fn about(word: &str, object: &Object<'_>) -> Result<Option<(WantKind, ProviderId)>, Malformed> {
    Ok(lookup::kind(word).zip(object.id("id")?))
}

//! What Stripe answers when it is asked: an object, or a page of a list.
//!
//! Its objects carry no time of their last change, so what they say is stamped with the answer's `Date`, less one tick: an event
//! of the very second in which the answer was made is not older than it.

use afluente_model::{Answer, Mode, ProviderId};

use super::event::dispatch;
use super::thin;
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::reading::IgnoredBecause;

/// One second, the tick of Stripe's clock.
const TICK_MICROS: i64 = 1_000_000;

pub(super) fn read(envelope: &Envelope<'_>, answer: &Answer, object: &Object<'_>) -> Result<Draft, Malformed> {
    let asked = &answer.asked;
    let word = object.text("object")?.ok_or(Malformed::Shape { field: "object", expected: "the word of an object" })?;
    if word == "v2.core.event" {
        is_asked(answer, object)?;
        return thin::read(envelope, object);
    }
    let at = envelope.date().map(|date| date.shifted(-TICK_MICROS));
    // The same bytes a second later say that all of it still holds.
    let tenant = asked.tenant.as_ref().map_or("", ProviderId::as_str);
    let event = format!("answer:{tenant}{}@{}", asked.path, at.map_or(0, afluente_model::Timestamp::as_seconds));
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{word}"));
    draft.set_tenant(asked.tenant.clone(), asked.context.clone());
    draft.set_at(at);
    if asked.listed {
        page(envelope, &mut draft, answer, object)?;
    } else {
        is_asked(answer, object)?;
        one(envelope, &mut draft, object)?;
    }
    Ok(draft)
}

/// An answer counts only if it is the object that was asked for.
fn is_asked(answer: &Answer, object: &Object<'_>) -> Result<(), Malformed> {
    let same = object.id("id")?.is_some_and(|id| id == answer.asked.id);
    if same { Ok(()) } else { Err(Malformed::NotAsked) }
}

fn one(envelope: &Envelope<'_>, draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let is_live = envelope.account().mode == Mode::Live;
    if object.bool("livemode")?.is_some_and(|live| live != is_live) {
        draft.ignore(IgnoredBecause::WrongMode);
        return Ok(());
    }
    let word = object.text("object")?.unwrap_or_default();
    dispatch(draft, word, object, object)
}

/// Every object of a page, each of the payment that was asked for.
fn page(envelope: &Envelope<'_>, draft: &mut Draft, answer: &Answer, list: &Object<'_>) -> Result<(), Malformed> {
    let shape = Malformed::Shape { field: "data", expected: "a list of objects" };
    let mut end = None;
    for item in list.list("data")?.ok_or_else(|| shape.clone())? {
        let Json::Object(object) = item else { return Err(shape) };
        let of = [object.id("payment_intent")?, object.id("charge")?];
        if !of.iter().flatten().any(|id| *id == answer.asked.id) {
            return Err(Malformed::NotAsked);
        }
        one(envelope, draft, object)?;
        end = object.id("id")?;
    }
    let goes_on = list.bool("has_more")? == Some(true);
    if let Some(end) = end.filter(|_| goes_on) {
        draft.goes_on(after(&answer.asked.path, &end)?);
    }
    Ok(())
}

/// The page behind an object.
fn after(path: &str, last: &ProviderId) -> Result<String, Malformed> {
    const AFTER: &str = "&starting_after=";
    if !super::lookup::is_safe_id(last.as_str()) {
        return Err(Malformed::Id { field: "data.id" });
    }
    let first = path.split_once(AFTER).map_or(path, |(first, _)| first);
    Ok(format!("{first}{AFTER}{last}"))
}

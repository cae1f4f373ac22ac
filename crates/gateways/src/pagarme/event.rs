//! What v5 posts: an envelope with one object. Signed, its object is believed; else each payment in it is read back.

use afluente_model::{ProviderId, WantKind, WantReason};

use super::charge::{self, Around};
use super::topic::{Topic, topic};
use super::words;
use super::{RESOLUTION, claim, invoice, subscription};
use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::reading::IgnoredBecause;

/// As many charges of an unproved order are asked for one by one; beyond, the order is.
const MOST_HINTS: usize = 8;

/// Reads a delivery, or the record of one as exports and the dashboard show it: that has `event` where a delivery has `type`.
pub(super) fn read(envelope: &Envelope<'_>, event: &Object<'_>) -> Result<Draft, Malformed> {
    let kind = match event.text("type")? {
        Some(kind) => kind,
        None => event.text("event")?.ok_or(Malformed::Shape { field: "type", expected: "the name of an event" })?,
    };
    let id = event.required_id("id")?;
    let mut draft = Draft::new(envelope.source(), Some(format!("hook:{id}")), kind);
    if !is_hook(id.as_str()) {
        draft.note(Malformed::Id { field: "id" });
    }
    draft.set_at(event.moment("created_at")?.map(|at| at.cut_to(RESOLUTION)));
    if !is_ours(envelope, event)? {
        draft.ignore(IgnoredBecause::WrongAccount);
        return Ok(draft);
    }
    let data = event.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let kind = kind.to_owned();
    match topic(&kind) {
        Some((topic, is_known)) => {
            if !is_known {
                draft.unknown("event", &kind);
            }
            if draft.is_proved() { object(&mut draft, topic, data, &kind)? } else { hints(&mut draft, topic, data)? }
        }
        None => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(draft)
}

fn is_hook(id: &str) -> bool {
    id.strip_prefix("hook_").is_some_and(|rest| (8..=64).contains(&rest.len()))
}

/// Whether it names no account, or the one that is configured.
fn is_ours(envelope: &Envelope<'_>, event: &Object<'_>) -> Result<bool, Malformed> {
    let named = event.id("account")?;
    let own = envelope.account().external_id.as_ref();
    Ok(named.zip(own).is_none_or(|(named, own)| named == *own))
}

/// An object whose bytes are proved.
fn object(draft: &mut Draft, topic: Topic, data: &Object<'_>, event: &str) -> Result<(), Malformed> {
    match topic {
        Topic::Charge => charge::read(draft, data, Around { event, ..Around::default() })?,
        Topic::Order => order(draft, data, false)?,
        Topic::Invoice => invoice::read(draft, data)?,
        Topic::Subscription => subscription::read(draft, data)?,
        Topic::Customer => claim::customer(draft, data, &data.required_id("id")?),
        Topic::Card => claim::stored_card(draft, data, &data.required_id("id")?),
        Topic::Recipient => {
            known(draft, data, "status", "recipient.status");
            if let Some(details) = draft.soft(data.object("kyc_details")) {
                known(draft, details, "status", "recipient.kyc_status");
            }
        }
        Topic::Transfer => known(draft, data, "status", "transfer.status"),
        Topic::Silent => {}
        Topic::Unseen => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(())
}

/// Counts a word that is in no table of ours.
fn known(draft: &mut Draft, object: &Object<'_>, key: &'static str, field: &'static str) {
    let word = draft.soft(object.text(key));
    if let Some(word) = word.filter(|word| !words::is_known(field, word)) {
        draft.unknown(field, word);
    }
}

/// An order is a parent: its charges are the payments, each by its own name. One without charges that is said to be paid is asked.
pub(super) fn order(draft: &mut Draft, order: &Object<'_>, is_answer: bool) -> Result<(), Malformed> {
    known(draft, order, "status", "order.status");
    let charges = order.list("charges")?.unwrap_or_default();
    for item in charges {
        match item {
            Json::Object(one) => charge::read(draft, one, Around { event: "", order: Some(order), is_answer })?,
            _ => return Err(Malformed::Shape { field: "data.charges", expected: "a list of objects" }),
        }
    }
    if charges.is_empty() && order.text("status")? == Some("paid") {
        draft.want(WantKind::Order, &order.required_id("id")?, WantReason::Incomplete);
    }
    Ok(())
}

/// What nobody signed: the objects it names are read back before anything of it is believed.
fn hints(draft: &mut Draft, topic: Topic, data: &Object<'_>) -> Result<(), Malformed> {
    let id = data.required_id("id")?;
    let mut found: Vec<(WantKind, ProviderId)> = Vec::new();
    match topic {
        Topic::Charge => found.push((WantKind::Payment, id)),
        Topic::Order => found = of_order(data, id)?,
        Topic::Subscription => found.push((WantKind::Subscription, id)),
        Topic::Invoice => {
            let charge = draft.soft(data.id("charge"));
            found.extend(charge.map(|charge| (WantKind::Payment, charge)));
            found.extend(claim::subscription_of(draft, data).map(|id| (WantKind::Subscription, id)));
        }
        // No call is documented that reads these back.
        Topic::Customer | Topic::Card | Topic::Recipient | Topic::Transfer | Topic::Silent => {}
        Topic::Unseen => draft.ignore(IgnoredBecause::UnknownType),
    }
    for (kind, id) in found {
        draft.want(kind, &id, WantReason::Hint);
    }
    Ok(())
}

/// The charges of an order, as their own notices name them, so that all of these become one call each; else the order.
fn of_order(order: &Object<'_>, id: ProviderId) -> Result<Vec<(WantKind, ProviderId)>, Malformed> {
    let charges = order.list("charges")?.unwrap_or_default();
    let ids: Result<Vec<_>, _> = charges
        .iter()
        .map(|item| match item {
            Json::Object(charge) => charge.required_id("id"),
            _ => Err(Malformed::Shape { field: "data.charges", expected: "a list of objects" }),
        })
        .collect();
    let ids = ids?;
    if ids.is_empty() || ids.len() > MOST_HINTS {
        return Ok(vec![(WantKind::Order, id)]);
    }
    Ok(ids.into_iter().map(|id| (WantKind::Payment, id)).collect())
}

/// What was read back.
pub(super) fn answered(draft: &mut Draft, kind: WantKind, object: &Object<'_>) -> Result<(), Malformed> {
    match kind {
        WantKind::Payment => charge::read(draft, object, Around { is_answer: true, ..Around::default() }),
        WantKind::Order => order(draft, object, true),
        WantKind::Subscription => subscription::read(draft, object),
        _ => {
            draft.ignore(IgnoredBecause::UnknownType);
            Ok(())
        }
    }
}

/// Claims of a subject and the shop's references on it.
pub(super) fn about(draft: &mut Draft, object: &Object<'_>, kind: SubjectKind, id: &ProviderId) -> ClaimSubject {
    let subject = draft.subject(kind, id);
    claim::references(draft, object, &subject);
    if let Some(customer) = draft.soft(object.object("customer")) {
        draft.claim(&subject, ClaimKind::Customer, customer.id("id"));
        claim::person(draft, customer, &subject);
    }
    subject
}

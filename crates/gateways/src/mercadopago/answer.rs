//! What is read back: an object, who reads it, and whether it is ours and what was asked for.

use std::borrow::Cow;

use afluente_model::{Answer, ProviderId, WantKind, WantReason};

use super::{claim, order, payment, subscription, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Json, Object};
use crate::reading::{IgnoredBecause, Reading};

/// Keys under which an object names the seller it belongs to.
const SELLERS: [&str; 2] = ["collector_id", "user_id"];

pub(super) fn read(envelope: &Envelope<'_>, answer: &Answer) -> Result<Reading, Malformed> {
    let asked = &answer.asked;
    let mended = json::text(envelope.body())?;
    let text = json::with_decimals(&mended);
    let object = json::object(&text)?;
    // An answer that did not change says nothing new, whenever it was given: its object has a time of its own. What was asked
    // along with the object lets the same bytes say something else.
    let along = asked.context.as_ref().map_or_else(String::new, |context| format!("@{context}"));
    let event = format!("answer:{}/{}{along}", asked.kind, asked.id);
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{}", asked.kind));
    if matches!(mended, Cow::Owned(_)) {
        draft.note(Malformed::HalfPair);
    }
    if object.number_or_id("id")?.is_none_or(|id| !id.as_str().eq_ignore_ascii_case(asked.id.as_str())) {
        return Err(Malformed::NotAsked);
    }
    if !is_ours(&object, envelope.account().external_id.as_ref())? {
        draft.ignore(IgnoredBecause::WrongAccount);
        return Ok(draft.finish());
    }
    match asked.kind {
        WantKind::Payment => payment::read(&mut draft, &object, asked)?,
        WantKind::Order => order::read(&mut draft, &object)?,
        WantKind::MerchantOrder => order::merchant_order(&mut draft, &object)?,
        WantKind::Chargeback => chargeback(&mut draft, &object)?,
        WantKind::Claim => complaint(&mut draft, &object),
        WantKind::Subscription => subscription::read(&mut draft, &object)?,
        WantKind::Instalment => subscription::instalment(&mut draft, &object),
        WantKind::Customer => claim::customer(&mut draft, &object, &asked.id),
        WantKind::Plan => known(&mut draft, &object, "plan.status"),
        _ => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(draft.finish())
}

/// Whether the object names no seller, or the one the account is of.
fn is_ours(object: &Object<'_>, own: Option<&ProviderId>) -> Result<bool, Malformed> {
    let Some(own) = own else { return Ok(true) };
    for key in SELLERS {
        if object.number_or_id(key)?.is_some_and(|seller| seller != *own) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Counts a status that is in no table of ours.
pub(super) fn known(draft: &mut Draft, object: &Object<'_>, field: &'static str) {
    let word = draft.soft(object.text("status"));
    if let Some(word) = word.filter(|word| !words::is_known(field, word)) {
        draft.unknown(field, word);
    }
}

/// A chargeback names the payments it is about; how each stands, each says itself. That the money was covered is asked along, since
/// a payment does not say it.
fn chargeback(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    known(draft, object, "chargeback.status");
    let covered = draft.unless_twice(object.bool("coverage_applied"))? == Some(true);
    draft.set_tenant(None, covered.then(payment::covered));
    for id in payments(draft, object)? {
        draft.want(WantKind::Payment, &id, WantReason::Incomplete);
    }
    Ok(())
}

/// The payments of a chargeback: a list of ids or of objects, or one id. The shapes differ by source, and all are read.
fn payments(draft: &mut Draft, object: &Object<'_>) -> Result<Vec<ProviderId>, Malformed> {
    let mut ids: Vec<ProviderId> = object.number_or_id("payment_id")?.into_iter().collect();
    for item in draft.soft(object.list("payments")).unwrap_or_default() {
        let id = match item {
            Json::Int(number) => ProviderId::parse(&number.to_string()).ok(),
            Json::Text(text) => ProviderId::parse(text).ok(),
            Json::Object(payment) => payment.number_or_id("id")?,
            _ => None,
        };
        match id {
            Some(id) => ids.push(id),
            None => draft.note(Malformed::Id { field: "payments" }),
        }
    }
    Ok(ids)
}

/// A complaint of the buyer. No source says which field names the payment, so what looks like it is only asked.
fn complaint(draft: &mut Draft, object: &Object<'_>) {
    known(draft, object, "claim.status");
    let of_payment = draft.soft(object.text("resource")) == Some("payment");
    let id = ["resource_id", "payment_id"].into_iter().find_map(|key| draft.soft(object.number_or_id(key)));
    if let Some(id) = id.filter(|_| of_payment) {
        draft.want(WantKind::Payment, &id, WantReason::Hint);
        let subject = draft.subject(SubjectKind::Payment, &id);
        draft.claim(&subject, ClaimKind::Status, object.text("stage"));
    }
}

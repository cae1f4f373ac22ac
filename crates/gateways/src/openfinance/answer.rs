//! A resource of Open Finance Brasil as its holder answers it: a signed text (JWS), checked when it came, with the resource under
//! `data`.

use afluente_model::money::Scale;
use afluente_model::{
    Answer, Detail, DetailKey, ProviderId, SubscriptionBase, SubscriptionKind, Timestamp, WantKind, WantReason,
};
use sha2::{Digest, Sha256};

use super::payment::Told;
use super::resource::Resource;
use super::{consent, recurring, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Object};
use crate::jws;

pub(super) fn read(envelope: &Envelope<'_>, answer: &Answer) -> Result<Draft, Malformed> {
    let asked = &answer.asked;
    let unsigned = Malformed::Shape { field: ".", expected: "a signed answer (JWS)" };
    let payload = jws::payload(envelope.body()).ok_or(unsigned)?;
    let text = json::text(&payload)?;
    let object = json::object(&text)?;
    let data = object.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let event = format!("answer:{}/{}", asked.kind, asked.id);
    let mut draft = Draft::new(envelope.source(), Some(event), &format!("answer.{}", asked.kind));
    draft.set_at(super::moment(data, "statusUpdateDateTime")?);
    match Resource::of(asked.kind) {
        Some(resource @ (Resource::Payment | Resource::RecurringPayment)) => {
            pix(&mut draft, data, resource, &asked.id)?;
        }
        Some(Resource::Consent) => consent::read(&mut draft, data, &asked.id)?,
        Some(Resource::RecurringConsent) => recurring::read(&mut draft, data, &asked.id)?,
        Some(Resource::Enrollment) => consent::enrollment(&mut draft, data, &asked.id)?,
        None => return Err(Malformed::NotAsked),
    }
    Ok(draft)
}

/// It has to be the one that was asked for.
pub(super) fn is_it(data: &Object<'_>, key: &'static str, asked: &ProviderId) -> Result<(), Malformed> {
    if data.id(key)?.as_ref() == Some(asked) { Ok(()) } else { Err(Malformed::NotAsked) }
}

/// A Pix, single or recurring.
fn pix(draft: &mut Draft, data: &Object<'_>, resource: Resource, id: &ProviderId) -> Result<(), Malformed> {
    let is_recurring = resource == Resource::RecurringPayment;
    is_it(data, if is_recurring { "recurringPaymentId" } else { "paymentId" }, id)?;
    let status = data.text("status")?.unwrap_or_default();
    let code = why(draft, data)?;
    let told = Told {
        id,
        field: "pix.status",
        status,
        kind: words::of(words::PIX, status),
        money: money(data)?,
        code: code.as_deref().map(words::shown),
        scheduled_for: scheduled_for(draft, data),
        read_back: resource.want(),
    };
    told.tell(draft);
    claims(draft, data, id);
    let parent = if is_recurring { "recurringConsentId" } else { "consentId" };
    let Some(parent) = draft.soft(data.id(parent)) else { return Ok(()) };
    let subject = draft.subject(SubjectKind::Payment, id);
    if is_recurring {
        draft.claim(&subject, ClaimKind::Subscription, Ok(Some(parent.clone())));
        draft.want(WantKind::Subscription, &parent, WantReason::Unconfirmed);
        if told.kind == words::of(words::PIX, "ACSC") {
            begun(draft, data, &parent);
        }
    } else {
        draft.claim(&subject, ClaimKind::Order, Ok(Some(parent.clone())));
        // Only its consent knows who pays.
        draft.want(WantKind::CheckoutSession, &parent, WantReason::Unconfirmed);
    }
    Ok(())
}

/// A settled payment says that its subscription had begun when it was made: so that one that settles after the end revives nothing.
fn begun(draft: &mut Draft, data: &Object<'_>, consent: &ProviderId) {
    let Some(made) = draft.soft(super::moment(data, "creationDateTime")) else { return };
    let subscription = draft.subscription(consent);
    let active = SubscriptionKind::Base(SubscriptionBase::Active);
    let mut fact = draft.subscription_fact(active, "s", Detail::word("ACSC"));
    fact.at = Some(made);
    draft.assert_subscription(&subscription, fact);
}

fn money(data: &Object<'_>) -> Result<Option<(afluente_model::Amount, afluente_model::Currency)>, Malformed> {
    let Some(payment) = data.object("payment")? else { return Ok(None) };
    let currency = payment.currency("currency")?.unwrap_or(afluente_model::Currency::BRL);
    Ok(payment.decimal("amount", Scale::iso4217(currency))?.map(|amount| (amount, currency)))
}

/// Why it was refused or called off.
fn why(draft: &mut Draft, data: &Object<'_>) -> Result<Option<String>, Malformed> {
    let refused = draft.unless_twice(data.object("rejectionReason"))?;
    let code = refused.and_then(|reason| draft.soft(reason.text("code")));
    let canceled = draft.unless_twice(data.object("cancellation"))?;
    let reason = canceled.and_then(|cancellation| draft.soft(cancellation.text("reason")));
    Ok(code.or(reason).map(str::to_owned))
}

/// The beginning of a day in Brasília.
pub(super) fn midnight(date: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{date}T03:00:00Z")).ok()
}

/// When a scheduled one runs: the date of a recurring one, which is Brasília's; of a single one its end-to-end id holds the day.
fn scheduled_for(draft: &mut Draft, data: &Object<'_>) -> Option<Timestamp> {
    if let Some(date) = draft.soft(data.text("date")) {
        return midnight(date);
    }
    let id = draft.soft(data.text("endToEndId"))?;
    let day = id.get(9..17).filter(|day| day.bytes().all(|b| b.is_ascii_digit()))?;
    midnight(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]))
}

fn claims(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) {
    let subject = draft.subject(SubjectKind::Payment, id);
    draft.claim(&subject, ClaimKind::Reference, data.text("endToEndId"));
    draft.claim(&subject, ClaimKind::Reference, data.text("transactionIdentification"));
    draft.claim(&subject, ClaimKind::MethodKind, Ok(Some("pix")));
    // Tries of one charge have names of their own, and the first one's is what they share.
    draft.claim(&subject, ClaimKind::Invoice, data.text("originalRecurringPaymentId"));
    let account = draft.soft(data.object("debtorAccount")).and_then(|account| fingerprint(draft, account));
    draft.claim(&subject, ClaimKind::Fingerprint, Ok(account));
}

/// What tells the account that paid from every other: a hash, so that no account number is written anywhere.
pub(super) fn fingerprint(draft: &mut Draft, account: &Object<'_>) -> Option<String> {
    let mut part = |key| draft.soft(account.text(key)).unwrap_or_default().to_owned();
    let parts = ["ispb", "issuer", "number", "accountType"].map(&mut part);
    if parts[0].is_empty() || parts[2].is_empty() {
        return None;
    }
    let digest = Sha256::digest(parts.join("\n"));
    Some(format!("account:{}", digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// A date and time whose months and days may have one digit, as the standard's own pattern allows.
pub(super) fn padded(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{year}-{month:0>2}-{day:0>2}T{time}"))
}

/// The detail of a word with the moment an end took effect.
pub(super) fn ended(word: &str, at: Option<Timestamp>) -> Detail {
    Detail::word(word).with_time(DetailKey::Until, at)
}

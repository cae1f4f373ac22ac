//! A consent to recurring payments: a subscription. What the payer may not be charged more than, and how that changes, is nobody's
//! business but the payer's and the bank's: it is read nowhere.

use afluente_model::{
    Detail, DetailKey, ProviderId, SubscriptionBase, SubscriptionKind, SubscriptionReason, Timestamp, WantKind,
    WantReason,
};

use super::{answer, consent, words};
use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

pub(super) fn read(draft: &mut Draft, data: &Object<'_>, id: &ProviderId) -> Result<(), Malformed> {
    answer::is_it(data, "recurringConsentId", id)?;
    let status = data.text("status")?.unwrap_or_default();
    let known = words::RECURRING.iter().find(|(word, ..)| *word == status);
    let base = match known {
        None => {
            draft.unknown("recurring_consent.status", status);
            draft.want(WantKind::Subscription, id, WantReason::UnknownWord);
            SubscriptionBase::Unknown
        }
        Some(("REJECTED", ..)) if ran_out(draft, data)? => SubscriptionBase::Expired,
        Some((_, base, _)) => *base,
    };
    let reason = match base {
        SubscriptionBase::Expired if status == "REJECTED" => Some(SubscriptionReason::NeverActivated),
        SubscriptionBase::Canceled => revoked_by(draft, data)?.or(known.and_then(|(.., reason)| *reason)),
        _ => known.and_then(|(.., reason)| *reason),
    };
    let detail = match base {
        SubscriptionBase::Canceled | SubscriptionBase::Expired => answer::ended(status, draft.at()),
        _ => Detail::word(status),
    };
    let detail = detail.with(DetailKey::Reason, reason.map_or("", SubscriptionReason::as_str));
    let detail = detail.with_time(DetailKey::ScheduledFor, starts_at(draft, data)?);
    let subscription = draft.subscription(id);
    let fact = draft.subscription_fact(SubscriptionKind::Base(base), "s", detail);
    draft.assert_subscription(&subscription, fact);
    claims(draft, data, &draft.subject(SubjectKind::Subscription, id));
    Ok(())
}

/// Whether it was refused because nobody agreed in time.
fn ran_out(draft: &mut Draft, data: &Object<'_>) -> Result<bool, Malformed> {
    let rejection = draft.unless_twice(data.object("rejection"))?;
    let reason = rejection.map(|rejection| draft.unless_twice(rejection.object("reason"))).transpose()?.flatten();
    let code = reason.and_then(|reason| draft.soft(reason.text("code")));
    Ok(code == Some(words::RAN_OUT_CODES[0]))
}

fn revoked_by(draft: &mut Draft, data: &Object<'_>) -> Result<Option<SubscriptionReason>, Malformed> {
    let revocation = draft.unless_twice(data.object("revocation"))?;
    let who = revocation.and_then(|revocation| draft.soft(revocation.text("revokedBy"))).unwrap_or_default();
    Ok(words::REVOKED_BY.iter().find(|(word, _)| *word == who).map(|(_, reason)| *reason))
}

/// When it begins, where that is said.
fn starts_at(draft: &mut Draft, data: &Object<'_>) -> Result<Option<Timestamp>, Malformed> {
    let Some(configured) = draft.unless_twice(data.object("recurringConfiguration"))? else { return Ok(None) };
    if let Some(automatic) = draft.unless_twice(configured.object("automatic"))? {
        let day = draft.soft(automatic.text("referenceStartDate"));
        return Ok(day.and_then(answer::midnight));
    }
    let Some(sweeping) = draft.unless_twice(configured.object("sweeping"))? else { return Ok(None) };
    Ok(draft.soft(super::moment(sweeping, "startDateTime")))
}

fn claims(draft: &mut Draft, data: &Object<'_>, subject: &ClaimSubject) {
    consent::people(draft, data, subject);
    let configured = draft.soft(data.object("recurringConfiguration"));
    let Some(automatic) = configured.and_then(|configured| draft.soft(configured.object("automatic"))) else { return };
    draft.claim(subject, ClaimKind::Reference, automatic.text("contractId"));
    if let Some(debtor) = draft.soft(automatic.object("contractDebtor")) {
        draft.claim(subject, ClaimKind::Name, debtor.text("name"));
        let document = consent::identification(draft, debtor);
        draft.claim(subject, ClaimKind::Document, Ok(document));
    }
}

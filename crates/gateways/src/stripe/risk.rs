//! Disputes and reviews: somebody doubts the payment.

use afluente_model::{DetailKey, WantKind, WantReason};

use super::context;
use super::words::{self, When};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::IgnoredBecause;
use crate::text::noted;

/// A dispute, each an operation of its own. Its amount may be less than the charge's and in another currency.
pub(super) fn dispute(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    // Disputes of very old versions have no id of their own; their charge has one dispute then.
    let charge = object.id("charge")?;
    let (kind, id) = match object.id("id")? {
        Some(id) => (WantKind::Dispute, id),
        None => (WantKind::Charge, charge.clone().ok_or(Malformed::Id { field: "id" })?),
    };
    let Some(payment) = context::payment(draft, object.id("payment_intent")?, charge) else {
        draft.want(kind, &id, WantReason::Incomplete);
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let status = object.text("status")?.unwrap_or_default();
    let Some(row) = words::find(words::DISPUTE, status, When::Always) else {
        draft.unmapped(&payment, "dispute.status", status, (kind, &id));
        return Ok(());
    };
    for kind in row.facts {
        let fact = draft.fact(*kind, id.as_str(), status).money(object.amount("amount")?, object.currency("currency")?);
        let detail = fact.detail.clone().with(DetailKey::Stage, stage(status));
        let reason = draft.soft(object.text("reason")).unwrap_or_default();
        let detail = noted(detail, DetailKey::Reason, reason);
        draft.assert(&payment, fact.detail(detail));
    }
    Ok(())
}

/// 0 for inquiries and what never became a chargeback, 3 for appeals, 1 for all between.
fn stage(status: &str) -> &'static str {
    if status.starts_with("warning_") || matches!(status, "prevented" | "charge_refunded") {
        "0"
    } else if status.starts_with("appeal_") {
        "3"
    } else {
        "1"
    }
}

/// A review by Radar or a person.
pub(super) fn review(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let Some(payment) = context::payment(draft, object.id("payment_intent")?, object.id("charge")?) else {
        draft.ignore(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let word = if object.bool("open")? == Some(true) {
        "open"
    } else {
        draft.unless_twice(object.text("closed_reason"))?.unwrap_or_default()
    };
    match words::find(words::REVIEW, word, When::Always) {
        None => draft.unmapped(&payment, "review.closed_reason", word, (WantKind::Review, &id)),
        Some(row) => {
            for kind in row.facts {
                let fact = draft.fact(*kind, id.as_str(), word);
                draft.assert(&payment, fact);
            }
        }
    }
    Ok(())
}

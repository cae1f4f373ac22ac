//! Refunds, each an operation of its own.

use afluente_model::DetailKey;

use super::event::Context;
use super::words::{self, When};
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::{IgnoredBecause, WantReason};

pub(super) fn read(context: &mut Context, object: &Object<'_>) -> Result<(), Malformed> {
    let id = object.required_id("id")?;
    let Some(payment) = context.payment(object.id("payment_intent")?, object.id("charge")?) else {
        // Money went back, and the body does not say from what.
        context.want("refund", &id, WantReason::Incomplete);
        context.reading.ignored = Some(IgnoredBecause::NothingToSay);
        return Ok(());
    };
    let status = object.text("status")?.unwrap_or_default();
    let Some(row) = words::find(words::REFUND, status, When::Always) else {
        context.unmapped(&payment, "refund.status", status, ("refund", &id));
        return Ok(());
    };
    for kind in row.facts {
        let fact = context
            .fact(*kind, id.as_str(), status)
            .money(object.amount("amount")?, object.currency("currency")?)
            .counted_from(object.seconds("created")?);
        let detail = fact.detail.clone().with(DetailKey::Code, object.text("failure_reason")?.unwrap_or_default());
        context.assert(&payment, fact.detail(detail));
    }
    Ok(())
}

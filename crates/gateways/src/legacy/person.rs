//! Who is behind a row, as claims without a time: whatever a gateway says goes before them.

use afluente_model::{Gateway, ProviderId};

use super::row::Named;
use crate::claim::{ClaimKind, ClaimSubject, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;

/// Who paid, by what the row and the named paths of its stored body say. The application's own customer is kept to be shown
/// and links nobody: its code sets it by clinic alone.
pub(super) fn buyer(draft: &mut Draft, gateway: Gateway, row: &Object<'_>) {
    let named = Named::of(draft, gateway, row);
    let Some(id) = named.payment else { return };
    let subject = draft.subject(SubjectKind::Payment, &id);
    draft.claim(&subject, ClaimKind::Customer, row.id("customer"));
    draft.claim(&subject, ClaimKind::TheirCustomer, row.text("their_customer"));
    draft.claim(&subject, ClaimKind::Order, Ok(named.order));
    person(draft, row, &subject);
}

/// Where a customer is known whom no gateway is known to have: at the application, as at a sub-account of that name.
const AT_THEIRS: &str = "legacy";

/// A customer of theirs, under the gateway's id of it, or by their own where no gateway is known to have it.
pub(super) fn customer(draft: &mut Draft, row: &Object<'_>) -> Result<(), Malformed> {
    let id = if let Some(id) = draft.soft(row.id("customer")) {
        id
    } else {
        draft.set_tenant(ProviderId::parse(AT_THEIRS).ok(), None);
        row.required_id("row")?
    };
    let subject = draft.subject(SubjectKind::Customer, &id);
    person(draft, row, &subject);
    Ok(())
}

/// A checkout session of theirs: whose it is, and which payment it led to.
pub(super) fn session(draft: &mut Draft, row: &Object<'_>) -> Result<(), Malformed> {
    let id: ProviderId = row.required_id("row")?;
    let subject = draft.subject(SubjectKind::Checkout, &id);
    draft.claim(&subject, ClaimKind::Payment, row.id("payment"));
    person(draft, row, &subject);
    let took_money = draft.soft(row.bool("took_money")).unwrap_or(false);
    let status = draft.soft(row.text("status")).unwrap_or_default();
    // A job of theirs calls it abandoned when its Pix runs out, paid or not.
    let word = match status {
        _ if took_money || status == "paid" => "complete",
        "abandoned" => "expired",
        "canceled" => "canceled",
        _ => "open",
    };
    draft.claim(&subject, ClaimKind::Status, Ok(Some(word)));
    Ok(())
}

fn person(draft: &mut Draft, row: &Object<'_>, subject: &ClaimSubject) {
    let kinds = [
        ("name", ClaimKind::Name),
        ("email", ClaimKind::Email),
        ("document", ClaimKind::Document),
        ("phone", ClaimKind::Phone),
    ];
    for (key, kind) in kinds {
        draft.claim(subject, kind, row.text(key));
    }
}

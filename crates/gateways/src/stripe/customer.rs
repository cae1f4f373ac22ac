//! Customers and their payment methods: claims, and tombstones where they are gone.

use super::{claim, words};
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::Raised;

/// A customer. A deleted one comes whole, or as no more than its id and `deleted`.
pub(super) fn read(draft: &mut Draft, object: &Object<'_>) -> Result<(), Malformed> {
    let subject = draft.subject(SubjectKind::Customer, &object.required_id("id")?);
    claim::person(draft, object, &subject, claim::PERSON);
    claim::tax_ids(draft, object, "tax_ids", &subject, ClaimKind::Document);
    if draft.kind() == "customer.deleted" || draft.soft(object.bool("deleted")) == Some(true) {
        draft.claim(&subject, ClaimKind::Deleted, Ok(Some("true")));
    }
    claim::reference(draft, object, &subject);
    Ok(())
}

/// Whether a connected account let us in or shut us out: the object is our application, the account is the envelope's.
pub(super) fn access(draft: &mut Draft) -> bool {
    let access = words::ACCESS.iter().find(|(kind, _)| *kind == draft.kind());
    let (Some((_, access)), Some(account)) = (access, draft.tenant().cloned()) else { return false };
    let subject = draft.subject(SubjectKind::Account, &account);
    draft.claim(&subject, ClaimKind::Access, Ok(Some(access)));
    if *access == words::ACCESS_ENDED {
        draft.raise(Raised {
            kind: "tenant_deauthorized",
            entity: format!("tenant {account}").into(),
            detail: "the connected account ended our access: nothing of it can be read back, and what comes of it stops",
        });
    }
    true
}

/// A payment method. A detached one names its customer only among the previous attributes.
pub(super) fn method(draft: &mut Draft, object: &Object<'_>, data: &Object<'_>) -> Result<(), Malformed> {
    let subject = draft.subject(SubjectKind::Method, &object.required_id("id")?);
    let customer = object.id("customer")?;
    let attached = if customer.is_some() { "true" } else { "false" };
    let before = draft.soft(data.object("previous_attributes"));
    let before = before.and_then(|before| claim::id(draft, before, "customer"));
    draft.claim(&subject, ClaimKind::Customer, Ok(customer.or(before)));
    draft.claim(&subject, ClaimKind::Attached, Ok(Some(attached)));
    draft.claim(&subject, ClaimKind::MethodKind, object.text("type"));
    if let Some(card) = draft.soft(object.object("card")) {
        claim::card(draft, card, &subject);
    }
    if let Some(billing) = draft.soft(object.object("billing_details")) {
        claim::person(draft, billing, &subject, claim::PERSON);
    }
    Ok(())
}

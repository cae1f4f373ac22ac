//! What a person decided of who somebody is.

use std::fmt::Write as _;

use afluente_model::identity::Verdict;
use afluente_model::{ProviderId, Source};
use sha2::{Digest, Sha256};

use crate::claim::{ClaimKind, SubjectKind, normalised};
use crate::draft::Draft;
use crate::error::Malformed;
use crate::json::Object;
use crate::reading::Reading;

/// Reads a decision: of a gateway's `customer` or an `email`, `decided` at `at`, for a `target` where there is one.
pub(super) fn read(object: &Object<'_>) -> Result<Reading, Malformed> {
    let mut draft = Draft::new(Some(Source::Operator), None, "decision");
    draft.set_at(object.rfc3339("at")?);
    draft.at().ok_or(Malformed::Time { field: "at" })?;
    draft.set_tenant(object.id("tenant")?, None);
    let email = object.text("email")?.and_then(|email| normalised(ClaimKind::Email, email));
    let (kind, value) = match (object.id("customer")?, email) {
        (Some(customer), None) => (ClaimKind::Customer, Box::from(customer.as_str())),
        (None, Some(email)) => (ClaimKind::Email, email),
        _ => return Err(Malformed::Shape { field: "customer", expected: "a customer of a gateway, or an email" }),
    };
    let verdict = verdict(object)?;
    let subject = ProviderId::parse(&name(kind, &value)).map_err(|_| Malformed::Id { field: "customer" })?;
    let subject = draft.subject(SubjectKind::Decision, &subject);
    draft.claim(&subject, kind, Ok(Some(&value)));
    draft.claim(&subject, ClaimKind::Decided, Ok(Some(verdict.kind())));
    draft.claim(&subject, ClaimKind::Target, Ok(Some(verdict.target())));
    draft.claim(&subject, ClaimKind::By, object.text("by"));
    draft.claim(&subject, ClaimKind::Because, object.text("because"));
    Ok(draft.finish())
}

fn verdict(object: &Object<'_>) -> Result<Verdict, Malformed> {
    let expected = "document with digits, email with an address, itself or undone";
    let wrong = Malformed::Shape { field: "decided", expected };
    let (word, target) = (object.text("decided")?.unwrap_or_default(), object.text("target")?.unwrap_or_default());
    let target = match word {
        "document" => normalised(ClaimKind::Document, target),
        "email" => normalised(ClaimKind::Email, target),
        _ => Some(target.into()),
    };
    target.and_then(|target| Verdict::of(word, &target)).ok_or(wrong)
}

/// A name of what is decided of that any value has: the same for the same.
fn name(kind: ClaimKind, value: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_str());
    hash.update(":");
    hash.update(value);
    let mut name = String::new();
    for byte in &hash.finalize()[..16] {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

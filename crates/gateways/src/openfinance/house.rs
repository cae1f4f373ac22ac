//! The profile of the house: for who posts from a system of his own, which knows the four words that most such systems have. Signed
//! over its bytes, so that what it says is believed.

use afluente_model::money::Scale;
use afluente_model::{Currency, WantKind};

use super::payment::Told;
use super::words;
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json;

/// The header of its signature, in milliseconds.
pub(super) const HEADER: &str = "x-open-finance-signature";

pub(super) fn read(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    let text = json::text(envelope.body())?;
    let object = json::object(&text)?;
    let event = object.required_id("id")?;
    let data = object.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    let id = data.required_id("paymentId")?;
    let status = data.text("status")?.unwrap_or_default();
    let mut draft = Draft::new(envelope.source(), Some(format!("event:{event}")), "payment");
    draft.set_at(super::moment(&object, "createdAt")?);
    let scale = Scale::iso4217;
    let currency = data.currency("currency")?.unwrap_or(Currency::BRL);
    let amount = data.decimal("amount", scale(currency))?;
    let told = Told {
        id: &id,
        field: "house.status",
        status,
        kind: words::of(words::HOUSE, status),
        money: amount.map(|amount| (amount, currency)),
        code: None,
        scheduled_for: None,
        read_back: WantKind::Payment,
    };
    told.tell(&mut draft);
    let subject = draft.subject(SubjectKind::Payment, &id);
    draft.claim(&subject, ClaimKind::Subscription, data.id("recurringConsentId").map(|id| id.map(|id| id.to_string())));
    draft.claim(&subject, ClaimKind::Reference, data.text("endToEndId"));
    draft.claim(&subject, ClaimKind::MethodKind, Ok(Some("pix")));
    Ok(draft)
}

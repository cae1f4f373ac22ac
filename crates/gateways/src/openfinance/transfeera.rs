//! Transfeera, an initiator that signs over its bytes. Amounts are numbers in reais: its documents name no unit, and its other
//! objects write decimals. It names no end-to-end id, no recurring object and no refund.

use std::borrow::Cow;

use afluente_model::money::Scale;
use afluente_model::{Currency, WantKind};

use super::payment::Told;
use super::words;
use crate::claim::{ClaimKind, SubjectKind};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Object};
use crate::reading::IgnoredBecause;

/// The header of its signature, in milliseconds.
pub(super) const HEADER: &str = "transfeera-signature";
/// The only object of its Open Finance product.
const PAYMENT: &str = "PaymentInitiation";

pub(super) fn read(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    let text = json::text(envelope.body())?;
    let text = json::with_decimals(&text);
    let object = json::object(&text)?;
    let event = object.required_id("id")?;
    let kind = object.text("object")?.unwrap_or_default();
    let mut draft = Draft::new(envelope.source(), Some(format!("event:{event}")), kind);
    draft.set_at(super::moment(&object, "date")?);
    let own = envelope.account().external_id.as_ref();
    if let (Some(own), Some(named)) = (own, object.id("account_id")?)
        && *own != named
    {
        draft.ignore(IgnoredBecause::WrongAccount);
        return Ok(draft);
    }
    if kind != PAYMENT {
        draft.ignore(IgnoredBecause::UnknownType);
        return Ok(draft);
    }
    let data = object.object("data")?.ok_or(Malformed::Shape { field: "data", expected: "an object" })?;
    payment(&mut draft, data)?;
    Ok(draft)
}

fn payment(draft: &mut Draft, data: &Object<'_>) -> Result<(), Malformed> {
    let id = data.required_id("id")?;
    let status = data.text("status")?.unwrap_or_default();
    let amount = data.decimal("amount", Scale::iso4217(Currency::BRL))?;
    let error = draft.unless_twice(data.object("error"))?;
    let code = error.and_then(|error| draft.soft(error.text_or_number("code")));
    let kind = words::of(words::TRANSFEERA, status);
    let waits = kind == words::of(words::TRANSFEERA, "requires_confirmation") && has_page(draft, data)?;
    let told = Told {
        id: &id,
        field: "transfeera.status",
        status,
        kind: if waits { Some(words::WITH_A_PAGE) } else { kind },
        money: amount.map(|amount| (amount, Currency::BRL)),
        code: code.as_deref(),
        scheduled_for: None,
        read_back: WantKind::Payment,
    };
    told.tell(draft);
    claims(draft, data, &draft.subject(SubjectKind::Payment, &id));
    Ok(())
}

/// Whether the payer has to go somewhere to confirm it.
fn has_page(draft: &mut Draft, data: &Object<'_>) -> Result<bool, Malformed> {
    let next = draft.unless_twice(data.object("next_action"))?;
    let page = next.map(|next| draft.unless_twice(next.object("redirect_to_url"))).transpose()?.flatten();
    Ok(page.and_then(|page| draft.soft(page.text("url"))).is_some_and(|url| !url.is_empty()))
}

fn claims(draft: &mut Draft, data: &Object<'_>, subject: &crate::claim::ClaimSubject) {
    if let Some(payer) = draft.soft(data.object("payer")) {
        draft.claim(subject, ClaimKind::Document, payer.text("document"));
        draft.claim(subject, ClaimKind::Name, payer.text("name"));
    }
    let method = data.text("payment_method").map(|method| method.map(str::to_lowercase).map(Cow::Owned::<str>));
    draft.claim(subject, ClaimKind::MethodKind, method);
}

//! Who an event is for, and how the payments it speaks of are named.

use afluente_model::{Mode, PaymentRef, ProviderId};

use crate::draft::Draft;
use crate::envelope::{AccountView, Envelope, Tenants};
use crate::error::Malformed;
use crate::json::{Json, Object};
use crate::reading::IgnoredBecause;

/// A draft with what both kinds of envelope carry. The event's id and type must be there: without them nothing is known.
/// The second is why the event is none of our business, if it is not.
pub(super) fn open(
    envelope: &Envelope<'_>,
    event: &Object<'_>,
    kind: &str,
) -> Result<(Draft, Option<IgnoredBecause>), Malformed> {
    let id = event.id("id")?.ok_or(Malformed::Shape { field: "id", expected: "an event id" })?;
    let word = event.text("type")?.ok_or(Malformed::Shape { field: "type", expected: "an event type" })?;
    let mut draft = Draft::new(envelope.source(), Some(format!("{kind}:{id}")), word);
    let account = envelope.account();
    let tenant = match event.id("account")? {
        Some(account) => Some(account),
        None => event.id("context")?,
    };
    let own = |tenant: &ProviderId| account.external_id.as_ref() == Some(tenant);
    let tenant = tenant.filter(|tenant| !own(tenant));
    let because = not_ours(account, event, tenant.as_ref())?;
    draft.set_tenant(tenant, None);
    Ok((draft, because))
}

/// A live event at a test account, or one of an account that is not ours.
fn not_ours(
    account: &AccountView,
    event: &Object<'_>,
    tenant: Option<&ProviderId>,
) -> Result<Option<IgnoredBecause>, Malformed> {
    if let Some(live) = event.bool("livemode")?
        && live != (account.mode == Mode::Live)
    {
        return Ok(Some(IgnoredBecause::WrongMode));
    }
    let Some(tenant) = tenant else { return Ok(None) };
    let known = match &account.tenants {
        Tenants::Own => false,
        Tenants::Listed(tenants) => tenants.contains(tenant),
        Tenants::Any => true,
    };
    Ok((!known).then_some(IgnoredBecause::WrongAccount))
}

/// The payment of an object that names an intent, a charge, or both; a charge is then another name of the intent.
pub(super) fn payment(draft: &mut Draft, intent: Option<ProviderId>, charge: Option<ProviderId>) -> Option<PaymentRef> {
    match (intent, charge) {
        (Some(intent), charge) => Some(payment_of_intent(draft, &intent, [charge.as_ref(), None])),
        (None, Some(charge)) => Some(draft.payment(&charge)),
        (None, None) => None,
    }
}

/// The payment of an intent, which the charges it names are other names of.
pub(super) fn payment_of_intent(draft: &mut Draft, id: &ProviderId, charges: [Option<&ProviderId>; 2]) -> PaymentRef {
    let payment = draft.payment(id);
    for charge in charges.into_iter().flatten() {
        draft.alias(&payment, charge);
    }
    payment
}

/// The objects of a list inside another object: under `data`, or before 2014-06-17 the list itself. What is no list, and
/// what is no object in it, is noted and passed over.
pub(super) fn items<'a, 'b>(draft: &mut Draft, object: &'a Object<'b>, key: &'static str) -> Vec<&'a Object<'b>> {
    let list = match object.get(key) {
        Ok(Some(Json::List(list))) => Some(&**list),
        _ => draft.soft(object.object(key)).and_then(|object| draft.soft(object.list("data"))),
    };
    let mut objects = Vec::new();
    for one in list.unwrap_or_default() {
        match one {
            Json::Object(object) => objects.push(object),
            _ => draft.note(Malformed::Shape { field: key, expected: "a list of objects" }),
        }
    }
    objects
}

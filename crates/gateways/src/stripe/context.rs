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
    let owner = Owner::of(event)?;
    let tenant = owner.tenant().filter(|tenant| account.external_id.as_ref() != Some(tenant)).cloned();
    let because = match event.bool("livemode")? {
        Some(live) if live != (account.mode == Mode::Live) => Some(IgnoredBecause::WrongMode),
        _ => (!owner.is_ours(account)).then_some(IgnoredBecause::WrongAccount),
    };
    draft.set_tenant(tenant, owner.context);
    Ok((draft, because))
}

/// Whose event it is.
struct Owner {
    /// The connected account, in events about one.
    account: Option<ProviderId>,
    /// A path of accounts (`acct_platform/acct_connected`) in events of organisations and in thin ones, as it came.
    context: Option<ProviderId>,
    /// That path's segments.
    path: Vec<ProviderId>,
}

impl Owner {
    fn of(event: &Object<'_>) -> Result<Owner, Malformed> {
        let context = event.id("context")?;
        let segments = context.iter().flat_map(|path| path.as_str().split('/')).map(ProviderId::parse);
        let path = segments.collect::<Result<_, _>>().map_err(|_| Malformed::Id { field: "context" })?;
        Ok(Owner { account: event.id("account")?, context, path })
    }

    /// The account that owns the object: the one that is named, else where the path ends.
    fn tenant(&self) -> Option<&ProviderId> {
        self.account.as_ref().or(self.path.last())
    }

    /// An account that is listed is ours whatever leads there. Of others a path counts only if it leads through our own id,
    /// and without a path it depends on whether any account is welcome.
    fn is_ours(&self, account: &AccountView) -> bool {
        let own = account.external_id.as_ref();
        let Some(tenant) = self.tenant().filter(|tenant| own != Some(tenant)) else { return true };
        let leads = self.path.len() > 1;
        let through_us = leads && own.is_some_and(|own| self.path.contains(own));
        match &account.tenants {
            Tenants::Listed(tenants) => tenants.contains(tenant),
            Tenants::Own => through_us,
            Tenants::Any => through_us || !leads || own.is_none(),
        }
    }
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

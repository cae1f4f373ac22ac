//! What Appmax posts: three families of bodies that nobody signs. Of each only the name of the order or subscription is taken, and
//! that is read back; amounts, which are reais in one family and centavos in the others, are never looked at here.

use std::borrow::Cow;

use afluente_model::{Mode, ProviderId, WantKind, WantReason};

use super::words::{self, Topic};
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::Malformed;
use crate::json::{self, Json, Object};
use crate::reading::IgnoredBecause;
use crate::text::plain;

/// Which family a body is of. The tests of their fields are made in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Template {
    /// `data.order` is an object.
    Nested,
    /// Of an app in the App Store.
    AppStore,
    /// `event_type` is `order` and nothing else tells.
    Legacy,
    /// The panel's, whole, with or without `meta`.
    Standard,
    /// The panel's, flat.
    Flat,
    /// The panel's, with fields the merchant picked.
    Custom,
    /// About a customer: `data.id` is the customer's.
    Customer,
    /// None of these.
    Unknown,
}

/// What tells an app's body where its envelope does not.
const OF_APPS: [&str; 5] = ["payment_info", "merchant_total", "customer_data", "payment_total", "subscription_id"];

pub(super) fn read(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    let text = json::text(envelope.body())?;
    let text = json::with_decimals(&text);
    let event = json::object(&text)?;
    let named = event.text("event")?.ok_or(Malformed::Shape { field: "event", expected: "the name of an event" })?;
    let name = canonical(named);
    // Some senders put the object in as a text.
    let inner = match event.get("data")? {
        Some(Json::Text(inner)) => Some(inner.as_ref()),
        _ => None,
    };
    let inner = inner.map(json::object).transpose()?;
    let none = Object::default();
    let data = match &inner {
        Some(inner) => inner,
        None => event.object("data")?.unwrap_or(&none),
    };
    let template = template(&event, data)?;
    let about = about(template, data)?;
    let of = about.as_ref().map_or_else(String::new, |(kind, id)| format!("{kind}/{id}"));
    // People see the reason with the name; nothing is decided by it.
    let mut draft = Draft::new(None, Some(format!("notice:{name}:{of}")), named);
    if let Some(because) = not_ours(envelope, &event, data)? {
        draft.ignore(because);
        return Ok(draft);
    }
    let topic = words::topic(name);
    if topic.is_none() {
        draft.unknown("event", name);
    }
    match (about, topic) {
        (Some((kind, id)), _) => draft.want(kind, &id, WantReason::Hint),
        // No call reads people back, and nothing of them is believed here.
        (None, Some(Topic::Customer)) => draft.ignore(IgnoredBecause::NothingToSay),
        // A subscription without a name, or a body nobody knows: kept, and counted.
        (None, Some(Topic::Order | Topic::Subscription)) => {
            draft.unknown("template", "no order and no subscription");
            draft.ignore(IgnoredBecause::UnknownType);
        }
        (None, None) => draft.ignore(IgnoredBecause::UnknownType),
    }
    Ok(draft)
}

/// A name may have its reason behind a bar: `PaymentNotAuthorized | Reason: …`.
fn canonical(named: &str) -> &str {
    named.split('|').next().unwrap_or_default().trim()
}

fn template(event: &Object<'_>, data: &Object<'_>) -> Result<Template, Malformed> {
    let has = |key: &'static str| Ok::<bool, Malformed>(data.get(key)?.is_some());
    if matches!(data.get("order")?, Some(Json::Object(_))) {
        return Ok(Template::Nested);
    }
    let of_app = event.get("app_id")?.is_some() || event.get("partner_merchant")?.is_some();
    let mut by_field = false;
    for key in OF_APPS {
        by_field |= has(key)?;
    }
    if of_app || by_field {
        return Ok(Template::AppStore);
    }
    if event.text("event_type")? == Some("order") {
        return Ok(Template::Legacy);
    }
    Ok(match (has("id")?, has("customer_id")?, has("order_id")?) {
        (true, true, _) => Template::Standard,
        (_, _, true) if has("order_total_products")? => Template::Flat,
        (_, _, true) => Template::Custom,
        (true, false, false) => Template::Customer,
        (false, _, false) => Template::Unknown,
    })
}

/// What a body is about, and may be read back by.
fn about(template: Template, data: &Object<'_>) -> Result<Option<(WantKind, ProviderId)>, Malformed> {
    let order = |key| Ok::<_, Malformed>(id(data, key)?.map(|id| (WantKind::Payment, id)));
    match template {
        Template::Nested => {
            let inner = data.object("order")?.map(|order| id(order, "id")).transpose()?.flatten();
            Ok(inner.map(|id| (WantKind::Payment, id)))
        }
        Template::AppStore => match order("order_id")? {
            Some(order) => Ok(Some(order)),
            None => Ok(id(data, "subscription_id")?.map(|id| (WantKind::Subscription, id))),
        },
        Template::Legacy => match order("order_id")? {
            Some(order) => Ok(Some(order)),
            None => order("id"),
        },
        Template::Standard => order("id"),
        Template::Flat | Template::Custom => order("order_id"),
        Template::Customer => {
            let subscription = data.object("subscription")?.map(|subscription| id(subscription, "id"));
            Ok(subscription.transpose()?.flatten().map(|id| (WantKind::Subscription, id)))
        }
        Template::Unknown => Ok(None),
    }
}

/// A number, or the same as a text. Nothing and an empty text are absent; any other text is no id of Appmax's.
fn id(object: &Object<'_>, key: &'static str) -> Result<Option<ProviderId>, Malformed> {
    let id = object.number_or_id(key)?;
    match id {
        Some(id) if !id.as_str().bytes().all(|b| b.is_ascii_digit()) => Err(Malformed::Id { field: key }),
        other => Ok(other),
    }
}

/// Whether it names another shop or the other mode. What it says of either is no secret: it keeps mistakes out, not forgers.
fn not_ours(
    envelope: &Envelope<'_>,
    event: &Object<'_>,
    data: &Object<'_>,
) -> Result<Option<IgnoredBecause>, Malformed> {
    let is_live = envelope.account().mode == Mode::Live;
    if event.text("environment")?.is_some_and(|environment| (environment == "production") != is_live) {
        return Ok(Some(IgnoredBecause::WrongMode));
    }
    let Some(own) = envelope.account().external_id.as_ref().map(ProviderId::as_str) else { return Ok(None) };
    let is_company = own.bytes().all(|b| b.is_ascii_digit());
    let named: Vec<Cow<'_, str>> = if is_company {
        let bare = |text: &str| Cow::Owned(text.chars().filter(char::is_ascii_digit).collect::<String>());
        data.text("company_cnpj")?.map(bare).into_iter().collect()
    } else {
        [event.text("site_id")?, event.text("app_id")?].into_iter().flatten().map(plain).collect()
    };
    let is_other = !named.is_empty() && !named.iter().any(|name| name.eq_ignore_ascii_case(own));
    Ok(is_other.then_some(IgnoredBecause::WrongAccount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Template, Option<(WantKind, String)>) {
        let event = json::object(text).unwrap();
        let none = Object::default();
        let data = event.object("data").unwrap().unwrap_or(&none);
        let template = template(&event, data).unwrap();
        (template, about(template, data).unwrap().map(|(kind, id)| (kind, id.to_string())))
    }

    #[test]
    fn each_template_is_told_by_its_fields_in_the_order_of_the_tests() {
        let order = |id: &str| Some((WantKind::Payment, id.to_owned()));
        let subscription = |id: &str| Some((WantKind::Subscription, id.to_owned()));
        for (text, template, about) in [
            (r#"{"event_type":"order","data":{"order":{"id":1},"order_id":2}}"#, Template::Nested, order("1")),
            (r#"{"event_type":"order","app_id":"x","data":{"order_id":5001}}"#, Template::AppStore, order("5001")),
            (r#"{"partner_merchant":{},"data":{"order_id":"7"}}"#, Template::AppStore, order("7")),
            (r#"{"data":{"payment_total":1,"order_id":8,"customer_id":2}}"#, Template::AppStore, order("8")),
            (r#"{"data":{"subscription_id":9,"customer_id":2}}"#, Template::AppStore, subscription("9")),
            (r#"{"data":{"customer_data":{},"customer_id":2}}"#, Template::AppStore, None),
            (r#"{"event_type":"order","data":{"order_id":12844}}"#, Template::Legacy, order("12844")),
            (r#"{"event_type":"order","data":{"id":1}}"#, Template::Legacy, order("1")),
            (r#"{"event_type":"","data":{"id":1001,"customer_id":7,"order_id":3}}"#, Template::Standard, order("1001")),
            (r#"{"data":{"id":"1001","customer_id":"7","meta":[]}}"#, Template::Standard, order("1001")),
            (r#"{"data":{"order_id":4,"order_total_products":1.5,"customer_id":7}}"#, Template::Flat, order("4")),
            (r#"{"data":{"order_id":12844,"foo":"bar"}}"#, Template::Custom, order("12844")),
            (r#"{"data":{"id":7,"subscription":{"id":31}}}"#, Template::Customer, subscription("31")),
            (r#"{"data":{"id":7,"subscription":{"id":null}}}"#, Template::Customer, None),
            (r#"{"data":{"id":7}}"#, Template::Customer, None),
            (r#"{"data":{"order_id":"","customer_id":7}}"#, Template::Custom, None),
            (r#"{"data":{}}"#, Template::Unknown, None),
            ("{}", Template::Unknown, None),
        ] {
            assert_eq!(of(text), (template, about), "{text}");
        }
    }

    #[test]
    fn a_name_is_what_stands_before_its_reason() {
        for (named, name) in [
            ("OrderApproved", "OrderApproved"),
            ("PaymentNotAuthorized | Reason: Autorizacao negada", "PaymentNotAuthorized"),
            ("PaymentNotAuthorized|Reason: a | b", "PaymentNotAuthorized"),
            (" order_paid ", "order_paid"),
            ("|", ""),
        ] {
            assert_eq!(canonical(named), name, "{named}");
        }
    }

    #[test]
    fn ids_are_numbers_in_either_form() {
        let read = |text: &str| id(&json::object(text).unwrap(), "id").map(|id| id.map(|id| id.to_string()));
        assert_eq!(read(r#"{"id":12}"#), Ok(Some("12".to_owned())));
        assert_eq!(read(r#"{"id":"12"}"#), Ok(Some("12".to_owned())));
        assert_eq!((read(r#"{"id":null}"#), read(r#"{"id":""}"#), read("{}")), (Ok(None), Ok(None), Ok(None)));
        for bad in [r#"{"id":"abc"}"#, r#"{"id":-1}"#, r#"{"id":1.5}"#, r#"{"id":[]}"#, r#"{"id":"1/2"}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

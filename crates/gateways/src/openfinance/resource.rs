//! What a notification of Open Finance Brasil is about: the kinds of resources, where they stand in its path, and where they are
//! read back.

use std::borrow::Cow;

use afluente_model::{Asked, ProviderId, WantKind};

use crate::reading::{Absent, Call, Impossible, Want};

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// A consent to one payment: a checkout session.
    Consent,
    /// A Pix.
    Payment,
    /// A bound device: a stored payment method.
    Enrollment,
    /// A consent to payments that recur: a subscription.
    RecurringConsent,
    /// One of these.
    RecurringPayment,
}

/// The family of the API, its segments before the id in the notification and in the API, the want it becomes.
struct Place {
    resource: Resource,
    api: &'static str,
    segments: &'static str,
    want: WantKind,
    /// The newest version most holders have: for questions that no notification raised.
    version: &'static str,
    /// What the event key calls it.
    kind: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        resource: Resource::Payment,
        api: "payments",
        segments: "pix/payments",
        want: WantKind::Payment,
        version: "v4",
        kind: "pix-payment",
    },
    Place {
        resource: Resource::Consent,
        api: "payments",
        segments: "consents",
        want: WantKind::CheckoutSession,
        version: "v4",
        kind: "consent",
    },
    Place {
        resource: Resource::RecurringPayment,
        api: "automatic-payments",
        segments: "pix/recurring-payments",
        want: WantKind::Instalment,
        version: "v2",
        kind: "recurring-payment",
    },
    Place {
        resource: Resource::RecurringConsent,
        api: "automatic-payments",
        segments: "recurring-consents",
        want: WantKind::Subscription,
        version: "v2",
        kind: "recurring-consent",
    },
    Place {
        resource: Resource::Enrollment,
        api: "enrollments",
        segments: "enrollments",
        want: WantKind::PaymentMethod,
        version: "v2",
        kind: "enrollment",
    },
];

/// How a page of the portal wrote the path of recurring consents once.
const OLD_SEGMENTS: (&str, &str) = ("automatic-payments", "pix/recurring-consents");

/// What stands before the rest in every notification.
const WEBHOOK: &str = "open-banking/webhook/v1/";

impl Resource {
    fn place(self) -> &'static Place {
        let found = PLACES.iter().find(|place| place.resource == self);
        found.unwrap_or(&PLACES[0])
    }

    /// The kind of question it becomes.
    pub(super) fn want(self) -> WantKind {
        self.place().want
    }

    /// The family of its API.
    pub(super) fn api(self) -> &'static str {
        self.place().api
    }

    /// What the event key calls it.
    pub(super) fn kind(self) -> &'static str {
        self.place().kind
    }

    /// The resource a question is about.
    pub(super) fn of(want: WantKind) -> Option<Resource> {
        PLACES.iter().find(|place| place.want == want).map(|place| place.resource)
    }

    /// The path it is read back at: the id is one percent-encoded segment.
    pub(super) fn path(self, version: Option<&str>, id: &ProviderId) -> String {
        let place = self.place();
        let version = version.filter(|version| is_version(version)).unwrap_or(place.version);
        // The form's encoding writes a blank as a plus; ids have none.
        let id: String = form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect();
        format!("/open-banking/{}/{version}/{}/{id}", place.api, place.segments)
    }
}

/// Which call reads a resource back.
pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let impossible = Impossible { kind: want.kind };
    let resource = Resource::of(want.kind).ok_or(impossible.clone())?;
    // Every id the standard allows begins so; one of dots alone would be another path.
    if !want.id.as_str().starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(impossible);
    }
    let version = want.context.as_ref().map(ProviderId::as_str);
    let asked = Asked {
        kind: want.kind,
        id: want.id.clone(),
        tenant: None,
        context: want.context.clone(),
        path: resource.path(version, &want.id).into(),
        listed: false,
    };
    Ok(vec![Call { asked, absent: Absent::NotYet }])
}

/// What a notification's path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) resource: Resource,
    /// The version of the API under which the resource was made.
    pub(super) version: &'a str,
    /// Its id, decoded once.
    pub(super) id: ProviderId,
}

impl<'a> Named<'a> {
    /// Reads what stands behind the account in the path, the query among it. Holders put ids into the path as they are, so that an id
    /// may hold slashes and question marks: the beginning is matched, and the whole rest is the id.
    pub(super) fn of(path: &'a str) -> Option<Named<'a>> {
        let (api, rest) = path.strip_prefix(WEBHOOK)?.split_once('/')?;
        let (version, rest) = rest.split_once('/').filter(|(version, _)| is_version(version))?;
        let id_behind = |segments: &str| rest.strip_prefix(segments)?.strip_prefix('/');
        let places = PLACES.iter().map(|place| (place.resource, place.api, place.segments));
        let old = (Resource::RecurringConsent, OLD_SEGMENTS.0, OLD_SEGMENTS.1);
        let mut found = places.chain([old]).filter(|(_, of, _)| *of == api);
        let (resource, id) = found.find_map(|(resource, _, segments)| Some((resource, id_behind(segments)?)))?;
        let id = ProviderId::parse(&decoded(id)).ok()?;
        Some(Named { resource, version, id })
    }
}

/// `v1` to `v99`.
fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or_default();
    (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// Percent-decoded once; as it stands where that gives no text, since some holders do not encode.
fn decoded(id: &str) -> Cow<'_, str> {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) else { return Cow::Borrowed(id) };
        bytes.push(byte);
        rest = &behind[2..];
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(id), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<(Resource, String, String)> {
        let named = Named::of(path)?;
        Some((named.resource, named.version.to_owned(), named.id.to_string()))
    }

    #[test]
    fn each_path_names_its_resource_and_an_id_may_hold_what_paths_are_made_of() {
        let some = |resource, version: &str, id: &str| Some((resource, version.to_owned(), id.to_owned()));
        let base = "open-banking/webhook/v1";
        for (path, expected) in [
            ("payments/v4/pix/payments/TXpR-9", some(Resource::Payment, "v4", "TXpR-9")),
            ("payments/v5/consents/urn:bancoex:C1DD33123", some(Resource::Consent, "v5", "urn:bancoex:C1DD33123")),
            (
                "payments/v4/consents/urn%3Aholdertest%3AC1%2FDD%3F33",
                some(Resource::Consent, "v4", "urn:holdertest:C1/DD?33"),
            ),
            ("payments/v4/consents/urn:holdertest:C1/DD?33", some(Resource::Consent, "v4", "urn:holdertest:C1/DD?33")),
            ("payments/v4/consents/urn:x:50%", some(Resource::Consent, "v4", "urn:x:50%")),
            ("payments/v4/consents/urn:x:%2525", some(Resource::Consent, "v4", "urn:x:%25")),
            ("enrollments/v2/enrollments/urn:bancoex:C1", some(Resource::Enrollment, "v2", "urn:bancoex:C1")),
            ("automatic-payments/v2/recurring-consents/urn:a:b", some(Resource::RecurringConsent, "v2", "urn:a:b")),
            ("automatic-payments/v1/pix/recurring-consents/urn:a:b", some(Resource::RecurringConsent, "v1", "urn:a:b")),
            ("automatic-payments/v99/pix/recurring-payments/p", some(Resource::RecurringPayment, "v99", "p")),
        ] {
            assert_eq!(read(&format!("{base}/{path}")), expected, "{path}");
        }
        for other in [
            "",
            "payments/v4/pix/payments",
            "payments/v4/pix/payments/",
            "payments/v0/consents/a",
            "payments/v100/consents/a",
            "payments/4/consents/a",
            "payments/v4/recurring-consents/a",
            "automatic-payments/v2/consents/a",
            "customer-data/events",
            "payments/v4/consents/a%20b",
            "payments/v4/consents/%00",
            &format!("payments/v4/consents/{}", "a".repeat(256)),
        ] {
            assert_eq!(read(&format!("{base}/{other}")), None, "{other}");
        }
        assert_eq!(read("open-banking/webhook/v2/payments/v4/consents/a"), None);
    }

    #[test]
    fn an_id_becomes_one_segment_of_the_path_it_is_read_at() {
        let id = ProviderId::parse("urn:holdertest:C1/DD?33").unwrap();
        let path = Resource::Consent.path(Some("v5"), &id);
        assert_eq!(path, "/open-banking/payments/v5/consents/urn%3Aholdertest%3AC1%2FDD%3F33");
        let path = Resource::RecurringPayment.path(None, &ProviderId::parse("../x").unwrap());
        assert_eq!(path, "/open-banking/automatic-payments/v2/pix/recurring-payments/..%2Fx");
        assert!(Resource::Payment.path(Some("v4/../.."), &id).starts_with("/open-banking/payments/v4/pix/payments/"));
    }
}

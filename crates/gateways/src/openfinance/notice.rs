//! A notification of Open Finance Brasil: which resource changed, and when. It carries no status and no amount, and only the channel is
//! proved, by the holder's certificate: the resource is read back at the holder whose account this is.

use afluente_model::{Proof, Timestamp, WantReason};
use sha2::{Digest, Sha256};

use super::resource::Named;
use crate::credentials::Credentials;
use crate::draft::Draft;
use crate::envelope::Envelope;
use crate::error::{Malformed, Rejection};
use crate::json::{self, Object};
use crate::reading::IgnoredBecause;
use crate::request::{PATH, Request};

/// Words of `eventType`; the portal's own text calls the first one `STATUS_CHANGED` in places.
pub(super) const EVENT_TYPES: [&str; 3] = ["STATE_CHANGED", "STATUS_CHANGED", "DATA_CHANGED"];

/// Whose certificate is it, and is this a path that anything is posted to?
pub(super) fn verify(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    let name = request.named_peer(credentials, now)?;
    let path = request.path_and_query().ok_or(Rejection::UnknownPath)?;
    Named::of(&path).ok_or(Rejection::UnknownPath)?;
    Ok(Proof::Channel { peer: name.as_peer() })
}

/// Bad JSON, or JSON without a time, is no reason to lose the id in the path: the question is the same.
pub(super) fn read(envelope: &Envelope<'_>) -> Result<Draft, Malformed> {
    let path = envelope.header(PATH).unwrap_or_default();
    let named = Named::of(path).ok_or(Malformed::Shape { field: ":path", expected: "a path of the webhook" })?;
    let organisation = organisation(envelope);
    let (stamp, kind, damage) = match told(envelope.body()) {
        Ok((stamp, kind)) => (stamp, kind, None),
        Err(damage) => (None, None, Some(damage)),
    };
    let parts = [
        "ofb1",
        organisation,
        named.resource.api(),
        named.version,
        named.resource.kind(),
        named.id.as_str(),
        stamp.as_deref().unwrap_or("-"),
        kind.as_deref().unwrap_or("-"),
    ];
    let event = format!("notice:{}", event_key(&parts));
    let mut draft = Draft::new(None, Some(event), &format!("{}.changed", named.resource.kind()));
    if let Some(damage) = damage {
        draft.note(damage);
    }
    // Whoever owns a certificate of some institution could ask about another's resources.
    let holder = envelope.account().external_id.as_ref();
    if envelope.is_proved() && holder.is_some_and(|holder| !holder.as_str().eq_ignore_ascii_case(organisation)) {
        draft.ignore(IgnoredBecause::WrongAccount);
        return Ok(draft);
    }
    if let Some(kind) = kind.filter(|kind| !EVENT_TYPES.contains(&kind.as_str())) {
        draft.unknown("notice.eventType", &kind);
    }
    draft.set_tenant(None, afluente_model::ProviderId::parse(named.version).ok());
    draft.want(named.resource.want(), &named.id, WantReason::Hint);
    Ok(draft)
}

/// The organisation of the certificate it came with.
fn organisation<'a>(envelope: &Envelope<'a>) -> &'a str {
    envelope.peer().map_or("-", |peer| peer.split('/').next().unwrap_or(peer))
}

/// Time and type as they were written.
fn told(body: &[u8]) -> Result<(Option<String>, Option<String>), Malformed> {
    let text = json::text(body)?;
    let object = json::object(&text)?;
    let none = Object::default();
    let data = object.object("data")?.unwrap_or(&none);
    let stamp = data.text("timestamp")?.map(str::to_owned);
    if stamp.is_none() {
        return Err(Malformed::Time { field: "timestamp" });
    }
    Ok((stamp, data.text("eventType")?.map(str::to_owned)))
}

/// Lower-case hex of the SHA-256 of the parts with a line feed between them.
pub(super) fn event_key(parts: &[&str]) -> String {
    Sha256::digest(parts.join("\n")).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_to_k4_event_keys_are_those_of_the_sheet() {
        let holder = "b961c4eb-509d-4edf-afeb-35642b38185d";
        for (parts, key) in [
            (
                [
                    holder,
                    "payments",
                    "v4",
                    "pix-payment",
                    "TXpRMU9UQTROMWhZV2xSU1FUazJSMDl",
                    "2026-09-17T12:30:05Z",
                    "-",
                ],
                "4c19d98727b22f032a6f1418d81be6928d463232bea3a7f22352cd03ffaf41e9",
            ),
            (
                [
                    holder,
                    "automatic-payments",
                    "v2",
                    "recurring-consent",
                    "urn:holdertest:RC-77",
                    "2026-09-17T14:00:00Z",
                    "STATE_CHANGED",
                ],
                "88f6b5449462719f3116a336e0720082e34d97fea6f322fef9dc75dc4b53e2b4",
            ),
            (
                [holder, "payments", "v4", "consent", "urn:holdertest:C1/DD?33", "2026-09-17T12:30:05Z", "-"],
                "93ea42212ccb44cb6250aa472f6dbfee462df8084468c5b3e221d5551ad30772",
            ),
            (
                [
                    "e2c1a3d0-0c52-4c4b-9a55-2f2f7a0c7d11",
                    "enrollments",
                    "v2",
                    "enrollment",
                    "urn:bancoex:C1DD33123",
                    "2023-07-12T08:30:00Z",
                    "DATA_CHANGED",
                ],
                "b9e28c0339de252a0a5d380c98292c321f9e31bee4636f27c867046b946e650e",
            ),
        ] {
            let parts: Vec<&str> = std::iter::once("ofb1").chain(parts).collect();
            assert_eq!(event_key(&parts), key);
        }
    }
}

//! How a bank is asked: a client that signs for its tokens and shows a certificate, and answers that the bank signs.

use afluente_gateways::Api;
use afluente_gateways::jws::Expected;
use afluente_lookup::{Assertion, Auth, Base, ClientTls, Identity, SignedBy, SigningKey};
use toml_edit::Item;

use super::api::{self, Place};
use crate::config::section::{Reader, Section};

/// How far the time of a signed answer may lie from our clock, seconds.
const TOLERANCE_SECONDS: i64 = 60;

/// A client that signs for its tokens.
pub(super) fn assertion<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, scope: &str) -> Option<Auth> {
    let client_id = required(reader, section, "client_id", "the id the bank registered us under");
    let endpoint = required(reader, section, "token_endpoint", "the whole address at which the bank gives out tokens");
    let (name, place) = (section.name("token_endpoint"), section.place("token_endpoint"));
    let endpoint = endpoint
        .and_then(|text| Base::parse(&text).map_err(|error| reader.problem(place, format!("{name}: {error}"))).ok());
    let key_id = required(reader, section, "signing_key_id", "the name (kid) of our key in the Directory");
    let scope = section.text(reader, "scope", None).unwrap_or_else(|| scope.to_owned());
    let (name, place) = (section.name("signing_key"), section.place("signing_key"));
    let key = match private(reader, section, "signing_key") {
        Some(text) => SigningKey::from_pem(key_id.as_deref().unwrap_or_default(), &text)
            .map_err(|error| reader.problem(place, format!("{name}: {error}")))
            .ok(),
        None => None,
    };
    let assertion = Assertion { client_id: client_id?.into(), key: key?, endpoint: endpoint?, scope: scope.into() };
    key_id.map(|_| Auth::Assertion(Box::new(assertion)))
}

/// The certificate that calls show, and whom they trust at the other end; nothing where neither stands there.
pub(super) fn tls<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, api: &Api) -> Option<ClientTls> {
    if !api.shows_certificate {
        return None;
    }
    let chain = section.file(reader, "certificate");
    let authorities = section.file(reader, "authorities");
    let key = if section.raw("certificate_key").is_some() { private(reader, section, "certificate_key") } else { None };
    let place = section.place("certificate");
    let name = section.name("certificate");
    let identity = match (&chain, &key) {
        (Some(chain), Some(key)) => Some(Identity { chain, key: key.as_bytes() }),
        (None, None) if authorities.is_none() => return None,
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            reader.problem(place, format!("{name}: expected certificate and certificate_key, got one of them"));
            return None;
        }
    };
    ClientTls::new(identity.as_ref(), authorities.as_deref())
        .map_err(|error| reader.problem(place, format!("{name}: {error}")))
        .ok()
}

/// Who signs the answers: the bank whose account it is, for us.
pub(super) fn signed(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    api: &'static Api,
    issuer: Option<&str>,
) -> Option<SignedBy> {
    let at = api.signed.as_ref()?;
    let audience = required(reader, section, "organisation", "our own organisation id in the Directory, a UUID");
    // Each organisation's keys stand under its id.
    let own = format!("{}/{}", at.base, issuer.unwrap_or_default());
    let base = api::base(reader, section, &Place { key: "keys_base", base: &own, hosts: at.hosts });
    let expected = Expected {
        issuer: issuer?.into(),
        audience: audience?.to_ascii_lowercase().into(),
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    Some(SignedBy { base: base?, expected })
}

fn required(reader: &mut Reader<'_>, section: &mut Section<'_>, key: &'static str, what: &str) -> Option<String> {
    let text = section.text(reader, key, None);
    if text.is_none() && section.raw(key).is_none() {
        reader.problem(section.place(key), format!("{}: expected {what}, got nothing", section.name(key)));
    }
    text
}

/// A private key in PEM, by reference.
fn private<'a>(reader: &mut Reader<'a>, section: &mut Section<'a>, key: &'static str) -> Option<String> {
    let (name, place) = (section.name(key), section.place(key));
    let read = match section.raw(key).and_then(Item::as_inline_table) {
        Some(reference) => reader.referred(reference).map(|(text, _)| text),
        None => Err(format!("expected a reference to a private key in PEM such as {}", api::EXAMPLE)),
    };
    read.map_err(|text| reader.problem(place, format!("{name}: {text}"))).ok()
}

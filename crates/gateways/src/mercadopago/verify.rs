//! `x-signature: ts=<digits>,v1=<64 hex>`: HMAC-SHA256, keyed with the secret's text, over
//! `id:<data.id>;request-id:<x-request-id>;ts:<ts>;`. Of the query only the id is covered, of the body nothing.

use afluente_model::{Proof, SecretName, Timestamp};

use super::query::Channel;
use crate::credentials::{Credentials, Digest};
use crate::error::Rejection;
use crate::request::Request;
use crate::secret::Secret;
use crate::signature::{hmac_hex, matching_secret, matching_token, sha256_hex, within_window, wrong_signature};

const HEADER: &str = "x-signature";
const REQUEST_ID: &str = "x-request-id";
/// A stamp from here on is in milliseconds: as seconds it would be the year 5138.
const LEAST_MILLIS: i64 = 100_000_000_000;

/// Who sent this? Webhooks are signed; what comes as IPN has to come to the account's path with its token.
pub(super) fn verify(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    let notice = match Channel::of(request.query)? {
        Channel::Ipn(_) => return matching_token(credentials, request).map(|()| Proof::PathToken),
        Channel::Webhook(notice) => notice,
    };
    // One address may take both channels: then what is signed comes with the token as well.
    if request.path_token.is_some() {
        matching_token(credentials, request)?;
    }
    let header = Header::parse(request.sole_header(HEADER)?.ok_or(Rejection::NoSignature)?)?;
    let request_id = request.sole_header(REQUEST_ID)?;
    let signed =
        request_id.filter(|id| is_request_id(id)).and_then(|id| header.secret(credentials, &notice.id, Some(id)));
    let secret = signed.ok_or_else(|| header.why_not(credentials, &notice.id, request_id))?;
    within_window(header.stamp, now, credentials.tolerance_seconds)?;
    Ok(Proof::Signed { secret })
}

fn is_request_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// 8-4-4-4-12 lower-case hex digits, as Mercado Pago writes every request id.
fn is_uuid(id: &str) -> bool {
    let groups = id.split('-').map(str::len);
    let hex = id.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    hex && groups.eq([8, 4, 4, 4, 12])
}

struct Header<'a> {
    stamp_text: &'a str,
    stamp: Timestamp,
    signature: [u8; 32],
}

impl<'a> Header<'a> {
    /// Pieces between commas, in any order and case, blanks around them aside. Official libraries take the last of two; here
    /// two are refused.
    fn parse(text: &'a str) -> Result<Header<'a>, Rejection> {
        let malformed = |expected| Rejection::MalformedSignature { expected };
        let (mut stamp, mut signature) = (None, None);
        for (name, value) in text.split(',').filter_map(|piece| piece.split_once('=')) {
            let (name, value) = (name.trim(), value.trim());
            let place = match () {
                () if name.eq_ignore_ascii_case("ts") => &mut stamp,
                () if name.eq_ignore_ascii_case("v1") => &mut signature,
                () => continue,
            };
            if place.replace(value).is_some() {
                return Err(malformed("one ts and one v1"));
            }
        }
        let stamp_text = stamp.ok_or(malformed("a ts"))?;
        let canonical = (1..=16).contains(&stamp_text.len())
            && stamp_text.bytes().all(|b| b.is_ascii_digit())
            && !stamp_text.starts_with('0');
        let stamp = Some(stamp_text).filter(|_| canonical).and_then(moment);
        let stamp = stamp.ok_or(malformed("ts in at most 16 digits without a leading zero"))?;
        let unusable = Rejection::UnusableSignature { expected: "a v1 signature of 64 hex digits" };
        let signature = signature.and_then(sha256_hex).ok_or(unusable)?;
        Ok(Header { stamp_text, stamp, signature })
    }

    /// The secret that gives this signature over an id as it came, or in lower case: sources differ on which is signed.
    fn secret(&self, credentials: &Credentials, id: &str, request_id: Option<&str>) -> Option<SecretName> {
        let with = |id: &str| {
            let request_id = request_id.map(|id| ["request-id:", id, ";"]).unwrap_or_default();
            let parts = ["id:", id, ";", request_id[0], request_id[1], request_id[2], "ts:", self.stamp_text, ";"];
            matching_secret(credentials, &parts.map(str::as_bytes), &[self.signature])
        };
        with(id).or_else(|| with(&id.to_ascii_lowercase()))
    }

    /// What is in front of us may set the request id anew, as many proxies do: told apart from a wrong secret where it can be.
    fn why_not(&self, credentials: &Credentials, id: &str, request_id: Option<&str>) -> Rejection {
        let as_signed = |request_id: Option<&str>| self.secret(credentials, id, request_id).is_some();
        let lower = request_id.map(str::to_ascii_lowercase);
        let rewritten = request_id.is_none_or(|id| !is_uuid(id)) || as_signed(None) || as_signed(lower.as_deref());
        if rewritten { Rejection::RewrittenRequestId } else { wrong_signature(credentials) }
    }
}

/// Seconds in real traffic, milliseconds in the documentation: told apart by magnitude.
fn moment(digits: &str) -> Option<Timestamp> {
    let number: i64 = digits.parse().ok()?;
    if number >= LEAST_MILLIS {
        number.checked_mul(1_000).and_then(|micros| Timestamp::from_micros(micros).ok())
    } else {
        Timestamp::from_seconds(number).ok()
    }
}

/// The header Mercado Pago would send with this query id and request id at this time: for simulated traffic and tests.
#[must_use]
pub fn sign(secret: &Secret, stamp: i64, id: &str, request_id: &str) -> String {
    let manifest = format!("id:{id};request-id:{request_id};ts:{stamp};");
    format!("ts={stamp},v1={}", hmac_hex(secret, Digest::Sha256, &[manifest.as_bytes()]))
}

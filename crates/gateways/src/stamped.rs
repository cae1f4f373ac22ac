//! Signatures over a moment and the body: `t=<unix time>,v1=<64 hex>[,v1=…]`, HMAC-SHA256 over `t`, a full stop and the raw body,
//! keyed with the whole secret text. Stripe counts seconds, others milliseconds.

use afluente_model::{Proof, Timestamp};

use crate::credentials::{Credentials, Digest};
use crate::error::Rejection;
use crate::request::Request;
use crate::secret::Secret;
use crate::signature::{hmac_hex, matching_secret, sha256_hex, within_window, wrong_signature};

/// More signatures than a rotation ever sends; past it a header is an attack on our time.
const MOST_SIGNATURES: usize = 16;

/// What `t` counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    const fn expected(self) -> &'static str {
        match self {
            Unit::Seconds => "t in seconds since 1970",
            Unit::Milliseconds => "t in milliseconds since 1970",
        }
    }

    fn moment(self, count: i64) -> Option<Timestamp> {
        match self {
            Unit::Seconds => Timestamp::from_seconds(count).ok(),
            Unit::Milliseconds => Timestamp::from_micros(count.checked_mul(1_000)?).ok(),
        }
    }
}

/// Who sent this? Official libraries differ on odd headers; where they do, this takes the stricter reading.
pub(crate) fn verify(
    request: &Request<'_>,
    header: &str,
    unit: Unit,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Proof, Rejection> {
    let header = request.sole_header(header)?.ok_or(Rejection::NoSignature)?;
    if request.body.is_empty() {
        return Err(Rejection::EmptyBody);
    }
    let header = Header::parse(header, unit)?;
    let secret = matching_secret(credentials, &[header.stamp_text.as_bytes(), b".", request.body], &header.signatures)
        .ok_or_else(|| wrong_signature(credentials))?;
    // The stamp is believed only now: before the signature held, anybody could have written it.
    within_window(header.stamp, now, credentials.tolerance_seconds)?;
    Ok(Proof::Signed { secret })
}

struct Header<'a> {
    stamp_text: &'a str,
    stamp: Timestamp,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    /// Pieces between commas, name before the first `=`. Nothing is trimmed; pieces without `=` and unknown schemes are
    /// passed over.
    fn parse(text: &'a str, unit: Unit) -> Result<Header<'a>, Rejection> {
        let malformed = |expected| Rejection::MalformedSignature { expected };
        let (mut stamp, mut signatures) = (None, Vec::new());
        // Only told where the header cannot be used as it is.
        let or_rewritten = |why| if is_rewritten(text) { Rejection::RewrittenHeader } else { why };
        for (name, value) in text.split(',').filter_map(|piece| piece.split_once('=')) {
            match name {
                "t" if stamp.is_some() => return Err(malformed("one t")),
                "t" => stamp = Some(value),
                "v1" if signatures.len() == MOST_SIGNATURES => return Err(malformed("at most 16 signatures")),
                // A value that is no digest can match nothing.
                "v1" => signatures.extend(sha256_hex(value)),
                _ => {}
            }
        }
        let stamp_text = stamp.ok_or_else(|| or_rewritten(malformed("a t")))?;
        let canonical =
            !stamp_text.is_empty() && stamp_text.bytes().all(|b| b.is_ascii_digit()) && !stamp_text.starts_with('0');
        if !canonical {
            return Err(malformed("t in digits without a leading zero"));
        }
        let count = stamp_text.parse().map_err(|_| malformed(unit.expected()))?;
        let stamp = unit.moment(count).ok_or(malformed(unit.expected()))?;
        if signatures.is_empty() {
            return Err(or_rewritten(Rejection::UnusableSignature { expected: "a v1 signature of 64 hex digits" }));
        }
        Ok(Header { stamp_text, stamp, signatures })
    }
}

/// Whether a piece that counts has a blank before its name: gateways write none.
fn is_rewritten(text: &str) -> bool {
    let mut names = text.split(',').filter_map(|piece| piece.split_once('=')).map(|(name, _)| name);
    names.any(|name| name.trim_start() != name && matches!(name.trim_start(), "t" | "v1"))
}

/// The header of this body at this time, in the unit of who signs: for simulated traffic and tests.
pub(crate) fn sign(secret: &Secret, stamp: i64, body: &[u8]) -> String {
    let stamp = stamp.to_string();
    format!("t={stamp},v1={}", hmac_hex(secret, Digest::Sha256, &[stamp.as_bytes(), b".", body]))
}

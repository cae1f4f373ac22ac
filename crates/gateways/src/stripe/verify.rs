//! The `Stripe-Signature` header: `t=<unix seconds>,v1=<64 hex>[,v1=…][,v0=…]`, HMAC-SHA256 over `t`, a full stop and the
//! raw body, keyed with the whole secret text, `whsec_` included.

use afluente_model::{Proof, Timestamp};

use crate::credentials::{Credentials, Digest};
use crate::error::Rejection;
use crate::request::Request;
use crate::secret::Secret;
use crate::signature::{hmac_hex, matching_secret, sha256_hex, within_window, wrong_signature};

const HEADER: &str = "stripe-signature";
/// More signatures than a rotation ever sends; past it a header is an attack on our time.
const MOST_SIGNATURES: usize = 16;

/// Who sent this? Official libraries differ on odd headers; where they do, this takes the stricter reading.
pub(super) fn verify(request: &Request<'_>, credentials: &Credentials, now: Timestamp) -> Result<Proof, Rejection> {
    let mut headers = request.header(HEADER);
    let header = headers.next().ok_or(Rejection::NoSignature)?;
    if headers.next().is_some() {
        return Err(Rejection::RepeatedHeader);
    }
    if request.body.is_empty() {
        return Err(Rejection::EmptyBody);
    }
    let header = Header::parse(header.ok_or(Rejection::MalformedSignature { expected: "visible ASCII" })?)?;
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
    fn parse(text: &'a str) -> Result<Header<'a>, Rejection> {
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
        let seconds = stamp_text.parse().map_err(|_| malformed("t in seconds since 1970"))?;
        let stamp = Timestamp::from_seconds(seconds).map_err(|_| malformed("t in seconds since 1970"))?;
        if signatures.is_empty() {
            return Err(or_rewritten(Rejection::UnusableSignature { expected: "a v1 signature of 64 hex digits" }));
        }
        Ok(Header { stamp_text, stamp, signatures })
    }
}

/// Whether a piece that counts has a blank before its name: Stripe writes none.
fn is_rewritten(text: &str) -> bool {
    let mut names = text.split(',').filter_map(|piece| piece.split_once('=')).map(|(name, _)| name);
    names.any(|name| name.trim_start() != name && matches!(name.trim_start(), "t" | "v1"))
}

/// The header Stripe would send for this body at this time: for simulated traffic and tests.
#[must_use]
pub fn sign(secret: &Secret, stamp_seconds: i64, body: &[u8]) -> String {
    let stamp = stamp_seconds.to_string();
    format!("t={stamp},v1={}", hmac_hex(secret, Digest::Sha256, &[stamp.as_bytes(), b".", body]))
}

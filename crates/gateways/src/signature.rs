//! HMAC signatures, path tokens and time windows, shared by the gateways that use them.

use afluente_model::{SecretName, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credentials::{CredentialKind, Credentials};
use crate::error::Rejection;
use crate::request::Request;
use crate::secret::Secret;

/// The first configured secret whose HMAC-SHA256 over `parts`, one after the other, is among `candidates`.
///
/// Every secret is compared with every candidate in constant time; which one matched is not secret, its bytes are.
pub(crate) fn matching_secret(
    credentials: &Credentials,
    parts: &[&[u8]],
    candidates: &[[u8; 32]],
) -> Option<SecretName> {
    credentials.of(CredentialKind::Hmac).find_map(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
        for part in parts {
            mac.update(part);
        }
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        let matched = candidates.iter().fold(0, |seen, candidate| seen | candidate.ct_eq(&expected).unwrap_u8());
        (matched == 1).then(|| secret.name().clone())
    })
}

/// No configured secret gives the signature.
pub(crate) fn wrong_signature(credentials: &Credentials) -> Rejection {
    Rejection::WrongSignature { secrets: credentials.of(CredentialKind::Hmac).count() }
}

/// The configured token that ends the path. None there, none configured and a wrong one are all alike to who asks.
pub(crate) fn matching_token(credentials: &Credentials, request: &Request<'_>) -> Result<(), Rejection> {
    let got = request.path_token.unwrap_or_default().as_bytes();
    // Compared as hashes, so that the time it takes tells nothing of a length.
    let got = Sha256::digest(got);
    let matched = credentials
        .of(CredentialKind::PathToken)
        .fold(0, |seen, token| seen | Sha256::digest(token.expose()).as_slice().ct_eq(got.as_slice()).unwrap_u8());
    if matched == 1 { Ok(()) } else { Err(Rejection::WrongPathToken) }
}

/// 64 hex digits of either case.
pub(crate) fn sha256_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// Whether a signed time lies within the window around `now`; both ends are inside.
pub(crate) fn within_window(stamp: Timestamp, now: Timestamp, limit_seconds: i64) -> Result<(), Rejection> {
    let age_seconds = now.as_seconds() - stamp.as_seconds();
    if age_seconds > limit_seconds {
        Err(Rejection::TooOld { age_seconds, limit_seconds })
    } else if -age_seconds > limit_seconds {
        Err(Rejection::FromFuture { ahead_seconds: -age_seconds, limit_seconds })
    } else {
        Ok(())
    }
}

/// Lower-case hex of an HMAC-SHA256 over parts, one after the other.
pub(crate) fn hmac_hex(secret: &Secret, parts: &[&[u8]]) -> String {
    use std::fmt::Write;
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
        unreachable!("an HMAC takes keys of every length");
    };
    for part in parts {
        mac.update(part);
    }
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

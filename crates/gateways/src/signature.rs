//! HMAC signatures, path tokens and time windows, shared by the gateways that use them.

use afluente_model::{SecretName, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credentials::{CredentialKind, Credentials, Digest as With};
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

/// The configured `user:password` that was shown, compared as hashes.
pub(crate) fn matching_login(credentials: &Credentials, shown: &[u8]) -> Option<SecretName> {
    let shown = Sha256::digest(shown);
    credentials.of(CredentialKind::Login).fold(None, |found, login| {
        let is_it = Sha256::digest(login.expose()).as_slice().ct_eq(shown.as_slice()).unwrap_u8() == 1;
        if is_it { Some(login.name().clone()) } else { found }
    })
}

/// The first configured secret whose HMAC over a body, with the account's digest, is written so in lower-case hex.
pub(crate) fn matching_tag(credentials: &Credentials, body: &[u8], hex: &[u8]) -> Option<SecretName> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| Some(nibble(pair[0])? << 4 | nibble(*pair.get(1)?)?);
    let tag: Vec<u8> = hex.chunks(2).map(pair).collect::<Option<_>>()?;
    let algorithm = algorithm(credentials.digest);
    let is_it = |secret: &&Secret| {
        let key = ring::hmac::Key::new(algorithm, secret.expose());
        ring::hmac::verify(&key, body, &tag).is_ok()
    };
    credentials.of(CredentialKind::Hmac).find(is_it).map(|secret| secret.name().clone())
}

fn algorithm(digest: With) -> ring::hmac::Algorithm {
    match digest {
        With::Sha256 => ring::hmac::HMAC_SHA256,
        With::Sha1 => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    }
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

/// Lower-case hex of an HMAC over parts, one after the other.
pub(crate) fn hmac_hex(secret: &Secret, digest: With, parts: &[&[u8]]) -> String {
    use std::fmt::Write;
    let mut mac = ring::hmac::Context::with_key(&ring::hmac::Key::new(algorithm(digest), secret.expose()));
    for part in parts {
        mac.update(part);
    }
    let mut hex = String::new();
    for byte in mac.sign().as_ref() {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmacs_of_both_digests_are_what_pagarmes_own_libraries_make() {
        for (key, body, sha1, sha256) in [
            (
                "apiKey",
                "foo=bar&bar=baz&baz=foo",
                "38114af54396acbba342ffa5076458ef8f0486c4",
                "a22cc57eba73be156804c7f35ae35b9e1967894ca83a20d81cc61406eb147345",
            ),
            (
                "key",
                "body",
                "70bbf6819d1037aa94ca7e7f537cbea25fe49283",
                "515aae133b435d4000956731f68ae5cf5eb85d4f0dc6a546d2bfcd3595ec1ae1",
            ),
        ] {
            let key = Secret::known(key);
            assert_eq!(hmac_hex(&key, With::Sha1, &[body.as_bytes()]), sha1);
            assert_eq!(hmac_hex(&key, With::Sha256, &[&body.as_bytes()[..2], &body.as_bytes()[2..]]), sha256);
        }
    }

    /// What v4 calls a fingerprint is the same for every event of an object: it is known here only so that nobody takes it for a
    /// proof.
    #[test]
    fn a_fingerprint_is_a_hash_of_the_objects_id_and_our_key_and_of_nothing_else() {
        for (id, key, fingerprint) in [
            ("2727403", "ak_test_21eI4THNDJx7vkJRuAmXYlFACIaxnS", "bbf609f80b08e14b706cfdcb0d07948d5fafe42e"),
            ("406483", "ak_test_Q2D2qDYGJSyeR1KbI4sLzGACEr73MF", "9e9496ef28d1154b2db9a446323db90103069330"),
        ] {
            let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{id}#{key}").as_bytes());
            assert_eq!(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>(), fingerprint);
        }
    }
}

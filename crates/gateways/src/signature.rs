//! HMAC signatures, path tokens and time windows, shared by the gateways that use them.

use afluente_model::{SecretName, Timestamp};
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credentials::{CredentialKind, Credentials, Digest as With};
use crate::error::Rejection;
use crate::request::Request;
use crate::secret::Secret;

/// The first configured secret whose HMAC over `parts`, one after the other and with the account's digest, is among `candidates`.
///
/// Every secret is compared with every candidate in constant time; which one matched is not secret, its bytes are.
pub(crate) fn matching_secret<C: AsRef<[u8]>>(
    credentials: &Credentials,
    parts: &[&[u8]],
    candidates: &[C],
) -> Option<SecretName> {
    credentials.of(CredentialKind::Hmac).find_map(|secret| {
        let expected = hmac(secret, credentials.digest, parts);
        let matched = candidates.iter().fold(0, |seen, one| seen | one.as_ref().ct_eq(&*expected).unwrap_u8());
        (matched == 1).then(|| secret.name().clone())
    })
}

fn hmac(secret: &Secret, digest: With, parts: &[&[u8]]) -> Vec<u8> {
    match digest {
        With::Sha256 => finished(Hmac::<Sha256>::new_from_slice(secret.expose()), parts),
        With::Sha1 => finished(Hmac::<Sha1>::new_from_slice(secret.expose()), parts),
    }
}

fn finished<M: Mac>(mac: Result<M, InvalidLength>, parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = mac else { unreachable!("an HMAC takes keys of every length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// No configured secret gives the signature.
pub(crate) fn wrong_signature(credentials: &Credentials) -> Rejection {
    Rejection::WrongSignature { secrets: credentials.of(CredentialKind::Hmac).count() }
}

/// The configured token that ends the path. None there, none configured and a wrong one are all alike to who asks.
pub(crate) fn matching_token(credentials: &Credentials, request: &Request<'_>) -> Result<(), Rejection> {
    matches_token(credentials, request.path_token.unwrap_or_default())
}

/// Whether a text is one of the configured tokens.
pub(crate) fn matches_token(credentials: &Credentials, got: &str) -> Result<(), Rejection> {
    // Compared as hashes, so that the time it takes tells nothing of a length.
    let got = Sha256::digest(got.as_bytes());
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

/// 64 hex digits of either case.
pub(crate) fn sha256_hex(text: &str) -> Option<[u8; 32]> {
    hex(text).and_then(|bytes| bytes.try_into().ok())
}

/// Bytes in hex digits of either case.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
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
    hmac(secret, digest, parts).iter().map(|byte| format!("{byte:02x}")).collect()
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
            let hash = Sha1::digest(format!("{id}#{key}"));
            assert_eq!(hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), fingerprint);
        }
    }
}

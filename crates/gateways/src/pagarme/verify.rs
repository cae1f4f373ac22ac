//! Three channels, each with a proof of its own. What a request is tells which of them it has to hold; none is tried in place of
//! another, or a forger would choose the weakest.
//!
//! | Request | Proof |
//! | --- | --- |
//! | JSON with `X-Webhook-Asymmetric-Signature` (installed by the Hub) | RS256 over the body; the key is one the Hub shows |
//! | JSON without it (made in the dashboard) | HTTP Basic, a path token, or both: whatever the account has. The body is a hint |
//! | a form (v4 postback) | HMAC over the body with the account's API key |

use afluente_model::{Proof, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::{CredentialKind, Credentials};
use crate::error::Rejection;
use crate::key_set::{Algorithm, BASE64_URL, Verified};
use crate::request::Request;
use crate::secret::Secret;
use crate::signature::{hex, hmac_hex, matching_login, matching_secret, matching_token, wrong_signature};

const SIGNATURE: &str = "x-webhook-asymmetric-signature";
const POSTBACK_SIGNATURE: &str = "x-hub-signature";
const AUTHORIZATION: &str = "authorization";

/// Whether a body of this type is a v4 postback.
pub(super) fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Who sent this? A signed body stays good for ever and at every address, so no time is looked at.
pub(super) fn verify(request: &Request<'_>, credentials: &Credentials, _now: Timestamp) -> Result<Proof, Rejection> {
    if request.body.is_empty() {
        return Err(Rejection::EmptyBody);
    }
    // An address that ends with a token is that of who has it, whatever else proves the request.
    let has_token = request.path_token.is_some();
    if has_token {
        matching_token(credentials, request)?;
    }
    if request.sole_header("content-type")?.is_some_and(is_form) {
        return postback(request, credentials);
    }
    match request.sole_header(SIGNATURE)? {
        Some(header) => signed(header, request.body, credentials),
        None => unsigned(request, credentials, has_token),
    }
}

/// RS256 over the bytes of the body. A key we do not have yet proves nothing: what came is read back.
fn signed(header: &str, body: &[u8], credentials: &Credentials) -> Result<Proof, Rejection> {
    let Header { key, signature } = Header::parse(header)?;
    let keys = credentials.keys().ok_or(Rejection::NothingToCheckWith { needs: CredentialKind::Keys.key() })?;
    match keys.verify(Algorithm::Rs256, key, body, &signature) {
        Verified::By(secret) => Ok(Proof::Signed { secret }),
        Verified::UnknownKey => Ok(Proof::None),
        Verified::No => Err(Rejection::WrongSignature { secrets: 1 }),
    }
}

struct Header<'a> {
    key: &'a str,
    signature: Vec<u8>,
}

impl<'a> Header<'a> {
    /// `alg=RS256; kid=…; signature=…` in any order, each once. The algorithm is not the sender's to choose.
    fn parse(text: &'a str) -> Result<Header<'a>, Rejection> {
        let malformed = |expected| Rejection::MalformedSignature { expected };
        let (mut algorithm, mut key, mut signature) = (None, None, None);
        for (name, value) in text.split(';').filter_map(|piece| piece.split_once('=')) {
            let place = match name.trim() {
                "alg" => &mut algorithm,
                "kid" => &mut key,
                "signature" => &mut signature,
                _ => continue,
            };
            if place.replace(value.trim()).is_some() {
                return Err(malformed("one alg, one kid and one signature"));
            }
        }
        if algorithm != Some("RS256") {
            return Err(Rejection::UnusableSignature { expected: "alg=RS256" });
        }
        let key = key.filter(|key| !key.is_empty()).ok_or(malformed("a kid"))?;
        let signature = signature.and_then(decoded).ok_or(malformed("a signature in base64"))?;
        Ok(Header { key, signature })
    }
}

/// Base64 of either alphabet, padded or not. RSA keys of 2048 to 8192 bits make signatures of 256 to 1024 bytes.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL.decode(text.replace('+', "-").replace('/', "_")).ok()?;
    (256..=1024).contains(&bytes.len()).then_some(bytes)
}

/// What the account was given to tell its dashboard's webhooks by: all of it has to hold.
fn unsigned(request: &Request<'_>, credentials: &Credentials, has_token: bool) -> Result<Proof, Rejection> {
    if credentials.has(CredentialKind::PathToken) && !has_token {
        return Err(Rejection::WrongPathToken);
    }
    if credentials.has(CredentialKind::Login) {
        let header = request.sole_header(AUTHORIZATION)?.ok_or(Rejection::WrongLogin)?;
        let shown = basic(header).ok_or(Rejection::WrongLogin)?;
        let login = matching_login(credentials, &shown).ok_or(Rejection::WrongLogin)?;
        return Ok(Proof::Channel { peer: login.as_str().into() });
    }
    if has_token { Ok(Proof::PathToken) } else { Err(Rejection::NoSignature) }
}

/// `user:password` of `Authorization: Basic`; a password may hold colons, a user none.
fn basic(header: &str) -> Option<Vec<u8>> {
    let (scheme, shown) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(shown.trim()).ok())?
}

/// `X-Hub-Signature: sha1=<hex>` of v4.
fn postback(request: &Request<'_>, credentials: &Credentials) -> Result<Proof, Rejection> {
    if !credentials.has(CredentialKind::Hmac) {
        return Err(Rejection::NothingToCheckWith { needs: CredentialKind::Hmac.key() });
    }
    let header = request.sole_header(POSTBACK_SIGNATURE)?.ok_or(Rejection::NoSignature)?;
    let expected = "the account's digest, an equals sign and hex";
    let signature = header.strip_prefix(credentials.digest.as_str()).and_then(|rest| rest.strip_prefix('='));
    let signature = signature.ok_or(Rejection::UnusableSignature { expected })?;
    let candidates: Vec<Vec<u8>> = hex(signature).into_iter().collect();
    let secret = matching_secret(credentials, &[request.body], &candidates);
    secret.map(|secret| Proof::Signed { secret }).ok_or_else(|| wrong_signature(credentials))
}

/// The `X-Hub-Signature` of a v4 postback: for simulated traffic and tests.
#[must_use]
pub fn sign_postback(secret: &Secret, body: &[u8]) -> String {
    format!("sha1={}", hmac_hex(secret, crate::Digest::Sha1, &[body]))
}

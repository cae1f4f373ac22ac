//! Requests with a signature over a moment and the body, and what forgers make of it.

use std::borrow::Cow;

use afluente_gateways::Secret;

use crate::forgery::Forgery;
use crate::plan::Post;
use crate::player::Keys;

/// Ways such a request is forged.
pub(crate) const WAYS: &[Forgery] = &[
    Forgery::WrongSecret,
    Forgery::ChangedByte,
    Forgery::StaleStamp,
    Forgery::FutureStamp,
    Forgery::FakeScheme,
    Forgery::NoHeader,
    Forgery::TwoStamps,
    Forgery::CutBody,
];

/// Header and body; for a forgery with what is wrong about it. `sign` makes the header at a moment in seconds.
pub(crate) fn signed<'a>(
    post: &'a Post,
    keys: &Keys,
    now: i64,
    sign: impl Fn(&Secret, i64, &[u8]) -> String,
) -> (Option<String>, Cow<'a, [u8]>) {
    let body = Cow::Borrowed(post.body.as_slice());
    let signature = sign(keys.secret(), now, &post.body);
    match post.forgery {
        Some(Forgery::WrongSecret) => (Some(sign(&keys.stranger, now, &post.body)), body),
        Some(Forgery::ChangedByte) => {
            let mut changed = post.body.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            (Some(signature), Cow::Owned(changed))
        }
        Some(Forgery::CutBody) => (Some(signature), Cow::Borrowed(&post.body[..post.body.len() - 1])),
        Some(Forgery::StaleStamp) => (Some(sign(keys.secret(), now - keys.stale_seconds, &post.body)), body),
        Some(Forgery::FutureStamp) => (Some(sign(keys.secret(), now + keys.stale_seconds, &post.body)), body),
        Some(Forgery::FakeScheme) => (Some(signature.replace("v1=", "v0=")), body),
        Some(Forgery::NoHeader) => (None, body),
        Some(Forgery::TwoStamps) => (Some(format!("t=1,{signature}")), body),
        // The other ways are other gateways'.
        Some(
            Forgery::TwoSignatures
            | Forgery::OtherId
            | Forgery::TwoIds
            | Forgery::JoinedParts
            | Forgery::OtherRequestId
            | Forgery::NoRequestId
            | Forgery::PaddedStamp
            | Forgery::NoToken
            | Forgery::WrongToken
            | Forgery::OtherKey
            | Forgery::UnknownKey
            | Forgery::NoAlgorithm
            | Forgery::PublicKeyHmac
            | Forgery::NoLogin
            | Forgery::WrongLogin
            | Forgery::Forwarded
            | Forgery::Stranger
            | Forgery::NoCertificate
            | Forgery::ExpiredCertificate
            | Forgery::ServersCertificate
            | Forgery::SelfMadeChain
            | Forgery::TwoCertificates
            | Forgery::OtherBank,
        )
        | None => (Some(signature), body),
    }
}

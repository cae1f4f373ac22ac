//! How requests are signed, and what forgers do in its place.

use afluente_gateways::mercadopago::sign;
use rand::RngExt;

use crate::forgery::Forgery;
use crate::player::Keys;

/// Every way. The two that are about a token come on the old channel.
pub(super) const WAYS: &[Forgery] = &[
    Forgery::WrongSecret,
    Forgery::ChangedByte,
    Forgery::StaleStamp,
    Forgery::FutureStamp,
    Forgery::FakeScheme,
    Forgery::NoHeader,
    Forgery::TwoStamps,
    Forgery::TwoSignatures,
    Forgery::PaddedStamp,
    Forgery::OtherId,
    Forgery::TwoIds,
    Forgery::JoinedParts,
    Forgery::OtherRequestId,
    Forgery::NoRequestId,
    Forgery::NoToken,
    Forgery::WrongToken,
    Forgery::Stranger,
];

/// What proves one request: the headers, and a query in place of its own.
#[derive(Default)]
pub(super) struct Signed {
    pub(super) signature: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) query: Option<String>,
}

/// Signs an id at this moment, as the gateway does or as a forger does.
pub(super) fn signed(id: &str, forgery: Option<Forgery>, keys: &Keys, now: i64) -> Signed {
    let mut random = rand::rng();
    let request_id = request_id(random.random());
    // Both units are seen.
    let unit = if random.random_bool(0.5) { 1_000 } else { 1 };
    let stamped = |seconds: i64, secret, id: &str, request_id: &str| sign(secret, seconds * unit, id, request_id);
    let right = stamped(now, keys.secret(), id, &request_id);
    let whole =
        |signature: String| Signed { signature: Some(signature), request_id: Some(request_id.clone()), query: None };
    let Some(forgery) = forgery else { return whole(right) };
    match forgery {
        Forgery::WrongSecret => whole(stamped(now, &keys.stranger, id, &request_id)),
        Forgery::ChangedByte => whole(changed(&right)),
        Forgery::StaleStamp => whole(stamped(now - keys.stale_seconds, keys.secret(), id, &request_id)),
        Forgery::FutureStamp => whole(stamped(now + keys.stale_seconds, keys.secret(), id, &request_id)),
        Forgery::FakeScheme => whole(right.replace("v1=", "v2=")),
        Forgery::NoHeader => Signed { signature: None, ..whole(String::new()) },
        Forgery::TwoStamps => whole(format!("ts=1,{right}")),
        Forgery::TwoSignatures => whole(right.replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)))),
        Forgery::PaddedStamp => whole(right.replace("ts=", "ts=0")),
        Forgery::OtherId => whole(stamped(now, keys.secret(), "100000000001", &request_id)),
        Forgery::TwoIds => {
            let signature = stamped(now, keys.secret(), "100000000001", &request_id);
            Signed { query: Some(format!("data.id=100000000001&data.id={id}&type=payment")), ..whole(signature) }
        }
        // What is signed is the same text: the request id moves into the id.
        Forgery::JoinedParts => Signed {
            request_id: None,
            query: Some(format!("data.id={id}%3Brequest-id%3A{request_id}&type=payment")),
            ..whole(right)
        },
        Forgery::OtherRequestId => Signed { request_id: Some(self::request_id(random.random())), ..whole(right) },
        Forgery::NoRequestId => Signed { request_id: None, ..whole(right) },
        // A stranger's payment is signed as every other; the rest are other gateways' and the old channel's.
        Forgery::Stranger
        | Forgery::NoCertificate
        | Forgery::ExpiredCertificate
        | Forgery::ServersCertificate
        | Forgery::SelfMadeChain
        | Forgery::TwoCertificates
        | Forgery::OtherBank
        | Forgery::CutBody
        | Forgery::NoToken
        | Forgery::WrongToken
        | Forgery::OtherKey
        | Forgery::UnknownKey
        | Forgery::NoAlgorithm
        | Forgery::PublicKeyHmac
        | Forgery::NoLogin
        | Forgery::WrongLogin
        | Forgery::Forwarded => whole(right),
    }
}

/// The signature with another last digit.
fn changed(signature: &str) -> String {
    let (rest, last) = signature.split_at(signature.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

/// A UUID of chance.
fn request_id(random: u128) -> String {
    let hex = format!("{random:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

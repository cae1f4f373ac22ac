//! How requests are proved, and what forgers do in its place.

use std::borrow::Cow;
use std::sync::LazyLock;

use afluente_gateways::Secret;
use afluente_gateways::pagarme::{HubKey, sign_postback};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{FORGED, FORGED_OLD};
use crate::forgery::Forgery;
use crate::plan::{Post, Proof, chance};
use crate::player::{Dressed, Keys};

/// Where the Hub shows its keys.
pub(super) const KEYS_PATH: &str = "/.well-known/jwks.json";

const SIGNATURE: &str = "x-webhook-asymmetric-signature";

/// Every way; each channel takes those that fit it.
pub(super) const WAYS: &[Forgery] = &[
    Forgery::ChangedByte,
    Forgery::CutBody,
    Forgery::OtherKey,
    Forgery::UnknownKey,
    Forgery::NoAlgorithm,
    Forgery::PublicKeyHmac,
    Forgery::NoHeader,
    Forgery::FakeScheme,
    Forgery::TwoSignatures,
    Forgery::NoLogin,
    Forgery::WrongLogin,
    Forgery::NoToken,
    Forgery::WrongToken,
    Forgery::Forwarded,
    Forgery::WrongSecret,
];

/// Keys made for nothing but this.
struct Hub {
    keys: [HubKey; 2],
    other: HubKey,
    unknown: HubKey,
}

static HUB: LazyLock<Option<Hub>> = LazyLock::new(|| {
    let key = |id, der: &[u8]| HubKey::from_der(id, der).ok();
    let other: &[u8] = include_bytes!("../../keys/hub-other.der");
    Some(Hub {
        keys: [
            key("hub-1", include_bytes!("../../keys/hub-1.der"))?,
            key("hub-2", include_bytes!("../../keys/hub-2.der"))?,
        ],
        // Somebody else's key that calls itself like ours.
        other: key("hub-1", other)?,
        unknown: key("hub-nobody-knows", other)?,
    })
});

fn hub() -> &'static Hub {
    let Some(hub) = &*HUB else { unreachable!("the keys in this crate are keys") };
    hub
}

/// The first key alone, and then both.
pub(crate) fn key_sets() -> Vec<Bytes> {
    let shown: Vec<Value> = hub().keys.iter().map(HubKey::jwk).collect();
    (1..=shown.len()).map(|count| Bytes::from(json!({"keys": shown[..count]}).to_string())).collect()
}

/// The ways that mean something on a channel; others become the nearest.
fn fitting(proof: &Proof, way: Forgery) -> Forgery {
    match proof {
        Proof::Login => match way {
            Forgery::NoLogin | Forgery::NoHeader | Forgery::NoToken | Forgery::Forwarded => Forgery::NoLogin,
            _ => Forgery::WrongLogin,
        },
        Proof::Token => match way {
            Forgery::NoToken | Forgery::NoHeader | Forgery::NoLogin => Forgery::NoToken,
            Forgery::Forwarded => Forgery::Forwarded,
            _ => Forgery::WrongToken,
        },
        Proof::Form => match way {
            Forgery::ChangedByte
            | Forgery::CutBody
            | Forgery::NoHeader
            | Forgery::FakeScheme
            | Forgery::TwoSignatures => way,
            _ => Forgery::WrongSecret,
        },
        Proof::Key(_) | Proof::Body | Proof::Id(_) | Proof::Certificate(_) => match way {
            Forgery::NoLogin | Forgery::WrongLogin | Forgery::NoToken | Forgery::WrongToken | Forgery::Forwarded => {
                Forgery::NoHeader
            }
            Forgery::WrongSecret => Forgery::OtherKey,
            other => other,
        },
    }
}

/// A request like this one, about a charge of the forger's own.
pub(super) fn forged(post: &Post, way: Forgery) -> Post {
    let number = chance(&post.body);
    let body = if post.proof == Proof::Form {
        let id = format!("{FORGED_OLD}{:09}", number % 1_000_000_000);
        format!(
            "id={id}&event=transaction_status_changed&object=transaction&current_status=paid&transaction[id]={id}\
             &transaction[amount]=15000&transaction[paid_amount]=15000&transaction[date_updated]=2025-01-01T00:00:00.000Z"
        )
    } else {
        let body = json!({
            "id": format!("hook_{number:016x}"), "account": {"id": "acc_Simulated0000001"}, "type": "charge.paid",
            "created_at": "2025-01-01T00:00:00Z", "data": {
                "id": format!("{FORGED}{number:x}"), "amount": 100_000, "paid_amount": 100_000, "status": "paid",
                "updated_at": "2025-01-01T00:00:00Z", "last_transaction": {"status": "captured"},
            },
        });
        body.to_string()
    };
    let way = fitting(&post.proof, way);
    // Under the name of the key that is shown from the beginning on: under that of one nobody knows yet it would be no more than
    // a hint.
    let proof = if let Proof::Key(_) = post.proof { Proof::Key(0) } else { post.proof.clone() };
    Post {
        event: "forged".to_owned(),
        proof,
        body: body.into_bytes(),
        forgery: Some(way),
        tells: Vec::new(),
        ..post.clone()
    }
}

/// What goes over the wire.
pub(super) fn dressed<'a>(post: &'a Post, keys: &'a Keys) -> Dressed<'a> {
    let kind = if post.proof == Proof::Form { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut headers: Vec<(&str, String)> = vec![("content-type", kind.to_owned())];
    headers.extend(proved(post, keys));
    if post.forgery == Some(Forgery::Forwarded) {
        headers.push(("x-forwarded-for", "127.0.0.1".to_owned()));
    }
    Dressed { token: token(post, keys), path: None, query: None, headers, body: body(post) }
}

fn body(post: &Post) -> Cow<'_, [u8]> {
    match post.forgery {
        Some(Forgery::ChangedByte) => {
            let mut changed = post.body.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            Cow::Owned(changed)
        }
        Some(Forgery::CutBody) => Cow::Borrowed(&post.body[..post.body.len() - 1]),
        _ => Cow::Borrowed(&post.body),
    }
}

/// Where an account has a token, every address ends with it, whatever else proves the request.
fn token<'a>(post: &Post, keys: &'a Keys) -> Option<&'a Secret> {
    match (&post.proof, post.forgery) {
        (Proof::Token, Some(Forgery::NoToken | Forgery::Forwarded)) => None,
        (Proof::Token, Some(Forgery::WrongToken)) => Some(&keys.stranger),
        // With the token and without a signature it would be a webhook of the dashboard.
        (_, Some(Forgery::NoHeader)) => None,
        _ => keys.token.as_ref(),
    }
}

/// The header that proves it, on its channel.
fn proved(post: &Post, keys: &Keys) -> Option<(&'static str, String)> {
    match &post.proof {
        Proof::Key(number) => signed(post, *number),
        Proof::Login => basic(post, keys),
        Proof::Form => postback(post, keys),
        Proof::Token | Proof::Body | Proof::Id(_) | Proof::Certificate(_) => None,
    }
}

fn signed(post: &Post, number: usize) -> Option<(&'static str, String)> {
    let hub = hub();
    let right = hub.keys[number].sign(&post.body);
    let header = match post.forgery {
        None | Some(Forgery::ChangedByte | Forgery::CutBody) => right,
        Some(Forgery::NoHeader) => return None,
        Some(Forgery::OtherKey) => hub.other.sign(&post.body),
        Some(Forgery::UnknownKey) => hub.unknown.sign(&post.body),
        Some(Forgery::NoAlgorithm) => format!("alg=none; kid=hub-{}; signature=", number + 1),
        Some(Forgery::PublicKeyHmac) => {
            let public = hub.keys[number].jwk();
            let tag = Secret::new(public["n"].as_str()?).ok().map(|key| sign_postback(&key, &post.body))?;
            format!("alg=HS256; kid=hub-{}; signature={}", number + 1, tag.trim_start_matches("sha1="))
        }
        Some(Forgery::FakeScheme) => right.replace("RS256", "RS512"),
        Some(Forgery::TwoSignatures) => format!("{right}; signature=AAAA"),
        Some(_) => return None,
    };
    Some((SIGNATURE, header))
}

fn basic(post: &Post, keys: &Keys) -> Option<(&'static str, String)> {
    let login = match post.forgery {
        None => keys.login.as_ref()?.expose(),
        Some(Forgery::NoLogin) => return None,
        Some(_) => b"loja:somebody-elses-password",
    };
    Some(("authorization", format!("Basic {}", STANDARD.encode(login))))
}

fn postback(post: &Post, keys: &Keys) -> Option<(&'static str, String)> {
    let right = sign_postback(keys.secret(), &post.body);
    let header = match post.forgery {
        Some(Forgery::NoHeader) => return None,
        Some(Forgery::WrongSecret) => sign_postback(&keys.stranger, &post.body),
        Some(Forgery::FakeScheme) => right.replace("sha1=", "sha256="),
        Some(Forgery::TwoSignatures) => format!("{right},sha1=00"),
        _ => right,
    };
    Some(("x-hub-signature", header))
}

//! Pagar.me's proofs: the known answers of all three channels, and the ways to get round each.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::pagarme::{HubKey, sign_postback};
use afluente_gateways::{Credential, Credentials, Digest, KeySet, Rejection, Request, Secret, SecretForm, adapter};
use afluente_model::{Gateway, Proof, SecretName, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The example key of RFC 7515, appendix A.2, whose private half is published there.
const KEY: &[u8] = include_bytes!("keys/rfc7515-a2.der");
const KEY_ID: &str = "afluente-test-1";
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

const R1_BODY: &str = r#"{"id":"hook_0000000000000001","account":{"id":"acc_0000000000000001","name":"Loja"},"type":"charge.paid","created_at":"2026-01-15T12:00:00Z","data":{"id":"ch_0000000000000001","amount":1000,"status":"paid"}}"#;
const R1: &str = "cMzVSt1jLx8HlAwZQL8U_OC5za-K3yNxB8JPkDcjQyfH1eu1udb4VpK01OmNhtmaooK96KlrIuBw-lu2lM5BhtLTBpsh4oXohLJCgP-SglonVn8cVDB4KckSuFweyv-ULJjy9JuqwQcCyydH5LpaT1mZ0bu78qQez2glFxYV9jyJigaFgUTxDRPCncrq57v1Ah9pId-uu_6l9FwZTo689bNhGnNz5Qq0yv2soXVX0rhb34DkNB5_6iZKoklMAlyATEOcoGa1IDBx-TIlULeqVRHQPkN1vWle_BYwZG-dxmgoYqu8D8E8vS9S35aBElH9-nXrWIIY4WBVagTICbYVnA";
const R2_BODY: &str = "{\"id\":\"hook_0000000000000002\",\"type\":\"order.paid\",\"data\":{\"customer\":{\"name\":\"José Conceição\"}}}\n";
const R2: &str = "DQu4/fw/B7BxVflUkNdYcSDSVFf6bzFoC9A0Z3diMPUocOmLpfYPOmX9CU+G9AQOKnBRgd/6d5yAOET3pcmruqIZHmyFu1JC7CR6PLsXMdHiNUqDWiY2N5LACqxEegBBDV7zCqKkQVmytA458BF9iXXfR4pUERo/kxf343vj7f6MJ0KPfkc5EHe01PVJriSeM0ibyE5HDDFv7TGOA5ij5Qe0Jspp45vbFVgla1gADYBb/nxnXTlDaBfOu5SXQVzu5nxBJgz6Zd9mKAMmLIvVsJx2siYbzt5yLa9mueEJ8wB8o7+smXuI6akDFJNInVcIuEpmtPkPiNfgntrmD+/l+A==";

/// Vector H3, without a newline at its end.
const POSTBACK: &str = "id=4251420&fingerprint=0&event=transaction_status_changed&old_status=waiting_payment&desired_status=paid&current_status=paid&object=transaction&transaction%5Bid%5D=4251420&transaction%5Bamount%5D=15000&transaction%5Bcustomer%5D%5Bname%5D=Jos%C3%A9+da+Silva";
const API_KEY: &str = "ak_test_Afluente0000000000000000000";

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const HEADER: &str = "x-webhook-asymmetric-signature";
const HUB: &str = "x-hub-signature";

/// A request in the making.
struct Case<'a> {
    headers: Vec<(&'static str, String)>,
    token: Option<&'static str>,
    body: &'a [u8],
}

impl<'a> Case<'a> {
    fn new(kind: &str, body: &'a (impl AsRef<[u8]> + ?Sized)) -> Case<'a> {
        Case { headers: vec![("content-type", kind.to_owned())], token: None, body: body.as_ref() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Case<'a> {
        self.headers.push((name, value.into()));
        self
    }

    fn at(self, token: &'static str) -> Case<'a> {
        Case { token: Some(token), ..self }
    }

    fn verified(&self, all: Vec<Credential>, digest: Digest) -> Result<Proof, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let request = Request {
            method: &Method::POST,
            path_token: self.token,
            peer: None,
            query: None,
            headers: &headers,
            body: self.body,
        };
        let credentials = Credentials::new(all, 300).with_digest(digest);
        // The moment changes nothing: what was signed once is signed for ever.
        let proofs = [0, 4_000_000_000].map(|clock| {
            adapter(Gateway::Pagarme).verify(&request, &credentials, Timestamp::from_seconds(clock).unwrap())
        });
        assert_eq!(proofs[0], proofs[1]);
        proofs[0].clone()
    }

    fn by_the_hub(&self) -> Result<Proof, Rejection> {
        self.verified(vec![Credential::Keys(keys())], Digest::Sha1)
    }

    fn by_postback(&self, key: &str) -> Result<Proof, Rejection> {
        self.verified(vec![Credential::Hmac(Secret::new(key).unwrap())], Digest::Sha1)
    }
}

/// The set as the sheet has it, and not as our own key writes it.
fn keys() -> KeySet {
    key_set(&jwk(KEY_ID, "sig", "RS256"))
}

fn jwk(id: &str, purpose: &str, algorithm: &str) -> String {
    format!(r#"{{"kty":"RSA","use":"{purpose}","alg":"{algorithm}","kid":"{id}","e":"AQAB","n":"{N}"}}"#)
}

fn key_set(jwk: &str) -> KeySet {
    let set = KeySet::default();
    let _ = set.replace(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes());
    set
}

fn header(signature: &str) -> String {
    format!("alg=RS256; kid={KEY_ID}; signature={signature}")
}

fn signed(body: &str, header: impl Into<String>) -> Result<Proof, Rejection> {
    Case::new(JSON, body).with(HEADER, header).by_the_hub()
}

fn is_signed(proof: &Result<Proof, Rejection>) -> bool {
    matches!(proof, Ok(Proof::Signed { .. }))
}

const WRONG: Result<Proof, Rejection> = Err(Rejection::WrongSignature { secrets: 1 });

#[test]
fn vectors_r1_and_r2_hold_in_either_alphabet_padded_or_not_and_in_any_order_of_the_parts() {
    for (body, signature) in [(R1_BODY, R1), (R2_BODY, R2)] {
        let url = signature.replace('+', "-").replace('/', "_");
        let standard = signature.replace('-', "+").replace('_', "/");
        for text in
            [&url, &standard, &format!("{}==", url.trim_end_matches('=')), &standard.trim_end_matches('=').to_owned()]
        {
            assert!(is_signed(&signed(body, header(text))), "{text}");
            let turned = format!("signature={text};kid={KEY_ID} ; alg=RS256; more=x");
            assert!(is_signed(&signed(body, turned)), "{text}");
        }
    }
}

#[test]
fn what_is_not_these_bytes_by_this_key_is_refused() {
    let spaced = R1_BODY.replace(':', ": ");
    let changed = R1_BODY.replace("1000", "1001");
    for body in [spaced.as_str(), &changed, R2_BODY, &R1_BODY[..R1_BODY.len() - 1]] {
        assert_eq!(signed(body, header(R1)), WRONG);
    }
    assert_eq!(signed("", header(R1)), Err(Rejection::EmptyBody));
    let other = R1.replacen('c', "d", 1);
    assert_eq!(signed(R1_BODY, header(&other)), WRONG);
}

#[test]
fn the_sender_does_not_choose_the_algorithm() {
    let hs256 = |alg: &str| format!("alg={alg}; kid={KEY_ID}; signature={R1}");
    for alg in ["HS256", "none", "NONE", "rs256", "RS512", ""] {
        assert!(matches!(signed(R1_BODY, hs256(alg)), Err(Rejection::UnusableSignature { .. })), "{alg}");
    }
    // An HMAC keyed with the public key, as a verifier would take that lets the header choose.
    let tag = sign_postback(&Secret::new(N).unwrap(), R1_BODY.as_bytes()).replace("sha1=", "");
    for header in [
        format!("alg=HS256; kid={KEY_ID}; signature={tag}"),
        format!("alg=RS256; kid={KEY_ID}; signature={tag}"),
        R1.to_owned(),
        format!("kid={KEY_ID}; signature={R1}"),
        format!("alg=RS256; signature={R1}"),
        format!("alg=RS256; kid=; signature={R1}"),
        format!("alg=RS256; kid={KEY_ID}"),
        format!("alg=RS256; kid={KEY_ID}; signature="),
        format!("alg=RS256; kid={KEY_ID}; signature={R1}; signature={R1}"),
        format!("alg=RS256; alg=HS256; kid={KEY_ID}; signature={R1}"),
        format!("alg=RS256; kid={KEY_ID}; signature={R1}$"),
        String::new(),
    ] {
        let refused = signed(R1_BODY, header.clone());
        let is_malformed =
            matches!(refused, Err(Rejection::MalformedSignature { .. } | Rejection::UnusableSignature { .. }));
        assert!(is_malformed, "{header}: {refused:?}");
    }
    let twice = Case::new(JSON, R1_BODY).with(HEADER, header(R1)).with(HEADER, header(R1));
    assert_eq!(twice.by_the_hub(), Err(Rejection::RepeatedHeader));
}

#[test]
fn a_key_that_is_not_there_proves_nothing_and_refuses_nothing() {
    let case = || Case::new(JSON, R1_BODY).with(HEADER, header(R1));
    let with = |set: &KeySet| case().verified(vec![Credential::Keys(set.clone())], Digest::Sha1);
    let later = KeySet::default();
    assert_eq!(with(&later), Ok(Proof::None));
    assert!(later.was_missed(), "so that it is asked for");
    later.replace(format!(r#"{{"keys":[{}]}}"#, jwk(KEY_ID, "sig", "RS256")).as_bytes()).unwrap();
    assert!(is_signed(&with(&later)), "the same set, once it was fetched");
    assert_eq!(with(&key_set(&jwk(KEY_ID, "enc", "RS256"))), Ok(Proof::None));
    assert_eq!(with(&key_set(&jwk(KEY_ID, "sig", "RS512"))), Ok(Proof::None));
    assert_eq!(with(&key_set(&jwk("another", "sig", "RS256"))), Ok(Proof::None));
    let hs256 = case().headers[1].1.replace("RS256", "HS256");
    assert!(matches!(signed(R1_BODY, hs256), Err(Rejection::UnusableSignature { .. })), "whatever the key");
}

#[test]
fn what_our_own_key_signs_is_what_the_set_verifies() {
    let key = HubKey::from_der(KEY_ID, KEY).unwrap();
    assert_eq!(key.sign(R1_BODY.as_bytes()), format!("{}==", header(R1)));
    let set = key_set(&key.jwk().to_string());
    let case = Case::new(JSON, R2_BODY).with(HEADER, key.sign(R2_BODY.as_bytes()));
    assert!(is_signed(&case.verified(vec![Credential::Keys(set)], Digest::Sha1)));
}

fn login(text: &str) -> Credential {
    Credential::Login(Secret::pasted(text, &SecretForm::LOGIN).unwrap())
}

fn token(text: &str) -> Credential {
    Credential::PathToken(Secret::new(text).unwrap())
}

#[test]
fn vectors_b1_to_b3_prove_who_speaks_and_nothing_of_the_body() {
    for (text, shown) in [
        ("afluente:s3nh@-forte", "Basic YWZsdWVudGU6czNuaEAtZm9ydGU="),
        ("loja:abc:def:ghi", "Basic bG9qYTphYmM6ZGVmOmdoaQ=="),
        ("usuário:çã", "basic dXN1w6FyaW86w6fDow=="),
    ] {
        let case = Case::new(JSON, R1_BODY).with("authorization", shown);
        let peer = SecretName::of(text.as_bytes()).as_str().into();
        assert_eq!(
            case.verified(vec![login("other:password"), login(text)], Digest::Sha1),
            Ok(Proof::Channel { peer })
        );
        assert_eq!(case.verified(vec![login("other:password")], Digest::Sha1), Err(Rejection::WrongLogin));
    }
    for shown in ["", "Basic", "Basic ", "Basic !!!!", "Bearer YWZsdWVudGU6czNuaEAtZm9ydGU=", "Basic YWZsdWVudGU="] {
        let case = Case::new(JSON, R1_BODY).with("authorization", shown);
        assert_eq!(
            case.verified(vec![login("afluente:s3nh@-forte")], Digest::Sha1),
            Err(Rejection::WrongLogin),
            "{shown:?}"
        );
    }
    let none = Case::new(JSON, R1_BODY).verified(vec![login("afluente:s3nh@-forte")], Digest::Sha1);
    assert_eq!(none, Err(Rejection::WrongLogin));
}

#[test]
fn what_an_account_has_of_login_and_token_has_to_hold_and_a_request_without_either_is_refused() {
    const SHOWN: &str = "Basic YWZsdWVudGU6czNuaEAtZm9ydGU=";
    let both = || vec![login("afluente:s3nh@-forte"), token("token-one"), token("token-two")];
    let case = || Case::new(JSON, R1_BODY);
    let verified = |case: Case<'_>, all| case.verified(all, Digest::Sha1);
    assert!(matches!(verified(case().at("token-two").with("authorization", SHOWN), both()), Ok(Proof::Channel { .. })));
    assert_eq!(verified(case().with("authorization", SHOWN), both()), Err(Rejection::WrongPathToken));
    assert_eq!(verified(case().at("token-one"), both()), Err(Rejection::WrongLogin));
    assert_eq!(verified(case().at("token-one"), vec![token("token-one")]), Ok(Proof::PathToken));
    assert_eq!(verified(case().at("token-one"), vec![token("token-one"), token("token-one")]), Ok(Proof::PathToken));
    assert_eq!(verified(case().at("token-xxx"), vec![token("token-one")]), Err(Rejection::WrongPathToken));
    assert_eq!(verified(case(), vec![token("token-one")]), Err(Rejection::WrongPathToken));
    assert_eq!(case().by_the_hub(), Err(Rejection::NoSignature));
}

#[test]
fn no_channel_is_tried_in_place_of_another() {
    const SHOWN: &str = "Basic YWZsdWVudGU6czNuaEAtZm9ydGU=";
    let all = || {
        let hmac = Credential::Hmac(Secret::new(API_KEY).unwrap());
        vec![Credential::Keys(keys()), login("afluente:s3nh@-forte"), hmac]
    };
    let forged = Case::new(JSON, R1_BODY).with(HEADER, header(&R1.replacen('c', "d", 1))).with("authorization", SHOWN);
    assert_eq!(forged.verified(all(), Digest::Sha1), WRONG, "a password does not mend a signature");
    let form = Case::new(FORM, POSTBACK).with("authorization", SHOWN);
    assert_eq!(form.verified(all(), Digest::Sha1), Err(Rejection::NoSignature));
    let tag = sign_postback(&Secret::new(API_KEY).unwrap(), R1_BODY.as_bytes());
    let json = Case::new(JSON, R1_BODY).with(HUB, tag);
    assert_eq!(json.verified(all(), Digest::Sha1), Err(Rejection::WrongLogin), "v5 has no HMAC");
    let unexpected = Case::new(JSON, R1_BODY).with(HEADER, header(R1));
    let refused = unexpected.verified(vec![login("afluente:s3nh@-forte")], Digest::Sha1);
    assert_eq!(refused, Err(Rejection::NothingToCheckWith { needs: "keys" }));
    let refused = Case::new(FORM, POSTBACK).with(HUB, "sha1=00").by_the_hub();
    assert_eq!(refused, Err(Rejection::NothingToCheckWith { needs: "secrets" }));
}

#[test]
fn vectors_h3_and_h4_hold_and_the_account_says_which_digest() {
    let sha1 = "965d8e3d1402073eddeffdc1c4d4e1359f3a4112";
    let sha256 = "1976b6f002110d92443e933ecc296d3cfb04bbdb1cb4d562295dd3a87fdf4f60";
    let case = |tag: String| Case::new(FORM, POSTBACK).with(HUB, tag);
    let hmac = || {
        vec![
            Credential::Hmac(Secret::new("ak_test_older_key").unwrap()),
            Credential::Hmac(Secret::new(API_KEY).unwrap()),
        ]
    };
    assert_eq!(sign_postback(&Secret::new(API_KEY).unwrap(), POSTBACK.as_bytes()), format!("sha1={sha1}"));
    assert!(is_signed(&case(format!("sha1={sha1}")).verified(hmac(), Digest::Sha1)));
    assert!(is_signed(&case(format!("sha256={sha256}")).verified(hmac(), Digest::Sha256)));
    let unusable = |proof| matches!(proof, Err(Rejection::UnusableSignature { .. }));
    assert!(unusable(case(format!("sha256={sha256}")).verified(hmac(), Digest::Sha1)), "the account says sha1");
    assert!(unusable(case(sha1.to_owned()).by_postback(API_KEY)), "the bare hex of some libraries");
    let by_another = "sha1=9cdb2e850ba44bd51025f109a27660b842412f1c";
    for tag in [by_another, "sha1=", "sha1=00"] {
        assert_eq!(case(tag.to_owned()).by_postback(API_KEY), WRONG, "{tag}");
    }
    let reencoded = POSTBACK.replace("%5B", "[").replace("%5D", "]");
    assert_eq!(Case::new(FORM, &reencoded).with(HUB, format!("sha1={sha1}")).by_postback(API_KEY), WRONG);
    let fingerprint = "sha1=bbf609f80b08e14b706cfdcb0d07948d5fafe42e";
    assert_eq!(
        case(fingerprint.to_owned()).by_postback(API_KEY),
        WRONG,
        "what is the same for every event proves none"
    );
}

//! Who is known by a certificate or by an address: a bank and Efí. The sheet's answers E1 to E4 and C2 to C4, and what must fail.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use afluente_gateways::{
    AccountView, Adapter, Authorities, Certificates, Credential, Credentials, Envelope, IgnoredBecause, PATH,
    Rejection, Request, Secret, Tenants, adapters, read,
};
use afluente_model::{AccountName, Delivery, DeliveryId, Gateway, Incoming, Mode, Proof, ProviderId, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, Method};

const LEAF: &str = include_str!("keys/icp-leaf.pem");
const ROOT: &str = include_str!("keys/icp-root.pem");
const HASH: &str = "4f9b2c7d";
const PEER: &str = "b961c4eb-509d-4edf-afeb-35642b38185d/7f2c1d9e-3a4b-4c5d-8e6f-901a2b3c4d5e";
const NOTICE: &str = "open-banking/webhook/v1/payments/v4/pix/payments/P-1";

fn adapter(profile: &str) -> &'static dyn Adapter {
    *adapters(Gateway::OpenFinance).iter().find(|adapter| adapter.profile().name == profile).unwrap()
}

fn certificate() -> Credential {
    Credential::Authorities(Arc::new(Authorities::from_pem(ROOT.as_bytes()).unwrap()))
}

fn text() -> Credential {
    Credential::PathToken(Secret::new(HASH).unwrap())
}

/// What a request with this behind the account, this query, and the sheet's certificate or none is found to be.
fn verify(
    profile: &str,
    credentials: Vec<Credential>,
    (path, query, peer): (Option<&str>, Option<&str>, bool),
) -> Result<Proof, Rejection> {
    let leaf = Certificates::from_pem(LEAF.as_bytes()).unwrap();
    let headers = HeaderMap::new();
    let peer = peer.then_some(&leaf);
    let request = Request { method: &Method::POST, path_token: path, peer, query, headers: &headers, body: b"{}" };
    adapter(profile).verify(
        &request,
        &Credentials::new(credentials, 300),
        Timestamp::from_seconds(1_789_648_230).unwrap(),
    )
}

fn channel() -> Proof {
    Proof::Channel { peer: PEER.into() }
}

#[test]
fn e1_to_e3_efis_registered_text_is_compared_byte_for_byte_and_stands_once() {
    let with = |query| verify("efi", vec![text()], (None, query, false));
    assert_eq!(with(Some("hmac=4f9b2c7d")), Ok(Proof::PathToken));
    assert_eq!(with(Some("ignorar=&hmac=4f9b2c7d&x=1")), Ok(Proof::PathToken));
    let wrong = Err(Rejection::WrongPathToken);
    for query in [
        None,
        Some(""),
        Some("hmac="),
        Some("hmac=4F9B2C7D"),
        Some("hmac=4f9b2c7d&hmac=4f9b2c7d"),
        Some("hmac=4f9b2c7d&hmac=00000000"),
        Some("HMAC=4f9b2c7d"),
        Some("hmac=4f9b2c7d%20"),
        Some("hmac=4f9b2c7"),
    ] {
        assert_eq!(with(query), wrong, "{query:?}");
    }
}

#[test]
fn e4_efis_probe_without_a_certificate_is_refused_and_with_both_proofs_both_have_to_hold() {
    assert_eq!(verify("efi", vec![certificate()], (None, None, false)), Err(Rejection::NoCertificate));
    assert_eq!(verify("efi", vec![certificate()], (None, None, true)), Ok(channel()));
    let both = || vec![certificate(), text()];
    let hash = Some("hmac=4f9b2c7d");
    assert_eq!(verify("efi", both(), (None, hash, true)), Ok(channel()));
    assert_eq!(verify("efi", both(), (None, hash, false)), Err(Rejection::NoCertificate));
    assert_eq!(verify("efi", both(), (None, None, true)), Err(Rejection::WrongPathToken));
    assert!(matches!(verify("efi", vec![], (None, hash, true)), Err(Rejection::UntrustedCertificate { .. })));
}

#[test]
fn efi_posts_to_the_address_with_pix_behind_it_or_without_and_to_nothing_else() {
    let at = |path| verify("efi", vec![certificate()], (path, None, true));
    assert_eq!((at(None), at(Some("pix"))), (Ok(channel()), Ok(channel())));
    for path in ["pix/", "pix/pix", "PIX", "pix%2F", NOTICE, ".."] {
        assert_eq!(at(Some(path)), Err(Rejection::UnknownPath), "{path}");
    }
}

#[test]
fn c2_a_bank_is_known_by_its_certificate_and_posts_to_five_paths() {
    let at = |path, peer| verify("ofb", vec![certificate()], (path, None, peer));
    assert_eq!(at(Some(NOTICE), true), Ok(channel()));
    assert_eq!(at(Some(NOTICE), false), Err(Rejection::NoCertificate));
    for path in [None, Some("pix"), Some("open-banking/webhook/v1/customer-data/events")] {
        assert_eq!(at(path, true), Err(Rejection::UnknownPath), "{path:?}");
    }
    // Nothing that proves another profile proves a bank.
    assert!(matches!(
        verify("ofb", vec![text()], (Some(NOTICE), Some("hmac=4f9b2c7d"), true)),
        Err(Rejection::UntrustedCertificate { .. })
    ));
}

#[test]
fn c4_a_good_certificate_of_one_bank_says_nothing_of_anothers_resources() {
    let says = |holder: &str| {
        let delivery = Delivery {
            id: DeliveryId(uuid::Uuid::nil()),
            gateway: Gateway::OpenFinance,
            account: AccountName::parse("bank").unwrap(),
            received_at: Timestamp::from_seconds(1_789_648_230).unwrap(),
            proof: channel(),
            headers: vec![(PATH.into(), NOTICE.into())],
            query: None,
            traceparent: None,
            released_by: None,
            body: Bytes::from_static(br#"{"data":{"timestamp":"2026-09-17T12:30:05Z"}}"#),
        };
        let view = AccountView { mode: Mode::Test, external_id: ProviderId::parse(holder).ok(), tenants: Tenants::Own };
        read(adapter("ofb"), &Envelope::of(&Incoming::Delivery(delivery), &view)).unwrap()
    };
    let own = says("b961c4eb-509d-4edf-afeb-35642b38185d");
    assert_eq!((own.wants.len(), own.ignored), (1, None));
    let others = says("e2c1a3d0-0c52-4c4b-9a55-2f2f7a0c7d11");
    assert_eq!((others.wants.len(), others.ignored), (0, Some(IgnoredBecause::WrongAccount)));
}

//! A bank that is asked over mutual TLS, by a client that signs for its tokens, and that signs what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use afluente_gateways::jws::Expected;
use afluente_gateways::{AccountView, KeySet, Tenants, adapters};
use afluente_lookup::{
    Access, Accounts, Assertion, Auth, Base, Budget, ClientTls, Identity, LookupAccount, SignedBy, SigningKey,
};
use afluente_model::{Gateway as Named, MerchantName, Mode, WantKind, WantReason};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{
    RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};

use super::gateway::{Gateway, Say};
use super::site::{Site, name, settings};

const BANK_KEY: &str = include_str!("../keys/bank.pem");
const CLIENT_KEY: &str = include_str!("../keys/client.pem");
const BANK: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";
const OURS: &str = "5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70";

fn pair(pem: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap().secret_pkcs8_der()).unwrap()
}

/// The bank's key as the Directory shows it.
fn keys() -> KeySet {
    let pair = pair(BANK_KEY);
    let part = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let components: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
    let (n, e) = (part(components.n), part(components.e));
    let jwks = json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "PS256", "kid": "bank-1", "n": n, "e": e}]});
    let keys = KeySet::default();
    keys.replace(jwks.to_string().as_bytes()).unwrap();
    keys
}

fn signed(header: &Value, payload: &Value, with: &'static dyn RsaEncoding) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(payload));
    let pair = pair(BANK_KEY);
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(with, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn payment(id: &str, jti: &str) -> Value {
    json!({
        "data": {"paymentId": id, "status": "ACSC", "statusUpdateDateTime": "2026-01-01T10:00:00Z",
            "creationDateTime": "2026-01-01T10:00:00Z", "payment": {"amount": "10.00", "currency": "BRL"}},
        "iss": BANK, "aud": OURS, "iat": afluente_worker::now().as_seconds(), "jti": jti,
    })
}

fn jwt(status: u16, body: String) -> Say {
    Say::Status(status, vec![("content-type", "application/jwt; charset=utf-8".to_owned())], body)
}

fn good(id: &str, jti: &str) -> Say {
    jwt(200, signed(&json!({"alg": "PS256", "typ": "JWT", "kid": "bank-1"}), &payment(id, jti), &RSA_PSS_SHA256))
}

fn token() -> Say {
    Say::json(200, r#"{"access_token":"bound","expires_in":600,"token_type":"Bearer"}"#)
}

/// Whom both ends trust.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// A server that asks for a certificate of this authority.
    fn server(&self) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.0.pem().as_bytes()).unwrap()).unwrap();
        let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let (chain, key) = self.issue(ExtendedKeyUsagePurpose::ServerAuth);
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Arc::new(ServerConfig::builder().with_client_cert_verifier(clients).with_single_cert(chain, key).unwrap())
    }

    fn client(&self) -> ClientTls {
        let (chain, key) = self.issue(ExtendedKeyUsagePurpose::ClientAuth);
        let identity = Identity { chain: chain.as_bytes(), key: key.as_bytes() };
        ClientTls::new(Some(&identity), Some(self.0.pem().as_bytes())).unwrap()
    }
}

fn accounts(base: &str, tls: Option<ClientTls>) -> Accounts {
    let adapter = adapters(Named::OpenFinance)[0];
    let account = afluente_worker::Account {
        gateway: Named::OpenFinance,
        merchant: MerchantName::parse("default").unwrap(),
        adapter,
        view: AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own },
        replaces: None,
    };
    let assertion = Assertion {
        client_id: "client-1".into(),
        key: SigningKey::from_pem("ours-1", CLIENT_KEY).unwrap(),
        endpoint: Base::parse(&format!("{base}/auth/token")).unwrap(),
        scope: "payments".into(),
    };
    let expected = Expected { issuer: BANK.into(), audience: OURS.into(), tolerance_seconds: 60 };
    let access = Access {
        api: &adapter.profile().apis[0],
        base: Base::parse(base).unwrap(),
        auth: Auth::Assertion(Box::new(assertion)),
        tls,
        signed: Some(SignedBy { base: Base::parse("http://127.0.0.1:9").unwrap(), expected }),
        budget: Budget { per_second: 1_000, per_month: None, at_once: 1 },
    };
    Accounts(BTreeMap::from([(name(), LookupAccount { account, access, keys: Some(keys()) })]))
}

#[tokio::test]
async fn a_bank_is_asked_over_mutual_tls_by_a_client_that_signs_and_what_it_signs_is_believed() {
    let authority = Authority::new();
    let site = Site::of(Named::OpenFinance).await;
    let bank = Gateway::behind(Some(authority.server()), vec![token(), good("P-1", "one")]).await;
    let base = format!("https://localhost:{}", bank.address.port());
    site.wants_of("", Some("v5"), WantKind::Payment, "P-1", WantReason::Hint).await;
    let running = site.asks_for(accounts(&base, Some(authority.client())), settings());
    site.open_when(|open| open.iter().all(|want| want.kind != "payment")).await;
    running.stop().await;
    assert_eq!(site.payment("P-1").await, Some(("SUCCEEDED".to_owned(), 1_000)));
    let asked = bank.asked();
    assert_eq!((&*asked[0].path, &*asked[1].path), ("/auth/token", "/open-banking/payments/v5/pix/payments/P-1"));
    assert_eq!(asked[1].headers["authorization"], "Bearer bound");
    assert_eq!(asked[1].headers["x-fapi-interaction-id"].len(), 36);
    signs_for_its_token(&asked[0].body, &format!("{base}/auth/token"));
}

/// The form of a token's request proves who asks, for this address and no other.
fn signs_for_its_token(form: &str, endpoint: &str) {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    assert_eq!((&*fields["grant_type"], &*fields["scope"]), ("client_credentials", "payments"));
    assert!(!fields.contains_key("client_secret"));
    let (message, signature) = fields["client_assertion"].rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = pair(CLIENT_KEY).public().as_ref().to_vec();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public).verify(message.as_bytes(), &signature).unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(header), json!({"alg": "PS256", "kid": "ours-1", "typ": "JWT"}));
    let claims = read(claims);
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["aud"]),
        (&json!("client-1"), &json!("client-1"), &json!(endpoint))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
}

#[tokio::test]
async fn a_bank_that_is_shown_no_certificate_answers_nothing() {
    let authority = Authority::new();
    let site = Site::of(Named::OpenFinance).await;
    let bank = Gateway::behind(Some(authority.server()), vec![token(), good("P-1", "one")]).await;
    let base = format!("https://localhost:{}", bank.address.port());
    site.wants_of("", None, WantKind::Payment, "P-1", WantReason::Hint).await;
    let anonymous = ClientTls::new(None, Some(authority.0.pem().as_bytes())).unwrap();
    let running = site.asks_for(accounts(&base, Some(anonymous)), settings());
    let want = site.asked_times(1).await;
    running.stop().await;
    let outcome = want.last_outcome.unwrap();
    assert!(outcome == "unreachable" || outcome == "cut", "{outcome}");
    assert!(bank.asked().is_empty());
}

#[tokio::test]
async fn what_is_not_signed_as_it_must_be_is_never_applied() {
    let header = json!({"alg": "PS256", "kid": "bank-1"});
    let with = |key: &str, value: Value| {
        let mut payload = payment("P-1", "x");
        payload[key] = value;
        payload
    };
    let ps256 = |payload: &Value| jwt(200, signed(&header, payload, &RSA_PSS_SHA256));
    let old = afluente_worker::now().as_seconds() - 3_600;
    let tampered = {
        let token = signed(&header, &payment("P-1", "x"), &RSA_PSS_SHA256);
        let parts: Vec<&str> = token.split('.').collect();
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap().replace("10.00", "90.00");
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload), parts[2])
    };
    let refused = [
        ("plain JSON", Say::json(200, &payment("P-1", "x").to_string())),
        ("JSON that says it is signed", jwt(200, payment("P-1", "x").to_string())),
        ("tampered", jwt(200, tampered)),
        (
            "another algorithm",
            jwt(200, signed(&json!({"alg": "RS256", "kid": "bank-1"}), &payment("P-1", "x"), &RSA_PKCS1_SHA256)),
        ),
        (
            "no algorithm",
            jwt(200, signed(&json!({"alg": "none", "kid": "bank-1"}), &payment("P-1", "x"), &RSA_PSS_SHA256)),
        ),
        (
            "another key",
            jwt(200, signed(&json!({"alg": "PS256", "kid": "bank-2"}), &payment("P-1", "x"), &RSA_PSS_SHA256)),
        ),
        ("another issuer", ps256(&with("iss", json!(OURS)))),
        ("another audience", ps256(&with("aud", json!(BANK)))),
        ("an old one", ps256(&with("iat", json!(old)))),
        ("without an id", ps256(&with("jti", Value::Null))),
    ];
    for (what, say) in refused {
        let site = Site::of(Named::OpenFinance).await;
        let bank = Gateway::that_says(vec![token(), say]).await;
        site.wants(WantKind::Payment, "P-1", WantReason::Hint).await;
        let running = site.asks_for(accounts(&bank.base(), None), settings());
        let want = site.asked_times(1).await;
        running.stop().await;
        assert_eq!(want.last_outcome.as_deref(), Some("unproved"), "{what}");
        assert_eq!(site.store.counts().await.unwrap().receipts, 0, "{what}");
    }
}

#[tokio::test]
async fn an_answer_about_another_payment_and_one_that_came_before_are_not_applied() {
    let site = Site::of(Named::OpenFinance).await;
    let bank = Gateway::that_says(vec![token(), good("P-2", "one")]).await;
    site.wants(WantKind::Payment, "P-1", WantReason::Hint).await;
    let running = site.asks_for(accounts(&bank.base(), None), settings());
    assert_eq!(site.asked_times(1).await.last_outcome.as_deref(), Some("unusable"));
    // The same answer again, to a question it would answer.
    site.wants(WantKind::Payment, "P-2", WantReason::Hint).await;
    let open = site.open_when(|open| open.iter().any(|want| want.reference == "P-2" && want.attempts >= 1)).await;
    let replayed = open.iter().find(|want| want.reference == "P-2").unwrap();
    assert_eq!(replayed.last_outcome.as_deref(), Some("unproved"));
    running.stop().await;
    assert_eq!((site.payment("P-1").await, site.payment("P-2").await), (None, None));
}

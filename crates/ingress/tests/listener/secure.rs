//! TLS in this process, and machines in front that speak for callers: who proves whom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use afluente_gateways::{Authorities, Credential, Credentials, adapters};
use afluente_ingress::{Account, Clients, Identity, Limits, Listener, Proxies, server_config};
use afluente_model::{AccountName, Gateway, Proof};
use http::HeaderName;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, DEADLINE, post, request, signature, signed};
use crate::site::{NOON, SECRET, Site};

const HOLDER: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";
const OTHER_HOLDER: &str = "e2c1a3d0-0c52-4c4b-9a55-2f2f7a0c7d11";
const SOFTWARE: &str = "7f2c1d9e-3a4b-4c5d-8e6f-901a2b3c4d5e";
const NOTICE: &str = "/webhooks/openfinance/bank/open-banking/webhook/v1/payments/v4/pix/payments/P-1";
const BODY: &[u8] = br#"{"data":{"timestamp":"2026-11-01T12:00:00Z"}}"#;

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone)]
struct Pair {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("Authority {:?}", std::thread::current().id()));
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        change(&mut params);
        Pair { chain: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }

    fn server(&self) -> Pair {
        self.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    fn bank(&self, organisation: &str) -> Pair {
        self.issue(|params| of_a_bank(params, organisation))
    }

    fn trusted(&self) -> Authorities {
        Authorities::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    /// The account of the bank, whose clients this authority vouches for.
    fn account(&self) -> Account {
        let credentials = Credentials::new(vec![Credential::Authorities(Arc::new(self.trusted()))], 300);
        let name = AccountName::parse("bank").unwrap();
        Account::new(adapters(Gateway::OpenFinance)[0], name, credentials)
            .with_aliases(vec!["/api/open-finance/webhook".into()])
    }

    fn settings(&self, identity: &Pair, clients: Clients) -> Arc<ServerConfig> {
        let identity = Identity { chain: identity.chain.as_bytes(), key: identity.key.as_bytes() };
        server_config(identity, clients, [&self.trusted()]).unwrap()
    }
}

fn of_a_bank(params: &mut CertificateParams, organisation: &str) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("OFBBR-{organisation}"));
    params.distinguished_name.push(DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 1]), SOFTWARE);
}

/// A caller who trusts this authority and may have a certificate.
struct Caller {
    authority: String,
    identity: Option<Pair>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Caller {
    fn of(authority: &Authority, identity: Option<Pair>) -> Caller {
        Caller { authority: authority.0.pem(), identity, versions: vec![&TLS13, &TLS12] }
    }

    fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_protocol_versions(&self.versions).with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(Pair { chain, key }) => {
                let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        config.resumption = Resumption::in_memory_sessions(8);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    async fn connect(&self, site: &Site) -> std::io::Result<TlsStream<TcpStream>> {
        connect(&self.connector(), site).await
    }

    /// The status of an answer; none where TLS failed, which in version 1.3 is only heard of when reading.
    async fn status(&self, site: &Site, bytes: &[u8]) -> Option<u16> {
        let mut client = Client::over(self.connect(site).await.ok()?);
        client.send(bytes).await;
        client.try_answer().await.map(|answer| answer.status)
    }
}

async fn connect(connector: &TlsConnector, site: &Site) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(site.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    timeout(DEADLINE, connector.connect(name, tcp)).await.expect("a handshake in time")
}

async fn site(authority: &Authority, clients: Clients) -> Site {
    let (_, settings) = watch::channel(authority.settings(&authority.server(), clients));
    let site = Site::listening(|socket| Listener::tls(socket, settings), Proxies::default()).await;
    site.reload_accounts(vec![authority.account()]);
    site
}

fn notice(headers: &[(&str, &str)]) -> Vec<u8> {
    post(NOTICE, headers, BODY)
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_with_a_certificate_and_without_and_no_session_is_taken_up_again() {
    let authority = Authority::new();
    let site = site(&authority, Clients::Optional).await;
    for version in [&TLS12, &TLS13] {
        let versions = vec![version];
        let bank = Caller { versions: versions.clone(), ..Caller::of(&authority, Some(authority.bank(HOLDER))) };
        let nobody = Caller { versions, ..Caller::of(&authority, None) };
        assert_eq!(bank.status(&site, &notice(&[])).await, Some(202));
        assert_eq!(nobody.status(&site, &notice(&[])).await, Some(401));
        let connector = bank.connector();
        for _ in 0..2 {
            let stream = connect(&connector, &site).await.unwrap();
            let session = stream.get_ref().1;
            assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
            assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
            let mut client = Client::over(stream);
            assert_eq!(client.call(notice(&[])).await.status, 202);
        }
    }
    assert_eq!(site.deliveries().await.len(), 6);
    site.close().await;
}

#[tokio::test]
async fn where_a_certificate_is_asked_for_nobody_without_a_good_one_gets_a_word_in() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let site = site(&authority, Clients::Required).await;
    let status = async |identity| Caller::of(&authority, identity).status(&site, &notice(&[])).await;
    assert_eq!(status(Some(authority.bank(HOLDER))).await, Some(202));
    assert_eq!(status(None).await, None, "none");
    assert_eq!(status(Some(stranger.bank(HOLDER))).await, None, "a chain of his own making");
    let expired = authority.issue(|params| {
        of_a_bank(params, HOLDER);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    assert_eq!(status(Some(expired)).await, None, "expired");
    let of_a_server = authority.issue(|params| {
        of_a_bank(params, HOLDER);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(status(Some(of_a_server)).await, None, "a server's");
    // TLS is content with a certificate that does not say whom it is for; the account is not.
    let silent = authority.issue(|params| {
        of_a_bank(params, HOLDER);
        params.extended_key_usages.clear();
    });
    assert_eq!(status(Some(silent)).await, Some(401));
    assert_eq!(site.deliveries().await.len(), 1);
    site.close().await;
}

#[tokio::test]
async fn a_bank_is_answered_as_it_expects_and_its_certificate_travels_with_what_it_told() {
    let authority = Authority::new();
    let site = site(&authority, Clients::Required).await;
    let bank = Caller::of(&authority, Some(authority.bank(HOLDER)));
    let mut client = Client::over(bank.connect(&site).await.unwrap());
    let answer = client.call(notice(&[("X-Webhook-Interaction-Id", "d78fc4e5-37ca-4da3-adf2-9b082bf92280")])).await;
    assert_eq!((answer.status, &*answer.body), (202, ""));
    assert!(answer.has("x-webhook-interaction-id: d78fc4e5-37ca-4da3-adf2-9b082bf92280"), "{answer:?}");
    let answer = client.call(notice(&[])).await;
    assert!(answer.status == 202 && answer.head.to_lowercase().contains("x-webhook-interaction-id: "), "{answer:?}");
    // Whoever has a good certificate of another bank is accepted here; whose resource it is, the worker knows.
    let other = Caller::of(&authority, Some(authority.bank(OTHER_HOLDER)));
    assert_eq!(other.status(&site, &notice(&[])).await, Some(202));
    let alias = "/api/open-finance/webhook/open-banking/webhook/v1/payments/v4/consents/urn:a:b%2Fc";
    assert_eq!(client.call(post(alias, &[], b"not even JSON")).await.status, 202);
    for path in
        ["/webhooks/openfinance/bank", "/webhooks/openfinance/bank/open-banking/webhook/v1/customer-data/events"]
    {
        assert_eq!(client.call(post(path, &[], BODY)).await.status, 404, "{path}");
    }
    assert_eq!(client.call(request("GET", NOTICE, &[("Content-Length", "0")], b"")).await.status, 405);
    let deliveries = site.deliveries().await;
    let peers: Vec<String> = deliveries
        .iter()
        .map(|delivery| match &delivery.proof {
            Proof::Channel { peer } => peer.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |organisation| format!("{organisation}/{SOFTWARE}");
    assert_eq!(peers, [of(HOLDER), of(HOLDER), of(OTHER_HOLDER), of(HOLDER)]);
    let path = |at: usize| deliveries[at].headers.iter().find(|(name, _)| &**name == ":path").unwrap().1.to_string();
    assert_eq!(path(0), "open-banking/webhook/v1/payments/v4/pix/payments/P-1");
    assert_eq!(path(3), "open-banking/webhook/v1/payments/v4/consents/urn:a:b%2Fc");
    site.close().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_whoever_comes_next_and_nobody_is_cut_off() {
    let authority = Authority::new();
    let (first, second) = (authority.server(), authority.server());
    let (renew, settings) = watch::channel(authority.settings(&first, Clients::Optional));
    let site = Site::listening(|socket| Listener::tls(socket, settings), Proxies::default()).await;
    let caller = Caller::of(&authority, None);
    let shown = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let of = |pair: &Pair| CertificateDer::from_pem_slice(pair.chain.as_bytes()).unwrap();
    let before = caller.connect(&site).await.unwrap();
    assert_eq!(shown(&before), of(&first));
    let mut before = Client::over(before);
    assert_eq!(before.call(signed(b"{\"a\":1}")).await.status, 200);
    renew.send_replace(authority.settings(&second, Clients::Optional));
    assert_eq!(before.call(signed(b"{\"a\":2}")).await.status, 200, "the connection goes on");
    assert_eq!(shown(&caller.connect(&site).await.unwrap()), of(&second));
    site.close().await;
}

#[tokio::test]
async fn who_does_not_speak_tls_or_dawdles_over_it_is_let_go() {
    let authority = Authority::new();
    let site = site(&authority, Clients::Optional).await;
    let mut plain = Client::connect(site.address).await;
    plain.send(signed(b"{}")).await;
    let mut scrap = Vec::new();
    let _ = timeout(DEADLINE, tokio::io::AsyncReadExt::read_to_end(&mut plain.into_wire(), &mut scrap)).await.unwrap();
    assert!(!scrap.starts_with(b"HTTP/"), "no word of HTTP in plain");
    let began = Instant::now();
    let mut silent = Client::connect(site.address).await;
    assert!(silent.is_closed().await);
    assert!(began.elapsed() >= Duration::from_millis(700), "as long as a head may take");
    let metrics = site.metrics();
    let counted = "afluente_ingress_requests_total{gateway=\"none\",outcome=\"no_tls\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
    site.close().await;
}

/// nginx's form of a certificate.
fn escaped(pair: &Pair) -> String {
    pair.chain.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_certificate_in_a_header_counts_from_a_trusted_proxy_alone_and_is_checked_again() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let header = "X-Client-Certificate";
    let proxies = |trusted: &str| Proxies {
        trusted: vec![trusted.parse().unwrap()],
        address_header: None,
        certificate_header: Some(HeaderName::from_static("x-client-certificate")),
    };
    let good = escaped(&authority.bank(HOLDER));
    let expired = escaped(&authority.issue(|params| {
        of_a_bank(params, HOLDER);
        params.not_after = date_time_ymd(2021, 1, 1);
    }));
    let of_a_server = escaped(&authority.server());
    let self_made = escaped(&stranger.bank(HOLDER));
    let inside = Site::listening(Listener::plain, proxies("127.0.0.0/8")).await;
    inside.reload_accounts(vec![authority.account()]);
    for (what, headers, expected) in [
        ("a good one", vec![(header, &*good)], 202),
        ("none", vec![], 401),
        ("an empty one", vec![(header, "")], 401),
        ("two", vec![(header, &*good), (header, &*good)], 400),
        ("garbage", vec![(header, "%2D%2D")], 400),
        ("expired", vec![(header, &*expired)], 401),
        ("a server's", vec![(header, &*of_a_server)], 401),
        ("a chain of his own making", vec![(header, &*self_made)], 401),
        ("a header of another name", vec![("X-SSL-Cert", &*good)], 401),
    ] {
        let answer = Client::connect(inside.address).await.call(notice(&headers)).await;
        assert_eq!(answer.status, expected, "{what}: {answer:?}");
    }
    assert_eq!(inside.deliveries().await.len(), 1);
    inside.close().await;

    let outside = Site::listening(Listener::plain, proxies("10.0.0.0/8")).await;
    outside.reload_accounts(vec![authority.account()]);
    let answer = Client::connect(outside.address).await.call(notice(&[(header, &good)])).await;
    assert_eq!((answer.status, &*answer.error()), (401, "forwarded_from_outside"));
    assert!(outside.deliveries().await.is_empty());
    outside.close().await;
}

#[tokio::test]
async fn an_account_may_say_where_its_gateway_posts_from_what_it_is_answered_and_how_much_it_takes_on() {
    let proxies = Proxies {
        trusted: vec!["127.0.0.0/8".parse().unwrap()],
        address_header: Some(HeaderName::from_static("x-forwarded-for")),
        certificate_header: None,
    };
    let site = Site::listening(Listener::plain, proxies).await;
    let account = site.account_of_main().with_addresses(vec!["203.0.113.0/24".parse().unwrap()]);
    let account = account.with_success(http::StatusCode::NO_CONTENT).with_most_per_second(1);
    site.reload_accounts(vec![account]);
    let from = |address: &str, body: &[u8]| {
        let signature = signature(body, SECRET, NOON);
        post("/webhooks/stripe/main", &[("Stripe-Signature", &signature), ("X-Forwarded-For", address)], body)
    };
    let mut client = Client::connect(site.address).await;
    let elsewhere = client.call(from("198.51.100.1", b"{}")).await;
    let nobody = post("/webhooks/stripe/nobody", &[("Stripe-Signature", &signature(b"{}", SECRET, NOON))], b"{}");
    let nobody = client.call(nobody).await;
    assert_eq!((elsewhere.status, &elsewhere.body), (nobody.status, &nobody.body), "as if there were no such account");
    assert_eq!(client.call(from("203.0.113.7", b"{}")).await.status, 204);
    let mut last = client.call(from("203.0.113.7", b"{}")).await;
    for _ in 0..50 {
        if last.status == 429 {
            break;
        }
        last = client.call(from("203.0.113.7", b"{}")).await;
    }
    assert_eq!((last.status, &*last.error()), (429, "too_many"), "more than one a second are sent");
    let metrics = site.metrics();
    let counted = "afluente_ingress_requests_total{gateway=\"stripe\",outcome=\"strange_address\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    site.close().await;
}

#[tokio::test]
async fn one_address_does_not_take_every_connection() {
    let limits = Limits { connections_by_address: 2, ..Limits::default() };
    let site = Site::with_limits(limits).await;
    let (mut one, mut two) = (Client::connect(site.address).await, Client::connect(site.address).await);
    assert_eq!((one.call(signed(b"{}")).await.status, two.call(signed(b"{}")).await.status), (200, 200));
    assert!(Client::connect(site.address).await.is_closed().await);
    drop(one);
    let served = async {
        loop {
            let mut again = Client::connect(site.address).await;
            again.send(signed(b"{}")).await;
            if again.try_answer().await.is_some_and(|answer| answer.status == 200) {
                break;
            }
        }
    };
    timeout(DEADLINE, served).await.expect("the place is free again");
    site.close().await;
}

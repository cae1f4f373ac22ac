//! Client certificates: whom the account's authorities vouch for, and whom a certificate names.

#![allow(clippy::unwrap_used, reason = "tests")]

use afluente_gateways::{Authorities, BadAuthorities, Certificates, PeerName, Rejection, UnknownRevocation};
use afluente_model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};

const LEAF: &str = include_str!("keys/icp-leaf.pem");
const ROOT: &str = include_str!("keys/icp-root.pem");
/// 2026-09-17T12:30:30Z
const CLOCK: i64 = 1_789_648_230;
const HOLDER: &str = "b961c4eb-509d-4edf-afeb-35642b38185d";
const SOFTWARE: &str = "7f2c1d9e-3a4b-4c5d-8e6f-901a2b3c4d5e";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate as Open Finance Brasil wants it.
fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new(["bank.example".to_owned()]).unwrap();
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "bank.example");
    name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("OFBBR-{HOLDER}"));
    name.push(DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 1]), SOFTWARE);
    name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "00038166000105");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn check(issuer: &Issuer, params: &CertificateParams) -> Result<PeerName, Rejection> {
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
    let authorities = Authorities::from_pem(issuer.pem().as_bytes()).unwrap();
    authorities.check(&Certificates::from_pem(certificate.pem().as_bytes()).unwrap(), at(CLOCK))
}

fn untrusted(why: &'static str) -> Result<PeerName, Rejection> {
    Err(Rejection::UntrustedCertificate { why })
}

#[test]
fn c2_the_sheets_leaf_holds_under_its_root_and_names_bank_software_and_cnpj() {
    let authorities = Authorities::from_pem(ROOT.as_bytes()).unwrap();
    let peer = Certificates::from_pem(LEAF.as_bytes()).unwrap();
    let name = authorities.check(&peer, at(CLOCK)).unwrap();
    assert_eq!(name.organisation.as_deref(), Some(HOLDER));
    assert_eq!(name.software.as_deref(), Some(SOFTWARE));
    assert_eq!(name.cnpj.as_deref(), Some("00038166000105"));
    assert_eq!(&*name.fingerprint, "aeb533dae6e6d6897ef7578544290588410a4b06fd01e876fd5303d779fea6cc");
    assert_eq!(&*name.as_peer(), format!("{HOLDER}/{SOFTWARE}"));
    let other = Authorities::from_pem(authority().pem().as_bytes()).unwrap();
    assert_eq!(other.check(&peer, at(CLOCK)), untrusted("none of them vouches for"));
}

#[test]
fn c1_the_standards_own_subject_is_read_by_its_object_identifiers() {
    let mut params = leaf();
    let mut name = rcgen::DistinguishedName::new();
    let custom = |id: &[u64]| DnType::CustomDnType(id.to_vec());
    name.push(custom(&[2, 5, 4, 15]), "Private Organization");
    name.push(custom(&[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3]), "BR");
    name.push(custom(&[2, 5, 4, 5]), "43142666000197");
    name.push(DnType::CountryName, "BR");
    name.push(DnType::OrganizationName, "Chicago Advisory Partners");
    name.push(DnType::StateOrProvinceName, "SP");
    name.push(DnType::LocalityName, "Sao Paulo");
    name.push(custom(&[2, 5, 4, 97]), "OFBBR-d7384bd0-842f-43c5-be02-9d2b2d5efc2c");
    name.push(custom(&[0, 9, 2342, 19_200_300, 100, 1, 1]), "bc97b8f0-cae0-4f2f-9978-d93f0e56a833");
    name.push(DnType::CommonName, "web.conftpp.directory.openbankingbrasil.org.br");
    params.distinguished_name = name;
    let name = check(&authority(), &params).unwrap();
    assert_eq!(name.organisation.as_deref(), Some("d7384bd0-842f-43c5-be02-9d2b2d5efc2c"));
    assert_eq!(name.software.as_deref(), Some("bc97b8f0-cae0-4f2f-9978-d93f0e56a833"));
    assert_eq!(name.cnpj.as_deref(), Some("43142666000197"));
}

#[test]
fn an_old_certificate_has_the_organisation_as_its_unit_and_a_sandbox_the_software_elsewhere() {
    let issuer = authority();
    let mut old = leaf();
    old.distinguished_name = rcgen::DistinguishedName::new();
    old.distinguished_name.push(DnType::OrganizationalUnitName, HOLDER.to_uppercase());
    old.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 45]), SOFTWARE);
    let name = check(&issuer, &old).unwrap();
    assert_eq!((name.organisation.as_deref(), name.software.as_deref()), (Some(HOLDER), Some(SOFTWARE)));
    let mut other = leaf();
    other.distinguished_name = rcgen::DistinguishedName::new();
    other.distinguished_name.push(DnType::CommonName, "webhook.efi.example");
    other.distinguished_name.push(DnType::OrganizationalUnitName, "Pix");
    let name = check(&issuer, &other).unwrap();
    assert_eq!((name.organisation.as_deref(), &*name.as_peer()), (None, "webhook.efi.example"));
}

#[test]
fn what_the_chain_leaves_open_is_checked_as_well() {
    let issuer = authority();
    assert!(check(&issuer, &leaf()).is_ok());
    let without = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = leaf();
        change(&mut params);
        check(&issuer, &params)
    };
    let server = without(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_eq!(server, untrusted("is not for clients"));
    let silent = without(&|params| params.extended_key_usages.clear());
    assert_eq!(silent, untrusted("does not say that it is for clients"));
    let no_signatures = without(&|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(no_signatures, untrusted("has a key that is not for signatures"));
    let unknown = without(&|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    assert_eq!(unknown, untrusted("has a critical extension nobody here knows"));
    let over = without(&|params| params.not_after = date_time_ymd(2026, 1, 1));
    assert_eq!(over, untrusted("has expired"));
    let early = without(&|params| params.not_before = date_time_ymd(2026, 12, 1));
    assert_eq!(early, untrusted("is not valid yet"));
}

#[test]
fn a_chain_of_ones_own_making_proves_nothing() {
    let (issuer, stranger) = (authority(), authority());
    let certificate = leaf().signed_by(&KeyPair::generate().unwrap(), &stranger).unwrap();
    let with_root = format!("{}{}", certificate.pem(), stranger.pem());
    let authorities = Authorities::from_pem(issuer.pem().as_bytes()).unwrap();
    let peer = Certificates::from_pem(with_root.as_bytes()).unwrap();
    assert_eq!(authorities.check(&peer, at(CLOCK)), untrusted("carries a signature its authority never made"));
    let own = leaf().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let peer = Certificates::from_pem(own.pem().as_bytes()).unwrap();
    assert_eq!(authorities.check(&peer, at(CLOCK)), untrusted("none of them vouches for"));
}

#[test]
fn authorities_in_between_come_with_the_certificate_or_are_trusted_as_they_are() {
    let root = authority();
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "In between");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let between = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
    let certificate = leaf().signed_by(&KeyPair::generate().unwrap(), &between).unwrap();
    let alone = Certificates::from_pem(certificate.pem().as_bytes()).unwrap();
    let whole = Certificates::from_pem(format!("{}{}", certificate.pem(), between.pem()).as_bytes()).unwrap();
    let by_root = Authorities::from_pem(root.pem().as_bytes()).unwrap();
    assert!(by_root.check(&whole, at(CLOCK)).is_ok());
    assert_eq!(by_root.check(&alone, at(CLOCK)), untrusted("none of them vouches for"));
    let pinned = Authorities::from_pem(between.pem().as_bytes()).unwrap();
    assert!(pinned.check(&alone, at(CLOCK)).is_ok());
}

#[test]
fn what_was_revoked_is_refused_and_what_nobody_tells_of_as_it_was_configured() {
    let issuer = authority();
    let list = |serial: u8, until: (i32, u8, u8)| {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(vec![serial]),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(until.0, until.1, until.2),
            crl_number: SerialNumber::from(vec![1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).unwrap().pem().unwrap()
    };
    let mut params = leaf();
    params.serial_number = Some(SerialNumber::from(vec![7]));
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    let peer = Certificates::from_pem(certificate.pem().as_bytes()).unwrap();
    let with = |crl: &str, unknown| {
        let authorities = Authorities::from_pem(issuer.pem().as_bytes()).unwrap();
        authorities.with_revocations(crl.as_bytes(), unknown).unwrap().check(&peer, at(CLOCK))
    };
    let (fresh, stale) = ((2027, 1, 1), (2026, 2, 1));
    for unknown in [UnknownRevocation::Allow, UnknownRevocation::Deny] {
        assert_eq!(with(&list(7, fresh), unknown), untrusted("was revoked"));
        assert!(with(&list(8, fresh), unknown).is_ok());
    }
    let nobody_tells = untrusted("may have been revoked: no list in force tells");
    assert!(with(&list(8, stale), UnknownRevocation::Allow).is_ok());
    assert_eq!(with(&list(8, stale), UnknownRevocation::Deny), nobody_tells);
    assert_eq!(
        with(&list(7, stale), UnknownRevocation::Allow),
        untrusted("was revoked"),
        "an old list is not forgotten"
    );
}

#[test]
fn texts_that_hold_no_authorities_say_so() {
    let of = |text: &str| Authorities::from_pem(text.as_bytes()).err();
    assert_eq!(of(""), Some(BadAuthorities::NoCertificate));
    assert_eq!(
        of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        Some(BadAuthorities::NoCertificate)
    );
    assert_eq!(of(LEAF), Some(BadAuthorities::NoAuthority { place: 1 }));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(of(&format!("{ROOT}{broken}")), Some(BadAuthorities::Unreadable { place: 2 }));
    let authorities = Authorities::from_pem(ROOT.as_bytes()).unwrap();
    let refused = authorities.with_revocations(ROOT.as_bytes(), UnknownRevocation::Deny).err();
    assert_eq!(refused, Some(BadAuthorities::NoRevocations));
    for bad in ["", "x", broken.replace("AAAA", "?").as_str(), &"x".repeat(40_000)] {
        assert_eq!(Certificates::from_pem(bad.as_bytes()), None);
    }
}

#[test]
fn the_clients_own_certificate_is_handed_out_as_it_came() {
    let certificate = leaf().signed_by(&KeyPair::generate().unwrap(), &authority()).unwrap();
    let peer = Certificates::from_pem(certificate.pem().as_bytes()).unwrap();
    assert_eq!(peer.leaf(), certificate.der().as_ref());
    assert_eq!(Certificates::from_der(certificate.der().to_vec()), peer);
}

#[test]
fn a_text_of_32_kib_is_read_and_a_longer_one_is_not() {
    let mut text = LEAF.as_bytes().to_vec();
    text.resize(32 << 10, b'\n');
    assert!(Certificates::from_pem(&text).is_some());
    text.push(b'\n');
    assert_eq!(Certificates::from_pem(&text), None);
}

#[test]
fn authorities_say_how_many_they_are_and_nothing_else() {
    let authorities = Authorities::from_pem([ROOT, &authority().pem()].concat().as_bytes()).unwrap();
    assert_eq!(authorities.anchors().len(), 2);
    assert_eq!(format!("{authorities:?}"), "Authorities(2 of them, 0 lists of revocations)");
}

#[test]
fn what_does_not_look_like_a_cnpj_or_a_uuid_names_nobody() {
    let named = |serial: &str, unit: &str| {
        let mut params = leaf();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), serial);
        params.distinguished_name.push(DnType::OrganizationalUnitName, unit);
        let name = check(&authority(), &params).unwrap();
        (name.cnpj.map(String::from), name.organisation.map(String::from))
    };
    assert_eq!(named("12ABC34501DE35", HOLDER), (Some("12ABC34501DE35".into()), Some(HOLDER.into())));
    for serial in ["0003816600010", "000381660001055", "00038166-00105", "12abc34501de35"] {
        assert_eq!(named(serial, HOLDER).0, None, "{serial}");
    }
    let (short, long) = (&HOLDER[..35], format!("{HOLDER}a"));
    let (no_dash, no_digit) = (HOLDER.replacen('-', "0", 1), HOLDER.replacen('b', "g", 1));
    for unit in [short, &long, &no_dash, &no_digit] {
        assert_eq!(named("00038166000105", unit).1, None, "{unit}");
    }
}

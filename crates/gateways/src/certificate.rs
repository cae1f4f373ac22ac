//! Client certificates: whether an account's authorities vouch for one, and whom it names.
//!
//! The chain is checked as rustls does it; what that leaves open is checked here: that the certificate says that it is for
//! clients, and that its key is for signatures. The subject is read by object identifiers from the certificate itself; its many
//! printed forms are never compared.

use std::fmt;
use std::time::Duration;

use afluente_model::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use sha2::{Digest, Sha256};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    RevocationCheckDepth, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use crate::error::Rejection;

/// The most certificates of one chain that are looked at.
const MOST_CERTIFICATES: usize = 8;
/// The largest PEM text that is read of a header, bytes.
const LIMIT_BYTES: usize = 32 << 10;

/// A client's certificate and what it sent with it, as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    leaf: CertificateDer<'static>,
    between: Vec<CertificateDer<'static>>,
}

impl Certificates {
    /// Those of a connection, the client's own first; `None` if there is none.
    #[must_use]
    pub fn of(chain: &[CertificateDer<'_>]) -> Option<Certificates> {
        let (leaf, between) = chain.split_first()?;
        let between = between.iter().take(MOST_CERTIFICATES).map(|one| one.clone().into_owned()).collect();
        Some(Certificates { leaf: leaf.clone().into_owned(), between })
    }

    /// The client's own alone, as DER.
    #[must_use]
    pub fn from_der(leaf: Vec<u8>) -> Certificates {
        Certificates { leaf: CertificateDer::from(leaf), between: Vec::new() }
    }

    /// The client's own, as DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// Those of a PEM text, the client's own first; `None` if it is none.
    #[must_use]
    pub fn from_pem(text: &[u8]) -> Option<Certificates> {
        if text.len() > LIMIT_BYTES {
            return None;
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        Certificates::of(&chain.ok()?)
    }

    /// Lower-case hex of the SHA-256 of the client's own.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.leaf).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whom an account lets vouch for clients, and whose word they took back.
pub struct Authorities {
    anchors: Vec<TrustAnchor<'static>>,
    revoked: Vec<CertRevocationList<'static>>,
    unknown: UnknownRevocation,
}

/// What becomes of a certificate of which no list that is in force says whether it was revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownRevocation {
    /// It counts.
    #[default]
    Allow,
    /// It does not.
    Deny,
}

/// Why a text names no authorities or no revocations. Nothing of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAuthorities {
    /// No certificate in it.
    #[error("expected certificates of authorities in PEM, got none")]
    NoCertificate,
    /// One of them cannot be read.
    #[error("expected certificates in PEM, got one at place {place} that cannot be read")]
    Unreadable {
        /// From one.
        place: usize,
    },
    /// One is no authority.
    #[error("expected certificates of authorities, got one at place {place} that may not vouch for others")]
    NoAuthority {
        /// From one.
        place: usize,
    },
    /// No list of revocations in it, or one that cannot be read.
    #[error("expected lists of revoked certificates (X509 CRL) in PEM, got something else")]
    NoRevocations,
}

impl Authorities {
    /// The certificates of a PEM text: roots, or those between that are to be trusted as they are.
    pub fn from_pem(text: &[u8]) -> Result<Authorities, BadAuthorities> {
        let mut anchors = Vec::new();
        for (at, certificate) in CertificateDer::pem_slice_iter(text).enumerate() {
            let place = at + 1;
            let certificate = certificate.map_err(|_| BadAuthorities::Unreadable { place })?;
            let (_, parsed) =
                X509Certificate::from_der(&certificate).map_err(|_| BadAuthorities::Unreadable { place })?;
            if !parsed.is_ca() {
                return Err(BadAuthorities::NoAuthority { place });
            }
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|_| BadAuthorities::Unreadable { place })?;
            anchors.push(anchor.to_owned());
        }
        if anchors.is_empty() {
            return Err(BadAuthorities::NoCertificate);
        }
        Ok(Authorities { anchors, revoked: Vec::new(), unknown: UnknownRevocation::Allow })
    }

    /// The same, with lists of what was revoked.
    pub fn with_revocations(self, text: &[u8], unknown: UnknownRevocation) -> Result<Authorities, BadAuthorities> {
        let read = |list: Result<CertificateRevocationListDer<'_>, _>| {
            let list = list.map_err(|_| BadAuthorities::NoRevocations)?;
            let list = BorrowedCertRevocationList::from_der(&list).map_err(|_| BadAuthorities::NoRevocations)?;
            Ok(CertRevocationList::from(list.to_owned().map_err(|_| BadAuthorities::NoRevocations)?))
        };
        let mut revoked = self.revoked;
        let before = revoked.len();
        for list in CertificateRevocationListDer::pem_slice_iter(text) {
            revoked.push(read(list)?);
        }
        if revoked.len() == before {
            return Err(BadAuthorities::NoRevocations);
        }
        Ok(Authorities { revoked, unknown, ..self })
    }

    /// Whom they trust, for who checks chains before anything is asked.
    #[must_use]
    pub fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Whom these certificates name, if one of the authorities vouches for them now.
    pub fn check(&self, peer: &Certificates, now: Timestamp) -> Result<PeerName, Rejection> {
        let untrusted = |why| Rejection::UntrustedCertificate { why };
        let (_, parsed) = X509Certificate::from_der(&peer.leaf).map_err(|_| untrusted("cannot be read"))?;
        self.vouch(peer, now).map_err(|error| untrusted(wrong(&error)))?;
        let purposes = parsed.extended_key_usage().ok().flatten();
        if !purposes.is_some_and(|purposes| purposes.value.client_auth) {
            return Err(untrusted("does not say that it is for clients"));
        }
        let usage = parsed.key_usage().map_err(|_| untrusted("cannot be read"))?;
        if usage.is_some_and(|usage| !usage.value.digital_signature()) {
            return Err(untrusted("has a key that is not for signatures"));
        }
        Ok(PeerName::of(parsed.subject(), peer))
    }

    fn vouch(&self, peer: &Certificates, now: Timestamp) -> Result<(), Error> {
        let leaf = EndEntityCert::try_from(&peer.leaf)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_seconds()).unwrap_or(0)));
        let lists: Vec<&CertRevocationList<'_>> = self.revoked.iter().collect();
        let revocation = match RevocationOptionsBuilder::new(&lists) {
            Ok(options) => {
                let (status, expiration) = match self.unknown {
                    UnknownRevocation::Allow => (UnknownStatusPolicy::Allow, ExpirationPolicy::Ignore),
                    UnknownRevocation::Deny => (UnknownStatusPolicy::Deny, ExpirationPolicy::Enforce),
                };
                let options = options.with_depth(RevocationCheckDepth::EndEntity).with_status_policy(status);
                Some(options.with_expiration_policy(expiration).build())
            }
            // There is no list at all.
            Err(_) => None,
        };
        let usage = KeyUsage::client_auth();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.anchors,
            &peer.between,
            now,
            usage,
            revocation,
            None,
        )?;
        Ok(())
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} of them, {} lists of revocations)", self.anchors.len(), self.revoked.len())
    }
}

/// What is wrong with a certificate, to end the sentence "a certificate that …".
fn wrong(error: &Error) -> &'static str {
    match error {
        Error::CertExpired { .. } => "has expired",
        Error::CertNotValidYet { .. } => "is not valid yet",
        Error::CertRevoked => "was revoked",
        Error::UnknownRevocationStatus | Error::CrlExpired { .. } => "may have been revoked: no list in force tells",
        Error::RequiredEkuNotFoundContext(_) => "is not for clients",
        Error::UnknownIssuer => "none of them vouches for",
        Error::InvalidSignatureForPublicKey => "carries a signature its authority never made",
        Error::UnsupportedCriticalExtension => "has a critical extension nobody here knows",
        _ => "does not hold",
    }
}

/// Whom a certificate names, as far as it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerName {
    /// The participant of Open Finance Brasil, a UUID in lower case.
    pub organisation: Option<Box<str>>,
    /// Its software there, a UUID in lower case.
    pub software: Option<Box<str>>,
    /// Its CNPJ, 14 characters.
    pub cnpj: Option<Box<str>>,
    /// The common name.
    pub common_name: Option<Box<str>>,
    /// The SHA-256 of the certificate, lower-case hex.
    pub fingerprint: Box<str>,
}

const ORGANISATION_IDENTIFIER: &str = "2.5.4.97";
const ORGANISATIONAL_UNIT: &str = "2.5.4.11";
const USER_ID: &str = "0.9.2342.19200300.100.1.1";
/// Where the certificates of sandboxes have what belongs into the user id.
const UNIQUE_IDENTIFIER: &str = "2.5.4.45";
const SERIAL_NUMBER: &str = "2.5.4.5";
const COMMON_NAME: &str = "2.5.4.3";

impl PeerName {
    fn of(subject: &X509Name<'_>, peer: &Certificates) -> PeerName {
        let attribute = |wanted: &str| {
            let mut found = subject.iter_attributes().filter(|one| one.attr_type().to_id_string() == wanted);
            found.next().and_then(|one| std::str::from_utf8(one.attr_value().data).ok())
        };
        // Certificates issued until August 2022 have the bare id as their organisational unit.
        let organisation = attribute(ORGANISATION_IDENTIFIER).and_then(|id| id.strip_prefix("OFBBR-"));
        let organisation = organisation.or_else(|| attribute(ORGANISATIONAL_UNIT)).and_then(uuid);
        let software = attribute(USER_ID).or_else(|| attribute(UNIQUE_IDENTIFIER)).and_then(uuid);
        let is_cnpj =
            |text: &&str| text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        PeerName {
            organisation,
            software,
            cnpj: attribute(SERIAL_NUMBER).filter(is_cnpj).map(Into::into),
            common_name: attribute(COMMON_NAME).map(crate::text::cut),
            fingerprint: peer.fingerprint().into(),
        }
    }

    /// How a delivery names it: organisation and software where it has them, else its common name or the certificate itself.
    #[must_use]
    pub fn as_peer(&self) -> Box<str> {
        match (&self.organisation, &self.software, &self.common_name) {
            (Some(organisation), Some(software), _) => format!("{organisation}/{software}").into(),
            (Some(organisation), None, _) => organisation.clone(),
            (None, _, Some(name)) => name.clone(),
            (None, _, None) => self.fingerprint.clone(),
        }
    }
}

/// A UUID in lower case.
pub(crate) fn uuid(text: &str) -> Option<Box<str>> {
    let is_one = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_one.then(|| text.to_ascii_lowercase().into())
}

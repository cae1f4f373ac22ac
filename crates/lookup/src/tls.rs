//! How a client shows itself to a gateway, and whom it trusts there, where that is not what this machine trusts.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};

/// The settings of one account's connections.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    /// Tells two of them apart.
    name: [u8; 32],
}

/// Texts that make no connection. Nothing of them is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTls {
    /// No certificate.
    #[error("expected certificates in PEM, our own first, got none")]
    NoCertificate,
    /// No key.
    #[error("expected a private key in PEM, got none")]
    NoKey,
    /// They do not belong together.
    #[error("the key is not that of the certificate")]
    OtherKey,
    /// Nobody to trust.
    #[error("expected certificates of authorities in PEM, got none")]
    NoAuthority,
}

/// A certificate to show, with its key, both in PEM.
pub struct Identity<'a> {
    /// Our own first, and those between it and its root.
    pub chain: &'a [u8],
    /// The key of our own.
    pub key: &'a [u8],
}

impl ClientTls {
    /// Connections that show this identity, if any, and trust these authorities; those of this machine where none are given.
    pub fn new(identity: Option<&Identity<'_>>, authorities: Option<&[u8]>) -> Result<ClientTls, BadTls> {
        let mut name = Sha256::new();
        let roots = match authorities {
            Some(text) => given(text)?,
            None => native(),
        };
        name.update(authorities.unwrap_or_default());
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => {
                name.update(chain);
                name.update(key);
                let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
                let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(BadTls::NoCertificate)?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| BadTls::NoKey)?;
                builder.with_client_auth_cert(chain, key).map_err(|_| BadTls::OtherKey)?
            }
        };
        Ok(ClientTls { config: Arc::new(config), name: name.finalize().into() })
    }

    pub(crate) fn is_same(&self, other: &ClientTls) -> bool {
        self.name == other.name
    }

    pub(crate) fn config(&self) -> ClientConfig {
        (*self.config).clone()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

fn given(text: &[u8]) -> Result<RootCertStore, BadTls> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        roots.add(certificate.map_err(|_| BadTls::NoAuthority)?).map_err(|_| BadTls::NoAuthority)?;
    }
    if roots.is_empty() { Err(BadTls::NoAuthority) } else { Ok(roots) }
}

/// Those of this machine; none where it has none.
fn native() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

//! TLS of the webhook listeners: who we are, and whose certificates we ask callers for. Only the chain is checked here; what a
//! certificate is worth to an account, its adapter says.

use std::sync::Arc;

use afluente_gateways::Authorities;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

/// Our own certificate with its key, both in PEM.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// Ours first, and those between it and its root.
    pub chain: &'a [u8],
    /// The key of ours.
    pub key: &'a [u8],
}

/// Whether callers have to show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Who has one may show it; who has none is served as well.
    Optional,
    /// Who has none is not served.
    Required,
}

/// Why no TLS can be spoken. Nothing of the texts is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTls {
    /// No certificate.
    #[error("expected our certificate in PEM, and after it those between it and its root, got none")]
    NoCertificate,
    /// No key.
    #[error("expected a private key in PEM, got none")]
    NoKey,
    /// They do not belong together, or are of a kind nobody can use.
    #[error("the key is not that of the certificate, or one that TLS cannot use")]
    OtherKey,
    /// Callers are asked for certificates that nobody vouches for.
    #[error("expected an account with client_certificates, since callers have to show one, got none")]
    NoAuthority,
}

/// TLS 1.2 and 1.3, HTTP/1.1, and no session taken up again: each connection proves anew who calls.
pub fn server_config<'a>(
    identity: Identity<'_>,
    clients: Clients,
    authorities: impl IntoIterator<Item = &'a Authorities>,
) -> Result<Arc<ServerConfig>, BadTls> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(identity.chain).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(BadTls::NoCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key).map_err(|_| BadTls::NoKey)?;
    let roots: Vec<_> = authorities.into_iter().flat_map(Authorities::anchors).cloned().collect();
    let builder = match (roots.is_empty(), clients) {
        (true, Clients::Required) => return Err(BadTls::NoAuthority),
        (true, Clients::Optional) => ServerConfig::builder().with_no_client_auth(),
        (false, _) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(RootCertStore { roots }));
            let verifier = match clients {
                Clients::Optional => verifier.allow_unauthenticated(),
                Clients::Required => verifier,
            };
            ServerConfig::builder().with_client_cert_verifier(verifier.build().map_err(|_| BadTls::NoAuthority)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|_| BadTls::OtherKey)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

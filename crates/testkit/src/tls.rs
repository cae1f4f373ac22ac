//! Certificates of an authority that only a test knows.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// How a server of a test's own speaks TLS.
pub struct Tls {
    folder: PathBuf,
    port: u16,
}

impl Tls {
    /// Writes an authority and a certificate for `localhost` into the server's folder.
    pub(crate) fn new(folder: &Path, port: u16) -> Tls {
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        for (name, text) in
            [("ca.pem", authority.pem()), ("server.pem", server.pem()), ("server.key", key.serialize_pem())]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        Tls { folder: folder.to_owned(), port }
    }

    /// What a broker is told of it.
    pub(crate) fn settings(&self) -> String {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
        format!(
            "listeners.ssl.1 = 127.0.0.1:{}\nssl_options.cacertfile = {ca}\nssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n",
            self.port
        )
    }

    /// A URL under this name.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        format!("amqps://guest:guest@{host}:{}", self.port)
    }

    /// The authority's certificate.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }
}

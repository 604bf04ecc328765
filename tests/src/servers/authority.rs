//! A certificate authority of our own, for servers that speak TLS on loopback.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::SandboxError;

/// Signs certificates for this machine.
pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate for loopback and its key.
pub(super) struct Certified {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(super) fn new() -> Result<Self, SandboxError> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = CertificateParams::new(Vec::new()).map_err(failed)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "windlass-sandbox-registry");
        let pem = parameters.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { pem, issuer: Issuer::new(parameters, key) })
    }

    /// The authority's own certificate.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn certify(&self) -> Result<Certified, SandboxError> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
        parameters.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Certified { certificate, key })
    }
}

impl Certified {
    /// Writes `NAME.crt` and `NAME.key`.
    pub(super) fn write(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf), SandboxError> {
        let files = [("crt", self.certificate.pem()), ("key", self.key.serialize_pem())];
        let [certificate, key] = files.map(|(extension, text)| {
            let path = folder.join(format!("{name}.{extension}"));
            fs::write(&path, text).map_err(SandboxError::file("write", &path)).map(|()| path)
        });
        Ok((certificate?, key?))
    }

    /// For a server in this process.
    pub(super) fn server_config(&self) -> Result<Arc<ServerConfig>, SandboxError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let chain = vec![CertificateDer::from(self.certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        config.map(Arc::new).map_err(|error| SandboxError::Certificate(error.to_string()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn failed(error: rcgen::Error) -> SandboxError {
    SandboxError::Certificate(error.to_string())
}

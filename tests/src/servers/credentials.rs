//! Certificates, keys and tokens of one control plane.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use super::SandboxError;

/// The users of a control plane; the token is the name of the user with a suffix.
pub(super) const USERS: [(&str, &str); 5] = [
    ("admin", "system:masters"),
    ("limited", ""),
    ("harness", "system:masters"),
    ("system:kube-controller-manager", "system:masters"),
    ("system:kube-scheduler", "system:masters"),
];

/// Token of a user. Not secret: the server listens on loopback for the time of a test.
pub(super) fn token(user: &str) -> String {
    format!("{}-token", user.replace(':', "-"))
}

/// What [`write`] made.
pub(super) struct Credentials {
    /// The authority that signed the server's certificate, as PEM.
    pub(super) authority: String,
}

/// Writes the server's certificate, the service account keys and the token file into `folder`.
pub(super) fn write(folder: &Path) -> Result<Credentials, SandboxError> {
    let authority_key = KeyPair::generate().map_err(certificate)?;
    let mut authority = CertificateParams::new(Vec::new()).map_err(certificate)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "windlass-sandbox");
    let authority_pem = authority.self_signed(&authority_key).map_err(certificate)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let server_key = KeyPair::generate().map_err(certificate)?;
    let mut server = CertificateParams::new(vec!["localhost".to_owned()]).map_err(certificate)?;
    server.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let server_pem = server.signed_by(&server_key, &issuer).map_err(certificate)?.pem();

    let accounts_key = KeyPair::generate().map_err(certificate)?;
    let mut tokens = String::new();
    for (user, group) in USERS {
        tokens.push_str(&format!("{},{user},{user},\"{group}\"\n", token(user)));
    }
    let files = [
        ("ca.crt", authority_pem.clone()),
        ("server.crt", server_pem),
        ("server.key", server_key.serialize_pem()),
        ("accounts.key", accounts_key.serialize_pem()),
        ("accounts.pub", accounts_key.public_key_pem()),
        ("tokens.csv", tokens),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(SandboxError::file("write", &path))?;
    }
    Ok(Credentials { authority: authority_pem })
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn certificate(error: rcgen::Error) -> SandboxError {
    SandboxError::Certificate(error.to_string())
}

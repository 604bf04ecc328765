//! Certificates: own authorities, verification switched off, client certificates.
#![allow(missing_docs)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use windlass_registry::{
    OciRegistry, Registry as _, RegistryCredentials, RegistryError, Repository, TlsDefaults, TlsOptions,
};

type Pair = CertifiedKey<KeyPair>;

fn pair() -> Pair {
    generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate")
}

/// Serves one tag list over TLS; with `client`, only to holders of that certificate.
fn serve(pair: &Pair, client: Option<&Pair>) -> Repository {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().expect("versions");
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            roots.add(client.cert.der().clone()).expect("a root");
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("a verifier");
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
    let config = Arc::new(builder.with_single_cert(vec![pair.cert.der().clone()], key).expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = ServerConnection::new(config.clone()) else { continue };
            let mut tls = StreamOwned::new(connection, stream);
            let mut buffer = [0; 4096];
            if tls.read(&mut buffer).is_ok_and(|read| read > 0) {
                let body = r#"{"tags": ["a"]}"#;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = tls.write_all(head.as_bytes()).and_then(|()| tls.write_all(body.as_bytes()));
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    Repository::parse(&format!("{address}/a/b")).expect("a repository")
}

struct Files {
    _dir: tempfile::TempDir,
    cert: PathBuf,
    key: PathBuf,
}

fn files(pair: &Pair) -> Files {
    let dir = tempfile::tempdir().expect("a folder");
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert, pair.cert.pem()).expect("a file");
    std::fs::write(&key, pair.signing_key.serialize_pem()).expect("a file");
    Files { _dir: dir, cert, key }
}

async fn list(repository: &Repository, tls: TlsOptions) -> Result<usize, RegistryError> {
    let entry = RegistryCredentials { origin: "test".into(), host: "*".into(), tls, ..RegistryCredentials::default() };
    let mut settings = support::settings();
    settings.defaults = TlsDefaults::default();
    settings.credentials = vec![entry];
    OciRegistry::new(settings).list_tags(repository).await.map(|list| list.tags().len())
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_the_way_out() {
    let repository = serve(&pair(), None);
    let error = list(&repository, TlsOptions { plain_http: Some(false), ..TlsOptions::default() }).await.unwrap_err();
    assert!(matches!(error, RegistryError::Tls { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("TLSVERIFY=0") && text.contains("CA_FILE") && text.contains(repository.host()), "{text}");
}

#[tokio::test]
async fn the_certificate_error_wins_over_the_http_fallback() {
    let repository = serve(&pair(), None);
    let error = list(&repository, TlsOptions::default()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Tls { .. }), "{error}");
}

#[tokio::test]
async fn an_own_authority_is_accepted() {
    let pair = pair();
    let (repository, files) = (serve(&pair, None), files(&pair));
    let tls = TlsOptions { ca_file: Some(files.cert.clone()), ..TlsOptions::default() };
    assert_eq!(list(&repository, tls).await, Ok(1));
}

#[tokio::test]
async fn another_authority_is_not_enough() {
    let (repository, files) = (serve(&pair(), None), files(&pair()));
    let tls = TlsOptions { ca_file: Some(files.cert.clone()), ..TlsOptions::default() };
    assert!(matches!(list(&repository, tls).await, Err(RegistryError::Tls { .. })));
}

#[tokio::test]
async fn verification_can_be_switched_off() {
    let repository = serve(&pair(), None);
    let tls = |verify| TlsOptions { verify: Some(verify), plain_http: Some(false), ..TlsOptions::default() };
    assert_eq!(list(&repository, tls(false)).await, Ok(1));
    assert!(list(&repository, tls(true)).await.is_err());
}

#[tokio::test]
async fn client_certificates_are_shown() {
    let (server, client) = (pair(), pair());
    let repository = serve(&server, Some(&client));
    let (server, client) = (files(&server), files(&client));
    let ca = TlsOptions { ca_file: Some(server.cert.clone()), plain_http: Some(false), ..TlsOptions::default() };
    let both = TlsOptions { cert_file: Some(client.cert.clone()), key_file: Some(client.key.clone()), ..ca.clone() };
    assert_eq!(list(&repository, both).await, Ok(1));
    assert!(list(&repository, ca).await.is_err());
}

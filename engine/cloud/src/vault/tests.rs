//! KV of both versions and transit, against a server that checks token and namespace.

use serde_json::json;
use wiremock::matchers::{body_json, header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::harness::{session, shown};

const TOKEN: &str = "hvs.s3cret-token";

async fn server() -> MockServer {
    let server = MockServer::start().await;
    for (place, data) in [
        ("/v1/secret/data/app", json!({ "data": { "a": "b" }, "metadata": { "version": 2 } })),
        ("/v1/secret/data/deleted", json!({ "data": null, "metadata": { "deletion_time": "t" } })),
        ("/v1/kv1/app", json!({ "a": "b" })),
        ("/v1/kv1/with-data", json!({ "data": { "x": 1 }, "metadata-of-user": "y" })),
    ] {
        Mock::given(path(place))
            .and(header("x-vault-token", TOKEN))
            .and(header("x-vault-namespace", "team"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": data })))
            .mount(&server)
            .await;
    }
    Mock::given(path("/v1/transit/decrypt/k"))
        .and(body_json(json!({ "ciphertext": "vault:v1:x" })))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "data": { "plaintext": "Aw==" } })))
        .mount(&server)
        .await;
    server
}

fn client(variables: &[(&str, &str)]) -> Vault {
    let home = tempfile::tempdir().expect("folder");
    Vault::new(&session(variables, home.path()), VaultOptions::default())
}

fn logged_in() -> Vault {
    client(&[("VAULT_TOKEN", TOKEN), ("VAULT_NAMESPACE", "team")])
}

#[tokio::test]
async fn both_versions_of_kv_are_read() {
    let server = server().await;
    let vault = logged_in();
    for (path, wanted) in [
        ("secret/data/app", json!({ "a": "b" })),
        ("/v1/secret/data/app/", json!({ "a": "b" })),
        ("kv1/app", json!({ "a": "b" })),
        ("kv1/with-data", json!({ "data": { "x": 1 }, "metadata-of-user": "y" })),
    ] {
        assert_eq!(vault.read(&server.uri(), path).await.expect("secret"), wanted, "{path}");
    }
}

#[tokio::test]
async fn transit_decrypts() {
    let server = server().await;
    let plain = logged_in().decrypt(&server.uri(), "transit/", "k", "vault:v1:x").await.expect("plaintext");
    assert_eq!(plain.expose_secret(), [3]);
}

#[tokio::test]
async fn the_token_file_is_the_second_choice() {
    let server = server().await;
    let home = tempfile::tempdir().expect("folder");
    std::fs::write(home.path().join(".vault-token"), format!("{TOKEN}\n")).expect("file");
    let vault = Vault::new(&session(&[("VAULT_NAMESPACE", "team")], home.path()), VaultOptions::default());
    assert!(vault.read(&server.uri(), "kv1/app").await.is_ok());
    let error = client(&[]).read(&server.uri(), "kv1/app").await.expect_err("must fail");
    assert!(error.to_string().contains("looked at VAULT_TOKEN, ~/.vault-token"), "{error}");
}

#[tokio::test]
async fn absence_is_told_from_refusal() {
    let server = MockServer::start().await;
    let refusal = json!({ "errors": ["permission denied", format!("token {TOKEN}")] });
    Mock::given(path("/v1/no")).respond_with(ResponseTemplate::new(403).set_body_json(refusal)).mount(&server).await;
    let vault = logged_in();
    let error = vault.read(&server.uri(), "no").await.expect_err("must fail");
    assert!(error.to_string().ends_with("refused with status 403: permission denied; token *****"), "{error}");
    assert!(!shown(&error).contains(TOKEN) && !error.is_not_found());
    assert!(vault.read(&server.uri(), "gone").await.expect_err("must fail").is_not_found());
    let deleted = self::server().await;
    assert!(vault.read(&deleted.uri(), "secret/data/deleted").await.expect_err("must fail").is_not_found());
}

#[tokio::test]
async fn bad_addresses_paths_and_redirects_are_refused() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(307).insert_header("location", "http://evil.example/v1/x");
    Mock::given(path("/v1/moved")).respond_with(elsewhere).mount(&server).await;
    let vault = logged_in();
    for (address, path, words) in [
        ("vault", "a", "is no address"),
        ("ftp://vault", "a", "must be an `https://` address"),
        (&server.uri(), "a/../b", "names separated by `/`"),
        (&server.uri(), "a?b=c", "names separated by `/`"),
        (&server.uri(), "", "names separated by `/`"),
        (&server.uri(), "moved", "redirects to another address"),
    ] {
        let error = vault.read(address, path).await.expect_err("must fail").to_string();
        assert!(error.contains(words), "{path}: {error}");
    }
    let error = vault.read("http://me:s3cret-pw@127.0.0.1:1", "a").await.expect_err("must fail");
    assert!(!shown(&error).contains("s3cret-pw"), "{}", shown(&error));
}

#[tokio::test]
async fn certificates_that_can_not_be_used_are_named() {
    let server = server().await;
    for (variables, words) in [
        (&[("VAULT_CACERT", "/absent")][..], "credentials of VAULT_CACERT: read `/absent`"),
        (
            &[("VAULT_CLIENT_CERT", "/absent"), ("VAULT_CLIENT_KEY", "/absent")],
            "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY",
        ),
        (&[("HTTPS_PROXY", "::s3cret::")], "`HTTPS_PROXY` holds no address"),
    ] {
        let all: Vec<_> = variables.iter().copied().chain([("VAULT_TOKEN", TOKEN)]).collect();
        let home = tempfile::tempdir().expect("folder");
        let environment = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let error = match Session::new(environment, Some(home.path().into())) {
            Ok(session) => {
                Vault::new(&session, VaultOptions::default()).read(&server.uri(), "a").await.expect_err("must fail")
            }
            Err(error) => error,
        };
        assert!(error.to_string().contains(words) && !shown(&error).contains("s3cret"), "{error}");
    }
}

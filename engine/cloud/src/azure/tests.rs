//! Logins of Entra, Key Vault and ACR, against servers that check tokens and assertions.

use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::harness::{CERTIFICATE, KEY, form, forms, session, shown, verified};

struct Place {
    home: TempDir,
    server: MockServer,
}

const VAULT_ADDRESS: &str = "https://team.vault.azure.net/";
const SECRET: &str = "s3cret-of-client";

impl Place {
    async fn new() -> Self {
        let server = MockServer::start().await;
        let token =
            ResponseTemplate::new(200).set_body_json(json!({ "access_token": "token-1", "expires_in": "3600" }));
        Mock::given(path("/tenant/oauth2/v2.0/token")).respond_with(token).mount(&server).await;
        Mock::given(path("/secrets/app"))
            .and(query_param("api-version", "7.4"))
            .and(header("authorization", "Bearer token-1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "value": "a: b" })))
            .mount(&server)
            .await;
        Self { home: tempfile::tempdir().expect("folder"), server }
    }

    fn with(&self, variables: &[(&str, &str)]) -> Session {
        let uri = self.server.uri();
        let own = ["AZURE_AUTHORITY_HOST", "WINDLASS_ENDPOINT_AZURE_KEY_VAULT", "WINDLASS_ENDPOINT_AZURE_ACR"];
        let all: Vec<_> = own.map(|name| (name, uri.as_str())).into_iter().chain(variables.iter().copied()).collect();
        session(&all, self.home.path())
    }

    fn client(&self, variables: &[(&str, &str)]) -> Azure {
        Azure::new(&self.with(variables), AzureSources::WithoutCli)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).expect("file");
        path.display().to_string()
    }
}

const CLIENT: [(&str, &str); 2] = [("AZURE_TENANT_ID", "tenant"), ("AZURE_CLIENT_ID", "client")];

async fn read(azure: &Azure) -> Result<String, CloudError> {
    azure.secret(VAULT_ADDRESS, "app").await.map(|text| text.expose_secret().to_owned())
}

#[tokio::test]
async fn a_client_secret_gives_a_token_for_the_vaults_audience() {
    let place = Place::new().await;
    let azure = place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET)]);
    assert_eq!(read(&azure).await.expect("secret"), "a: b");
    let login = &forms(&place.server).await[0];
    assert_eq!(
        (login["client_secret"].as_str(), login["scope"].as_str()),
        (SECRET, "https://vault.azure.net/.default")
    );
}

#[tokio::test]
async fn a_certificate_signs_an_assertion() {
    let place = Place::new().await;
    let pem = place.file("client.pem", &format!("{KEY}{CERTIFICATE}"));
    let azure = place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_CERTIFICATE_PATH", &pem)]);
    assert_eq!(read(&azure).await.expect("secret"), "a: b");
    let (head, claims) = verified(&forms(&place.server).await[0]["client_assertion"]).expect("valid signature");
    assert_eq!(head["x5t#S256"].as_str().map(str::len), Some(43));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client"), &json!("client")));
    assert_eq!(claims["aud"], json!(format!("{}/tenant/oauth2/v2.0/token", place.server.uri())));
}

#[tokio::test]
async fn workloads_and_machines_give_tokens() {
    let place = Place::new().await;
    let token = place.file("token", "pod-jwt\n");
    assert!(read(&place.client(&[CLIENT[0], CLIENT[1], ("AZURE_FEDERATED_TOKEN_FILE", &token)])).await.is_ok());
    assert_eq!(forms(&place.server).await[0]["client_assertion"], "pod-jwt");
    let answer = || ResponseTemplate::new(200).set_body_json(json!({ "access_token": "token-1", "expires_in": "60" }));
    Mock::given(path("/metadata/identity/oauth2/token"))
        .and(header("metadata", "true"))
        .and(query_param("resource", "https://vault.azure.net"))
        .respond_with(answer())
        .mount(&place.server)
        .await;
    assert!(read(&place.client(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &place.server.uri())])).await.is_ok());
    Mock::given(path("/msi"))
        .and(header("x-identity-header", "h"))
        .and(query_param("client_id", "me"))
        .respond_with(answer())
        .mount(&place.server)
        .await;
    let endpoint = format!("{}/msi", place.server.uri());
    let app = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "h"), ("AZURE_CLIENT_ID", "me")];
    assert!(read(&place.client(&app)).await.is_ok());
}

#[tokio::test]
async fn keys_decrypt() {
    let place = Place::new().await;
    Mock::given(path("/keys/k/v1/decrypt"))
        .and(body_json(json!({ "alg": "RSA-OAEP-256", "value": "AQI" })))
        .and(header("authorization", "Bearer token-1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "value": "Aw" })))
        .mount(&place.server)
        .await;
    let azure = place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET)]);
    assert_eq!(azure.decrypt(VAULT_ADDRESS, "k", "v1", &[1, 2]).await.expect("plaintext").expose_secret(), [3]);
}

#[tokio::test]
async fn acr_exchanges_the_token() {
    let place = Place::new().await;
    Mock::given(path("/oauth2/exchange"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "refresh_token": "refresh" })))
        .mount(&place.server)
        .await;
    let azure = place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET)]);
    let login = azure.registry_login("team.azurecr.io").await.expect("login");
    assert_eq!((login.username.as_str(), login.password.expose_secret()), (ACR_USER, "refresh"));
    let requests = place.server.received_requests().await.expect("requests");
    assert_eq!(form(&requests[0])["scope"], "https://containerregistry.azure.net/.default");
    let exchange = form(&requests[1]);
    assert_eq!((exchange["service"].as_str(), exchange["access_token"].as_str()), ("team.azurecr.io", "token-1"));
    assert!(azure.registry_login("evil.example").await.is_err());
}

#[tokio::test]
async fn no_other_host_gets_a_token() {
    let place = Place::new().await;
    let variables = [CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET), ("WINDLASS_ENDPOINT_AZURE_KEY_VAULT", "")];
    let azure = place.client(&variables);
    for (vault, words) in [
        ("http://team.vault.azure.net", "must be `https`"),
        ("https://vault.evil.example", "is no vault"),
        ("https://team.vault.azure.net.evil.example", "is no vault"),
        ("team", "is no address"),
    ] {
        let error = azure.secret(vault, "app").await.expect_err("must fail").to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(forms(&place.server).await.is_empty());
}

#[tokio::test]
async fn failures_say_why_and_show_nothing() {
    let place = Place::new().await;
    let missing = json!({ "error": { "code": "SecretNotFound", "message": "none" } });
    Mock::given(path("/secrets/gone"))
        .respond_with(ResponseTemplate::new(404).set_body_json(missing))
        .mount(&place.server)
        .await;
    let azure = place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET)]);
    let error = azure.secret(VAULT_ADDRESS, "gone").await.expect_err("must fail");
    assert!(error.is_not_found() && error.to_string().ends_with("not found: SecretNotFound: none"), "{error}");
    assert!(azure.secret(VAULT_ADDRESS, "../x").await.expect_err("must fail").to_string().contains("letters, digits"));
    let refused = MockServer::start().await;
    let body = json!({ "error": "invalid_client", "error_description": format!("{SECRET} is wrong") });
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(401).set_body_json(body)).mount(&refused).await;
    let variables = [CLIENT[0], CLIENT[1], ("AZURE_CLIENT_SECRET", SECRET), ("AZURE_AUTHORITY_HOST", &refused.uri())];
    let error = read(&place.client(&variables)).await.expect_err("must fail");
    assert!(error.to_string().contains("credentials of AZURE_CLIENT_SECRET: "), "{error}");
    assert!(!shown(&error).contains(SECRET), "{}", shown(&error));
    let error = read(&place.client(&[])).await.expect_err("must fail");
    assert!(error.to_string().contains("managed identity (no answer)"), "{error}");
    let pem = place.file("bad.pem", "nothing");
    let error = read(&place.client(&[CLIENT[0], CLIENT[1], ("AZURE_CLIENT_CERTIFICATE_PATH", &pem)])).await;
    assert!(error.expect_err("must fail").to_string().contains("no certificate in PEM form"));
}

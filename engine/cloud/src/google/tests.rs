//! Credentials files of every kind and the calls, against servers that check tokens and assertions.

use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::{body_json, body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::harness::{KEY, forms, session, shown, verified};

struct Place {
    home: TempDir,
    server: MockServer,
}

impl Place {
    /// A server that gives `token-1` for any login and knows secrets and keys for that token.
    async fn new() -> Self {
        let server = MockServer::start().await;
        let token = ResponseTemplate::new(200).set_body_json(json!({ "access_token": "token-1", "expires_in": 3600 }));
        Mock::given(path("/token")).respond_with(token).mount(&server).await;
        Self { home: tempfile::tempdir().expect("folder"), server }
    }

    async fn secret_for(&self, token: &str) {
        Mock::given(path("/v1/projects/p/secrets/s/versions/latest:access"))
            .and(header("authorization", format!("Bearer {token}")))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "payload": { "data": "YTogYg==" } })))
            .mount(&self.server)
            .await;
    }

    fn with(&self, variables: &[(&str, &str)]) -> Session {
        let uri = self.server.uri();
        let own =
            [("WINDLASS_ENDPOINT_GOOGLE_SECRETMANAGER", uri.as_str()), ("WINDLASS_ENDPOINT_GOOGLE_CLOUDKMS", &uri)];
        let all: Vec<_> = own.into_iter().chain(variables.iter().copied()).collect();
        session(&all, self.home.path())
    }

    fn client(&self, file: Value, variables: &[(&str, &str)]) -> Google {
        Google::new(
            &self.with(variables),
            GoogleOptions { credentials: Some(file.to_string().into()), access_token: None },
        )
    }

    fn service_account(&self) -> Value {
        let token_uri = format!("{}/token", self.server.uri());
        json!({
            "type": "service_account", "client_email": "me@p", "private_key": KEY, "private_key_id": "id",
            "token_uri": token_uri,
        })
    }
}

async fn read(google: &Google) -> Result<String, CloudError> {
    google.secret("projects/p/secrets/s/versions/latest").await.map(|text| text.expose_secret().to_owned())
}

#[tokio::test]
async fn a_service_account_signs_an_assertion() {
    let place = Place::new().await;
    place.secret_for("token-1").await;
    let google = place.client(place.service_account(), &[]);
    assert_eq!(read(&google).await.expect("secret"), "a: b");
    assert_eq!(read(&google).await.expect("secret"), "a: b");
    let logins: Vec<_> = forms(&place.server).await.into_iter().filter(|form| form.contains_key("assertion")).collect();
    assert_eq!(logins.len(), 1, "the token is kept");
    let (head, claims) = verified(&logins[0]["assertion"]).expect("valid signature");
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &json!("id")));
    assert_eq!((&claims["iss"], &claims["scope"]), (&json!("me@p"), &json!(CLOUD_PLATFORM)));
    assert_eq!(claims["aud"], json!(format!("{}/token", place.server.uri())));
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|start| start + 3600));
}

#[tokio::test]
async fn users_refresh_their_token_from_the_usual_places() {
    let place = Place::new().await;
    place.secret_for("token-1").await;
    let file = json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "cs", "refresh_token": "r",
        "token_uri": format!("{}/token", place.server.uri()),
    });
    let gcloud = place.home.path().join(".config/gcloud");
    std::fs::create_dir_all(&gcloud).expect("folder");
    let well_known = gcloud.join("application_default_credentials.json");
    std::fs::write(&well_known, file.to_string()).expect("file");
    let named = place.home.path().join("named.json");
    std::fs::write(&named, file.to_string()).expect("file");
    let named = named.display().to_string();
    let sops = GoogleOptions::of_sops(&place.with(&[("GOOGLE_CREDENTIALS", &named)])).await.expect("options");
    for google in [
        Google::new(&place.with(&[]), GoogleOptions::default()),
        Google::new(&place.with(&[("GOOGLE_APPLICATION_CREDENTIALS", &named)]), GoogleOptions::default()),
        Google::new(&place.with(&[]), sops),
    ] {
        assert_eq!(read(&google).await.expect("secret"), "a: b");
    }
    let logins = forms(&place.server).await;
    assert_eq!(logins[0]["refresh_token"], "r");
}

#[tokio::test]
async fn external_accounts_exchange_and_impersonate() {
    let place = Place::new().await;
    let uri = place.server.uri();
    place.secret_for("token-2").await;
    Mock::given(path("/impersonate"))
        .and(header("authorization", "Bearer token-1"))
        .and(body_json(json!({ "scope": [CLOUD_PLATFORM] })))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({ "accessToken": "token-2", "expireTime": "2999-01-01T00:00:00Z" })),
        )
        .mount(&place.server)
        .await;
    Mock::given(path("/subject"))
        .and(header("x-key", "v"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "jwt": "subject-of-url" })))
        .mount(&place.server)
        .await;
    let token = place.home.path().join("subject");
    std::fs::write(&token, "subject-of-file\n").expect("file");
    let program = place.home.path().join("answer.json");
    std::fs::write(&program, json!({ "success": true, "id_token": "subject-of-program" }).to_string()).expect("file");
    let format = json!({ "type": "json", "subject_token_field_name": "jwt" });
    let command = format!("cat {}", program.display());
    let variables = [("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")];
    for source in [
        json!({ "file": token }),
        json!({ "url": format!("{uri}/subject"), "headers": { "x-key": "v" }, "format": format }),
        json!({ "executable": { "command": command } }),
    ] {
        let file = json!({
            "type": "external_account", "audience": "//iam/x", "subject_token_type": "jwt",
            "token_url": format!("{uri}/token"), "credential_source": source,
            "service_account_impersonation_url": format!("{uri}/impersonate"),
        });
        assert_eq!(read(&place.client(file, &variables)).await.expect("secret"), "a: b");
    }
    let subjects: Vec<_> =
        forms(&place.server).await.into_iter().filter_map(|form| form.get("subject_token").cloned()).collect();
    assert_eq!(subjects, ["subject-of-file", "subject-of-url", "subject-of-program"]);
}

#[tokio::test]
async fn accounts_in_aws_prove_themselves_by_a_signed_request() {
    let place = Place::new().await;
    place.secret_for("token-1").await;
    let uri = place.server.uri();
    let file = json!({
        "type": "external_account", "audience": "//iam/x", "subject_token_type": "aws4",
        "token_url": format!("{uri}/token"),
        "credential_source": {
            "environment_id": "aws1",
            "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        },
    });
    let keys = [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s3cret-of-aws"), ("AWS_REGION", "eu-west-1")];
    assert_eq!(read(&place.client(file, &keys)).await.expect("secret"), "a: b");
    let form =
        forms(&place.server).await.into_iter().find(|form| form.contains_key("subject_token")).expect("exchange");
    let encoded = format!("x={}", form["subject_token"]);
    let (_, text) = url::form_urlencoded::parse(encoded.as_bytes()).next().expect("text");
    let request: Value = serde_json::from_str(&text).expect("JSON");
    assert!(request["url"].as_str().is_some_and(|url| url.starts_with("https://sts.eu-west-1.amazonaws.com/?Action=")));
    assert!(request["headers"].to_string().contains("Credential=AK/") && !text.contains("s3cret-of-aws"));
}

#[tokio::test]
async fn impersonated_accounts_and_the_metadata_server_give_tokens() {
    let place = Place::new().await;
    place.secret_for("token-3").await;
    let uri = place.server.uri();
    Mock::given(path("/impersonate"))
        .and(body_string_contains("delegates"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "accessToken": "token-3" })))
        .mount(&place.server)
        .await;
    let file = json!({
        "type": "impersonated_service_account", "source_credentials": place.service_account(), "delegates": ["d"],
        "service_account_impersonation_url": format!("{uri}/impersonate"),
    });
    assert_eq!(read(&place.client(file, &[])).await.expect("secret"), "a: b");
    Mock::given(path("/computeMetadata/v1/instance/service-accounts/default/token"))
        .and(header("metadata-flavor", "Google"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "access_token": "token-3", "expires_in": 60 })))
        .mount(&place.server)
        .await;
    let host = uri.trim_start_matches("http://").to_owned();
    let google = Google::new(&place.with(&[("GCE_METADATA_HOST", &host)]), GoogleOptions::default());
    assert_eq!(read(&google).await.expect("secret"), "a: b");
    let login = google.registry_login().await.expect("login");
    assert_eq!((login.username.as_str(), login.password.expose_secret()), ("oauth2accesstoken", "token-3"));
}

#[tokio::test]
async fn kms_decrypts_by_the_key_without_its_version() {
    let place = Place::new().await;
    Mock::given(path("/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k:decrypt"))
        .and(body_json(json!({ "ciphertext": "AQI=" })))
        .and(header("authorization", "Bearer given"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "plaintext": "Aw==" })))
        .mount(&place.server)
        .await;
    let options = GoogleOptions { access_token: Some("given".to_owned().into()), credentials: None };
    let google = Google::new(&place.with(&[]), options);
    let key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
    for key in [key.to_owned(), format!("{key}/cryptoKeyVersions/3")] {
        assert_eq!(google.decrypt(&key, &[1, 2]).await.expect("plaintext").expose_secret(), [3]);
    }
    for key in ["k", "projects/../locations/l/keyRings/r/cryptoKeys/k", "projects//locations/l/keyRings/r/cryptoKeys/k"]
    {
        assert!(matches!(*google.decrypt(key, &[]).await.expect_err("must fail").problem, Problem::Input(_)), "{key}");
    }
}

#[tokio::test]
async fn files_that_do_not_work_say_why_and_show_nothing() {
    let place = Place::new().await;
    let mut broken_key = place.service_account();
    broken_key["private_key"] = "-----BEGIN PRIVATE KEY-----\nczNjcmV0\n-----END PRIVATE KEY-----".into();
    let mut remote = place.service_account();
    remote["token_uri"] = "http://example.org/token".into();
    for (file, words) in [
        (json!({}), "it has no `type`"),
        (json!({ "type": "gdch_service_account" }), "are not supported"),
        (json!({ "type": "service_account" }), "`client_email` is missing"),
        (json!({ "type": "authorized_user", "client_id": "c" }), "`client_secret` is missing"),
        (json!({ "type": "external_account", "credential_source": {} }), "of an unknown kind"),
        (
            json!({ "type": "external_account", "credential_source": { "executable": { "command": "x" } } }),
            "ALLOW_EXECUTABLES",
        ),
        (broken_key, "the private key can not be used"),
        (remote, "`token_uri` must be `https`"),
    ] {
        let error = read(&place.client(file, &[])).await.expect_err("must fail");
        let text = shown(&error);
        assert!(text.contains(words) && text.contains("the given credentials"), "{words}: {text}");
        assert!(!text.contains("czNjcmV0"), "{text}");
    }
    let not_json = GoogleOptions { credentials: Some("s3cret-text".to_owned().into()), access_token: None };
    let error = read(&Google::new(&place.with(&[]), not_json)).await.expect_err("must fail");
    assert!(shown(&error).contains("it is not JSON") && !shown(&error).contains("s3cret-text"));
    let error = read(&Google::new(&place.with(&[]), GoogleOptions::default())).await.expect_err("must fail");
    assert!(error.to_string().contains("no credentials found"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("gcloud auth application-default login")));
}

#[tokio::test]
async fn errors_of_google_are_told_apart() {
    let name = |name: &str| format!("Google Secret Manager: get secret `{name}`: ");
    let place = Place::new().await;
    let options = || GoogleOptions { access_token: Some("given-token".to_owned().into()), credentials: None };
    let google = Google::new(&place.with(&[]), options());
    for bad in ["s", "projects/p/secrets/s", "projects/p/secrets/../versions/1", "projects/p/secrets//versions/1"] {
        let error = google.secret(bad).await.expect_err("must fail");
        assert!(matches!(*error.problem, Problem::Input(_)) && error.to_string().starts_with(&name(bad)), "{error}");
    }
    for (status, code) in [(404, "NOT_FOUND"), (403, "PERMISSION_DENIED"), (401, "UNAUTHENTICATED")] {
        let place = Place::new().await;
        let body = json!({ "error": { "status": code, "message": "given-token is wrong" } });
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&place.server)
            .await;
        let error = read(&Google::new(&place.with(&[]), options())).await.expect_err("must fail");
        assert!(error.to_string().ends_with(&format!("{code}: ***** is wrong")), "{error}");
        assert_eq!(error.is_not_found(), status == 404);
    }
}

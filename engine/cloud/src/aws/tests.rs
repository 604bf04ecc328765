//! The calls against servers that check signatures, and where credentials come from.

use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::{body_json, body_string_contains, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::harness::{SignedWith, session, shown};

const SECRET: &str = "s3cr3t/key+of=aws";

struct Place {
    home: TempDir,
    server: MockServer,
}

impl Place {
    async fn new() -> Self {
        Self { home: tempfile::tempdir().expect("folder"), server: MockServer::start().await }
    }

    fn with(&self, variables: &[(&str, &str)]) -> Session {
        let uri = self.server.uri();
        let all: Vec<_> = [("AWS_ENDPOINT_URL", uri.as_str())].into_iter().chain(variables.iter().copied()).collect();
        session(&all, self.home.path())
    }

    fn keys(&self) -> Session {
        self.with(&[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", SECRET)])
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("file");
    }

    /// A secret for requests with this signature.
    async fn secret_for(&self, secret: &'static str) {
        let scope = "eu-central-1/secretsmanager";
        Mock::given(method("POST"))
            .and(header("x-amz-target", "secretsmanager.GetSecretValue"))
            .and(SignedWith { secret, scope })
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "SecretString": "a: b" })))
            .mount(&self.server)
            .await;
    }

    async fn sts(&self, action: &'static str, secret: &str) {
        let end = (Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
        let body = format!(
            "<R><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
             <SessionToken>session</SessionToken><Expiration>{end}</Expiration></Credentials></R>"
        );
        Mock::given(body_string_contains(format!("Action={action}&")))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&self.server)
            .await;
    }
}

async fn read(session: &Session, options: AwsOptions) -> Result<String, CloudError> {
    let secret = Aws::new(session, options).secret(Some("eu-central-1"), "team/app").await;
    secret.map(|text| text.expose_secret().to_owned())
}

#[tokio::test]
async fn a_secret_is_read_with_a_valid_signature() {
    let place = Place::new().await;
    place.secret_for(SECRET).await;
    assert_eq!(read(&place.keys(), AwsOptions::default()).await.expect("secret"), "a: b");
    let request = &place.server.received_requests().await.expect("requests")[0];
    assert_eq!(request.body, br#"{"SecretId":"team/app"}"#);
}

#[tokio::test]
async fn a_wrong_key_does_not_pass_the_check_of_the_server() {
    let place = Place::new().await;
    place.secret_for("another key").await;
    let error = read(&place.keys(), AwsOptions::default()).await.expect_err("must fail");
    assert!(!shown(&error).contains(SECRET));
}

#[tokio::test]
async fn bytes_are_read_as_text_and_the_region_comes_from_the_arn() {
    let place = Place::new().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "SecretBinary": "YTogYg==" }));
    let scope = "us-west-2/secretsmanager";
    Mock::given(SignedWith { secret: SECRET, scope }).respond_with(answer).mount(&place.server).await;
    let aws = Aws::new(&place.keys(), AwsOptions::default());
    let text = aws.secret(None, "arn:aws:secretsmanager:us-west-2:1:secret:x").await.expect("secret");
    assert_eq!(text.expose_secret(), "a: b");
    let error = aws.secret(None, "x").await.expect_err("must fail").to_string();
    assert!(error.ends_with("when omitting the AWS region, the secret name must be a valid ARN"), "{error}");
}

#[tokio::test]
async fn answers_of_aws_are_told_apart() {
    for (status, code, wanted) in [
        (400, "ResourceNotFoundException", "not found: ResourceNotFoundException: no"),
        (400, "AccessDeniedException", "refused with status 400"),
        (400, "UnrecognizedClientException", "refused with status 400"),
        (403, "x#InvalidSignatureException", "refused with status 403: InvalidSignatureException: no"),
        (400, "DecryptionFailure", "failed with status 400: DecryptionFailure: no"),
    ] {
        let place = Place::new().await;
        let answer = ResponseTemplate::new(status).set_body_json(json!({ "__type": code, "message": "no" }));
        Mock::given(method("POST")).respond_with(answer).mount(&place.server).await;
        let error = read(&place.keys(), AwsOptions::default()).await.expect_err("must fail");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(error.to_string().starts_with("AWS Secrets Manager: get secret `team/app`: "), "{error}");
        assert_eq!(error.is_not_found(), code == "ResourceNotFoundException");
    }
}

#[tokio::test]
async fn throttling_is_waited_for() {
    let place = Place::new().await;
    let throttled = json!({ "__type": "ThrottlingException", "message": "slow" });
    let answer = ResponseTemplate::new(400).insert_header("retry-after", "0").set_body_json(throttled);
    Mock::given(method("POST")).respond_with(answer).up_to_n_times(2).mount(&place.server).await;
    place.secret_for(SECRET).await;
    assert_eq!(read(&place.keys(), AwsOptions::default()).await.expect("secret"), "a: b");
}

#[tokio::test]
async fn unusable_answers_are_errors() {
    for body in ["", "[]", "{}", "{\"SecretString\": 5}", "{\"SecretBinary\": \"/w==\"}"] {
        let place = Place::new().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&place.server)
            .await;
        let error = read(&place.keys(), AwsOptions::default()).await.expect_err("must fail");
        assert!(matches!(*error.problem, Problem::Answer(_)), "{body}: {error}");
    }
}

#[tokio::test]
async fn kms_decrypts_with_context_and_role() {
    let place = Place::new().await;
    place.sts("AssumeRole", "role secret").await;
    let key = "arn:aws:kms:eu-west-1:1:key/k";
    let wanted = json!({ "KeyId": key, "CiphertextBlob": "AQI=", "EncryptionContext": { "a": "b" } });
    Mock::given(header("x-amz-target", "TrentService.Decrypt"))
        .and(header("x-amz-security-token", "session"))
        .and(body_json(wanted))
        .and(SignedWith { secret: "role secret", scope: "eu-west-1/kms" })
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "Plaintext": "Aw==" })))
        .mount(&place.server)
        .await;
    let aws = Aws::new(&place.keys(), AwsOptions::default());
    let context = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let request = KmsRequest { key, ciphertext: &[1, 2], role: Some("arn:aws:iam::1:role/r"), context: &context };
    assert_eq!(aws.decrypt(request).await.expect("plaintext").expose_secret(), [3]);
    let error = aws.decrypt(KmsRequest { key: "alias/x", ..request }).await.expect_err("must fail");
    assert!(error.to_string().contains("the key is not named by its ARN"), "{error}");
}

#[tokio::test]
async fn ecr_gives_user_and_password() {
    let place = Place::new().await;
    let data = json!({ "authorizationToken": "QVdTOnA6dw==", "expiresAt": 1_900_000_000.5 });
    Mock::given(body_json(json!({ "registryIds": ["123456789012"] })))
        .and(SignedWith { secret: SECRET, scope: "eu-central-1/ecr" })
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "authorizationData": [data] })))
        .mount(&place.server)
        .await;
    Mock::given(header("x-amz-target", "SpencerFrontendService.GetAuthorizationToken"))
        .and(SignedWith { secret: SECRET, scope: "us-east-1/ecr-public" })
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "authorizationData": data })))
        .mount(&place.server)
        .await;
    let aws = Aws::new(&place.keys(), AwsOptions::default());
    for host in ["123456789012.dkr.ecr.eu-central-1.amazonaws.com", "public.ecr.aws"] {
        let login = aws.registry_login(host).await.expect("login");
        assert_eq!((login.username.as_str(), login.password.expose_secret()), ("AWS", "p:w"));
        assert_eq!(login.end.map(|end| end.as_second()), Some(1_900_000_000));
    }
    assert!(matches!(*aws.registry_login("docker.io").await.expect_err("must fail").problem, Problem::Input(_)));
}

#[tokio::test]
async fn profiles_assume_roles_along_their_chain() {
    let place = Place::new().await;
    place.file(
        ".aws/config",
        "[profile app]\nrole_arn = arn:r\nsource_profile = base\nexternal_id = e 1\nregion = eu-west-1\n",
    );
    place.file(".aws/credentials", &format!("[base]\naws_access_key_id = AK\naws_secret_access_key = {SECRET}\n"));
    place.sts("AssumeRole", "role secret").await;
    place.secret_for("role secret").await;
    let options = AwsOptions { profile: Some("app".into()), ..AwsOptions::default() };
    assert_eq!(read(&place.with(&[]), options).await.expect("secret"), "a: b");
    let sts = &place.server.received_requests().await.expect("requests")[0];
    assert!(SignedWith { secret: SECRET, scope: "eu-west-1/sts" }.matches(sts));
    let form = crate::harness::form(sts);
    assert_eq!((form["RoleArn"].as_str(), form["ExternalId"].as_str()), ("arn:r", "e 1"));
}

#[tokio::test]
async fn the_environment_beats_the_profile_of_the_project() {
    let place = Place::new().await;
    place.file(".aws/credentials", "[app]\naws_access_key_id = A\naws_secret_access_key = other\n");
    place.secret_for(SECRET).await;
    let options = || AwsOptions { profile: Some("app".into()), ..AwsOptions::default() };
    assert!(read(&place.keys(), options()).await.is_ok());
    // A profile of the environment that does not exist does not count.
    assert!(read(&place.with(&[("AWS_PROFILE", "absent")]), options()).await.is_err());
    place.secret_for("other").await;
    assert!(read(&place.with(&[("AWS_PROFILE", "absent")]), options()).await.is_ok());
}

#[tokio::test]
async fn web_identity_of_environment_and_caller_gives_a_role() {
    let place = Place::new().await;
    place.file("token", "jwt\n");
    place.sts("AssumeRoleWithWebIdentity", "role secret").await;
    place.secret_for("role secret").await;
    let token = place.home.path().join("token").display().to_string();
    let session = place.with(&[("AWS_WEB_IDENTITY_TOKEN_FILE", &token), ("AWS_ROLE_ARN", "arn:r")]);
    assert!(read(&session, AwsOptions::default()).await.is_ok());
    let identity = WebIdentity {
        role: "arn:aws:iam::1:role/x".into(),
        token: "cluster-jwt".to_owned().into(),
        session_name: "kluctl".into(),
        region: None,
    };
    let options = AwsOptions { web_identity: Some(identity), ..AwsOptions::default() };
    assert!(read(&place.with(&[]), options).await.is_ok());
    let forms = crate::harness::forms(&place.server).await;
    let got: Vec<_> =
        forms.iter().filter_map(|form| Some((form.get("WebIdentityToken")?, form.get("RoleSessionName")?))).collect();
    assert_eq!(got, [(&"jwt".to_owned(), &"windlass".to_owned()), (&"cluster-jwt".to_owned(), &"kluctl".to_owned())]);
}

#[tokio::test]
async fn processes_containers_instances_and_sso_give_credentials() {
    let answer = json!({
        "Version": 1, "AccessKeyId": "A", "SecretAccessKey": SECRET, "SessionToken": "t", "Token": "t",
        "Expiration": "2999-01-01T00:00:00Z",
    });
    let place = Place::new().await;
    place.file("answer.json", &answer.to_string());
    let process = format!("credential_process = cat {}", place.home.path().join("answer.json").display());
    let sso = "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = eu-west-1";
    place.file(".aws/config", &format!("[profile tool]\n{process}\n[profile sso]\n{sso}\n"));
    let login = json!({ "accessToken": "sso-token", "expiresAt": "2999-01-01T00:00:00Z" });
    // The SHA-1 of the session's name.
    place.file(".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json", &login.to_string());
    let role = json!({ "accessKeyId": "A", "secretAccessKey": SECRET, "sessionToken": "t", "expiration": 32_503_680_000_000_i64 });
    Mock::given(path("/federation/credentials"))
        .and(query_param("role_name", "r"))
        .and(header("x-amz-sso_bearer_token", "sso-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "roleCredentials": role })))
        .mount(&place.server)
        .await;
    Mock::given(path("/container"))
        .and(header("authorization", "pod-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(&answer))
        .mount(&place.server)
        .await;
    let roles = "/latest/meta-data/iam/security-credentials/";
    for (verb, place_of, body) in [
        ("PUT", "/latest/api/token".to_owned(), "imds".to_owned()),
        ("GET", roles.to_owned(), "role\n".to_owned()),
        ("GET", format!("{roles}role"), answer.to_string()),
    ] {
        Mock::given(method(verb))
            .and(path(place_of))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&place.server)
            .await;
    }
    place.secret_for(SECRET).await;
    let uri = place.server.uri();
    let container = format!("{uri}/container");
    let profile = |name: &str| AwsOptions { profile: Some(name.into()), ..AwsOptions::default() };
    let sso = [("WINDLASS_ENDPOINT_AWS_SSO", uri.as_str())];
    let pod = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-token"),
    ];
    let machine = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", uri.as_str())];
    for (variables, options) in [
        (&[][..], profile("tool")),
        (&sso[..], profile("sso")),
        (&pod[..], AwsOptions::default()),
        (&machine[..], AwsOptions::default()),
    ] {
        assert_eq!(read(&place.with(variables), options).await.expect("secret"), "a: b");
    }
}

#[tokio::test]
async fn credentials_that_do_not_work_say_why() {
    let place = Place::new().await;
    let config = "[profile loop]\nrole_arn = r\nsource_profile = loop2\n[profile loop2]\nrole_arn = r\nsource_profile = loop\n\
        [profile tool]\ncredential_process = echo oops-s3cret >&2; exit 3\n[profile noise]\ncredential_process = echo hi\n\
        [profile sso]\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = r\n";
    place.file(".aws/config", config);
    for (profile, words) in [
        ("loop", "form a circle"),
        ("tool", "credential_process of AWS profile `tool`: `sh` failed"),
        ("noise", "its output is not JSON with `\"Version\": 1`"),
        ("sso", "there is no login; run `aws sso login --profile sso`"),
    ] {
        let options = AwsOptions { profile: Some(profile.into()), ..AwsOptions::default() };
        let error = read(&place.with(&[]), options).await.expect_err("must fail").to_string();
        assert!(error.contains(words), "{error}");
    }
    for (variables, words) in [
        (&[][..], "no credentials found; looked at environment variables, "),
        (&[("AWS_ACCESS_KEY_ID", "A")], "AWS_SECRET_ACCESS_KEY is not"),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/absent")], "AWS_ROLE_ARN is not"),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/absent"), ("AWS_ROLE_ARN", "r")], "read `/absent`"),
        (&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/x")], "an address of this machine"),
        (&[("AWS_ENDPOINT_URL", "nonsense")], "`AWS_ENDPOINT_URL` is no address"),
    ] {
        let error = read(&place.with(variables), AwsOptions::default()).await.expect_err("must fail").to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn hosts_follow_region_partition_and_fips() {
    let place = Place::new().await;
    let none = Profiles::default();
    let at = |variables: &[(&str, &str)], service: Service, region: &str| {
        let url = service.endpoint(&session(variables, place.home.path()), &none, region);
        url.map(|url| url.to_string()).map_err(|problem| problem.to_string())
    };
    assert_eq!(at(&[], KMS, "eu-west-1").as_deref(), Ok("https://kms.eu-west-1.amazonaws.com/"));
    assert_eq!(at(&[], ECR, "cn-north-1").as_deref(), Ok("https://api.ecr.cn-north-1.amazonaws.com.cn/"));
    assert_eq!(at(&[], STS, "").as_deref(), Ok("https://sts.amazonaws.com/"));
    let fips = [("AWS_USE_FIPS_ENDPOINT", "true")];
    assert_eq!(
        at(&fips, SECRETS_MANAGER, "us-east-1").as_deref(),
        Ok("https://secretsmanager-fips.us-east-1.amazonaws.com/")
    );
    let own = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_KMS", "http://kms")];
    assert_eq!(at(&own, KMS, "x").as_deref(), Ok("http://kms/"));
    assert_eq!(at(&own, STS, "x").as_deref(), Ok("http://all/"));
    assert_eq!(at(&[], KMS, "evil.example/#"), Err("`evil.example/#` is no AWS region".to_owned()));
}

use wiremock::Match as _;

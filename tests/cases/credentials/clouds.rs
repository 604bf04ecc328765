//! Logins at registries of clouds, by the identity that the environment has there.
//!
//! Hosts are the clouds' own; a proxy leads them to a registry that wants exactly the login that the cloud gives.

use std::fs;
use std::process::Command;

use serde_json::json;
use windlass_tests::servers::ForwardProxy;
use windlass_tests::servers::secret_store::{
    AWS_SECRET_KEY, AZURE_CLIENT_SECRET, GOOGLE_TOKEN, SecretStore, VAULT_TOKEN,
};
use windlass_tests::{Answer, Registry, TestProject};

use super::{assert_found, assert_refused, image_project, render};

const KEY: &str = include_str!("../vars_stores/service-account.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("../vars_stores/public-key.der");

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const GOOGLE: &str = "europe-west1-docker.pkg.dev";
const ACR: &str = "team.azurecr.io";
/// Of ECR and ACR.
const CLOUD_PASSWORD: &str = "s3cret-password-of-the-cloud";

pub(super) fn store(secrets: &[(&str, &str)]) -> SecretStore {
    SecretStore::start(secrets, PUBLIC_KEY.to_vec()).expect("a server")
}

/// Gives a run an identity in every cloud and in Vault; all their services are the store.
pub(super) fn identify(command: &mut Command, store: &SecretStore, project: &TestProject) {
    let url = store.url();
    let account = json!({
        "type": "service_account", "client_email": "windlass@project", "private_key": KEY,
        "token_uri": format!("{url}/google/token"),
    });
    let file = project.work().join("account.json");
    fs::write(&file, account.to_string()).expect("a file");
    for name in ["GOOGLE_SECRETMANAGER", "GOOGLE_CLOUDKMS", "AZURE_KEY_VAULT", "AZURE_ACR"] {
        command.env(format!("WINDLASS_ENDPOINT_{name}"), &url);
    }
    command
        .env("VAULT_TOKEN", VAULT_TOKEN)
        .env("AWS_ACCESS_KEY_ID", "AKID")
        .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET_KEY)
        .env_remove("AWS_SESSION_TOKEN")
        .env("AWS_ENDPOINT_URL", &url)
        .env("GOOGLE_APPLICATION_CREDENTIALS", file)
        .env("AZURE_TENANT_ID", "tenant")
        .env("AZURE_CLIENT_ID", "client")
        .env("AZURE_CLIENT_SECRET", AZURE_CLIENT_SECRET)
        .env("AZURE_AUTHORITY_HOST", &url);
}

/// A registry of a cloud.
struct Cloud {
    host: &'static str,
    store: SecretStore,
    registry: Registry,
    proxy: ForwardProxy,
}

impl Cloud {
    fn new(host: &'static str, user: &str, password: &str) -> Self {
        let registry = Registry::start_with_auth(user, password).expect("a registry");
        registry.push_images("team/web", &["1.0", "1.1"]).expect("pushed");
        let proxy = ForwardProxy::start(registry.address()).expect("a proxy");
        let acr = format!("acr/{ACR}");
        let store = store(&[("ecr/123456789012", CLOUD_PASSWORD), (&acr, CLOUD_PASSWORD)]);
        Self { host, store, registry, proxy }
    }

    fn ecr() -> Self {
        Self::new(ECR, "AWS", CLOUD_PASSWORD)
    }

    fn run(&self, change: impl FnOnce(&mut Command)) -> Answer {
        let project = image_project(&format!("{}/team/web", self.host));
        render(&project, |command| {
            identify(command, &self.store, &project);
            command
                .env("HTTP_PROXY", format!("http://{}", self.proxy.address()))
                .env("KLUCTL_REGISTRY_1_HOST", self.host)
                .env("KLUCTL_REGISTRY_1_INSECURE", "1");
            change(command);
        })
    }

    fn assert_found(&self) {
        assert_found(&self.run(|_| ()), &format!("{}/team/web:1.1", self.host));
        assert!(self.proxy.log().iter().all(|entry| entry.target.contains(self.host)), "{:?}", self.proxy.log());
    }
}

#[test]
fn ecr_is_opened_with_the_password_that_aws_gives() {
    let cloud = Cloud::ecr();
    cloud.assert_found();
    assert_eq!(cloud.store.paths(), ["/"]);
    let refused: Vec<_> = cloud.registry.requests().into_iter().filter(|r| r.status == 401 && r.authorized).collect();
    assert_eq!(refused, []);
}

#[test]
fn googles_registry_is_opened_with_an_access_token() {
    let cloud = Cloud::new(GOOGLE, "oauth2accesstoken", GOOGLE_TOKEN);
    cloud.assert_found();
    assert_eq!(cloud.store.paths(), ["/google/token"]);
}

#[test]
fn acr_is_opened_with_an_exchanged_token() {
    let cloud = Cloud::new(ACR, "00000000-0000-0000-0000-000000000000", CLOUD_PASSWORD);
    cloud.assert_found();
    assert_eq!(cloud.store.paths(), ["/tenant/oauth2/v2.0/token", "/oauth2/exchange"]);
}

#[test]
fn explicit_logins_come_before_the_clouds() {
    let cloud = Cloud::ecr();
    let answer = cloud.run(|command| {
        command.env("KLUCTL_REGISTRY_1_USERNAME", "AWS").env("KLUCTL_REGISTRY_1_PASSWORD", CLOUD_PASSWORD);
    });
    assert_found(&answer, "team/web:1.1");
    assert_eq!(cloud.store.paths(), [] as [&str; 0]);
}

#[test]
fn what_the_cloud_refuses_is_told_with_the_registrys_refusal() {
    let refused = |cloud: &Cloud, name: &str, value: &str, words: &[&str]| {
        let answer = cloud.run(|command| {
            command.env(name, value);
        });
        assert_refused(&answer, &[&["refused access", "cloud login: "], words].concat());
    };
    let ecr = ["AWS ECR: log in to `123456789012.dkr.ecr.eu-west-1.amazonaws.com`", "InvalidSignatureException"];
    refused(&Cloud::ecr(), "AWS_SECRET_ACCESS_KEY", "s3cret-wrong", &ecr);
    let google = ["Google access token: log in", "GOOGLE_APPLICATION_CREDENTIALS (`absent.json`)"];
    refused(
        &Cloud::new(GOOGLE, "oauth2accesstoken", GOOGLE_TOKEN),
        "GOOGLE_APPLICATION_CREDENTIALS",
        "absent.json",
        &google,
    );
    let azure = ["log in to `team.azurecr.io`", "credentials of AZURE_CLIENT_SECRET", "AADSTS7000215"];
    refused(&Cloud::new(ACR, "0", CLOUD_PASSWORD), "AZURE_CLIENT_SECRET", "s3cret-wrong", &azure);
}

#[test]
fn a_password_that_the_registry_refuses_is_not_shown() {
    for (host, user) in [(ECR, "AWS"), (GOOGLE, "oauth2accesstoken"), (ACR, "0")] {
        let cloud = Cloud::new(host, user, "s3cret-other");
        assert_refused(&cloud.run(|_| ()), &["(401): tried the credentials of the cloud's identity"]);
    }
}

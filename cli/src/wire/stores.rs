//! Secret stores and addresses that vars sources read.

mod keys;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use secrecy::SecretString;
use serde_json::{Value, json};
use windlass_cloud::{
    Aws, AwsOptions, Azure, AzureSources, CloudError, Google, GoogleOptions, Logins, Session, Vault, VaultOptions,
    WebIdentity, WebRequest,
};
use windlass_cluster::Cluster;
use windlass_deploy::{AwsIdentity, ConnectFailure, Login, SecretStores, StoreFailure, Web, WebAnswer};
use windlass_model::event::Events as _;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::project::ServiceAccountRef;
use windlass_model::vars_source::{AwsSecretSource, AzureSecretSource, GoogleSecretSource, HttpSource, VaultSource};

use crate::env_vars::Environment;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::prompts;

/// Names the role of a service account.
const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";
/// How windlass is called in AWS's logs, as existing rules know it.
const SESSION_NAME: &str = "kluctl";

/// The real stores. Most runs need none of them, so clients are made at the first use.
pub(super) struct RealStores {
    environment: Environment,
    printer: Arc<Printer>,
    progress: Arc<Progress>,
    clients: OnceLock<Result<Clients, Arc<CloudError>>>,
}

struct Clients {
    session: Session,
    google: Google,
    azure: Azure,
    vault: Vault,
    web: windlass_cloud::Web,
    /// One for each identity that sources ask for.
    aws: Mutex<BTreeMap<AwsKey, Arc<Aws>>>,
}

/// Profile and service account.
type AwsKey = (Option<String>, Option<(String, String)>);

impl RealStores {
    /// Asks nobody yet.
    pub(super) fn new(environment: Environment, printer: Arc<Printer>, progress: Arc<Progress>) -> Self {
        Self { environment, printer, progress, clients: OnceLock::new() }
    }

    fn clients(&self) -> Result<&Clients, StoreFailure> {
        let make = || {
            let session = Session::new(self.environment.all().clone(), self.environment.home()).map_err(Arc::new)?;
            Ok(Clients {
                google: Google::new(&session, GoogleOptions::default()),
                azure: Azure::new(&session, AzureSources::All),
                vault: Vault::new(&session, VaultOptions::default()),
                web: windlass_cloud::Web::new(&session),
                aws: Mutex::default(),
                session,
            })
        };
        self.clients.get_or_init(make).as_ref().map_err(|error| StoreFailure::Failed(Box::new(Arc::clone(error))))
    }

    async fn aws_client(&self, profile: Option<&str>, identity: AwsIdentity<'_>) -> Result<Arc<Aws>, StoreFailure> {
        let clients = self.clients()?;
        let account = identity.config.service_account.as_ref().filter(|_| identity.cluster.is_some());
        let profile = profile.or(identity.config.profile.as_deref()).map(str::to_owned);
        let key = (profile.clone(), account.map(|account| (account.namespace.clone(), account.name.clone())));
        let known = clients.aws.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let web_identity = match (account, identity.cluster) {
            (Some(account), Some(cluster)) => self.web_identity(account, cluster).await,
            _ => None,
        };
        let aws = Arc::new(Aws::new(&clients.session, AwsOptions { profile, web_identity, credentials: None }));
        clients.aws.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&aws));
        Ok(aws)
    }

    /// The role and a token of the service account; without them the run goes on with other credentials.
    async fn web_identity(&self, account: &ServiceAccountRef, cluster: &dyn Cluster) -> Option<WebIdentity> {
        match role_token(account, cluster).await {
            Ok(identity) => Some(identity),
            Err(reason) => {
                let ServiceAccountRef { name, namespace } = account;
                self.progress.warn(format!(
                    "The AWS role of service account {namespace}/{name} can not be used, reverting to default handling: {reason}"
                ));
                None
            }
        }
    }
}

async fn role_token(account: &ServiceAccountRef, cluster: &dyn Cluster) -> Result<WebIdentity, String> {
    let object = ObjectRef::new(&Gvk::from_api_version("v1", "ServiceAccount"), &account.namespace, &account.name);
    let found = cluster.get(&object).await.map_err(|error| error.to_string())?;
    let role = found.value.0["metadata"]["annotations"][ROLE_ANNOTATION].as_str().map(str::to_owned);
    let role = role.ok_or_else(|| format!("it has no annotation `{ROLE_ANNOTATION}`"))?;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": { "audiences": ["sts.amazonaws.com"], "expirationSeconds": 600 },
    });
    let answer = cluster.create_subresource(&object, "token", &request).await.map_err(|error| error.to_string())?;
    let token = answer.value["status"]["token"].as_str().ok_or_else(|| "the cluster gave no token".to_owned())?;
    let region = role.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned);
    Ok(WebIdentity { role, token: token.to_owned().into(), session_name: SESSION_NAME.to_owned(), region })
}

fn failure(error: CloudError) -> StoreFailure {
    let missing = error.is_not_found();
    let error: ConnectFailure = Box::new(error);
    if missing { StoreFailure::Missing(error) } else { StoreFailure::Failed(error) }
}

#[async_trait::async_trait]
impl SecretStores for RealStores {
    async fn aws(&self, secret: &AwsSecretSource, identity: AwsIdentity<'_>) -> Result<SecretString, StoreFailure> {
        let AwsSecretSource { secret_name, region, profile } = secret;
        let profile = profile.as_deref().filter(|profile| !profile.is_empty());
        let aws = self.aws_client(profile, identity).await?;
        aws.secret(region.as_deref(), secret_name).await.map_err(failure)
    }

    async fn google(&self, secret: &GoogleSecretSource) -> Result<SecretString, StoreFailure> {
        let GoogleSecretSource { secret_name } = secret;
        self.clients()?.google.secret(secret_name).await.map_err(failure)
    }

    async fn azure(&self, secret: &AzureSecretSource) -> Result<SecretString, StoreFailure> {
        let AzureSecretSource { vault_uri, secret_name } = secret;
        self.clients()?.azure.secret(vault_uri, secret_name).await.map_err(failure)
    }

    async fn vault(&self, secret: &VaultSource) -> Result<Value, StoreFailure> {
        let VaultSource { address, path } = secret;
        self.clients()?.vault.read(address, path).await.map_err(failure)
    }
}

#[async_trait::async_trait]
impl Web for RealStores {
    async fn fetch(&self, request: &HttpSource) -> Result<WebAnswer, StoreFailure> {
        let HttpSource { url, method, body, headers, json_path: _ } = request;
        let request = WebRequest { url, method: method.as_deref(), body: body.as_deref(), headers };
        let answer = self.clients()?.web.fetch(request, self).await.map_err(failure)?;
        let windlass_cloud::WebAnswer { status, body, asked } = answer;
        Ok(WebAnswer { status, body, login: if asked { Login::Used } else { Login::None } })
    }
}

#[async_trait::async_trait]
impl Logins for RealStores {
    async fn login(&self, host: &str, realm: &str) -> Option<(String, SecretString)> {
        let (user, password) = tokio::task::block_in_place(|| prompts::login(&self.printer, host, realm))?;
        self.printer.hide([password.as_str()].into_iter());
        Some((user, password.into()))
    }
}

#[cfg(test)]
mod tests {
    use windlass_cluster::fake::FakeCluster;

    use super::*;

    fn cluster(annotations: Value) -> FakeCluster {
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": "deployer", "namespace": "ci", "annotations": annotations },
        });
        {
            let cluster = FakeCluster::new();
            cluster.put(account);
            cluster
        }
    }

    fn account() -> ServiceAccountRef {
        ServiceAccountRef { name: "deployer".into(), namespace: "ci".into() }
    }

    #[tokio::test]
    async fn a_service_account_gives_its_role_and_a_token() {
        use secrecy::ExposeSecret as _;
        let cluster = cluster(json!({ ROLE_ANNOTATION: "arn:aws:iam::1:role/ci" }));
        let identity = role_token(&account(), &cluster).await.expect("identity");
        assert_eq!((identity.role.as_str(), identity.region), ("arn:aws:iam::1:role/ci", None));
        assert_eq!(identity.token.expose_secret(), "token-of-deployer");
    }

    #[tokio::test]
    async fn an_account_without_role_is_named_as_such() {
        let error = role_token(&account(), &cluster(json!({}))).await.expect_err("must fail");
        assert_eq!(error, "it has no annotation `eks.amazonaws.com/role-arn`");
    }
}

//! Runs a project through the stages before the first write, with stores, addresses and a cluster in memory.

#![allow(dead_code, reason = "each test program uses its own part of the stage")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use windlass_cluster::Cluster;
use windlass_cluster::fake::FakeCluster;
use windlass_deploy::images::ImageMode;
use windlass_deploy::inclusion::Inclusion;
use windlass_deploy::load::LoadRequest;
use windlass_deploy::target::TargetRequest;
use windlass_deploy::{
    AwsIdentity, ConnectFailure, Connection, Connector, ImageOptions, Login, NoStores, Ports, Prepared, RenderOutput,
    Repository, Request, ResultOptions, SecretStores, StoreFailure, Web, WebAnswer, prepare,
};
use windlass_kustomize::GoHelper;
use windlass_masking::SecretValues;
use windlass_model::event::{Event, Events};
use windlass_model::result::GitInfo;
use windlass_model::vars_source::{AwsSecretSource, AzureSecretSource, GoogleSecretSource, HttpSource, VaultSource};
use windlass_registry::FakeRegistry;
use windlass_sources::{FakeSources, Sources};
use windlass_template::{DebugSink, GitHistory};

/// A project, and the world around it.
#[derive(Default)]
pub(crate) struct Stage {
    files: Vec<(String, String)>,
    target: TargetRequest,
    args: Map<String, Value>,
    inclusion: Inclusion,
    environment: BTreeMap<String, String>,
    store: Store,
    cluster: Option<Arc<FakeCluster>>,
}

/// What came out of a run.
pub(crate) struct Outcome {
    /// The project up to its objects, or the error with the project's folder as `[P]`.
    pub(crate) prepared: Result<Prepared, String>,
    /// Warnings in their order.
    pub(crate) warnings: Vec<String>,
    /// What may not be shown.
    pub(crate) secrets: Arc<SecretValues>,
    /// What was asked of stores and addresses.
    pub(crate) asked: Vec<String>,
}

impl Stage {
    /// A project of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Self { files, ..Self::default() }
    }

    /// `-t`
    pub(crate) fn target(mut self, name: &str) -> Self {
        self.target.name = Some(name.to_owned());
        self
    }

    /// `-a`
    pub(crate) fn args(mut self, args: Value) -> Self {
        self.args = args.as_object().cloned().unwrap_or_default();
        self
    }

    /// `-I`
    pub(crate) fn include_tag(mut self, tag: &str) -> Self {
        self.inclusion.include_tags.insert(tag.to_owned());
        self
    }

    /// A variable of the process.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What every store answers for this name, and the web for this address.
    pub(crate) fn secret(mut self, name: &str, text: &str) -> Self {
        self.store.texts.insert(name.to_owned(), text.to_owned());
        self
    }

    /// A cluster with these objects.
    pub(crate) fn cluster(mut self, objects: &[Value]) -> Self {
        let cluster = FakeCluster::new();
        objects.iter().for_each(|object| drop(cluster.put(object.clone())));
        self.cluster = Some(Arc::new(cluster));
        self
    }

    /// Runs it.
    pub(crate) fn run(self) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().canonicalize().unwrap().join("project");
        std::fs::create_dir_all(project.join(".git")).unwrap();
        for (name, text) in &self.files {
            let path = project.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (heard, secrets) = (Heard::default(), Arc::default());
        let prepared = self.prepare(&project, &folder.path().join("out"), &heard, &secrets);
        let prepared = prepared.map_err(|error| error.replace(&project.display().to_string(), "[P]"));
        let asked = self.store.asked.lock().unwrap().clone();
        Outcome { prepared, warnings: heard.0.into_inner().unwrap(), secrets, asked }
    }

    fn prepare(
        &self,
        project: &Path,
        output: &Path,
        events: &Heard,
        secrets: &Arc<SecretValues>,
    ) -> Result<Prepared, String> {
        let connection = if self.cluster.is_some() { Connection::Online } else { Connection::Offline };
        let request = Request {
            load: LoadRequest { project_dir: project.into(), config_file: None, external_args: self.args.clone() },
            target: self.target.clone(),
            inclusion: self.inclusion.clone(),
            images: ImageOptions::default(),
            output: RenderOutput::Temporary(output.into()),
            connection,
            kubernetes_version: None,
            results: ResultOptions::default(),
        };
        let libs = project.join("../libs");
        let sources: Arc<dyn Sources> = Arc::new(
            FakeSources::default()
                .with_git("https://h/lib.git", libs.join("lib"))
                .with_git_ref("https://h/lib.git", "refs/heads/next", libs.join("lib-next"))
                .with_git_ref("https://h/lib.git", "refs/tags/v1", libs.join("lib-v1"))
                .with_oci("oci://h/lib", libs.join("oci")),
        );
        let (registry, helper) = (FakeRegistry::empty(), GoHelper::new(output.join("helper")));
        let debug: Arc<dyn DebugSink> = Arc::new(World);
        let connector = Connected(self.cluster.clone());
        let ports = Ports {
            connector: &connector,
            registry: &registry,
            sources: &sources,
            helper: &helper,
            charts: None,
            repository: &World,
            environment: &self.environment,
            stores: &self.store,
            web: &self.store,
            keys: &NoStores,
            secrets,
            debug: &debug,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(prepare(&request, ImageMode::Normal, ports, events)).map_err(|error| error.to_string())
    }
}

impl Outcome {
    /// The objects.
    pub(crate) fn objects(self) -> Vec<Value> {
        let prepared = self.prepared.unwrap_or_else(|error| panic!("{error}"));
        prepared.objects.objects().map(|object| object.0.clone()).collect()
    }

    /// The error.
    pub(crate) fn error(self) -> String {
        self.prepared.err().expect("must be refused")
    }
}

/// A ConfigMap that shows these expressions, each as JSON.
pub(crate) fn shows(expressions: &[&str]) -> String {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\ndata:\n");
    for (index, expression) in expressions.iter().enumerate() {
        text.push_str(&format!("  v{index}: {{{{ {expression} | to_json | b64encode }}}}\n"));
    }
    text
}

/// What [`shows`] saw.
pub(crate) fn shown(object: &Value) -> Value {
    use base64::Engine as _;
    let value = |text: &Value| -> Value {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap_or_default()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let data = object["data"].as_object().unwrap();
    (0..data.len()).map(|index| value(&data[&format!("v{index}")])).collect()
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Events for Heard {
    fn emit(&self, event: Event) {
        if let Event::Warning { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

struct Connected(Option<Arc<FakeCluster>>);

#[async_trait]
impl Connector for Connected {
    async fn connect(&self, context: Option<&str>) -> Result<Option<Arc<dyn Cluster>>, ConnectFailure> {
        match context {
            Some("nowhere") => Err("context nowhere does not exist".into()),
            _ => Ok(self.0.clone().map(|cluster| cluster as Arc<dyn Cluster>)),
        }
    }
}

struct World;

impl Repository for World {
    fn info(&self, _root: &Path, _sub_dir: &str) -> Result<GitInfo, ConnectFailure> {
        Ok(GitInfo::default())
    }

    fn key(&self, _url: &str) -> Option<String> {
        None
    }

    fn history(&self) -> Option<Arc<dyn GitHistory>> {
        None
    }
}

impl DebugSink for World {
    fn message(&self, _text: &str) {}
}

/// All stores and the web in one; asking for `broken` fails.
#[derive(Default)]
struct Store {
    texts: BTreeMap<String, String>,
    asked: Mutex<Vec<String>>,
}

impl Store {
    fn get(&self, question: String, name: &str) -> Result<SecretString, StoreFailure> {
        self.asked.lock().unwrap().push(question);
        if name == "broken" {
            return Err(StoreFailure::Failed("permission denied".into()));
        }
        let text = self.texts.get(name).cloned();
        text.map(SecretString::from).ok_or_else(|| StoreFailure::Missing(format!("{name} not found").into()))
    }
}

#[async_trait]
impl SecretStores for Store {
    async fn aws(&self, secret: &AwsSecretSource, identity: AwsIdentity<'_>) -> Result<SecretString, StoreFailure> {
        let account = identity.config.service_account.as_ref().map(|account| account.name.as_str());
        let profile = secret.profile.as_deref().or(identity.config.profile.as_deref());
        let AwsSecretSource { secret_name, region, profile: _ } = secret;
        let place = [region.as_deref(), profile, account].map(Option::unwrap_or_default).join(" ");
        self.get(format!("aws {secret_name} {place}"), secret_name)
    }

    async fn google(&self, secret: &GoogleSecretSource) -> Result<SecretString, StoreFailure> {
        self.get(format!("google {}", secret.secret_name), &secret.secret_name)
    }

    async fn azure(&self, secret: &AzureSecretSource) -> Result<SecretString, StoreFailure> {
        self.get(format!("azure {} {}", secret.vault_uri, secret.secret_name), &secret.secret_name)
    }

    async fn vault(&self, secret: &VaultSource) -> Result<Value, StoreFailure> {
        use secrecy::ExposeSecret as _;
        let text = self.get(format!("vault {} {}", secret.address, secret.path), &secret.path)?;
        Ok(serde_json::from_str(text.expose_secret()).unwrap_or_default())
    }
}

#[async_trait]
impl Web for Store {
    async fn fetch(&self, request: &HttpSource) -> Result<WebAnswer, StoreFailure> {
        let HttpSource { url, method, body, headers, json_path: _ } = request;
        let question = json!(["http", url, method, body, headers]).to_string();
        let login = if url.contains("login") { Login::Used } else { Login::None };
        Ok(match self.get(question, url) {
            Ok(body) => WebAnswer { status: 200, body, login },
            Err(_) => WebAnswer { status: 404, body: String::new().into(), login },
        })
    }
}

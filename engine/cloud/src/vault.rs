//! HashiCorp Vault (and OpenBao): KV secrets of both versions, and transit decryption.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::encode::{base64_bytes, percent};
use crate::error::{CloudError, Problem};
use crate::http::{Answer, Call, base, refusal, with_proxy};
use crate::session::{Session, parse_address, read_text};

const VAULT: &str = "Vault";
const LIMIT: Duration = Duration::from_secs(15);
const HINT: &str = "run `vault login`, or set VAULT_TOKEN";

/// What may be given in place of the environment's.
#[derive(Clone, Debug, Default)]
pub struct VaultOptions {
    /// Token; else `VAULT_TOKEN`, else `~/.vault-token`.
    pub token: Option<SecretString>,
    /// Namespace; else `VAULT_NAMESPACE`.
    pub namespace: Option<String>,
}

/// A client for any Vault server.
pub struct Vault {
    session: Session,
    options: VaultOptions,
    client: OnceCell<Client>,
}

impl Vault {
    /// Stores the options; asks nobody yet.
    pub fn new(session: &Session, options: VaultOptions) -> Self {
        Self { session: session.clone(), options, client: OnceCell::new() }
    }

    /// The secret at a path of the read API: for version 2 of KV the data of the newest version (`secret/data/app`),
    /// for version 1 the secret itself.
    ///
    /// # Errors
    /// See [`Problem`]; a secret that does not exist, or is deleted, is [`CloudError::is_not_found`].
    pub async fn read(&self, address: &str, path: &str) -> Result<Value, CloudError> {
        let read = async {
            let url = at(address, path)?;
            let answer = self.ask(Call::get(url)).await?.json();
            let missing =
                || Problem::NotFound { message: "there is no such secret, or its version is deleted".to_owned() };
            match &answer["data"] {
                Value::Object(map) if map.contains_key("data") && (map.contains_key("metadata") || map.len() == 1) => {
                    if map["data"].is_null() {
                        Err(missing())
                    } else {
                        Ok(map["data"].clone())
                    }
                }
                Value::Object(map) => Ok(Value::Object(map.clone())),
                Value::Null => Err(missing()),
                _ => Err(Problem::Answer("its data are no map".to_owned())),
            }
        };
        read.await.map_err(|problem| problem.during(VAULT, format!("read `{path}` of `{}`", shown(address))))
    }

    /// Decrypts `vault:v1:…` with a key of the transit engine mounted at `engine`.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn decrypt(
        &self,
        address: &str,
        engine: &str,
        key: &str,
        ciphertext: &str,
    ) -> Result<SecretSlice<u8>, CloudError> {
        let decrypted = async {
            let url = at(address, &format!("{}/decrypt/{}", engine.trim_matches('/'), percent(key)))?;
            let answer = self.ask(Call::json(url, &json!({ "ciphertext": ciphertext }))).await?.json();
            let plain = answer["data"]["plaintext"].as_str().and_then(base64_bytes);
            plain.map(Into::into).ok_or_else(|| Problem::Answer("it has no plaintext".to_owned()))
        };
        let action = || format!("decrypt with key `{key}` of `{}`", shown(address));
        decrypted.await.map_err(|problem: Problem| problem.during(VAULT, action()))
    }

    async fn ask(&self, call: Call) -> Result<Answer, Problem> {
        let token = self.token().await?;
        let mut call = Call { limit: LIMIT, ..call };
        call = call.header("x-vault-token", token.expose_secret().trim()).header("x-vault-request", "true");
        let namespace = self.options.namespace.as_deref().or_else(|| self.session.variable("VAULT_NAMESPACE"));
        if let Some(namespace) = namespace {
            call = call.header("x-vault-namespace", namespace);
        }
        let client = self.client.get_or_try_init(|| self.connect()).await?;
        let answer = self.session.http().send_with(client, &call).await?;
        if answer.is_success() { Ok(answer) } else { Err(refusal(&call, &answer)) }
    }

    async fn token(&self) -> Result<SecretString, Problem> {
        let given = self.options.token.clone().or_else(|| self.session.secret_variable("VAULT_TOKEN"));
        if let Some(token) = given {
            return Ok(token);
        }
        let tried = ["VAULT_TOKEN", "~/.vault-token"].map(str::to_owned).to_vec();
        let nothing = Problem::NoCredentials { tried, hint: HINT };
        match self.session.at_home(".vault-token") {
            Some(file) => read_text(&file).await.map_err(|_| nothing),
            None => Err(nothing),
        }
    }

    /// A client with the certificates of Vault's variables.
    async fn connect(&self) -> Result<Client, Problem> {
        let bad = |origin: &str, reason: String| Problem::Credentials { origin: origin.to_owned(), reason };
        let mut builder = with_proxy(base(), self.session.environment())?;
        if let Some(path) = self.session.variable("VAULT_CACERT") {
            let pem = read_text(Path::new(path)).await.map_err(|reason| bad("VAULT_CACERT", reason))?;
            let certificates = Certificate::from_pem_bundle(pem.expose_secret().as_bytes()).ok();
            let certificates = certificates.filter(|all| !all.is_empty());
            let certificates =
                certificates.ok_or_else(|| bad("VAULT_CACERT", format!("`{path}` holds no certificate")))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let (Some(certificate), Some(key)) =
            (self.session.variable("VAULT_CLIENT_CERT"), self.session.variable("VAULT_CLIENT_KEY"))
        {
            let origin = "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY";
            let read = async |path: &str| read_text(Path::new(path)).await.map_err(|reason| bad(origin, reason));
            let (certificate, key) = (read(certificate).await?, read(key).await?);
            let pem = SecretString::from(format!("{}\n{}", certificate.expose_secret(), key.expose_secret()));
            let identity = Identity::from_pem(pem.expose_secret().as_bytes());
            let identity = identity.map_err(|_| bad(origin, "they are no certificate and key".to_owned()))?;
            builder = builder.identity(identity);
        }
        if self.session.switch("VAULT_SKIP_VERIFY") {
            builder = builder.tls_danger_accept_invalid_certs(true).tls_danger_accept_invalid_hostnames(true);
        }
        builder
            .build()
            .map_err(|error| Problem::Input(format!("build the HTTP client: {}", crate::http::causes(&error))))
    }
}

/// `<address>/v1/<path>`, where no part of the path leads elsewhere.
fn at(address: &str, path: &str) -> Result<Url, Problem> {
    let base = parse_address(address, "the address of Vault")?;
    let path = path.trim_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains(['?', '#', '%', '\\']) {
        return Err(Problem::Input("the path must be names separated by `/`".to_owned()));
    }
    let path: Vec<String> = path.split('/').map(percent).collect();
    parse_address(&format!("{}/v1/{}", base.as_str().trim_end_matches('/'), path.join("/")), "the address of Vault")
}

/// The address without a password in it.
fn shown(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    if url.set_password(None).is_err() || url.set_username("").is_err() {
        return "the given address".to_owned();
    }
    url.as_str().trim_end_matches('/').to_owned()
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("namespace", &self.options.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "vault/tests.rs"]
mod tests;

//! Azure: secrets and keys of Key Vault, and logins of ACR.

mod credentials;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::json;
use tokio::sync::Mutex;
use url::Url;

use credentials::{Finder, Token};

use crate::cache::Cache;
use crate::encode::{base64_bytes, base64_url, percent};
use crate::error::{CloudError, Problem};
use crate::http::Call;
use crate::login::RegistryLogin;
use crate::session::{Session, parse_address};

/// Which sources of credentials are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AzureSources {
    /// Environment, workload identity, managed identity, `az`.
    #[default]
    All,
    /// Without `az`.
    WithoutCli,
}

/// A client with one identity. Tokens are fetched at the first call and kept, one for each scope.
pub struct Azure {
    session: Session,
    sources: AzureSources,
    kept: Mutex<BTreeMap<String, Arc<Cache<Token>>>>,
}

const KEY_VAULT: &str = "Azure Key Vault";
const ACR: &str = "Azure Container Registry";
const API: &str = "api-version=7.4";
/// The user of ACR's tokens.
const ACR_USER: &str = "00000000-0000-0000-0000-000000000000";

impl Azure {
    /// Stores the options; asks nobody yet.
    pub fn new(session: &Session, sources: AzureSources) -> Self {
        Self { session: session.clone(), sources, kept: Mutex::default() }
    }

    /// The text of the newest version of a secret.
    ///
    /// # Errors
    /// See [`Problem`]; a secret that does not exist is [`CloudError::is_not_found`].
    pub async fn secret(&self, vault: &str, name: &str) -> Result<SecretString, CloudError> {
        let text = self.secret_text(vault, name).await;
        text.map_err(|problem| problem.during(KEY_VAULT, format!("get secret `{name}` of `{vault}`")))
    }

    async fn secret_text(&self, vault: &str, name: &str) -> Result<SecretString, Problem> {
        let vault = self.vault(vault)?;
        let call = Call::get(vault.at(&format!("secrets/{}", part(name, "the secret's name")?))?);
        let call = call.bearer(&self.token(&vault.scope).await?.value);
        let answer = self.session.http().ask(&call).await?.json();
        let text = answer["value"].as_str().map(|text| text.to_owned().into());
        text.ok_or_else(|| Problem::Answer("it has no value".to_owned()))
    }

    /// Decrypts with a key, by RSA-OAEP-256.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn decrypt(
        &self,
        vault: &str,
        key: &str,
        version: &str,
        ciphertext: &[u8],
    ) -> Result<SecretSlice<u8>, CloudError> {
        let plain = self.plaintext(vault, key, version, ciphertext).await;
        plain.map_err(|problem| problem.during(KEY_VAULT, format!("decrypt with key `{key}` of `{vault}`")))
    }

    async fn plaintext(
        &self,
        vault: &str,
        key: &str,
        version: &str,
        ciphertext: &[u8],
    ) -> Result<SecretSlice<u8>, Problem> {
        let vault = self.vault(vault)?;
        let mut path = format!("keys/{}", part(key, "the key's name")?);
        if !version.is_empty() {
            path = format!("{path}/{}", part(version, "the key's version")?);
        }
        let body = json!({ "alg": "RSA-OAEP-256", "value": base64_url(ciphertext) });
        let call = Call::json(vault.at(&format!("{path}/decrypt"))?, &body);
        let call = call.bearer(&self.token(&vault.scope).await?.value);
        let answer = self.session.http().ask(&call).await?.json();
        let plain = answer["value"].as_str().and_then(base64_bytes);
        plain.map(Into::into).ok_or_else(|| Problem::Answer("it has no plaintext".to_owned()))
    }

    /// A login for a registry `<name>.azurecr.io`.
    ///
    /// # Errors
    /// See [`Problem`]; a host of another kind is an [`Problem::Input`].
    pub async fn registry_login(&self, host: &str) -> Result<RegistryLogin, CloudError> {
        let login = self.exchange(host).await;
        login.map_err(|problem| problem.during(ACR, format!("log in to `{host}`")))
    }

    async fn exchange(&self, host: &str) -> Result<RegistryLogin, Problem> {
        if crate::CloudRegistry::of_host(host) != Some(crate::CloudRegistry::Azure) {
            return Err(Problem::Input("this is no host of ACR".to_owned()));
        }
        let token = self.token("https://containerregistry.azure.net/.default").await?;
        let base = self.session.endpoint("AZURE_ACR")?.map(|url| url.to_string());
        let base = base.unwrap_or_else(|| format!("https://{host}/"));
        let url = parse_address(&format!("{}/oauth2/exchange", base.trim_end_matches('/')), "the host")?;
        let mut form = vec![("grant_type", "access_token"), ("service", host)];
        form.extend(self.session.variable("AZURE_TENANT_ID").map(|tenant| ("tenant", tenant)));
        form.push(("access_token", token.value.expose_secret()));
        let answer = self.session.http().ask(&Call::form(url, &form)).await?.json();
        let refresh = answer["refresh_token"].as_str().map(|token| token.to_owned().into());
        let password = refresh.ok_or_else(|| Problem::Answer("it has no refresh token".to_owned()))?;
        // Refresh tokens last three hours; they end no sooner than that of the account.
        Ok(RegistryLogin { username: ACR_USER.to_owned(), password, end: token.end })
    }

    async fn token(&self, scope: &str) -> Result<Token, Problem> {
        let cache = self.kept.lock().await.entry(scope.to_owned()).or_insert_with(|| Arc::new(Cache::new())).clone();
        cache.get(Finder { session: &self.session, sources: self.sources, scope }.find()).await
    }

    /// The vault's address and the audience that belongs to it.
    fn vault(&self, text: &str) -> Result<Vault, Problem> {
        let own = self.session.endpoint("AZURE_KEY_VAULT")?;
        let url = parse_address(text, "the address of the vault")?;
        // The audience follows from the host, so that no other host gets a token that is worth something elsewhere.
        let host = url.host_str().unwrap_or_default();
        let domain = host.split_once('.').map_or(host, |(_, domain)| domain);
        let scope = format!("https://{domain}/.default");
        if let Some(base) = own {
            return Ok(Vault { base, scope });
        }
        if url.scheme() != "https" {
            return Err(Problem::Input("the address of the vault must be `https`".to_owned()));
        }
        let known = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "managedhsm.azure.net"];
        if !known.contains(&domain) {
            let known = known.map(|domain| format!("`<name>.{domain}`")).join(", ");
            return Err(Problem::Input(format!("`{host}` is no vault: the address must be one of {known}")));
        }
        Ok(Vault { base: url, scope })
    }
}

struct Vault {
    base: Url,
    scope: String,
}

impl Vault {
    fn at(&self, path: &str) -> Result<Url, Problem> {
        let base = self.base.as_str().trim_end_matches('/');
        parse_address(&format!("{base}/{path}?{API}"), "the address of the vault")
    }
}

/// A name as a part of a path.
fn part(name: &str, what: &str) -> Result<String, Problem> {
    let known = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if known { Ok(percent(name)) } else { Err(Problem::Input(format!("{what} may have letters, digits and `-` only"))) }
}

impl std::fmt::Debug for Azure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Azure").field("sources", &self.sources).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

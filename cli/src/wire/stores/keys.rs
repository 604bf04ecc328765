//! Keys for files that SOPS has encrypted: the user's own, key services of clouds, Vault's transit engine.

use std::error::Error;
use std::io;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use windlass_cloud::{Azure, AzureSources, CloudError, Google, GoogleOptions, KmsRequest};
use windlass_deploy::{AwsIdentity, Keys, PrivateFolder, StoreFailure};
use windlass_sops::{AwsKmsKey, AzureKey, GcpKmsKey, KeyServiceError, KeyServices, KeySettings, PlainKey, VaultKey};

use super::RealStores;
use crate::wire::folders::{self, OwnedFolder};

impl Keys for RealStores {
    fn settings(&self) -> KeySettings {
        KeySettings::of_variables(self.environment.all())
    }

    fn services<'a>(&'a self, identity: AwsIdentity<'a>) -> Box<dyn KeyServices + 'a> {
        Box::new(Services { stores: self, identity })
    }

    fn private_folder(&self) -> io::Result<Box<dyn PrivateFolder>> {
        Ok(Box::new(folders::private(&self.environment, "decrypted")?))
    }
}

impl PrivateFolder for OwnedFolder {
    fn path(&self) -> &Path {
        Self::path(self)
    }
}

struct Services<'a> {
    stores: &'a RealStores,
    identity: AwsIdentity<'a>,
}

#[async_trait::async_trait]
impl KeyServices for Services<'_> {
    async fn aws_kms(&self, key: &AwsKmsKey) -> Result<PlainKey, KeyServiceError> {
        let aws = self.stores.aws_client(key.profile.as_deref(), self.identity).await.map_err(unreachable)?;
        let ciphertext = key.ciphertext()?;
        let request =
            KmsRequest { key: &key.arn, ciphertext: &ciphertext, role: key.role.as_deref(), context: &key.context };
        aws.decrypt(request).await.map(plain).map_err(refused)
    }

    async fn gcp_kms(&self, key: &GcpKmsKey) -> Result<PlainKey, KeyServiceError> {
        let session = &self.stores.clients().map_err(unreachable)?.session;
        let google = Google::new(session, self.google_options()?);
        google.decrypt(&key.resource, &key.ciphertext()?).await.map(plain).map_err(refused)
    }

    async fn azure_key_vault(&self, key: &AzureKey) -> Result<PlainKey, KeyServiceError> {
        let session = &self.stores.clients().map_err(unreachable)?.session;
        // As SOPS: the environment's identities, never the one of `az`.
        let azure = Azure::new(session, AzureSources::WithoutCli);
        azure.decrypt(&key.vault_url, &key.name, &key.version, &key.ciphertext()?).await.map(plain).map_err(refused)
    }

    async fn vault_transit(&self, key: &VaultKey) -> Result<PlainKey, KeyServiceError> {
        let vault = &self.stores.clients().map_err(unreachable)?.vault;
        vault.decrypt(&key.address, &key.engine_path, &key.name, &key.encrypted).await.map(plain).map_err(refused)
    }
}

impl Services<'_> {
    /// SOPS has variables of its own for Google: `GOOGLE_CREDENTIALS` holds a credentials file or its path.
    fn google_options(&self) -> Result<GoogleOptions, KeyServiceError> {
        let set = |name: &str| self.stores.environment.get(name).filter(|value| !value.is_empty());
        let credentials = match set("GOOGLE_CREDENTIALS") {
            Some(text) if text.trim_start().starts_with('{') => Some(SecretString::from(text)),
            Some(path) => Some(std::fs::read_to_string(path).map(SecretString::from).map_err(|error| {
                KeyServiceError { reason: format!("read `{path}` (GOOGLE_CREDENTIALS): {error}"), hint: None }
            })?),
            None => None,
        };
        Ok(GoogleOptions { credentials, access_token: set("GOOGLE_OAUTH_ACCESS_TOKEN").map(SecretString::from) })
    }
}

fn plain(key: SecretSlice<u8>) -> PlainKey {
    PlainKey::new(key.expose_secret().to_vec())
}

fn refused(error: CloudError) -> KeyServiceError {
    KeyServiceError { reason: chain(&error), hint: error.hint() }
}

fn unreachable(failure: StoreFailure) -> KeyServiceError {
    KeyServiceError { reason: failure.to_string(), hint: None }
}

/// The error with those causes that it does not tell itself.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let more = current.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = current.source();
    }
    text
}

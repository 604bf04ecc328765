//! `azureKeyVault`: the newest version of a secret of Azure Key Vault.

use serde_json::Value;
use windlass_model::vars_source::AzureSecretSource;

use super::VarsError;
use super::remote::Reader;

/// Reads the secret; `None` when it is absent and that is tolerated.
pub(super) async fn read(secret: &AzureSecretSource, reader: &Reader<'_>) -> Result<Option<Value>, VarsError> {
    let found = reader.remote.stores.azure(secret).await;
    reader.secret(found, &format!("Azure secret `{}` of `{}`", secret.secret_name, secret.vault_uri))
}

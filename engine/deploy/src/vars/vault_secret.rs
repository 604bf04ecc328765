//! `vault`: a KV secret of HashiCorp Vault.

use serde_json::Value;
use windlass_model::vars_source::VaultSource;

use super::VarsError;
use super::remote::Reader;

/// Reads the secret; `None` when it is absent and that is tolerated. The data are rendered as a whole, as JSON.
pub(super) async fn read(secret: &VaultSource, reader: &Reader<'_>) -> Result<Option<Value>, VarsError> {
    let found = reader.remote.stores.vault(secret).await;
    let text = found.map(|data| {
        if super::is_secret(reader.source) {
            reader.remote.secrets.register_value(&data);
        }
        data.to_string().into()
    });
    reader.secret(text, &format!("Vault secret `{}`", secret.path))
}

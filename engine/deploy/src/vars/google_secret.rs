//! `gcpSecretManager`: one version of a secret of Google Secret Manager.

use serde_json::Value;
use windlass_model::vars_source::GoogleSecretSource;

use super::VarsError;
use super::remote::Reader;

/// Reads the secret; `None` when it is absent and that is tolerated.
pub(super) async fn read(secret: &GoogleSecretSource, reader: &Reader<'_>) -> Result<Option<Value>, VarsError> {
    let found = reader.remote.stores.google(secret).await;
    reader.secret(found, &format!("Google secret `{}`", secret.secret_name))
}

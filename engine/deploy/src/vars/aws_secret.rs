//! `awsSecretsManager`: one secret of AWS Secrets Manager.

use serde_json::Value;
use windlass_cluster::Cluster;
use windlass_model::vars_source::AwsSecretSource;

use super::VarsError;
use super::remote::Reader;
use crate::ports::AwsIdentity;

/// Reads the secret; `None` when it is absent and that is tolerated.
pub(super) async fn read(
    secret: &AwsSecretSource,
    cluster: Option<&dyn Cluster>,
    reader: &Reader<'_>,
) -> Result<Option<Value>, VarsError> {
    let identity = AwsIdentity { config: reader.remote.aws, cluster };
    let found = reader.remote.stores.aws(secret, identity).await;
    reader.secret(found, &format!("AWS secret `{}`", secret.secret_name))
}

//! Talks to clouds and secret stores by plain signed REST: no SDKs, one request for one thing.
//!
//! | Client | Calls |
//! |---|---|
//! | [`Aws`] | Secrets Manager ([`Aws::secret`]), KMS ([`Aws::decrypt`]), ECR ([`Aws::registry_login`]) |
//! | [`Google`] | Secret Manager ([`Google::secret`]), KMS ([`Google::decrypt`]), registries ([`Google::registry_login`]), any scope ([`Google::access_token`]) |
//! | [`Azure`] | Key Vault secrets ([`Azure::secret`]) and keys ([`Azure::decrypt`]), ACR ([`Azure::registry_login`]) |
//! | [`Vault`] | KV of both versions ([`Vault::read`]), transit ([`Vault::decrypt`]) |
//! | [`Web`] | any request of a user, with redirects and a login when asked for one |
//!
//! All of them start from a [`Session`]: a snapshot of the environment, the home directory, and the HTTP clients. The
//! process environment is never read. Clients are cheap to make, find their credentials at the first call, keep them
//! until shortly before they end, and can be shared between tasks.
//!
//! ```no_run
//! # async fn example() -> Result<(), windlass_cloud::CloudError> {
//! use windlass_cloud::{Aws, AwsOptions, CloudRegistry, Session};
//!
//! let session = Session::new([("AWS_PROFILE".into(), "dev".into())].into(), Some("/home/me".into()))?;
//! let aws = Aws::new(&session, AwsOptions::default());
//! let text = aws.secret(Some("eu-central-1"), "team/app").await?;
//! let host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
//! assert_eq!(CloudRegistry::of_host(host), Some(CloudRegistry::Aws));
//! let login = aws.registry_login(host).await?;
//! # Ok(()) }
//! ```
//!
//! # Bounds
//!
//! An attempt ends after 30 s (Vault: 15 s; services of the machine: 5 s), an answer at 16 MiB. Status 429 and 5xx,
//! throttling and lost connections are tried four times with growing waits; a longer `Retry-After` than 20 s is the
//! end. Redirects are not followed, as credentials must not go to other hosts. Secrets are of `secrecy`'s types;
//! errors quote servers, but never what was sent to them.
//!
//! # Other addresses
//!
//! `AWS_ENDPOINT_URL[_<SERVICE>]` and `endpoint_url` of the config file as AWS's programs have them;
//! `WINDLASS_ENDPOINT_<NAME>` for `AWS_SSO`, `GOOGLE_SECRETMANAGER`, `GOOGLE_CLOUDKMS`, `AZURE_KEY_VAULT`, `AZURE_ACR`;
//! metadata servers by the variables of their clouds (`AWS_EC2_METADATA_SERVICE_ENDPOINT`, `GCE_METADATA_HOST`,
//! `AZURE_POD_IDENTITY_AUTHORITY_HOST`), Entra by `AZURE_AUTHORITY_HOST`.

mod aws;
mod azure;
mod cache;
mod encode;
mod error;
mod google;
#[cfg(test)]
mod harness;
mod http;
mod jwt;
mod login;
mod session;
mod vault;
mod web;

pub use aws::{Aws, AwsOptions, Credentials as AwsCredentials, KmsRequest, WebIdentity};
pub use azure::{Azure, AzureSources};
pub use error::{CloudError, Problem};
pub use google::{CLOUD_PLATFORM, Google, GoogleOptions};
pub use login::{CloudRegistry, RegistryLogin};
pub use session::Session;
pub use vault::{Vault, VaultOptions};
pub use web::{Logins, Web, WebAnswer, WebRequest};

//! Master keys: what a file names, and how its data key is got from them.

mod age;
mod commands;
mod identities;
mod pgp;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::error::{GroupOutcome, KeyAttempt, KeysError, SopsError};
use crate::metadata::Metadata;
use crate::settings::KeySettings;
use crate::shamir;
use identities::Identities;

/// A key that can decrypt the data key of a file, or the share of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MasterKey {
    Age(AgeKey),
    Pgp(PgpKey),
    AwsKms(AwsKmsKey),
    GcpKms(GcpKmsKey),
    Azure(AzureKey),
    Vault(VaultKey),
    Unknown { kind: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgeKey {
    pub(crate) recipient: String,
    pub(crate) encrypted: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PgpKey {
    pub(crate) fingerprint: String,
    pub(crate) encrypted: String,
}

/// A key in AWS KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKmsKey {
    /// ARN of the key; names the region.
    pub arn: String,
    /// ARN of a role to assume before.
    pub role: Option<String>,
    /// Profile of the shared configuration.
    pub profile: Option<String>,
    /// Encryption context.
    pub context: BTreeMap<String, String>,
    /// Base64 of the ciphertext.
    pub encrypted: String,
}

/// A key in Google's KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpKmsKey {
    /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`.
    pub resource: String,
    /// Base64 of the ciphertext.
    pub encrypted: String,
}

/// A key in an Azure Key Vault (RSA-OAEP-256).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureKey {
    /// URL of the vault.
    pub vault_url: String,
    /// Name of the key.
    pub name: String,
    /// Its version.
    pub version: String,
    /// URL-safe base64 of the ciphertext, without padding.
    pub encrypted: String,
}

/// A key of a Vault's transit engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey {
    /// URL of the server.
    pub address: String,
    /// Mount path of the engine.
    pub engine_path: String,
    /// Name of the key.
    pub name: String,
    /// The ciphertext as the server gave it, `vault:v1:…`.
    pub encrypted: String,
}

impl AwsKmsKey {
    /// What the service decrypts.
    ///
    /// # Errors
    /// It is no base64.
    pub fn ciphertext(&self) -> Result<Vec<u8>, KeyServiceError> {
        STANDARD.decode(&self.encrypted).map_err(|_| malformed())
    }
}

impl GcpKmsKey {
    /// What the service decrypts.
    ///
    /// # Errors
    /// It is no base64.
    pub fn ciphertext(&self) -> Result<Vec<u8>, KeyServiceError> {
        STANDARD.decode(&self.encrypted).map_err(|_| malformed())
    }
}

impl AzureKey {
    /// What the service decrypts.
    ///
    /// # Errors
    /// It is no base64.
    pub fn ciphertext(&self) -> Result<Vec<u8>, KeyServiceError> {
        URL_SAFE_NO_PAD.decode(self.encrypted.trim_end_matches('=')).map_err(|_| malformed())
    }
}

fn malformed() -> KeyServiceError {
    KeyServiceError { reason: "its `enc` is no base64".into(), hint: None }
}

/// Why a key service gives no plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyServiceError {
    /// What happened.
    pub reason: String,
    /// What the user can do.
    pub hint: Option<String>,
}

/// A decrypted data key, or the share of a group.
pub type PlainKey = Zeroizing<Vec<u8>>;

/// Key services of clouds and of Vault.
#[async_trait]
pub trait KeyServices: Send + Sync {
    /// `kms:Decrypt`.
    ///
    /// # Errors
    /// No credentials, or the service's answer.
    async fn aws_kms(&self, key: &AwsKmsKey) -> Result<PlainKey, KeyServiceError>;

    /// `cryptoKeys.decrypt`.
    ///
    /// # Errors
    /// No credentials, or the service's answer.
    async fn gcp_kms(&self, key: &GcpKmsKey) -> Result<PlainKey, KeyServiceError>;

    /// `keys/decrypt`.
    ///
    /// # Errors
    /// No credentials, or the service's answer.
    async fn azure_key_vault(&self, key: &AzureKey) -> Result<PlainKey, KeyServiceError>;

    /// `transit/decrypt`.
    ///
    /// # Errors
    /// No token, or the server's answer.
    async fn vault_transit(&self, key: &VaultKey) -> Result<PlainKey, KeyServiceError>;
}

/// No key service can be reached.
#[derive(Debug, Clone, Copy)]
pub struct NoKeyServices;

fn unavailable() -> KeyServiceError {
    KeyServiceError { reason: "no access to key services is configured".into(), hint: None }
}

#[async_trait]
impl KeyServices for NoKeyServices {
    async fn aws_kms(&self, _: &AwsKmsKey) -> Result<PlainKey, KeyServiceError> {
        Err(unavailable())
    }

    async fn gcp_kms(&self, _: &GcpKmsKey) -> Result<PlainKey, KeyServiceError> {
        Err(unavailable())
    }

    async fn azure_key_vault(&self, _: &AzureKey) -> Result<PlainKey, KeyServiceError> {
        Err(unavailable())
    }

    async fn vault_transit(&self, _: &VaultKey) -> Result<PlainKey, KeyServiceError> {
        Err(unavailable())
    }
}

impl MasterKey {
    /// Position in its group: offline keys first.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Age(_) => 0,
            Self::Pgp(_) => 1,
            _ => 2,
        }
    }
}

/// As errors name it.
impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(key) => write!(f, "age {}", key.recipient),
            Self::Pgp(key) => write!(f, "PGP {}", key.fingerprint),
            Self::AwsKms(key) => write!(f, "AWS KMS {}", key.arn),
            Self::GcpKms(key) => write!(f, "GCP KMS {}", key.resource),
            Self::Azure(key) => write!(f, "Azure Key Vault {}/keys/{}/{}", key.vault_url, key.name, key.version),
            Self::Vault(key) => write!(f, "Vault {}/v1/{}/keys/{}", key.address, key.engine_path, key.name),
            Self::Unknown { kind } => f.write_str(kind),
        }
    }
}

/// The user's keys; age identities are read once, when the first file needs them.
pub(crate) struct Keyring<'a> {
    settings: KeySettings,
    services: Box<dyn KeyServices + 'a>,
    identities: OnceCell<Arc<Identities>>,
}

impl<'a> Keyring<'a> {
    pub(crate) fn new(settings: KeySettings, services: Box<dyn KeyServices + 'a>) -> Self {
        Self { settings, services, identities: OnceCell::new() }
    }

    /// The data key of a file.
    pub(crate) async fn data_key(&self, metadata: &Metadata) -> Result<PlainKey, SopsError> {
        let mut shares = Vec::new();
        let mut outcomes = Vec::new();
        for group in &metadata.groups {
            if shares.len() == metadata.threshold {
                break;
            }
            match self.share(group).await {
                Ok(share) => {
                    shares.push(share);
                    outcomes.push(GroupOutcome::Recovered);
                }
                Err(attempts) => outcomes.push(GroupOutcome::Failed(attempts)),
            }
        }
        if shares.len() < metadata.threshold {
            return Err(Box::new(KeysError { needed: metadata.threshold, groups: outcomes }).into());
        }
        match <[PlainKey; 1]>::try_from(shares) {
            Ok([only]) if metadata.groups.len() == 1 => Ok(only),
            Ok(one) => Ok(Zeroizing::new(shamir::combine(&one)?)),
            Err(shares) => Ok(Zeroizing::new(shamir::combine(&shares)?)),
        }
    }

    async fn share(&self, group: &[MasterKey]) -> Result<PlainKey, Vec<KeyAttempt>> {
        let mut attempts = Vec::new();
        for key in group {
            match self.decrypt(key).await {
                Ok(plain) => return Ok(plain),
                Err(KeyServiceError { reason, hint }) => {
                    attempts.push(KeyAttempt { key: key.to_string(), reason, hint })
                }
            }
        }
        Err(attempts)
    }

    async fn decrypt(&self, key: &MasterKey) -> Result<PlainKey, KeyServiceError> {
        match key {
            MasterKey::Age(key) => {
                let identities = self.identities().await;
                age::decrypt(key, identities).await
            }
            MasterKey::Pgp(key) => pgp::decrypt(key, &self.settings.pgp).await,
            MasterKey::AwsKms(key) => self.services.aws_kms(key).await,
            MasterKey::GcpKms(key) => self.services.gcp_kms(key).await,
            MasterKey::Azure(key) => self.services.azure_key_vault(key).await,
            MasterKey::Vault(key) => self.services.vault_transit(key).await,
            MasterKey::Unknown { .. } => {
                Err(KeyServiceError { reason: "this kind of key is not supported".into(), hint: None })
            }
        }
    }

    async fn identities(&self) -> Arc<Identities> {
        self.identities.get_or_init(async || Arc::new(Identities::load(&self.settings.age).await)).await.clone()
    }
}

//! Files encrypted by SOPS: recognises and decrypts them.
//!
//! [`Format`] tells by the name what a file is written in, and whether its content is encrypted; [`Decryptor`] gets
//! the data key from the user's keys (age, PGP, cloud key services behind [`KeyServices`]) and gives the content in
//! the same format, in the order and with the types of the file.
//!
//! Every value is authenticated at its place, and the file by its authentication code.
//!
//! Not for: encrypting, reading the environment, `.sops.yaml`.

mod cipher;
mod decrypt;
mod dotenv;
mod error;
mod format;
mod ini;
mod json;
mod keys;
mod metadata;
mod settings;
mod shamir;
mod tree;
mod yaml;

pub use cipher::CipherError;
pub use decrypt::{Decrypted, Decryptor, EncryptedFile, Integrity};
pub use error::{GroupOutcome, KeyAttempt, KeysError, SopsError, SyntaxError};
pub use format::Format;
pub use keys::{AwsKmsKey, AzureKey, GcpKmsKey, KeyServiceError, KeyServices, NoKeyServices, PlainKey, VaultKey};
pub use settings::{AgeSettings, KeySettings, PgpSettings};
pub use shamir::ShareError;

//! age keys.

use std::io::Read as _;
use std::sync::Arc;

use ::age::armor::ArmoredReader;
use ::age::{DecryptError, Decryptor, Identity};
use zeroize::Zeroizing;

use super::identities::Identities;
use super::{AgeKey, KeyServiceError, PlainKey};

/// Plugins are programs that may wait for the user, so the work has a thread of its own.
pub(super) async fn decrypt(key: &AgeKey, identities: Arc<Identities>) -> Result<PlainKey, KeyServiceError> {
    let encrypted = key.encrypted.clone();
    let recipient = key.recipient.clone();
    let work = tokio::task::spawn_blocking(move || {
        opened(&encrypted, &identities).map_err(|reason| failure(&recipient, reason, &identities))
    });
    work.await.unwrap_or_else(|_| Err(KeyServiceError { reason: "the decryption ended early".into(), hint: None }))
}

fn opened(encrypted: &str, identities: &Identities) -> Result<PlainKey, String> {
    if identities.usable.is_empty() {
        return Err("no identity was found".into());
    }
    let malformed = |error: DecryptError| format!("its `enc` is no age file: {}", described(&error));
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(encrypted.as_bytes())).map_err(malformed)?;
    let usable = identities.usable.iter().map(|identity| &**identity as &dyn Identity);
    let mut reader = decryptor.decrypt(usable).map_err(|error| described(&error))?;
    let mut plain = Zeroizing::new(Vec::new());
    reader.read_to_end(&mut plain).map_err(|_| "its `enc` was changed".to_owned())?;
    Ok(plain)
}

/// In words of our own: the library's are translated into the user's language.
fn described(error: &DecryptError) -> String {
    match error {
        DecryptError::NoMatchingKeys => "no identity matches".into(),
        DecryptError::InvalidMac | DecryptError::DecryptionFailed => "its `enc` was changed".into(),
        DecryptError::InvalidHeader => "the header is malformed".into(),
        DecryptError::Io(error) => error.to_string(),
        DecryptError::Plugin(errors) => {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            format!("the plugin failed: {}", texts.join("; "))
        }
        DecryptError::UnknownFormat => "the format is unknown".into(),
        other => format!("{other:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
    }
}

fn failure(recipient: &str, reason: String, identities: &Identities) -> KeyServiceError {
    let mut reason = reason;
    if !identities.problems.is_empty() {
        reason.push_str(&format!("; not usable: {}", identities.problems.join("; ")));
    }
    if !identities.absent.is_empty() {
        reason.push_str(&format!("; looked in vain at {}", identities.absent.join(", ")));
    }
    let kind = if recipient.starts_with("ssh-") { "SOPS_AGE_SSH_PRIVATE_KEY_FILE" } else { "SOPS_AGE_KEY_FILE" };
    let hint = Some(format!("set `{kind}` to a file with the private key of {recipient}"));
    KeyServiceError { reason, hint }
}

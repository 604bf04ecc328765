//! PGP keys through the user's `gpg`, which asks its agent.

use tokio::process::Command;

use super::commands::run;
use super::{KeyServiceError, PgpKey, PlainKey};
use crate::settings::PgpSettings;

pub(super) async fn decrypt(key: &PgpKey, settings: &PgpSettings) -> Result<PlainKey, KeyServiceError> {
    let mut command = Command::new(&settings.program);
    command.args(["--quiet", "--use-agent", "--decrypt"]);
    if let Some(home) = &settings.home {
        command.env("GNUPGHOME", home);
    }
    run(command, key.encrypted.as_bytes()).await.map_err(|reason| KeyServiceError {
        reason,
        hint: Some(format!(
            "import the secret key {} into the keyring of `gpg` (`GNUPGHOME`), or name another program with `SOPS_GPG_EXEC`",
            key.fingerprint
        )),
    })
}

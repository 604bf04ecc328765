//! Application default credentials: where the credentials file is, else the metadata server.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Token, file};
use crate::error::Problem;
use crate::http::Call;
use crate::session::{Session, parse_address, read_text};

const HINT: &str = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a credentials \
                    file";

/// Finds credentials and makes a token of them.
pub(super) struct Finder<'a> {
    pub(super) session: &'a Session,
    pub(super) scope: &'a str,
}

impl Finder<'_> {
    pub(super) async fn find(&self, given: Option<&SecretString>) -> Result<Token, Problem> {
        if let Some(text) = given {
            return self.of_text(text, "the given credentials").await;
        }
        if let Some(path) = self.session.variable("GOOGLE_APPLICATION_CREDENTIALS") {
            let origin = format!("GOOGLE_APPLICATION_CREDENTIALS (`{path}`)");
            let text = read_text(&PathBuf::from(path)).await;
            let text = text.map_err(|reason| Problem::Credentials { origin: origin.clone(), reason })?;
            return self.of_text(&text, &origin).await;
        }
        if let Some(path) = self.well_known().filter(|path| path.is_file()) {
            let origin = format!("`{}`", path.display());
            let text = read_text(&path).await;
            let text = text.map_err(|reason| Problem::Credentials { origin: origin.clone(), reason })?;
            return self.of_text(&text, &origin).await;
        }
        self.of_metadata().await
    }

    /// What `gcloud auth application-default login` writes.
    fn well_known(&self) -> Option<PathBuf> {
        let name = "application_default_credentials.json";
        if let Some(dir) = self.session.variable("CLOUDSDK_CONFIG") {
            return Some(PathBuf::from(dir).join(name));
        }
        if cfg!(windows) {
            return self.session.variable("APPDATA").map(|dir| PathBuf::from(dir).join("gcloud").join(name));
        }
        self.session.at_home(&format!(".config/gcloud/{name}"))
    }

    async fn of_text(&self, text: &SecretString, origin: &str) -> Result<Token, Problem> {
        let parsed: Result<Value, _> = serde_json::from_str(text.expose_secret());
        // The parser's words could quote the file.
        let bad = |reason: &str| Problem::Credentials { origin: origin.to_owned(), reason: reason.to_owned() };
        let json = parsed.map_err(|_| bad("it is not JSON"))?;
        file::token(self.session, &json, self.scope, origin).await
    }

    async fn of_metadata(&self) -> Result<Token, Problem> {
        let tried = ["GOOGLE_APPLICATION_CREDENTIALS", "gcloud's application default credentials", "metadata server"];
        let nothing = || Problem::NoCredentials { tried: tried.map(str::to_owned).to_vec(), hint: HINT };
        let host = self.session.variable("GCE_METADATA_HOST").unwrap_or("metadata.google.internal");
        let scope = crate::encode::percent(self.scope);
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={scope}");
        let call =
            Call::get(parse_address(&url, "GCE_METADATA_HOST")?).header("metadata-flavor", "Google").on_machine();
        let answer = self.session.http().ask(&call).await.map_err(|_| nothing())?;
        of_answer(&answer.json()).ok_or_else(nothing)
    }
}

/// The token of an OAuth answer.
pub(super) fn of_answer(json: &Value) -> Option<Token> {
    let value = json["access_token"].as_str()?.to_owned();
    let seconds = json["expires_in"].as_i64().or_else(|| json["expires_in"].as_str()?.parse().ok());
    let end = seconds.map(|seconds| Timestamp::now() + SignedDuration::from_secs(seconds.clamp(0, 86_400)));
    Some(Token { value: value.into(), end })
}

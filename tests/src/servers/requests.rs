//! The requests that a control plane has seen, from its audit log.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One finished request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// The authenticated user; the impersonated one when there is one.
    pub user: String,
    /// The client's `User-Agent`.
    pub user_agent: String,
    /// The HTTP status of the answer.
    pub code: u16,
}

impl ApiRequest {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }

    /// Whether the request could have changed the cluster (a dry-run does not).
    pub fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch") && !self.uri.contains("dryRun=All")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: Value,
    #[serde(default)]
    impersonated_user: Value,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    response_status: Value,
}

/// Parses an audit log from byte `from` on. An unfinished last line is left out.
pub(super) fn parse(log: &Path, from: usize) -> Vec<ApiRequest> {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes.get(from..).unwrap_or_default());
    let mut requests = Vec::new();
    for line in text.lines() {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { continue };
        if entry.stage == "ResponseComplete" {
            requests.push(entry.into_request());
        }
    }
    requests
}

impl Entry {
    fn into_request(self) -> ApiRequest {
        let name = |user: &Value| user["username"].as_str().map(str::to_owned);
        ApiRequest {
            verb: self.verb,
            uri: self.request_uri,
            user: name(&self.impersonated_user).or_else(|| name(&self.user)).unwrap_or_default(),
            user_agent: self.user_agent,
            code: self.response_status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or_default(),
        }
    }
}

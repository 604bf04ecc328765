//! Answering a registry's challenge: basic, bearer tokens, identity tokens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::credentials::Resolved;
use crate::error::RegistryError;
use crate::http::Transport;
use crate::repository::Repository;
use crate::settings::Login;

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer { realm: Url, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The best challenge of some `WWW-Authenticate` headers: bearer before basic.
    pub(crate) fn parse<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Self> {
        let mut basic = None;
        for (scheme, parameters) in headers.flat_map(schemes) {
            if scheme.eq_ignore_ascii_case("bearer") {
                let get =
                    |name: &str| parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
                if let Some(realm) = get("realm").and_then(|realm| Url::parse(&realm).ok()) {
                    return Some(Self::Bearer { realm, service: get("service"), scope: get("scope") });
                }
            } else if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
        }
        basic
    }
}

type Scheme<'h> = (&'h str, Vec<(&'h str, String)>);

/// `Scheme a="b",c=d, Scheme2 …`.
fn schemes(header: &str) -> Vec<Scheme<'_>> {
    let mut found: Vec<Scheme<'_>> = Vec::new();
    let mut rest = header.trim_start_matches([',', ' ', '\t']);
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if let Some(value) = after.strip_prefix('=') {
            let (value, after) = parameter_value(value);
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word, value));
            }
            rest = after;
        } else {
            found.push((word, Vec::new()));
            rest = after;
        }
        rest = rest.trim_start_matches([',', ' ', '\t']);
    }
    found
}

fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// What goes into the `Authorization` header.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    Anonymous,
    Basic { username: String, password: SecretString },
    Bearer(SecretString),
}

impl Authorization {
    pub(crate) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Anonymous => request,
            Self::Basic { username, password } => request.basic_auth(username, Some(password.expose_secret())),
            Self::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }
}

struct Token {
    value: SecretString,
    refresh_at: Instant,
}

type TokenCell = Arc<tokio::sync::Mutex<Option<Token>>>;

/// Tokens of one connection, and which logins were refused.
#[derive(Default)]
pub(crate) struct Tokens {
    /// By realm, scope and origin of the login.
    cells: Mutex<HashMap<(String, String, String), TokenCell>>,
    gates: Mutex<HashMap<String, Arc<LoginGate>>>,
}

/// Until a login has worked once, only one request tries it; a refused one is not tried again,
/// because accounts are locked after a few failures.
#[derive(Default)]
pub(crate) struct LoginGate {
    pub(crate) first: tokio::sync::Mutex<()>,
    pub(crate) proven: AtomicBool,
    refused: Mutex<Option<RegistryError>>,
}

impl LoginGate {
    pub(crate) fn refusal(&self) -> Option<RegistryError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn refuse(&self, error: &RegistryError) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    }
}

impl Tokens {
    /// The gate of a login, by where it came from.
    pub(crate) fn gate(&self, resolved: &Resolved) -> Arc<LoginGate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(resolved.tried.clone()).or_default().clone()
    }

    fn cell(&self, request: &TokenRequest<'_>) -> TokenCell {
        let key = (request.realm.to_string(), request.scope.to_owned(), request.resolved.tried.clone());
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }
}

/// One token request.
pub(crate) struct TokenRequest<'r> {
    pub(crate) transport: &'r Transport,
    pub(crate) repository: &'r Repository,
    pub(crate) resolved: &'r Resolved,
    pub(crate) realm: &'r Url,
    pub(crate) service: Option<&'r str>,
    pub(crate) scope: &'r str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    expires_in: Option<u64>,
}

impl TokenRequest<'_> {
    /// A token, from the cache unless `stale` is it.
    pub(crate) async fn token(
        &self,
        tokens: &Tokens,
        stale: Option<&SecretString>,
    ) -> Result<SecretString, RegistryError> {
        let cell = tokens.cell(self);
        let mut cached = cell.lock().await;
        if let Some(token) = cached.as_ref() {
            let is_stale = stale.is_some_and(|stale| stale.expose_secret() == token.value.expose_secret());
            if !is_stale && token.refresh_at > Instant::now() {
                return Ok(token.value.clone());
            }
        }
        let gate = self.resolved.login.as_ref().map(|_| tokens.gate(self.resolved));
        let _first = match &gate {
            Some(gate) if !gate.proven.load(Ordering::Acquire) => Some(gate.first.lock().await),
            _ => None,
        };
        if let Some(error) = gate.as_ref().and_then(|gate| gate.refusal()) {
            return Err(error);
        }
        let outcome = self.fetch().await;
        match (&outcome, &gate) {
            (Ok(_), Some(gate)) => gate.proven.store(true, Ordering::Release),
            (Err(error @ RegistryError::Unauthorized { .. }), Some(gate)) => gate.refuse(error),
            _ => {}
        }
        let token = outcome?;
        let value = token.value.clone();
        *cached = Some(token);
        Ok(value)
    }

    async fn fetch(&self) -> Result<Token, RegistryError> {
        let mut form = vec![("scope", self.scope.to_owned())];
        if let Some(service) = self.service {
            form.push(("service", service.to_owned()));
        }
        let answer = match &self.resolved.login {
            Some(Login::Identity(identity)) => {
                form.push(("client_id", "windlass".to_owned()));
                form.push(("grant_type", "refresh_token".to_owned()));
                let send = |client: &reqwest::Client| {
                    // The identity token is added here only, so that it lives no longer than the request.
                    let refresh = [("refresh_token", identity.expose_secret())];
                    let all: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).chain(refresh).collect();
                    client.post(self.realm.clone()).form(&all)
                };
                self.transport.send(send).await?
            }
            login => {
                let basic = match login {
                    Some(Login::Basic { username, password }) => {
                        Authorization::Basic { username: username.clone(), password: password.clone() }
                    }
                    _ => Authorization::Anonymous,
                };
                self.transport.send(|client| basic.apply(client.get(self.realm.clone()).query(&form))).await?
            }
        };
        if matches!(answer.status, 401 | 403) || (answer.status == 400 && self.resolved.login.is_some()) {
            return Err(unauthorized(self.transport, self.repository, answer.status, self.resolved));
        }
        let invalid = |reason: &str| RegistryError::InvalidAnswer {
            host: self.transport.host.clone(),
            repository: self.repository.to_string(),
            reason: reason.to_owned(),
        };
        if answer.status != 200 {
            return Err(invalid(&format!("the token service answered {}", answer.status)));
        }
        let parsed: TokenAnswer =
            serde_json::from_slice(&answer.body).map_err(|_| invalid("the token service sent no JSON"))?;
        let value = parsed.token.or(parsed.access_token).filter(|token| !token.expose_secret().is_empty());
        let value = value.ok_or_else(|| invalid("the token service sent no token"))?;
        let lifetime = Duration::from_secs(parsed.expires_in.unwrap_or(60).clamp(10, 24 * 3600));
        Ok(Token { value, refresh_at: Instant::now() + lifetime.mul_f64(0.8) })
    }
}

/// The error for a refused request; it names the source of the credentials, never their value.
pub(crate) fn unauthorized(
    transport: &Transport,
    repository: &Repository,
    status: u16,
    resolved: &Resolved,
) -> RegistryError {
    RegistryError::Unauthorized {
        host: transport.host.clone(),
        repository: repository.to_string(),
        status,
        tried: resolved.tried.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Option<Challenge> {
        Challenge::parse(std::iter::once(header))
    }

    #[test]
    fn challenges_of_every_form() {
        let wanted = Challenge::Bearer {
            realm: Url::parse("https://auth.example/token?a=b,c").unwrap(),
            service: Some("reg, \"x\"".into()),
            scope: Some("repository:a/b:pull".into()),
        };
        for header in [
            r#"Bearer realm="https://auth.example/token?a=b,c",service="reg, \"x\"",scope="repository:a/b:pull""#,
            r#"bearer Realm="https://auth.example/token?a=b,c" , scope=repository:a/b:pull, service="reg, \"x\"""#,
            r#"Basic realm="x", Bearer realm="https://auth.example/token?a=b,c",service="reg, \"x\"",scope="repository:a/b:pull""#,
        ] {
            assert_eq!(parse(header), Some(wanted.clone()), "{header}");
        }
        assert_eq!(parse("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(parse("basic"), Some(Challenge::Basic));
    }

    #[test]
    fn unusable_challenges_are_none() {
        for header in ["", "Negotiate", "Bearer", "Bearer realm=\"not a url\"", "=", "Bearer service=\"x\""] {
            assert_eq!(parse(header), None, "{header}");
        }
    }

    #[test]
    fn authorizations_hide_their_secret() {
        let text = format!("{:?}", Authorization::Bearer("s3cr3t".into()));
        assert!(!text.contains("s3cr3t"));
    }
}

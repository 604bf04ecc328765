//! The token service of a registry: answers a login with signed tokens that the registry checks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};

use super::SandboxError;
use super::authority::Certified;
use crate::http::{HttpServer, Request, Response};

/// Name of the key and of the service in tokens.
const KEY_ID: &str = "sandbox";
/// The service that tokens are for.
pub(super) const SERVICE: &str = "sandbox-registry";
/// Who signs.
pub(super) const ISSUER: &str = "sandbox-tokens";

/// A running token service; ends when dropped.
#[derive(Debug)]
pub(super) struct TokenServer {
    server: HttpServer,
    state: Arc<State>,
}

struct State {
    key: KeyPair,
    user: String,
    password: String,
    log: Mutex<Vec<TokenRequest>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

/// One request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// `basic`, `refresh` or `anonymous`.
    pub kind: &'static str,
    /// `repository:team/web:pull`.
    pub scope: String,
    /// Whether a token was given.
    pub granted: bool,
}

impl TokenServer {
    /// Knows one user; the password is accepted as identity token too.
    pub(super) fn start(certified: &Certified, user: &str, password: &str) -> Result<Self, SandboxError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(|e| SandboxError::Certificate(e.to_string()))?;
        let (user, password) = (user.to_owned(), password.to_owned());
        let state = Arc::new(State { key, user, password, log: Mutex::default() });
        let served = Arc::clone(&state);
        let server = HttpServer::start_tls(certified.server_config()?, move |request| served.answer(&request))
            .map_err(|source| SandboxError::Spawn { program: "token server".to_owned(), source })?;
        Ok(Self { server, state })
    }

    pub(super) fn realm(&self) -> String {
        format!("https://{}/token", self.server.address())
    }

    /// The public key, for the registry's settings.
    pub(super) fn key_set(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.state.key.der_bytes());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": KEY_ID, "x": x}]})
    }

    /// A token for the harness itself.
    pub(super) fn token(&self, scope: &str) -> Result<String, SandboxError> {
        self.state.signed(scope)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Vec<TokenRequest>> {
        self.state.log()
    }
}

impl State {
    fn log(&self) -> MutexGuard<'_, Vec<TokenRequest>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Response {
        let form = if request.method == "POST" { request.body.as_slice() } else { request.query.as_bytes() };
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(form);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let scope = parameter("scope");
        let wanted = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)));
        let (kind, known) = match (request.method.as_str(), request.header("authorization")) {
            ("POST", _) => ("refresh", parameter("refresh_token") == self.password),
            (_, Some(header)) => ("basic", header == wanted),
            (_, None) => ("anonymous", false),
        };
        let granted = known && parameter("service") == SERVICE;
        self.log().push(TokenRequest { kind, scope: scope.clone(), granted });
        // Strangers get a token too, as public registries give one; it allows nothing.
        let allowed = if granted { scope.as_str() } else { "" };
        if !granted && kind != "anonymous" {
            return Response::text(401, r#"{"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]}"#);
        }
        match self.signed(allowed) {
            Ok(token) => {
                let body = json!({"token": token, "expires_in": 300});
                Response::text(200, body.to_string()).with("Content-Type", "application/json")
            }
            Err(error) => Response::text(500, error.to_string()),
        }
    }

    fn signed(&self, scope: &str) -> Result<String, SandboxError> {
        let access: Vec<Value> = scope
            .split(' ')
            .filter_map(|scope| {
                let (kind, rest) = scope.split_once(':')?;
                let (name, actions) = rest.rsplit_once(':')?;
                Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
            })
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = json!({
            "iss": ISSUER, "sub": self.user, "aud": SERVICE, "jti": format!("{}", now.as_nanos()), "access": access,
            "iat": now.as_secs(), "nbf": now.as_secs() - 10, "exp": now.as_secs() + 300,
        });
        let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": KEY_ID});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(text.as_bytes()).map_err(|e| SandboxError::Certificate(e.to_string()))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

//! Secret stores that speak the protocols of Vault, AWS, Google and Azure, and check what proves the caller.
//!
//! Signatures of version 4 are verified from the request alone, assertions with the public half of the key; a wrong
//! proof gets the answer that the real service gives. Key services and logins of registries are in [`super::cloud_keys`].

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::{digest, hmac, signature};
use serde_json::{Value, json};

use super::cloud_keys;
use crate::http::{HttpServer, Request, Response};

/// The secret access key that AWS's part knows.
pub const AWS_SECRET_KEY: &str = "s3cret/access+key=of-aws";
/// The token that Vault's part knows.
pub const VAULT_TOKEN: &str = "hvs.s3cret-vault-token";
/// The client secret that Entra's part knows.
pub const AZURE_CLIENT_SECRET: &str = "s3cret~of-the-client";

/// The token that Google's part gives, also a password of its registries.
pub const GOOGLE_TOKEN: &str = "ya29.s3cret-google-token";
const AZURE_TOKEN: &str = "eyJ.s3cret-azure-token";

/// Secrets by name, for all stores alike. Vault's names are paths of the read API.
#[derive(Debug)]
pub struct SecretStore {
    server: HttpServer,
    seen: Arc<Mutex<Vec<Request>>>,
}

struct Store {
    secrets: BTreeMap<String, String>,
    /// DER of the public key that assertions are checked with.
    public_key: Vec<u8>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl SecretStore {
    /// Starts all stores on one port.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(secrets: &[(&str, &str)], public_key: Vec<u8>) -> io::Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let secrets = secrets.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let store = Store { secrets, public_key, seen: Arc::clone(&seen) };
        let server = HttpServer::start(move |request| store.answer(&request))?;
        Ok(Self { server, seen })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The paths asked for, in order.
    pub fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|request| request.path.clone()).collect()
    }
}

impl Store {
    fn answer(&self, request: &Request) -> Response {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let path = request.path.as_str();
        if request.header("x-amz-target").is_some() {
            return self.aws(request);
        }
        if let Some(name) = path.strip_prefix("/v1/").and_then(|path| path.strip_suffix(":access")) {
            return self.google(name, request);
        }
        if let Some(key) = path.strip_prefix("/v1/projects/").and_then(|path| path.strip_suffix(":decrypt")) {
            return google_refusal(request).unwrap_or_else(|| cloud_keys::google(&self.secrets, key, &request.body));
        }
        if let Some(name) = path.strip_prefix("/v1/") {
            return self.vault(name, request);
        }
        match path {
            "/google/token" => self.google_login(request),
            "/oauth2/exchange" => cloud_keys::azure_registry(&self.secrets, AZURE_TOKEN, &request.body),
            _ if path.starts_with("/keys/") => {
                azure_refusal(request).unwrap_or_else(|| cloud_keys::azure(&self.secrets, path, &request.body))
            }
            "/tenant/oauth2/v2.0/token" => azure_login(request),
            _ => match path.strip_prefix("/secrets/") {
                Some(name) => self.azure(name, request),
                None => self.plain(path, request),
            },
        }
    }

    /// What Vault answers: version 2 of KV below `secret/`, version 1 elsewhere.
    fn vault(&self, path: &str, request: &Request) -> Response {
        if request.header("x-vault-token") != Some(VAULT_TOKEN) {
            return of_json(403, &json!({ "errors": ["permission denied"] }));
        }
        if path.contains("/decrypt/") {
            return cloud_keys::vault(&self.secrets, path, &request.body);
        }
        let Some(text) = self.secrets.get(path) else { return of_json(404, &json!({ "errors": [] })) };
        let data: Value = serde_json::from_str(text).unwrap_or_default();
        let metadata = json!({ "version": 1, "destroyed": false, "deletion_time": "" });
        let data = if path.starts_with("secret/") { json!({ "data": data, "metadata": metadata }) } else { data };
        of_json(200, &json!({ "request_id": "r", "lease_duration": 0, "data": data, "auth": null }))
    }

    fn aws(&self, request: &Request) -> Response {
        let fail = |code: &str| of_json(400, &json!({ "__type": code, "message": "as the real one says" }));
        if !is_signed(request).unwrap_or(false) {
            return fail("InvalidSignatureException");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Some(answer) = cloud_keys::aws(&self.secrets, request.header("x-amz-target"), &body) {
            return answer;
        }
        match body["SecretId"].as_str().and_then(|name| self.secrets.get(name)) {
            Some(text) => of_json(200, &json!({ "Name": body["SecretId"], "SecretString": text })),
            None => fail("ResourceNotFoundException"),
        }
    }

    fn google_login(&self, request: &Request) -> Response {
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is_valid = form.get("assertion").is_some_and(|token| self.is_asserted(token).unwrap_or(false));
        if !is_valid {
            return of_json(400, &json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." }));
        }
        of_json(200, &json!({ "access_token": GOOGLE_TOKEN, "expires_in": 3599, "token_type": "Bearer" }))
    }

    fn is_asserted(&self, token: &str) -> Option<bool> {
        let (signed, proof) = token.rsplit_once('.')?;
        let key = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        let proof = URL_SAFE_NO_PAD.decode(proof).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        Some(key.verify(signed.as_bytes(), &proof).is_ok() && claims["iss"] == "windlass@project")
    }

    fn google(&self, name: &str, request: &Request) -> Response {
        if let Some(refusal) = google_refusal(request) {
            return refusal;
        }
        match self.secrets.get(name) {
            Some(text) => of_json(200, &json!({ "name": name, "payload": { "data": STANDARD.encode(text) } })),
            None => of_json(404, &json!({ "error": { "code": 404, "status": "NOT_FOUND", "message": "no" } })),
        }
    }

    fn azure(&self, name: &str, request: &Request) -> Response {
        if let Some(refusal) = azure_refusal(request) {
            return refusal;
        }
        match self.secrets.get(name) {
            Some(text) => of_json(200, &json!({ "value": text, "id": name })),
            None => of_json(404, &json!({ "error": { "code": "SecretNotFound", "message": "no" } })),
        }
    }

    /// Anything else, for `http`: `/echo` shows the request, `/redirect` leads to it.
    fn plain(&self, path: &str, request: &Request) -> Response {
        match path {
            "/echo" => {
                let header = request.header("x-token").unwrap_or_default();
                let body = String::from_utf8_lossy(&request.body);
                of_json(200, &json!({ "method": request.method, "header": header, "body": body }))
            }
            "/redirect" => Response::text(302, "").with("Location", "/echo"),
            "/login" => Response::text(401, "").with("WWW-Authenticate", "Basic realm=\"team\""),
            "/broken" => Response::text(500, "no"),
            _ => match self.secrets.get(path) {
                Some(text) => Response::text(200, text.clone()),
                None => Response::text(404, "no"),
            },
        }
    }
}

/// The refusal of a stranger.
fn google_refusal(request: &Request) -> Option<Response> {
    let known = request.header("authorization") == Some(&format!("Bearer {GOOGLE_TOKEN}"));
    let error = json!({ "error": { "code": 401, "status": "UNAUTHENTICATED", "message": "no" } });
    (!known).then(|| of_json(401, &error))
}

/// The refusal of a stranger.
fn azure_refusal(request: &Request) -> Option<Response> {
    let known = request.header("authorization") == Some(&format!("Bearer {AZURE_TOKEN}"));
    (!known).then(|| of_json(401, &json!({ "error": { "code": "Unauthorized", "message": "no" } })))
}

fn azure_login(request: &Request) -> Response {
    let form: BTreeMap<_, _> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str);
    let scopes = ["https://vault.azure.net/.default", "https://containerregistry.azure.net/.default"];
    if field("client_secret") != Some(AZURE_CLIENT_SECRET) || !field("scope").is_some_and(|s| scopes.contains(&s)) {
        return of_json(401, &json!({ "error": "invalid_client", "error_description": "AADSTS7000215: no" }));
    }
    of_json(200, &json!({ "access_token": AZURE_TOKEN, "expires_in": 3599, "token_type": "Bearer" }))
}

pub(super) fn of_json(status: u16, value: &Value) -> Response {
    Response::text(status, value.to_string()).with("Content-Type", "application/json")
}

/// Checks a signature of version 4; requests have no query here.
fn is_signed(request: &Request) -> Option<bool> {
    let authorization = request.header("authorization")?;
    let field = |name: &str| authorization.split(&format!("{name}=")).nth(1)?.split(',').next();
    let (names, scope) = (field("SignedHeaders")?, field("Credential")?.split_once('/')?.1);
    let lines: Option<String> =
        names.split(';').map(|name| Some(format!("{name}:{}\n", request.header(name)?.trim()))).collect();
    let (method, path) = (&request.method, &request.path);
    let canonical = format!("{method}\n{path}\n\n{}\n{names}\n{}", lines?, sha256(&request.body));
    let text =
        format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", request.header("x-amz-date")?, sha256(canonical.as_bytes()));
    let mac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let start = format!("AWS4{AWS_SECRET_KEY}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| mac(&key, part).as_ref().to_vec());
    Some(field("Signature")? == hex(mac(&key, &text).as_ref()))
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The key services and the registries' logins of [`super::secret_store`].
//!
//! What they know stands among the store's secrets: a ciphertext below its key, with the plain text in base64, and a
//! password below its registry. A text that begins with `{` is sent as the whole answer, which may be a wrong one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::secret_store::of_json;
use crate::http::Response;

type Secrets = BTreeMap<String, String>;

/// KMS and ECR; `None` for other services. Names are `kms/KEY/CIPHERTEXT`, with `/CONTEXT` in JSON when there is one,
/// and `ecr/ACCOUNT`.
pub(super) fn aws(secrets: &Secrets, target: Option<&str>, body: &Value) -> Option<Response> {
    let fail = |code: &str| of_json(400, &json!({ "__type": code, "message": "as the real one says" }));
    match target? {
        "TrentService.Decrypt" => {
            let context = body.get("EncryptionContext").map(|context| format!("/{context}")).unwrap_or_default();
            let name = format!("kms/{}/{}{context}", word(body, "KeyId"), word(body, "CiphertextBlob"));
            let plain = |text: &str| json!({ "KeyId": body["KeyId"], "Plaintext": text });
            Some(answer(secrets, &name, plain).unwrap_or_else(|| fail("InvalidCiphertextException")))
        }
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" => {
            let account = body["registryIds"][0].as_str().unwrap_or_default();
            let data = |password: &str| {
                let token = STANDARD.encode(format!("AWS:{password}"));
                json!({ "authorizationData": [{ "authorizationToken": token, "expiresAt": 4_000_000_000_u64 }] })
            };
            Some(answer(secrets, &format!("ecr/{account}"), data).unwrap_or_else(|| fail("AccessDeniedException")))
        }
        _ => None,
    }
}

/// Google's KMS: `PROJECT/locations/…/cryptoKeys/KEY/CIPHERTEXT`.
pub(super) fn google(secrets: &Secrets, key: &str, body: &[u8]) -> Response {
    let body = parsed(body);
    let words = "Decryption failed: verify that 'name' refers to the correct CryptoKey.";
    let error = json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT", "message": words } });
    let name = format!("{key}/{}", word(&body, "ciphertext"));
    answer(secrets, &name, |text| json!({ "plaintext": text })).unwrap_or_else(|| of_json(400, &error))
}

/// Azure's keys: `/keys/NAME/VERSION/decrypt/CIPHERTEXT`.
pub(super) fn azure(secrets: &Secrets, path: &str, body: &[u8]) -> Response {
    let body = parsed(body);
    let error = json!({ "error": { "code": "BadParameter", "message": "The parameter is incorrect." } });
    if word(&body, "alg") != "RSA-OAEP-256" {
        return of_json(400, &error);
    }
    let plain =
        |text: &str| json!({ "kid": path, "value": text.trim_end_matches('=').replace('+', "-").replace('/', "_") });
    answer(secrets, &format!("{path}/{}", word(&body, "value")), plain).unwrap_or_else(|| of_json(400, &error))
}

/// ACR: `acr/HOST`, for whoever has the token.
pub(super) fn azure_registry(secrets: &Secrets, token: &str, body: &[u8]) -> Response {
    let form: BTreeMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let known = field("access_token") == token && field("grant_type") == "access_token";
    let name = format!("acr/{}", field("service"));
    let found = known.then(|| answer(secrets, &name, |text| json!({ "refresh_token": text }))).flatten();
    found.unwrap_or_else(|| of_json(401, &json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "no access" }] })))
}

/// Vault's transit engine: `ENGINE/decrypt/KEY/CIPHERTEXT`.
pub(super) fn vault(secrets: &Secrets, path: &str, body: &[u8]) -> Response {
    let body = parsed(body);
    let name = format!("{path}/{}", word(&body, "ciphertext"));
    let plain = |text: &str| json!({ "data": { "plaintext": text } });
    let error = json!({ "errors": ["cipher: message authentication failed"] });
    answer(secrets, &name, plain).unwrap_or_else(|| of_json(400, &error))
}

fn answer(secrets: &Secrets, name: &str, found: impl Fn(&str) -> Value) -> Option<Response> {
    let text = secrets.get(name)?;
    let whole = text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    Some(of_json(200, &whole.unwrap_or_else(|| found(text))))
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn word<'v>(body: &'v Value, name: &str) -> &'v str {
    body[name].as_str().unwrap_or_default()
}

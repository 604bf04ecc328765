//! Servers of the tests, which check what they are sent.

use std::collections::BTreeMap;
use std::path::Path;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use wiremock::{Match, MockServer, Request};

use crate::encode::{base64_bytes, hex, pem_block, percent, sha256_hex};
use crate::session::Session;

pub(crate) const KEY: &str = include_str!("testdata/rsa.pem");
pub(crate) const CERTIFICATE: &str = include_str!("testdata/cert.pem");

/// A session whose metadata services do not exist.
pub(crate) fn session(variables: &[(&str, &str)], home: &Path) -> Session {
    let mut environment: BTreeMap<String, String> = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1"),
        ("PATH", "/usr/bin:/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Session::new(environment, Some(home.to_owned())).expect("session")
}

/// Everything that an error shows to people.
pub(crate) fn shown(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    text
}

/// The fields of the forms that a server got, in order.
pub(crate) async fn forms(server: &MockServer) -> Vec<BTreeMap<String, String>> {
    let requests = server.received_requests().await.unwrap_or_default();
    requests.iter().map(form).collect()
}

pub(crate) fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

/// Header and claims of an assertion, if its signature is that of [`KEY`].
pub(crate) fn verified(token: &str) -> Option<(Value, Value)> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let pair = ring::rsa::KeyPair::from_pkcs8(&pem_block(KEY, &["PRIVATE KEY"])?).ok()?;
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    let signed = format!("{header}.{claims}");
    public.verify(signed.as_bytes(), &base64_bytes(signature)?).ok()?;
    let json = |text: &str| serde_json::from_slice(&base64_bytes(text)?).ok();
    Some((json(header)?, json(claims)?))
}

/// Matches requests that are signed with a secret key, as AWS checks them: from the request alone.
pub(crate) struct SignedWith {
    pub(crate) secret: &'static str,
    pub(crate) scope: &'static str,
}

impl Match for SignedWith {
    fn matches(&self, request: &Request) -> bool {
        self.check(request).unwrap_or(false)
    }
}

impl SignedWith {
    fn check(&self, request: &Request) -> Option<bool> {
        let header = |name: &str| request.headers.get(name)?.to_str().ok().map(str::to_owned);
        let authorization = header("authorization")?;
        let field = |name: &str| authorization.split(&format!("{name}=")).nth(1)?.split(',').next();
        let (names, credential) = (field("SignedHeaders")?, field("Credential")?);
        let (_, scope) = credential.split_once('/')?;
        let (date, place) = scope.split_once('/')?;
        let time = header("x-amz-date")?;
        let lines: Option<String> =
            names.split(';').map(|name| Some(format!("{name}:{}\n", header(name)?.trim()))).collect();
        let mut query: Vec<_> =
            request.url.query_pairs().map(|(name, value)| format!("{}={}", percent(&name), percent(&value))).collect();
        query.sort();
        let canonical = format!(
            "{}\n{}\n{}\n{}\n{names}\n{}",
            request.method,
            request.url.path(),
            query.join("&"),
            lines?,
            sha256_hex(&request.body)
        );
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let mac = |key: &[u8], data: &str| {
            ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), data.as_bytes()).as_ref().to_vec()
        };
        let mut key = mac(format!("AWS4{}", self.secret).as_bytes(), date);
        for part in place.split('/') {
            key = mac(&key, part);
        }
        let right = field("Signature")? == hex(&mac(&key, &text));
        Some(right && place == format!("{}/aws4_request", self.scope) && time.starts_with(date))
    }
}

//! Where tokens of Microsoft Entra come from, in the order of Azure's own libraries.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::AzureSources;
use crate::cache::Ends;
use crate::encode::{base64_url, hex, pem_block, percent};
use crate::error::Problem;
use crate::http::Call;
use crate::session::{Session, parse_address, read_text};

const HINT: &str = "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An access token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) end: Option<Timestamp>,
}

impl Ends for Token {
    fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

/// Finds a token for a scope `https://<audience>/.default`.
pub(super) struct Finder<'a> {
    pub(super) session: &'a Session,
    pub(super) sources: AzureSources,
    pub(super) scope: &'a str,
}

impl Finder<'_> {
    /// The first source that is configured decides, also when it fails.
    pub(super) async fn find(&self) -> Result<Token, Problem> {
        if let Some(token) = self.of_environment().await? {
            return Ok(token);
        }
        if let Some(token) = self.of_workload().await? {
            return Ok(token);
        }
        let mut tried = vec!["environment variables".to_owned(), "workload identity".to_owned()];
        match self.of_machine().await? {
            Ok(token) => return Ok(token),
            Err(reason) => tried.push(format!("managed identity ({reason})")),
        }
        if self.sources == AzureSources::All {
            match self.of_cli().await {
                Ok(token) => return Ok(token),
                Err(reason) => tried.push(format!("Azure CLI ({reason})")),
            }
        }
        Err(Problem::NoCredentials { tried, hint: HINT })
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.session.variable(name)
    }

    fn token_address(&self, tenant: &str) -> Result<Url, Problem> {
        let usual = "https://login.microsoftonline.com";
        let authority = self.variable("AZURE_AUTHORITY_HOST").unwrap_or(usual).trim_end_matches('/');
        let url = parse_address(&format!("{authority}/{}/oauth2/v2.0/token", percent(tenant)), "AZURE_AUTHORITY_HOST")?;
        let near = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() == "https" || near {
            Ok(url)
        } else {
            Err(Problem::Input("AZURE_AUTHORITY_HOST must be `https`".to_owned()))
        }
    }

    async fn of_environment(&self) -> Result<Option<Token>, Problem> {
        let (Some(tenant), Some(client)) = (self.variable("AZURE_TENANT_ID"), self.variable("AZURE_CLIENT_ID")) else {
            return Ok(None);
        };
        let url = self.token_address(tenant)?;
        let form = [("grant_type", "client_credentials"), ("client_id", client), ("scope", self.scope)];
        if let Some(secret) = self.session.secret_variable("AZURE_CLIENT_SECRET") {
            let form: Vec<_> = form.into_iter().chain([("client_secret", secret.expose_secret())]).collect();
            return self.login(Call::form(url, &form), "AZURE_CLIENT_SECRET").await.map(Some);
        }
        if let Some(path) = self.variable("AZURE_CLIENT_CERTIFICATE_PATH") {
            let origin = "AZURE_CLIENT_CERTIFICATE_PATH";
            let pem = read_text(Path::new(path)).await.map_err(|reason| bad(origin, reason))?;
            let assertion =
                assertion(pem.expose_secret(), client, url.as_str()).map_err(|reason| bad(origin, reason))?;
            let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
            let form: Vec<_> = form.into_iter().chain(proof).collect();
            return self.login(Call::form(url, &form), origin).await.map(Some);
        }
        Ok(None)
    }

    async fn of_workload(&self) -> Result<Option<Token>, Problem> {
        let names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"];
        let [Some(tenant), Some(client), Some(file)] = names.map(|name| self.variable(name)) else { return Ok(None) };
        let origin = "AZURE_FEDERATED_TOKEN_FILE";
        let assertion = read_text(Path::new(file)).await.map_err(|reason| bad(origin, reason))?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", self.scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.expose_secret().trim()),
        ];
        self.login(Call::form(self.token_address(tenant)?, &form), origin).await.map(Some)
    }

    async fn login(&self, call: Call, origin: &str) -> Result<Token, Problem> {
        let answer = self.session.http().ask(&call).await.map_err(|problem| bad(origin, problem.to_string()))?;
        of_answer(&answer.json()).ok_or_else(|| bad(origin, "the token endpoint gave no access token".to_owned()))
    }

    /// App Service, else the virtual machine; the inner error says that there is none.
    async fn of_machine(&self) -> Result<Result<Token, String>, Problem> {
        let resource = percent(self.scope.trim_end_matches("/.default"));
        let client =
            self.variable("AZURE_CLIENT_ID").map(|id| format!("&client_id={}", percent(id))).unwrap_or_default();
        if let (Some(endpoint), Some(key)) =
            (self.variable("IDENTITY_ENDPOINT"), self.session.secret_variable("IDENTITY_HEADER"))
        {
            let url = format!("{endpoint}?api-version=2019-08-01&resource={resource}{client}");
            let call = Call::get(parse_address(&url, "IDENTITY_ENDPOINT")?).on_machine();
            let call = call.header("x-identity-header", key.expose_secret());
            return self.login(call, "IDENTITY_ENDPOINT").await.map(Ok);
        }
        let host = self.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or("http://169.254.169.254");
        let host = host.trim_end_matches('/');
        let url = format!("{host}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}{client}");
        let call = Call::get(parse_address(&url, "AZURE_POD_IDENTITY_AUTHORITY_HOST")?).on_machine();
        let call = call.header("metadata", "true");
        Ok(match self.session.http().ask(&call).await {
            Ok(answer) => of_answer(&answer.json()).ok_or_else(|| "no token in the answer".to_owned()),
            Err(Problem::Transport { .. } | Problem::Timeout { .. }) => Err("no answer".to_owned()),
            Err(problem) => Err(problem.to_string()),
        })
    }

    async fn of_cli(&self) -> Result<Token, String> {
        let resource = self.scope.trim_end_matches("/.default");
        let mut args = vec!["account", "get-access-token", "--output", "json", "--resource", resource];
        if let Some(tenant) = self.variable("AZURE_TENANT_ID") {
            args.extend(["--tenant", tenant]);
        }
        let program = if cfg!(windows) { "az.cmd" } else { "az" };
        let output = self.session.output(program, &args).await?;
        let json: Value = serde_json::from_str(output.expose_secret()).unwrap_or_default();
        let value = json["accessToken"].as_str().ok_or_else(|| "its output has no token".to_owned())?;
        let end = json["expires_on"].as_i64().and_then(|end| Timestamp::from_second(end).ok());
        let end = end.unwrap_or_else(|| Timestamp::now() + SignedDuration::from_mins(10));
        Ok(Token { value: value.to_owned().into(), end: Some(end) })
    }
}

fn bad(origin: &str, reason: String) -> Problem {
    Problem::Credentials { origin: origin.to_owned(), reason }
}

/// Numbers come as texts from machines.
fn of_answer(json: &Value) -> Option<Token> {
    let value = json["access_token"].as_str()?.to_owned();
    let number = |name: &str| json[name].as_i64().or_else(|| json[name].as_str()?.parse().ok());
    let end =
        number("expires_in").map(|seconds| Timestamp::now() + SignedDuration::from_secs(seconds.clamp(0, 86_400)));
    Some(Token { value: value.into(), end })
}

/// Proof that we hold the certificate's key.
fn assertion(pem: &str, client: &str, audience: &str) -> Result<String, String> {
    let certificate = pem_block(pem, &["CERTIFICATE"]);
    let certificate = certificate.ok_or_else(|| "the file holds no certificate in PEM form".to_owned())?;
    let thumb = ring::digest::digest(&ring::digest::SHA256, &certificate);
    let now = Timestamp::now().as_second();
    let header = json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": base64_url(thumb.as_ref()) });
    let random: [u8; 16] =
        ring::rand::generate(&ring::rand::SystemRandom::new()).map_err(|_| "no random numbers".to_owned())?.expose();
    let claims = json!({
        "aud": audience, "iss": client, "sub": client, "jti": hex(&random), "nbf": now, "exp": now + 600,
    });
    crate::jwt::sign(&header, &claims, pem)
}

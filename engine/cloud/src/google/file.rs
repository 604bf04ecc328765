//! A token for each kind of credentials file.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::credentials::of_answer;
use super::{CLOUD_PLATFORM, Token, external};
use crate::error::Problem;
use crate::http::Call;
use crate::jwt;
use crate::session::{Session, parse_address};

const TOKEN_ADDRESS: &str = "https://oauth2.googleapis.com/token";

/// A parsed credentials file.
pub(super) struct File<'a> {
    pub(super) session: &'a Session,
    pub(super) json: &'a Value,
    pub(super) scope: &'a str,
    pub(super) origin: &'a str,
}

/// A token by the file's kind.
pub(super) fn token<'a>(
    session: &'a Session,
    json: &'a Value,
    scope: &'a str,
    origin: &'a str,
) -> Pin<Box<dyn Future<Output = Result<Token, Problem>> + Send + 'a>> {
    // Boxed, as an impersonated account holds another file.
    Box::pin(async move {
        let file = File { session, json, scope, origin };
        match json["type"].as_str() {
            Some("service_account") => file.service_account().await,
            Some("authorized_user") => file.user().await,
            Some("external_account") => external::token(&file).await,
            Some("external_account_authorized_user") => file.external_user().await,
            Some("impersonated_service_account") => file.impersonated().await,
            Some(other) => Err(file.bad(format!("credentials of type `{other}` are not supported"))),
            None => Err(file.bad("it has no `type`")),
        }
    })
}

impl File<'_> {
    pub(super) fn bad(&self, reason: impl Into<String>) -> Problem {
        Problem::Credentials { origin: self.origin.to_owned(), reason: reason.into() }
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        self.json[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| self.bad(format!("`{name}` is missing")))
    }

    /// An address of the file; secrets go there, so it is encrypted unless it is this machine.
    pub(super) fn address(&self, text: &str, name: &str) -> Result<Url, Problem> {
        let url = parse_address(text, &format!("`{name}` of {}", self.origin))?;
        let near = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() == "https" || near { Ok(url) } else { Err(self.bad(format!("`{name}` must be `https`"))) }
    }

    /// Sends a login and reads its token.
    pub(super) async fn login(&self, call: Call) -> Result<Token, Problem> {
        let answer = self.session.http().ask(&call).await.map_err(|problem| self.bad(problem.to_string()))?;
        of_answer(&answer.json()).ok_or_else(|| self.bad("the token endpoint gave no access token"))
    }

    async fn service_account(&self) -> Result<Token, Problem> {
        let address = self.json["token_uri"].as_str().unwrap_or(TOKEN_ADDRESS);
        let url = self.address(address, "token_uri")?;
        let now = Timestamp::now().as_second();
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = self.json["private_key_id"].as_str() {
            header["kid"] = id.into();
        }
        let claims = json!({
            "iss": self.text("client_email")?, "scope": self.scope, "aud": address, "iat": now, "exp": now + 3600,
        });
        let assertion = jwt::sign(&header, &claims, self.text("private_key")?).map_err(|reason| self.bad(reason))?;
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        self.login(Call::form(url, &[("grant_type", grant), ("assertion", &assertion)])).await
    }

    async fn user(&self) -> Result<Token, Problem> {
        let address = self.json["token_uri"].as_str().unwrap_or(TOKEN_ADDRESS);
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.text("client_id")?),
            ("client_secret", self.text("client_secret")?),
            ("refresh_token", self.text("refresh_token")?),
        ];
        self.login(Call::form(self.address(address, "token_uri")?, &form)).await
    }

    async fn external_user(&self) -> Result<Token, Problem> {
        let url = self.address(self.text("token_url")?, "token_url")?;
        let basic = format!("{}:{}", self.text("client_id")?, self.text("client_secret")?);
        let form = [("grant_type", "refresh_token"), ("refresh_token", self.text("refresh_token")?)];
        let basic = format!("Basic {}", crate::encode::base64_text(basic.as_bytes()));
        self.login(Call::form(url, &form).header("authorization", &basic)).await
    }

    async fn impersonated(&self) -> Result<Token, Problem> {
        let source = token(self.session, &self.json["source_credentials"], CLOUD_PLATFORM, self.origin).await?;
        let delegates = self.json["delegates"].clone();
        self.impersonate(&source.value, self.text("service_account_impersonation_url")?, delegates).await
    }

    /// A token of another account, for one that may act as it.
    pub(super) async fn impersonate(
        &self,
        source: &SecretString,
        address: &str,
        delegates: Value,
    ) -> Result<Token, Problem> {
        let url = self.address(address, "service_account_impersonation_url")?;
        let mut body = json!({ "scope": [self.scope] });
        if delegates.is_array() {
            body["delegates"] = delegates;
        }
        let call = Call::json(url, &body).bearer(source);
        let answer = self.session.http().ask(&call).await.map_err(|problem| self.bad(problem.to_string()))?.json();
        let value = answer["accessToken"].as_str().map(|token| token.to_owned().into());
        let value = value.ok_or_else(|| self.bad("the impersonation gave no access token"))?;
        Ok(Token { value, end: answer["expireTime"].as_str().and_then(|end| end.parse().ok()) })
    }

    /// Exchanges a token of another identity provider.
    pub(super) async fn exchange(&self, subject: &SecretString) -> Result<Token, Problem> {
        let url = self.address(self.text("token_url")?, "token_url")?;
        let impersonation = self.json["service_account_impersonation_url"].as_str();
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", self.text("audience")?),
            ("scope", if impersonation.is_some() { CLOUD_PLATFORM } else { self.scope }),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", subject.expose_secret()),
            ("subject_token_type", self.text("subject_token_type")?),
        ];
        let mut call = Call::form(url, &form);
        if let (Some(id), Some(secret)) = (self.json["client_id"].as_str(), self.json["client_secret"].as_str()) {
            let basic = crate::encode::base64_text(format!("{id}:{secret}").as_bytes());
            call = call.header("authorization", &format!("Basic {basic}"));
        }
        let token = self.login(call).await?;
        match impersonation {
            Some(address) => self.impersonate(&token.value, address, Value::Null).await,
            None => Ok(token),
        }
    }
}

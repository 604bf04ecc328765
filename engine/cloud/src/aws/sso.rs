//! Credentials of an SSO login that `aws sso login` made.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::credentials::Credentials;
use crate::encode::{hex, percent};
use crate::error::Problem;
use crate::http::Call;
use crate::session::{Session, parse_address, read_text};

/// Which account and role, and where the login is kept.
pub(crate) struct Login {
    /// Name of the SSO session, or its start address: its hash names the cached token.
    pub(crate) cache_key: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) role: String,
}

/// Turns the cached token into credentials of the role.
pub(crate) async fn credentials(session: &Session, login: &Login, profile: &str) -> Result<Credentials, Problem> {
    let bad = |reason: String| Problem::Credentials {
        origin: format!("AWS profile `{profile}` (SSO)"),
        reason: format!("{reason}; run `aws sso login --profile {profile}`"),
    };
    let name = hex(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, login.cache_key.as_bytes()).as_ref());
    let file = session.at_home(&format!(".aws/sso/cache/{name}.json"));
    let file = file.ok_or_else(|| bad("there is no home directory".to_owned()))?;
    let text = read_text(&file).await.map_err(|_| bad("there is no login".to_owned()))?;
    let cached: Value = serde_json::from_str(text.expose_secret()).unwrap_or_default();
    let token = cached["accessToken"].as_str().ok_or_else(|| bad("the kept login can not be read".to_owned()))?;
    let end: Option<Timestamp> = cached["expiresAt"].as_str().and_then(|end| end.parse().ok());
    if end.is_none_or(|end| end <= Timestamp::now()) {
        return Err(bad("the login has expired".to_owned()));
    }
    let base = match session.endpoint("AWS_SSO")? {
        Some(url) => url.to_string().trim_end_matches('/').to_owned(),
        None => format!("https://portal.sso.{}.{}", login.region, super::suffix(&login.region)),
    };
    let (role, account) = (percent(&login.role), percent(&login.account));
    let url = format!("{base}/federation/credentials?role_name={role}&account_id={account}");
    let call = Call::get(parse_address(&url, "the SSO region")?).header("x-amz-sso_bearer_token", token);
    let answer = session.http().ask(&call).await.map_err(|problem| bad(problem.to_string()))?;
    let json = answer.json();
    let found = &json["roleCredentials"];
    let text = |name: &str| found[name].as_str().map(str::to_owned);
    let whole = || {
        Some(Credentials {
            access_key: text("accessKeyId")?,
            secret_key: text("secretAccessKey")?.into(),
            session_token: Some(text("sessionToken")?.into()),
            end: found["expiration"].as_i64().and_then(|end| Timestamp::from_millisecond(end).ok()),
        })
    };
    whole().ok_or_else(|| bad("the answer has no credentials".to_owned()))
}

//! A user's request to a user's address: redirects followed, a login asked for when the server wants one.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::Url;

use crate::encode::base64_text;
use crate::error::{CloudError, Problem};
use crate::http::{Answer, Call, Http};
use crate::session::{Session, parse_address};

const SERVICE: &str = "http request";
const LIMIT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;
/// Headers that another host may see after a redirect.
const HARMLESS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct WebRequest<'a> {
    /// Address; may hold user and password.
    pub url: &'a str,
    /// `GET` without.
    pub method: Option<&'a str>,
    /// Body.
    pub body: Option<&'a str>,
    /// Headers; the values may be secret.
    pub headers: &'a BTreeMap<String, String>,
}

/// The answer, whatever its status.
#[derive(Clone, Debug)]
pub struct WebAnswer {
    /// HTTP status.
    pub status: u16,
    /// The text.
    pub body: SecretString,
    /// Whether user and password were asked for.
    pub asked: bool,
}

/// Knows users and passwords, or asks people for them.
#[async_trait]
pub trait Logins: Send + Sync {
    /// User and password for a host's realm; `None` when there is nobody to ask.
    async fn login(&self, host: &str, realm: &str) -> Option<(String, SecretString)>;
}

/// Sends requests. A login is asked for once for each host and realm.
pub struct Web {
    session: Session,
    known: Mutex<BTreeMap<(String, String), (String, SecretString)>>,
}

impl Web {
    /// Asks nobody yet.
    pub fn new(session: &Session) -> Self {
        Self { session: session.clone(), known: Mutex::default() }
    }

    /// Sends and follows.
    ///
    /// # Errors
    /// The address is none, nobody answers, or the answer is too large. A status of 400 or more is an answer.
    pub async fn fetch(&self, request: WebRequest<'_>, logins: &dyn Logins) -> Result<WebAnswer, CloudError> {
        let answer = self.answer(request, logins).await;
        answer.map_err(|problem| problem.during(SERVICE, shown(request.url)))
    }

    async fn answer(&self, request: WebRequest<'_>, logins: &dyn Logins) -> Result<WebAnswer, Problem> {
        let call = call(request)?;
        let answer = self.follow(&call).await?;
        let Some((realm, host)) = challenge(&answer).map(|realm| (realm, call.host())) else {
            return Ok(plain(&answer, false));
        };
        // Held while asking: parallel requests to one realm wait for one answer.
        let mut known = self.known.lock().await;
        let key = (host.clone(), realm.clone());
        let login = match known.get(&key) {
            Some(login) => Some(login.clone()),
            None => logins.login(&host, &realm).await,
        };
        let Some((user, password)) = login else { return Ok(plain(&answer, false)) };
        let basic = base64_text(format!("{user}:{}", password.expose_secret()).as_bytes());
        let answer =
            self.follow(&call.without("authorization").header("authorization", &format!("Basic {basic}"))).await?;
        if answer.status == 401 {
            known.remove(&key);
        } else {
            known.insert(key, (user, password));
        }
        Ok(plain(&answer, true))
    }

    async fn follow(&self, call: &Call) -> Result<Answer, Problem> {
        let http: &Http = self.session.http();
        let client: &Client = http.remote();
        let mut current = call.copy();
        for _ in 0..=MAX_REDIRECTS {
            let answer = http.send_once(client, &current).await?;
            match target(&current, &answer)? {
                Some(url) => current = redirected(current, url, answer.status),
                None => return Ok(answer),
            }
        }
        Err(Problem::Answer(format!("more than {MAX_REDIRECTS} redirects")))
    }
}

fn call(request: WebRequest<'_>) -> Result<Call, Problem> {
    let WebRequest { url, method, body, headers } = request;
    let mut url = parse_address(url, "the url")?;
    let method = method.filter(|method| !method.is_empty()).unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes());
    let method = method.map_err(|_| Problem::Input("the method is no name of an HTTP method".to_owned()))?;
    let login = (!url.username().is_empty() || url.password().is_some()).then(|| {
        let plain = |text: &str| percent_decoded(text);
        format!("{}:{}", plain(url.username()), plain(url.password().unwrap_or_default()))
    });
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let mut call = Call { limit: LIMIT, body: body.unwrap_or_default().to_owned().into(), ..Call::new(method, url) };
    if let Some(login) = login {
        call = call.header("authorization", &format!("Basic {}", base64_text(login.as_bytes())));
    }
    for (name, value) in headers {
        call = call.without(name).header(name, value);
    }
    Ok(call)
}

fn percent_decoded(text: &str) -> String {
    // In a form `+` is a blank, in an address it is itself.
    let form = text.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn plain(answer: &Answer, asked: bool) -> WebAnswer {
    WebAnswer { status: answer.status, body: answer.text(), asked }
}

/// The realm of a server that wants user and password.
fn challenge(answer: &Answer) -> Option<String> {
    if answer.status != 401 {
        return None;
    }
    let challenges = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.into_iter().find_map(|text| {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let realm = rest.split("realm=").nth(1).unwrap_or_default().trim_start_matches('"');
        Some(realm.split(['"', ',']).next().unwrap_or_default().to_owned())
    })
}

/// Where a redirect leads.
fn target(call: &Call, answer: &Answer) -> Result<Option<Url>, Problem> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(place) = answer.headers.get(LOCATION) else { return Ok(None) };
    let place = place.to_str().ok().and_then(|text| call.url.join(text).ok());
    let place = place.ok_or_else(|| Problem::Answer("it redirects to something that is no address".to_owned()))?;
    parse_address(place.as_str(), "the redirect's target").map(Some)
}

/// Credentials stay with the host that they were meant for.
fn redirected(call: Call, url: Url, status: u16) -> Call {
    let same = call.url.origin() == url.origin();
    let mut next = Call { url, ..call };
    if !same {
        next.headers.retain(|(name, _)| HARMLESS.contains(&name.to_ascii_lowercase().as_str()));
    }
    if !matches!(status, 307 | 308) && next.method != Method::HEAD && next.method != Method::GET {
        next.method = Method::GET;
        next.body = String::new().into();
        next = next.without("content-type");
    }
    next
}

/// The address without user and password.
fn shown(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return "the given address".to_owned() };
    let _ = parsed.set_username("").and_then(|()| parsed.set_password(None));
    format!("`{parsed}`")
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

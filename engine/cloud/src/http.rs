//! One request with retries, bounds, and nothing secret in its errors.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::error::{Problem, quoted};

/// More than any secret, token, decrypted key or file of variables.
const MAX_BODY: usize = 16 << 20;
const CONNECT: Duration = Duration::from_secs(10);
/// Default time for one attempt.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Which way a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Route {
    /// Through the proxy, if there is one.
    #[default]
    Remote,
    /// To a service of this machine (metadata): no proxy, one short attempt, as it often does not exist.
    Machine,
}

/// A request that can be sent again.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, SecretString)>,
    pub(crate) body: SecretString,
    pub(crate) route: Route,
    pub(crate) limit: Duration,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: String::new().into(), route: Route::Remote, limit: ATTEMPT }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A form; its values may be secret.
    pub(crate) fn form(url: Url, pairs: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Self { body: body.into(), ..Self::new(Method::POST, url) }
            .header("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn json(url: Url, body: &Value) -> Self {
        Self { body: body.to_string().into(), ..Self::new(Method::POST, url) }
            .header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned().into()));
        self
    }

    pub(crate) fn bearer(self, token: &SecretString) -> Self {
        let value = format!("Bearer {}", token.expose_secret());
        self.header("authorization", &value)
    }

    pub(crate) fn on_machine(mut self) -> Self {
        self.route = Route::Machine;
        self.limit = Duration::from_secs(5);
        self
    }

    /// Without the headers of this name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// The same request again.
    pub(crate) fn copy(&self) -> Self {
        let Self { method, url, headers, body, route, limit } = self;
        let (method, url, headers) = (method.clone(), url.clone(), headers.clone());
        Self { method, url, headers, body: body.clone(), route: *route, limit: *limit }
    }

    pub(crate) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Everything that was sent and must not come back in an error.
    fn secrets(&self) -> Vec<String> {
        let headers = self.headers.iter().map(|(_, value)| value.expose_secret());
        let tokens = headers.flat_map(|value| [value, value.rsplit(' ').next().unwrap_or(value)]).map(str::to_owned);
        let body = self.body.expose_secret();
        let form = url::form_urlencoded::parse(body.as_bytes()).map(|(_, value)| value.into_owned());
        tokens.chain(form).chain([body.to_owned()]).filter(|text| text.len() > 7).collect()
    }
}

/// A whole answer; its status may be an error.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> SecretString {
        String::from_utf8_lossy(&self.body).into_owned().into()
    }
}

/// The clients of a session.
pub(crate) struct Http {
    remote: Client,
    machine: Client,
}

impl Http {
    pub(crate) fn new(environment: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let build = |builder: ClientBuilder| {
            builder.build().map_err(|error| Problem::Input(format!("build the HTTP client: {}", causes(&error))))
        };
        let machine = base().no_proxy().connect_timeout(Duration::from_secs(1));
        Ok(Self { remote: build(with_proxy(base(), environment)?)?, machine: build(machine)? })
    }

    /// Sends until an answer comes that waiting would not change.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Problem> {
        let client = if call.route == Route::Machine { &self.machine } else { &self.remote };
        self.send_with(client, call).await
    }

    /// As [`Self::send`], through a client of one's own (other certificates).
    pub(crate) async fn send_with(&self, client: &Client, call: &Call) -> Result<Answer, Problem> {
        let attempts = if call.route == Route::Machine { 1 } else { ATTEMPTS };
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let outcome = attempt_once(client, call).await;
            let (passing, asked) = match &outcome {
                Ok(answer) => (is_passing(answer), retry_after(answer)),
                Err((_, passing)) => (*passing, None),
            };
            if !passing || attempt >= attempts || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
                return outcome.map_err(|(problem, _)| problem);
            }
            let pause = asked.unwrap_or(wait);
            tracing::debug!(host = call.host(), attempt, ?pause, "retry");
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        unreachable!("the loop ends with its last attempt")
    }

    /// The client for other hosts.
    pub(crate) fn remote(&self) -> &Client {
        &self.remote
    }

    /// Sends without trying again.
    pub(crate) async fn send_once(&self, client: &Client, call: &Call) -> Result<Answer, Problem> {
        attempt_once(client, call).await.map_err(|(problem, _)| problem)
    }

    /// Sends and turns an error status into a [`Problem`] with the server's words.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Answer, Problem> {
        let answer = self.send(call).await?;
        if answer.is_success() { Ok(answer) } else { Err(refusal(call, &answer)) }
    }
}

/// A client without redirects: credentials must not go along to other hosts.
pub(crate) fn base() -> ClientBuilder {
    // Does nothing when the program has chosen a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
}

/// The proxies of the snapshot, not of the process.
pub(crate) fn with_proxy(
    builder: ClientBuilder,
    environment: &BTreeMap<String, String>,
) -> Result<ClientBuilder, Problem> {
    let set = |names: [&str; 2]| {
        names.into_iter().find_map(|name| environment.get(name).filter(|v| !v.is_empty()).map(|v| (name.to_owned(), v)))
    };
    let exceptions = set(["NO_PROXY", "no_proxy"]).and_then(|(_, list)| reqwest::NoProxy::from_string(list));
    let mut builder = builder.no_proxy();
    for (names, scheme) in [
        (["HTTPS_PROXY", "https_proxy"], "https"),
        (["HTTP_PROXY", "http_proxy"], "http"),
        (["ALL_PROXY", "all_proxy"], "any"),
    ] {
        if let Some((name, address)) = set(names) {
            let proxy = match scheme {
                "https" => reqwest::Proxy::https(address),
                "http" => reqwest::Proxy::http(address),
                _ => reqwest::Proxy::all(address),
            };
            // The address may hold a password, so it is not quoted.
            let proxy = proxy.map_err(|_| Problem::Input(format!("`{name}` holds no address of a proxy")))?;
            builder = builder.proxy(proxy.no_proxy(exceptions.clone()));
        }
    }
    Ok(builder)
}

async fn attempt_once(client: &Client, call: &Call) -> Result<Answer, (Problem, bool)> {
    let mut request = client.request(call.method.clone(), call.url.clone()).timeout(call.limit);
    for (name, value) in &call.headers {
        request = request.header(name, value.expose_secret());
    }
    if !call.body.expose_secret().is_empty() || call.method == Method::POST {
        request = request.body(call.body.expose_secret().to_owned());
    }
    let failed = |error: reqwest::Error| transport(&error, call);
    let mut response = request.send().await.map_err(failed)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err((Problem::TooLarge { host: call.host(), limit: MAX_BODY }, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// The problem, and whether it may pass. Addresses stay out: they may hold tokens.
fn transport(error: &reqwest::Error, call: &Call) -> (Problem, bool) {
    if error.is_timeout() {
        return (Problem::Timeout { host: call.host(), limit: call.limit }, true);
    }
    if error.is_builder() {
        return (Problem::Input("a header or address holds characters that can not be sent".into()), false);
    }
    let reason = causes(error);
    let stays = ["refused", "certificate", "dns error", "No address"].iter().any(|word| reason.contains(word));
    (Problem::Transport { host: call.host(), reason }, !stays)
}

/// The innermost cause, without the address.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut reason = "the request failed".to_owned();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    reason
}

fn is_passing(answer: &Answer) -> bool {
    let throttled = || {
        let text = String::from_utf8_lossy(&answer.body);
        ["Throttling", "TooManyRequests", "RequestLimitExceeded"].iter().any(|code| text.contains(code))
    };
    matches!(answer.status, 429 | 500 | 502 | 503 | 504) || (answer.status == 400 && throttled())
}

/// The time that the server asks for, in seconds.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error status in the server's words.
pub(crate) fn refusal(call: &Call, answer: &Answer) -> Problem {
    let message = quoted(&words(answer), &call.secrets());
    match answer.status {
        404 => Problem::NotFound { message },
        401 | 403 => Problem::Denied { status: answer.status, message },
        300..=399 => Problem::Answer("the server redirects to another address; use that one".into()),
        status => Problem::Failed { status, message },
    }
}

/// What the known dialects say: AWS JSON and XML, Google, Azure, OAuth, Vault.
fn words(answer: &Answer) -> String {
    let json = answer.json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = &json["error"];
    let code = text(&json["__type"])
        .map(|code| code.rsplit('#').next().unwrap_or_default().to_owned())
        .or_else(|| text(&error["status"]).or_else(|| text(&error["code"])).or_else(|| text(error)));
    let message = [&json["message"], &json["Message"], &error["message"], &json["error_description"]];
    let message = message.into_iter().find_map(text);
    if let Some(errors) = json["errors"].as_array() {
        let said = |item: &Value| text(item).or_else(|| text(&item["message"]));
        return errors.iter().filter_map(said).collect::<Vec<_>>().join("; ");
    }
    let parts: Vec<String> = [code, message].into_iter().flatten().collect();
    if !parts.is_empty() {
        return parts.join(": ");
    }
    let body = String::from_utf8_lossy(&answer.body);
    let tags = ["Code", "Message"].into_iter().filter_map(|tag| crate::encode::xml_text(&body, tag));
    tags.collect::<Vec<_>>().join(": ")
}

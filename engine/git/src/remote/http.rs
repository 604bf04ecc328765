//! Smart HTTP for the git protocol, on the HTTP client that the rest of windlass uses.
//!
//! Written against the transport's own trait, because credentials, certificates and redirects have to follow
//! our rules: a login goes to the origin it was given for and nowhere else.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::{Certificate, Method};
use url::Url;
use windlass_model::source::GitUrl;

use super::Failure;
use crate::GitError;
use crate::credentials::Login;

const MAX_REDIRECTS: usize = 10;

/// What a server may send that is no answer of the protocol.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// One repository on an HTTP server.
pub(super) struct HttpRemote {
    client: Client,
    /// For messages.
    name: String,
    origin: url::Origin,
    login: Option<Login>,
    /// Where a redirect led to.
    redirected: Option<String>,
    failure: Failure,
}

impl HttpRemote {
    pub(super) fn new(
        url: &GitUrl,
        login: Option<Login>,
        ca: Option<(&std::path::PathBuf, &str)>,
        user_agent: &str,
        failure: Failure,
    ) -> Result<Self, GitError> {
        let name = url.to_string();
        let http = |message: String| GitError::Http { url: name.clone(), message };
        // Does nothing when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(Duration::from_secs(20))
            // Packs take as long as they take; the command has a time limit of its own.
            .timeout(None)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(if user_agent.is_empty() { "git/windlass" } else { user_agent });
        if let Some((path, origin)) = ca {
            let wrong = |message: String| GitError::Setting { origin: origin.into(), path: path.clone(), message };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let bundle = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            builder = builder.tls_certs_only(bundle);
        }
        let client = builder.build().map_err(|error| http(chain(&error)))?;
        let origin = url.without_login().origin();
        Ok(Self { client, name, origin, login, redirected: None, failure })
    }

    fn request<'a>(&self, method: Method, url: &Url, headers: impl Iterator<Item = &'a str>) -> RequestBuilder {
        let mut request = self.client.request(method, url.clone());
        for header in headers {
            if let Some((name, value)) = header.split_once(':') {
                // Ours names the program that users see in their server's log.
                if !name.eq_ignore_ascii_case("user-agent") {
                    request = request.header(name, value.trim());
                }
            }
        }
        match self.login_for(url) {
            Some(login) => request.header(AUTHORIZATION, login.header()),
            None => request,
        }
    }

    fn login_for(&self, url: &Url) -> Option<&Login> {
        self.login.as_ref().filter(|_| url.origin() == self.origin)
    }

    fn failed<T>(&self, error: GitError) -> gix::Result<T> {
        Err(self.failure.put(error))
    }

    fn sent(&self, request: RequestBuilder) -> gix::Result<Response> {
        match request.send() {
            Ok(response) => Ok(response),
            Err(error) => self.failed(GitError::Http { url: self.name.clone(), message: chain(&error.without_url()) }),
        }
    }

    /// The next address of a redirect that leads to the same place of another repository.
    fn redirect(&self, from: &Url, response: &Response, tail: &str) -> gix::Result<Url> {
        let refused = |reason: &str| {
            let message = format!("refused to follow a redirect {reason}");
            self.failed(GitError::Http { url: self.name.clone(), message })
        };
        let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(target) = target.and_then(|target| from.join(target).ok()) else {
            return refused("without target");
        };
        if from.scheme() == "https" && target.scheme() != "https" || !matches!(target.scheme(), "http" | "https") {
            return refused("away from HTTPS");
        }
        if !target.as_str().ends_with(tail) {
            return refused("to something that is no repository");
        }
        Ok(target)
    }

    fn check(&self, url: &Url, response: Response) -> gix::Result<Response> {
        let status = response.status().as_u16();
        let name = self.name.clone();
        let anonymous = self.login_for(url).is_none();
        match status {
            200 => Ok(response),
            401 | 403 => {
                let login = self.login_for(url).map(|login| login.origin.clone());
                self.failed(GitError::Login { url: name, status, login })
            }
            404 | 410 => self.failed(GitError::NotFound { url: name, anonymous }),
            _ => {
                let mut text = String::new();
                let _ = response.take(MAX_ERROR_BODY).read_to_string(&mut text);
                let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('<'));
                let detail = line.map(|line| format!(": {line}")).unwrap_or_default();
                self.failed(GitError::Http { url: name, message: format!("the server answers HTTP {status}{detail}") })
            }
        }
    }
}

impl Http for HttpRemote {
    type Headers = Head;
    type ResponseBody = Body;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Head, Body>> {
        let headers: Vec<String> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let tail = url.strip_prefix(base_url).unwrap_or_default().trim_start_matches('/').to_owned();
        let mut at = self.url(url)?;
        for _ in 0..MAX_REDIRECTS {
            let response = self.sent(self.request(Method::GET, &at, headers.iter().map(String::as_str)))?;
            if !response.status().is_redirection() {
                if at.as_str() != url {
                    self.redirected = Some(at.as_str().trim_end_matches(&tail).trim_end_matches('/').to_owned());
                }
                let response = self.check(&at, response)?;
                let exchange = Exchange::answered(response);
                return Ok(GetResponse { headers: Head::new(exchange.clone()), body: Body::new(exchange) });
            }
            at = self.redirect(&at, &response, &tail)?;
        }
        self.failed(GitError::Http { url: self.name.clone(), message: "too many redirects".to_owned() })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Head, Body, PostBody>> {
        let headers: Vec<String> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let at = self.url(url)?;
        let request = self.request(Method::POST, &at, headers.iter().map(String::as_str));
        let exchange = Exchange::waiting(request, self.name.clone(), self.failure.clone());
        Ok(PostResponse {
            post_body: PostBody(exchange.clone()),
            headers: Head::new(exchange.clone()),
            body: Body::new(exchange),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

impl HttpRemote {
    fn url(&self, url: &str) -> gix::Result<Url> {
        match Url::parse(url) {
            Ok(url) => Ok(url),
            Err(error) => self.failed(GitError::Http { url: self.name.clone(), message: error.to_string() }),
        }
    }
}

/// Message and causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// A request that is sent when its answer is read for the first time: only then its body is complete.
#[derive(Clone)]
struct Exchange(Arc<Mutex<State>>);

enum State {
    Waiting { request: RequestBuilder, body: Vec<u8>, name: String, failure: Failure },
    Answered { head: Option<Vec<u8>>, response: Option<BufReader<Response>> },
    Broken,
}

impl Exchange {
    fn waiting(request: RequestBuilder, name: String, failure: Failure) -> Self {
        Self(Arc::new(Mutex::new(State::Waiting { request, body: Vec::new(), name, failure })))
    }

    fn answered(response: Response) -> Self {
        Self(Arc::new(Mutex::new(State::of(response))))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_head(&self) -> io::Result<Vec<u8>> {
        self.with(|state| {
            state.send()?;
            match state {
                State::Answered { head, .. } => Ok(head.take().unwrap_or_default()),
                _ => Err(io::ErrorKind::BrokenPipe.into()),
            }
        })
    }

    fn take_body(&self) -> io::Result<BufReader<Response>> {
        self.with(|state| {
            state.send()?;
            match state {
                State::Answered { response, .. } => response.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into()),
                _ => Err(io::ErrorKind::BrokenPipe.into()),
            }
        })
    }
}

impl State {
    fn of(response: Response) -> Self {
        let mut head = Vec::new();
        for (name, value) in response.headers() {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.push(b'\n');
        }
        Self::Answered { head: Some(head), response: Some(BufReader::with_capacity(64 << 10, response)) }
    }

    fn send(&mut self) -> io::Result<()> {
        match std::mem::replace(self, Self::Broken) {
            Self::Waiting { request, body, name, failure } => {
                let failed = |message: String| io::Error::other(failure.put(GitError::Http { url: name, message }));
                let response = match request.body(body).send() {
                    Ok(response) => response,
                    Err(error) => return Err(failed(chain(&error.without_url()))),
                };
                if response.status().as_u16() != 200 {
                    return Err(failed(format!("the server answers HTTP {}", response.status().as_u16())));
                }
                *self = Self::of(response);
                Ok(())
            }
            other => {
                *self = other;
                Ok(())
            }
        }
    }
}

/// The headers of an answer, line by line.
pub(super) struct Head {
    exchange: Exchange,
    text: Option<Cursor<Vec<u8>>>,
}

impl Head {
    fn new(exchange: Exchange) -> Self {
        Self { exchange, text: None }
    }

    fn text(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        if self.text.is_none() {
            self.text = Some(Cursor::new(self.exchange.take_head()?));
        }
        self.text.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Read for Head {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.text()?.read(buffer)
    }
}

impl BufRead for Head {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.text()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(text) = &mut self.text {
            text.consume(amount);
        }
    }
}

/// The content of an answer.
pub(super) struct Body {
    exchange: Exchange,
    reader: Option<BufReader<Response>>,
}

impl Body {
    fn new(exchange: Exchange) -> Self {
        Self { exchange, reader: None }
    }

    fn reader(&mut self) -> io::Result<&mut BufReader<Response>> {
        if self.reader.is_none() {
            self.reader = Some(self.exchange.take_body()?);
        }
        self.reader.as_mut().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader()?.read(buffer)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(reader) = &mut self.reader {
            reader.consume(amount);
        }
    }
}

/// Collects the content of a request.
pub(super) struct PostBody(Exchange);

impl Write for PostBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.with(|state| match state {
            State::Waiting { body, .. } => {
                body.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

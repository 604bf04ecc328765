//! What the proxy in front of a registry does wrong, or right in an unusual way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Request, Response};

/// Deviations of the registry; the default is none.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// Only requests whose path contains this text are affected.
    pub only: String,
    /// The first so many requests are answered with 429 …
    pub too_many_requests: u32,
    /// … and this `Retry-After`, in seconds or as a date.
    pub retry_after: Option<String>,
    /// After those, so many requests are answered with this 5xx status.
    pub server_errors: Option<(u32, u16)>,
    /// Tag lists come in pages of at most so many entries.
    pub page_size: Option<usize>,
    /// How a page points to the next one.
    pub links: LinkStyle,
    /// Bodies are sent in pieces of this size with this pause between them.
    pub slow: Option<(usize, Duration)>,
    /// Bodies end after so many bytes although more were promised.
    pub cut_after: Option<usize>,
    /// Every answer takes this much longer.
    pub latency: Duration,
    /// Requests are redirected (307) to the same path at this host.
    pub redirect_to: Option<String>,
    /// Every token stops working after so many requests.
    pub tokens_last: Option<TokenUses>,
    /// Tag lists with a larger page size are refused (400).
    pub largest_page: Option<usize>,
    /// Takes the place of the registry's tags, in this order.
    pub tags: Option<Arc<Vec<String>>>,
    /// Takes the place of the body of tag lists.
    pub body: Option<Vec<u8>>,
    /// Only so many requests are answered in this time, then 429 until it has passed.
    pub limit: Option<Limit>,
    /// Pages of tags have an `ETag` and are not sent again when it has not changed (304).
    pub etags: bool,
    /// `HEAD` is refused (405).
    pub no_head: bool,
    /// Answers do not tell digests.
    pub no_digests: bool,
}

/// A host's limit of requests.
#[derive(Debug, Clone)]
pub struct Limit {
    /// So many …
    pub requests: u32,
    /// … in this time.
    pub window: Duration,
    /// Whether answers say how many are left.
    pub told: bool,
    state: Arc<Mutex<Option<(Instant, u32)>>>,
}

impl Limit {
    /// A limit that nobody has used yet.
    pub fn new(requests: u32, window: Duration, told: bool) -> Self {
        Self { requests, window, told, state: Arc::default() }
    }

    /// What is left after this request, or nothing; and how long until there is more.
    fn count(&self) -> (Option<u32>, Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (start, used) = state.filter(|(start, _)| now < *start + self.window).unwrap_or((now, 0));
        let rest = (start + self.window).saturating_duration_since(now);
        if used >= self.requests {
            *state = Some((start, used));
            return (None, rest);
        }
        *state = Some((start, used + 1));
        (Some(self.requests - used - 1), rest)
    }
}

/// How often each token may be used.
#[derive(Debug, Clone)]
pub struct TokenUses {
    most: u32,
    uses: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl TokenUses {
    /// At most so often.
    pub fn at_most(most: u32) -> Self {
        Self { most, uses: Arc::default() }
    }

    fn is_beyond(&self, login: &str) -> bool {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let used = uses.entry(login.to_owned()).or_default();
        *used += 1;
        *used > self.most
    }
}

/// What is done in place of passing a request on.
pub(super) enum Interception {
    Answer(Response),
    /// Passed on without the login, whose token has ended.
    Stranger,
}

/// The form of the `Link` header of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LinkStyle {
    /// `</v2/…?last=…&n=…>; rel="next"`
    #[default]
    Relative,
    /// The same with scheme and host.
    Absolute,
    /// Relative, with a query that only the registry understands.
    Opaque,
    /// Relative to the path of the request: `<?last=…>`.
    QueryOnly,
    /// Relative, `rel=next` without quotes.
    Unquoted,
    /// Absolute, at another host.
    OtherHost(String),
    /// None: the rest is silently missing.
    Missing,
    /// Every page points to itself.
    Loop,
}

impl Quirks {
    /// The answer that is given in place of the registry's, if any; counts down.
    pub(super) fn intercept(&mut self, request: &Request) -> Option<Interception> {
        if !request.path.contains(&self.only) {
            return None;
        }
        self.refuse(request)
            .map(Interception::Answer)
            .or_else(|| self.ends_token(request).then_some(Interception::Stranger))
    }

    fn ends_token(&self, request: &Request) -> bool {
        let login = request.header("authorization");
        self.tokens_last.as_ref().zip(login).is_some_and(|(uses, login)| uses.is_beyond(login))
    }

    fn refuse(&mut self, request: &Request) -> Option<Response> {
        if let Some(limit) = &self.limit
            && let (None, rest) = limit.count()
        {
            let seconds = rest.as_secs_f64().ceil();
            let answer = error(429, "TOOMANYREQUESTS", "slow down").with("Retry-After", format!("{seconds}"));
            return Some(answer);
        }
        if self.too_many_requests > 0 {
            self.too_many_requests -= 1;
            let answer = error(429, "TOOMANYREQUESTS", "slow down");
            return Some(match &self.retry_after {
                Some(after) => answer.with("Retry-After", after),
                None => answer,
            });
        }
        if let Some((count, status)) = &mut self.server_errors
            && *count > 0
        {
            *count -= 1;
            return Some(error(*status, "UNKNOWN", "try again"));
        }
        if self.no_head && request.method == "HEAD" {
            return Some(Response::text(405, ""));
        }
        let asked = parameter(&request.query, "n").and_then(|n| n.parse::<usize>().ok());
        if request.path.ends_with("/tags/list") && self.largest_page.is_some_and(|most| asked.unwrap_or(0) > most) {
            return Some(error(400, "PAGINATION_NUMBER_INVALID", "too many"));
        }
        let host = self.redirect_to.as_ref()?;
        let place = format!("http://{host}{}", request.target());
        Some(Response::text(307, "").with("Location", place))
    }

    /// Whether the request is for tags that these quirks split into pages or replace.
    pub(super) fn pages(&self, request: &Request) -> bool {
        let replaced = self.page_size.is_some() || self.tags.is_some() || self.body.is_some() || self.etags;
        replaced && request.path.contains(&self.only) && request.path.ends_with("/tags/list")
    }

    /// Cuts one page out of the registry's complete answer.
    pub(super) fn page(&self, request: &Request, host: &str, complete: Response) -> Response {
        if let Some(body) = &self.body {
            return Response { body: body.clone(), ..complete };
        }
        if let Some(tags) = &self.tags {
            return self.page_of(request, host, tags);
        }
        let Ok(list) = serde_json::from_slice::<Value>(&complete.body) else { return complete };
        let Some(tags) = list["tags"].as_array() else { return complete };
        let tags: Vec<String> = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        self.page_of(request, host, &tags)
    }

    fn page_of(&self, request: &Request, host: &str, tags: &[String]) -> Response {
        let size = self.page_size.unwrap_or(usize::MAX);
        let asked = parameter(&request.query, "n").and_then(|n| n.parse().ok()).unwrap_or(size);
        let size = size.min(asked).max(1);
        let start = match (parameter(&request.query, "token"), parameter(&request.query, "last")) {
            (Some(token), _) => token.trim_start_matches("at-").parse().unwrap_or(0),
            (None, Some(last)) => tags.iter().position(|tag| *tag == *last).map_or(tags.len(), |at| at + 1),
            (None, None) => 0,
        };
        let start = start.min(tags.len());
        let end = (start + size).min(tags.len());
        let name = request.path.trim_start_matches("/v2/").trim_end_matches("/tags/list");
        let page = json!({"name": name, "tags": tags[start..end]}).to_string();
        let etag = format!("\"{:x}\"", page.bytes().fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())));
        if self.etags && request.header("if-none-match") == Some(etag.as_str()) {
            return Response::text(304, "").with("ETag", etag);
        }
        let answer = Response::text(200, page).with("Content-Type", "application/json");
        let answer = if self.etags { answer.with("ETag", etag) } else { answer };
        match self.link(&request.path, host, &tags[..end], size) {
            Some(_) if end == tags.len() => answer,
            Some(link) => answer.with("Link", link),
            None => answer,
        }
    }

    fn link(&self, path: &str, host: &str, sent: &[String], size: usize) -> Option<String> {
        let last = sent.last().map(String::as_str).unwrap_or_default();
        let query = format!("last={last}&n={size}");
        Some(match &self.links {
            LinkStyle::Relative => format!("<{path}?{query}>; rel=\"next\""),
            LinkStyle::Absolute => format!("<http://{host}{path}?{query}>; rel=\"next\""),
            LinkStyle::Opaque => format!("<{path}?token=at-{}>; rel=\"next\"", sent.len()),
            LinkStyle::QueryOnly => format!("<?{query}>; rel=\"next\""),
            LinkStyle::Unquoted => format!("<{path}?{query}>; rel=next"),
            LinkStyle::OtherHost(other) => format!("<http://{other}{path}?{query}>; rel=\"next\""),
            LinkStyle::Loop => format!("<{path}?n={size}>; rel=\"next\""),
            LinkStyle::Missing => return None,
        })
    }

    /// Spoils how the answer is delivered.
    pub(super) fn deliver(&self, request: &Request, mut answer: Response) -> Response {
        if request.path.contains(&self.only) {
            answer.pace = self.slow;
            answer.cut_after = self.cut_after;
            if self.no_digests {
                answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("docker-content-digest"));
            }
            if let Some(limit) = self.limit.as_ref().filter(|limit| limit.told) {
                let state = *limit.state.lock().unwrap_or_else(PoisonError::into_inner);
                let (start, used) = state.unwrap_or((Instant::now(), 0));
                let rest = (start + limit.window).saturating_duration_since(Instant::now());
                answer = answer
                    .with("RateLimit-Remaining", limit.requests.saturating_sub(used).to_string())
                    .with("RateLimit-Reset", format!("{}", rest.as_secs_f64().ceil()));
            }
        }
        answer
    }
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"errors": [{"code": code, "message": message}]});
    Response::text(status, body.to_string()).with("Content-Type", "application/json")
}

fn parameter(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            path: "/v2/web/tags/list".to_owned(),
            query: query.to_owned(),
            ..Request::default()
        }
    }

    fn complete() -> Response {
        Response::text(200, r#"{"name":"web","tags":["1","2","3"]}"#)
    }

    fn paged(links: LinkStyle, query: &str) -> (String, Option<String>) {
        let quirks = Quirks { page_size: Some(2), links, ..Quirks::default() };
        let page = quirks.page(&request(query), "h:1", complete());
        let link = crate::http::find(&page.headers, "link").map(str::to_owned);
        (String::from_utf8(page.body).expect("text"), link)
    }

    #[test]
    fn first_page_points_to_the_second() {
        let (body, link) = paged(LinkStyle::Relative, "");
        assert_eq!(body, r#"{"name":"web","tags":["1","2"]}"#);
        assert_eq!(link.as_deref(), Some("</v2/web/tags/list?last=2&n=2>; rel=\"next\""));
    }

    #[test]
    fn last_page_has_no_link() {
        let (body, link) = paged(LinkStyle::Absolute, "last=2&n=2");
        assert_eq!(body, r#"{"name":"web","tags":["3"]}"#);
        assert_eq!(link, None);
    }

    #[test]
    fn opaque_link_leads_to_the_rest() {
        let (_, link) = paged(LinkStyle::Opaque, "");
        assert_eq!(link.as_deref(), Some("</v2/web/tags/list?token=at-2>; rel=\"next\""));
        assert_eq!(paged(LinkStyle::Opaque, "token=at-2").0, r#"{"name":"web","tags":["3"]}"#);
    }

    #[test]
    fn too_many_requests_ends_after_the_count() {
        let mut quirks = Quirks { too_many_requests: 1, retry_after: Some("2".to_owned()), ..Quirks::default() };
        let Some(Interception::Answer(refused)) = quirks.intercept(&request("")) else { panic!("not refused") };
        assert_eq!(refused.status, 429);
        assert_eq!(crate::http::find(&refused.headers, "Retry-After"), Some("2"));
        assert!(quirks.intercept(&request("")).is_none());
    }

    #[test]
    fn other_paths_are_left_alone() {
        let mut quirks = Quirks { only: "/blobs/".to_owned(), server_errors: Some((1, 500)), ..Quirks::default() };
        assert!(quirks.intercept(&request("")).is_none());
    }
}

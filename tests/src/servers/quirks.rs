//! What the proxy in front of a registry does wrong, or right in an unusual way.

use std::time::Duration;

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
    pub(super) fn intercept(&mut self, request: &Request) -> Option<Response> {
        if !request.path.contains(&self.only) {
            return None;
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
        let host = self.redirect_to.as_ref()?;
        let place = format!("http://{host}{}", request.target());
        Some(Response::text(307, "").with("Location", place))
    }

    /// Whether the request is for tags that these quirks split into pages.
    pub(super) fn pages(&self, request: &Request) -> bool {
        self.page_size.is_some() && request.path.contains(&self.only) && request.path.ends_with("/tags/list")
    }

    /// Cuts one page out of the registry's complete answer.
    pub(super) fn page(&self, request: &Request, host: &str, complete: Response) -> Response {
        let Ok(list) = serde_json::from_slice::<Value>(&complete.body) else { return complete };
        let Some(tags) = list["tags"].as_array() else { return complete };
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
        let page = json!({"name": list["name"], "tags": tags[start..end]});
        let answer = Response::text(200, page.to_string()).with("Content-Type", "application/json");
        match self.link(&request.path, host, &tags[..end], size) {
            Some(_) if end == tags.len() => answer,
            Some(link) => answer.with("Link", link),
            None => answer,
        }
    }

    fn link(&self, path: &str, host: &str, sent: &[Value], size: usize) -> Option<String> {
        let last = sent.last().and_then(Value::as_str).unwrap_or_default();
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
        let refused = quirks.intercept(&request("")).expect("refused");
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

//! Reads error bodies and warning headers.

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::error::{ApiFailure, RequestContext, StatusCause};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    causes: Option<Vec<StatusCause>>,
}

/// The failure that an error answer describes.
pub(super) fn failure(request: RequestContext, code: StatusCode, body: &[u8]) -> ApiFailure {
    let (message, reason, causes) = match read_status(body) {
        Some(status) => {
            (status.message, status.reason, status.details.and_then(|details| details.causes).unwrap_or_default())
        }
        None => (plain_message(code, body), String::new(), Vec::new()),
    };
    ApiFailure { request, code: code.as_u16(), reason, message, causes }
}

/// Whether an error answer is a `Status`, which the API sends for paths that it serves.
pub(super) fn is_status(body: &[u8]) -> bool {
    read_status(body).is_some()
}

fn read_status(body: &[u8]) -> Option<Status> {
    let status: Status = serde_json::from_slice(body).ok()?;
    (status.kind == "Status").then_some(status)
}

fn plain_message(code: StatusCode, body: &[u8]) -> String {
    if code == StatusCode::NOT_FOUND {
        return "the server could not find the requested resource".into();
    }
    let text: String = String::from_utf8_lossy(body).trim().chars().take(500).collect();
    if text.is_empty() { format!("the server answered {code}") } else { format!("the server answered {code}: {text}") }
}

/// Texts of the `Warning` headers: `299 - "text"`, several may share a header.
pub(super) fn warnings(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::WARNING)
        .iter()
        .flat_map(|value| quoted_texts(&String::from_utf8_lossy(value.as_bytes())))
        .collect()
}

/// The first quoted string of each comma-separated part; a date after it is skipped.
fn quoted_texts(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut chars = header.chars();
    let mut awaited = true;
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                let text = rest_of_quoted(&mut chars);
                if std::mem::take(&mut awaited) && !text.is_empty() {
                    texts.push(text);
                }
            }
            ',' => awaited = true,
            _ => {}
        }
    }
    texts
}

fn rest_of_quoted(chars: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RequestContext {
        RequestContext { method: "PATCH", path: "/x".into() }
    }

    #[test]
    fn a_status_body_gives_message_and_causes() {
        let body = br#"{"kind":"Status","message":"Apply failed","reason":"Conflict","details":{"causes":[
            {"reason":"FieldManagerConflict","message":"conflict with \"robot\"","field":".data.a"}]}}"#;
        let failure = failure(request(), StatusCode::CONFLICT, body);
        assert_eq!((failure.message.as_str(), failure.causes[0].field.as_str()), ("Apply failed", ".data.a"));
        assert_eq!(failure.causes[0].kind, "FieldManagerConflict");
    }

    #[test]
    fn an_unserved_path_has_a_readable_message() {
        let found = failure(request(), StatusCode::NOT_FOUND, b"404 page not found\n");
        assert_eq!(found.message, "the server could not find the requested resource");
        assert!(!is_status(b"404 page not found\n"));
    }

    #[test]
    fn a_proxy_page_is_quoted_and_cut() {
        let found = failure(request(), StatusCode::BAD_GATEWAY, "é".repeat(2000).as_bytes());
        assert!(found.message.starts_with("the server answered 502 Bad Gateway: é"));
        assert!(found.message.chars().count() < 600);
    }

    #[test]
    fn warning_headers_lose_code_agent_and_date() {
        let mut headers = HeaderMap::new();
        headers.append(header::WARNING, r#"299 - "say \"a, b\"" "Sat, 21 Nov 2026 06:00:00 GMT""#.parse().unwrap());
        headers.append(header::WARNING, r#"299 - "one", 299 - "two""#.parse().unwrap());
        assert_eq!(warnings(&headers), ["say \"a, b\"", "one", "two"]);
    }

    #[test]
    fn a_malformed_warning_is_skipped() {
        let headers = HeaderMap::from_iter([(header::WARNING, "299".parse().unwrap())]);
        assert!(warnings(&headers).is_empty());
    }
}

//! The headers by which a host says how many requests it still answers.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use tokio::time::Instant;

/// What is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) remaining: u64,
    /// When it is full again, if the host says so.
    pub(crate) resets_at: Option<Instant>,
}

/// A larger number of seconds is a point in time since 1970.
const LARGEST_DELTA: u64 = 1_000_000_000;

impl Quota {
    /// `RateLimit-Remaining: 98;w=21600`, `X-RateLimit-Remaining: 5`, `RateLimit: limit=10, remaining=5, reset=9`
    /// or `RateLimit: "default";r=5;t=9`.
    pub(crate) fn of(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let first = |names: &[&str]| names.iter().find_map(|name| leading_number(text(name)?));
        let combined = |names: &[&str]| names.iter().find_map(|name| parameter(text("ratelimit")?, name));
        let remaining = first(&["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"])
            .or_else(|| combined(&["remaining", "r"]))?;
        let reset = first(&["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"])
            .or_else(|| combined(&["reset", "t"]));
        let wait = reset.map(|seconds| {
            if seconds < LARGEST_DELTA {
                return Duration::from_secs(seconds);
            }
            let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Duration::from_secs(seconds).saturating_sub(since)
        });
        Some(Self { remaining, resets_at: wait.and_then(|wait| Instant::now().checked_add(wait)) })
    }
}

/// The number in front; what follows are parameters.
fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[digits..].trim_start();
    (rest.is_empty() || rest.starts_with([';', ',', '.'])).then(|| text[..digits].parse().ok())?
}

fn parameter(text: &str, name: &str) -> Option<u64> {
    text.split([',', ';']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name)).then(|| leading_number(value))?
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    async fn quota(headers: &[(&str, &str)]) -> Option<(u64, Option<u64>)> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()));
        let now = Instant::now();
        let quota = Quota::of(&headers.collect(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))?;
        Some((quota.remaining, quota.resets_at.map(|at| at.duration_since(now).as_secs())))
    }

    #[tokio::test(start_paused = true)]
    async fn every_form_of_the_headers() {
        for (headers, wanted) in [
            (&[("RateLimit-Remaining", "98;w=21600")][..], (98, None)),
            (&[("ratelimit-remaining", "5"), ("ratelimit-reset", "30")], (5, Some(30))),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000042")], (0, Some(42))),
            (&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1600000000")], (0, Some(0))),
            (&[("RateLimit", "limit=10, remaining=4, reset=9")], (4, Some(9))),
            (&[("RateLimit", "\"default\";r=3;t=8")], (3, Some(8))),
        ] {
            assert_eq!(quota(headers).await, Some(wanted), "{headers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nonsense_is_no_quota() {
        for headers in [
            &[][..],
            &[("ratelimit-remaining", "many")],
            &[("ratelimit-remaining", "-1")],
            &[("ratelimit-remaining", "99999999999999999999999")],
            &[("ratelimit-reset", "30")],
            &[("ratelimit", "remaining")],
        ] {
            assert_eq!(quota(headers).await, None, "{headers:?}");
        }
    }
}

//! When to try again, and after how long.

use std::time::{Duration, SystemTime};

use crate::settings::RetrySettings;

/// Statuses that may pass.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// The wait before attempt `attempt` (the first retry is 1), without a wish of the server.
///
/// `seed` spreads clients that failed together; the same seed gives the same wait.
pub(crate) fn backoff(settings: &RetrySettings, attempt: u32, seed: &str) -> Duration {
    let doubled = settings.base.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    let hash = seed.bytes().fold(u64::from(attempt), |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let spread = u32::try_from(hash >> 32 & 0x3f).unwrap_or_default();
    doubled.min(settings.max).mul_f64(1.0 - f64::from(spread) / 256.0)
}

/// A `Retry-After` header: seconds, a date, or seconds with a unit as some registries write.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let text = header.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let amount: u64 = text[..digits].parse().ok()?;
        let fraction = text[digits..]
            .strip_prefix('.')
            .map_or(text[digits..].len(), |f| f.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        return match text[text.len() - fraction..].trim() {
            "" | "s" | "sec" | "second" | "seconds" => Some(Duration::from_secs(amount)),
            "ms" => Some(Duration::from_millis(amount)),
            "m" | "min" | "minute" | "minutes" => Some(Duration::from_secs(amount.checked_mul(60)?)),
            "h" | "hour" | "hours" => Some(Duration::from_secs(amount.checked_mul(3600)?)),
            _ => None,
        };
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let settings = RetrySettings {
            attempts: 9,
            base: Duration::from_secs(1),
            max: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(60),
        };
        for (attempt, full) in [(1, 1), (2, 2), (3, 4), (4, 5), (60, 5)] {
            let wait = backoff(&settings, attempt, "host");
            let full = Duration::from_secs(full);
            assert!(wait <= full && wait > full.mul_f64(0.7), "{attempt}: {wait:?}");
            assert_eq!(wait, backoff(&settings, attempt, "host"));
        }
    }

    #[test]
    fn every_form_of_retry_after() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (header, seconds) in [
            ("7", 7),
            (" 7 ", 7),
            ("7s", 7),
            ("7 seconds", 7),
            ("2m", 120),
            ("1.9", 1),
            ("0", 0),
            ("1500ms", 1),
            ("Sun, 06 Nov 1994 08:49:47 GMT", 10),
            ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
        ] {
            assert_eq!(retry_after(header, now).map(|d| d.as_secs()), Some(seconds), "{header}");
        }
    }

    #[test]
    fn nonsense_is_no_wish() {
        for header in ["", "soon", "-1", "7 parsecs", "99999999999999999999", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(retry_after(header, SystemTime::UNIX_EPOCH), None, "{header}");
        }
    }

    #[test]
    fn client_errors_do_not_pass() {
        assert!(is_passing(429) && is_passing(503));
        assert!(!is_passing(400) && !is_passing(401) && !is_passing(404) && !is_passing(501));
    }
}

//! Which failures are worth another try, and when.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

/// Never sleep longer than this, whatever the server asks for.
const CEILING: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Tries after an answer that asks for patience.
const STATUS_RETRIES: u32 = 8;
/// Tries after a connection failed: 0.1 + 0.2 + … + 6.4 s.
const CONNECTION_RETRIES: u32 = 7;

/// Pause before the next try after an error status, if there should be one.
pub(super) fn after_status(status: StatusCode, headers: &HeaderMap, tries: u32) -> Option<Duration> {
    let wanted = retry_after(headers);
    let transient = match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => true,
        // A server that says when to come back means it.
        status => status.is_server_error() && wanted.is_some(),
    };
    (transient && tries < STATUS_RETRIES).then(|| wanted.unwrap_or_else(|| pause(tries)).min(CEILING))
}

/// Pause before the next try after a failed connection, if there should be one.
pub(super) fn after_connection_failure(tries: u32) -> Option<Duration> {
    (tries < CONNECTION_RETRIES).then(|| pause(tries))
}

fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(CEILING)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::RETRY_AFTER, retry_after.parse().unwrap())])
    }

    #[test]
    fn the_server_decides_the_pause_up_to_the_ceiling() {
        let busy = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(after_status(busy, &headers("2"), 0), Some(Duration::from_secs(2)));
        assert_eq!(after_status(busy, &headers("4000"), 0), Some(CEILING));
        assert_eq!(after_status(busy, &headers("soon"), 1), Some(Duration::from_millis(200)));
    }

    #[test]
    fn tries_end() {
        assert_eq!(after_status(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), STATUS_RETRIES), None);
        assert_eq!(after_connection_failure(CONNECTION_RETRIES), None);
    }

    #[test]
    fn an_internal_error_is_final_unless_the_server_names_a_time() {
        assert_eq!(after_status(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), 0), None);
        assert!(after_status(StatusCode::INTERNAL_SERVER_ERROR, &headers("1"), 0).is_some());
        assert_eq!(after_status(StatusCode::CONFLICT, &headers("1"), 0), None);
    }
}

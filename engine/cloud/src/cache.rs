//! Keeps what was logged in with until shortly before it ends; parallel callers wait for one login.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::error::Problem;

/// Renewed this long before the end.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A value with an end.
pub(crate) trait Ends {
    /// When it ends; `None` is never.
    fn end(&self) -> Option<Timestamp>;
}

/// At most one value.
pub(crate) struct Cache<T>(Mutex<Option<T>>);

impl<T: Ends + Clone> Cache<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The kept value, or a new one.
    pub(crate) async fn get(&self, new: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let mut kept = self.0.lock().await;
        if let Some(value) = kept.as_ref().filter(|value| is_fresh(*value, Timestamp::now())) {
            return Ok(value.clone());
        }
        let value = new.await?;
        *kept = Some(value.clone());
        Ok(value)
    }
}

fn is_fresh(value: &impl Ends, now: Timestamp) -> bool {
    value.end().is_none_or(|end| end.duration_since(now) > MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Token(u8, Option<Timestamp>);

    impl Ends for Token {
        fn end(&self) -> Option<Timestamp> {
            self.1
        }
    }

    #[tokio::test]
    async fn a_value_is_kept_until_shortly_before_its_end() {
        let cache = Cache::new();
        let soon = Timestamp::now() + SignedDuration::from_mins(4);
        let later = Timestamp::now() + SignedDuration::from_mins(60);
        for (number, end, expected) in [(1, Some(soon), 1), (2, Some(later), 2), (3, None, 2)] {
            let got = cache.get(async { Ok(Token(number, end)) }).await.map(|token| token.0);
            assert_eq!(got.ok(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_failed_login_is_not_kept() {
        let cache: Cache<Token> = Cache::new();
        assert!(cache.get(async { Err(Problem::Input("x".into())) }).await.is_err());
        assert_eq!(cache.get(async { Ok(Token(1, None)) }).await.ok(), Some(Token(1, None)));
    }
}

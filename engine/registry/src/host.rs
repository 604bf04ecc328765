//! How fast one host may be asked.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Requests at a time, and a common pause when the host asks for one.
pub(crate) struct Throttle {
    permits: Semaphore,
    resume_at: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(crate) fn new(requests: usize) -> Self {
        Self { permits: Semaphore::new(requests.max(1)), resume_at: Mutex::default() }
    }

    /// Waits for a place, and for the end of a pause.
    pub(crate) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        loop {
            // The semaphore is never closed.
            let permit = self.permits.acquire().await.ok();
            match self.pause_end() {
                None => return permit,
                Some(end) => {
                    drop(permit);
                    tokio::time::sleep_until(end).await;
                }
            }
        }
    }

    /// Nobody asks this host for a while.
    pub(crate) fn pause(&self, wait: Duration) {
        let end = Instant::now() + wait;
        let mut resume_at = self.resume_at.lock().unwrap_or_else(PoisonError::into_inner);
        *resume_at = Some(resume_at.map_or(end, |earlier| earlier.max(end)));
    }

    fn pause_end(&self) -> Option<Instant> {
        let resume_at = self.resume_at.lock().unwrap_or_else(PoisonError::into_inner);
        resume_at.filter(|end| *end > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_back() {
        let throttle = Throttle::new(2);
        let start = Instant::now();
        throttle.pause(Duration::from_secs(7));
        throttle.pause(Duration::from_secs(3));
        let _first = throttle.enter().await;
        assert_eq!(start.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_bounded() {
        let throttle = Throttle::new(1);
        let first = throttle.enter().await;
        assert!(tokio::time::timeout(Duration::from_secs(1), throttle.enter()).await.is_err());
        drop(first);
        assert!(throttle.enter().await.is_some());
    }
}

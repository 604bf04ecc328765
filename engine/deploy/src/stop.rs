//! Ends a run early: at its deadline, or when the user asks for it.
//!
//! Stages look at the signal between two writes, so a stopped run leaves no half-sent
//! request behind and the same command can finish the work later.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Cheap to clone; every clone sees the same signal.
#[derive(Debug, Clone)]
pub struct StopSignal {
    deadline: Option<Instant>,
    asked: watch::Sender<bool>,
}

impl Default for StopSignal {
    fn default() -> Self {
        Self::never()
    }
}

impl StopSignal {
    /// Stops only when asked to.
    pub fn never() -> Self {
        Self { deadline: None, asked: watch::Sender::new(false) }
    }

    /// Stops after `limit`, or when asked to.
    pub fn after(limit: Duration) -> Self {
        Self { deadline: Instant::now().checked_add(limit), asked: watch::Sender::new(false) }
    }

    /// Asks every stage to stop.
    pub fn stop(&self) {
        self.asked.send_replace(true);
    }

    /// Whether to stop now.
    pub fn is_stopped(&self) -> bool {
        *self.asked.borrow() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Waits until it is time to stop.
    pub async fn stopped(&self) {
        let mut asked = self.asked.subscribe();
        let asked = async move {
            // The sender lives as long as `self`, so this only returns when asked.
            let _ = asked.wait_for(|asked| *asked).await;
        };
        match self.deadline {
            Some(deadline) => {
                tokio::select! {
                    () = asked => {}
                    () = tokio::time::sleep_until(deadline) => {}
                }
            }
            None => asked.await,
        }
    }

    /// Sleeps; `false` when it was time to stop before the end.
    pub async fn sleep(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.is_stopped(),
            () = self.stopped() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_deadline_cuts_a_sleep_short() {
        let stop = StopSignal::after(Duration::from_secs(3));
        assert!(stop.sleep(Duration::from_secs(2)).await);
        let started = Instant::now();
        assert!(!stop.sleep(Duration::from_secs(60)).await);
        assert!(started.elapsed() < Duration::from_secs(2) && stop.is_stopped());
    }

    #[tokio::test(start_paused = true)]
    async fn asking_reaches_every_clone() {
        let stop = StopSignal::never();
        let clone = stop.clone();
        stop.stop();
        clone.stopped().await;
        assert!(clone.is_stopped() && !clone.sleep(Duration::from_secs(1)).await);
    }
}

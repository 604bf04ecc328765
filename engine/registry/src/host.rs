//! How fast one host may be asked: an allowance that follows the host's own signals.
//!
//! It starts with one request at a time, so that a host which refuses is asked once and not
//! eight times. Good answers widen it, quickly up to the last width that worked and slowly
//! beyond; a refusal (429) makes everybody wait together and then starts with one again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::quota::Quota;

/// Up to here the allowance doubles with each round trip.
const FIRST_THRESHOLD: f64 = 16.0;
/// Slow answers alone do not narrow it further.
const LEAST_WHEN_SLOW: f64 = 4.0;

/// The gate of one host.
pub(crate) struct Throttle {
    places: Semaphore,
    state: Mutex<State>,
    most: f64,
    patience: Duration,
}

struct State {
    /// Places that exist, free ones included.
    issued: usize,
    /// Places there should be.
    allowance: f64,
    threshold: f64,
    in_flight: usize,
    /// The most there were since the last refusal: what nobody uses does not grow.
    peak: usize,
    /// Counts refusals; those of requests that were on their way together are one.
    event: u64,
    resume_at: Option<Instant>,
    quota: Option<Quota>,
    /// By kind of request.
    fastest: [Option<Duration>; Kind::COUNT],
    good_since_shrink: usize,
}

/// Requests whose times can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tags,
    Manifest,
    Blob,
    Other,
}

impl Kind {
    const COUNT: usize = 4;

    /// By the path of a request.
    pub(crate) fn of(path: &str) -> Self {
        match path {
            path if path.contains("/tags/") => Self::Tags,
            path if path.contains("/manifests/") => Self::Manifest,
            path if path.contains("/blobs/") => Self::Blob,
            _ => Self::Other,
        }
    }
}

/// What an answer says about the host.
#[derive(Debug, Clone)]
pub(crate) enum Signal {
    /// It works.
    Good { kind: Kind, latency: Duration, quota: Option<Quota> },
    /// It refuses for this long.
    Refused { wait: Duration },
    /// It breaks down.
    Broken,
}

/// The right to send one request.
pub(crate) struct Place<'t> {
    throttle: &'t Throttle,
    permit: Option<SemaphorePermit<'t>>,
    event: u64,
}

impl Throttle {
    /// At most so many requests at a time; longer waits than `patience` are refused.
    pub(crate) fn new(most: usize, patience: Duration) -> Self {
        let most = u32::try_from(most.max(1)).unwrap_or(u32::MAX);
        let state = State {
            issued: 1,
            allowance: 1.0,
            threshold: FIRST_THRESHOLD.min(f64::from(most)),
            in_flight: 0,
            peak: 0,
            event: 0,
            resume_at: None,
            quota: None,
            fastest: [None; Kind::COUNT],
            good_since_shrink: 0,
        };
        Self { places: Semaphore::new(1), state: Mutex::new(state), most: f64::from(most), patience }
    }

    /// Waits for a place and for the end of a pause; the rest of a pause that is too long is an error.
    pub(crate) async fn enter(&self) -> Result<Place<'_>, Duration> {
        loop {
            // The semaphore is never closed.
            let permit = self.places.acquire().await.ok();
            if let Some(place) = self.take(permit).await? {
                return Ok(place);
            }
        }
    }

    /// The place, unless the allowance has shrunk meanwhile.
    async fn take<'t>(&'t self, permit: Option<SemaphorePermit<'t>>) -> Result<Option<Place<'t>>, Duration> {
        loop {
            let end = {
                let mut state = self.lock();
                if state.gives_up_a_place() {
                    forget(permit);
                    return Ok(None);
                }
                match state.pause_end() {
                    None => {
                        state.in_flight += 1;
                        state.peak = state.peak.max(state.in_flight);
                        if let Some(quota) = &mut state.quota {
                            quota.remaining = quota.remaining.saturating_sub(1);
                        }
                        return Ok(Some(Place { throttle: self, permit, event: state.event }));
                    }
                    Some(end) => end,
                }
            };
            let wait = end.saturating_duration_since(Instant::now());
            if wait > self.patience {
                return Err(wait);
            }
            tokio::time::sleep_until(end).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grow(&self, state: &mut State) {
        if 2 * state.peak >= self.whole(state.allowance) {
            state.allowance += if state.allowance < state.threshold { 1.0 } else { 1.0 / state.allowance };
            state.allowance = state.allowance.min(self.most);
        }
        while state.issued < self.whole(state.allowance) {
            state.issued += 1;
            self.places.add_permits(1);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between one and a small number")]
    fn whole(&self, allowance: f64) -> usize {
        allowance.clamp(1.0, self.most) as usize
    }
}

impl State {
    fn pause_end(&self) -> Option<Instant> {
        let now = Instant::now();
        let exhausted = self.quota.as_ref().filter(|quota| quota.remaining == 0).and_then(|quota| quota.resets_at);
        self.resume_at.max(exhausted).filter(|end| *end > now)
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn gives_up_a_place(&mut self) -> bool {
        let excess = self.issued > 1 && self.issued as f64 > self.allowance;
        self.issued -= usize::from(excess);
        excess
    }

    fn refused(&mut self, place_event: u64, wait: Duration) {
        if place_event == self.event {
            self.event += 1;
            self.threshold = (self.allowance / 2.0).max(1.0);
            self.allowance = 1.0;
            self.peak = 0;
        }
        self.resume_at = self.resume_at.max(Some(Instant::now() + wait));
    }

    fn narrow(&mut self, factor: f64, least: f64) {
        if self.good_since_shrink >= self.issued && self.allowance > least {
            self.allowance = (self.allowance * factor).max(least);
            self.threshold = self.allowance;
            self.good_since_shrink = 0;
        }
    }

    /// Whether an answer took much longer than others of its kind.
    fn is_slow(&mut self, kind: Kind, latency: Duration) -> bool {
        let fastest = &mut self.fastest[kind as usize];
        let least = fastest.map_or(latency, |fastest| fastest.min(latency));
        *fastest = Some(least);
        latency > least * 4 + Duration::from_millis(100)
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn count_quota(&mut self, told: Quota) {
        // Requests on their way are not counted by the host yet.
        let others = u64::try_from(self.in_flight.saturating_sub(1)).unwrap_or(u64::MAX);
        let left = told.remaining.saturating_sub(others);
        self.allowance = self.allowance.min((told.remaining as f64).max(1.0));
        self.quota = Some(Quota { remaining: left, ..told });
    }
}

impl Place<'_> {
    /// Gives the place back.
    pub(crate) fn leave(self, signal: Signal) {
        let mut state = self.throttle.lock();
        match signal {
            Signal::Good { kind, latency, quota } => {
                state.good_since_shrink += 1;
                if state.is_slow(kind, latency) {
                    state.narrow(0.8, LEAST_WHEN_SLOW);
                } else if state.event == self.event {
                    self.throttle.grow(&mut state);
                }
                if let Some(quota) = quota {
                    state.count_quota(quota);
                }
            }
            Signal::Refused { wait } => state.refused(self.event, wait),
            Signal::Broken => state.narrow(0.5, 1.0),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.throttle.lock();
        state.in_flight -= 1;
        if state.gives_up_a_place() {
            forget(self.permit.take());
        }
    }
}

/// The place exists no longer.
fn forget(permit: Option<SemaphorePermit<'_>>) {
    if let Some(permit) = permit {
        permit.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn good() -> Signal {
        Signal::Good { kind: Kind::Tags, latency: Duration::from_millis(1), quota: None }
    }

    /// Fills every place there is.
    async fn fill(throttle: &Throttle) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        while let Ok(place) = tokio::time::timeout(Duration::from_millis(1), throttle.enter()).await {
            places.push(place.expect("no pause"));
        }
        places
    }

    async fn width(throttle: &Throttle) -> usize {
        fill(throttle).await.len()
    }

    async fn round(throttle: &Throttle) {
        fill(throttle).await.into_iter().for_each(|place| place.leave(good()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_goes_alone_and_good_answers_widen() {
        let throttle = Throttle::new(32, PATIENCE);
        let mut widths = Vec::new();
        for _ in 0..7 {
            widths.push(width(&throttle).await);
            round(&throttle).await;
        }
        assert_eq!(widths, [1, 2, 4, 8, 16, 16, 17]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_is_never_exceeded() {
        let throttle = Throttle::new(3, PATIENCE);
        for _ in 0..9 {
            round(&throttle).await;
        }
        assert_eq!(width(&throttle).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_everybody_back_and_starts_with_one_again() {
        let throttle = Throttle::new(32, PATIENCE);
        for _ in 0..4 {
            round(&throttle).await;
        }
        let start = Instant::now();
        let mut places = fill(&throttle).await;
        assert_eq!(places.len(), 16);
        let waits = [7, 3];
        for (place, wait) in places.drain(..2).zip(waits) {
            place.leave(Signal::Refused { wait: Duration::from_secs(wait) });
        }
        places.into_iter().for_each(|place| place.leave(good()));
        let first = throttle.enter().await.expect("a place");
        assert_eq!(start.elapsed().as_secs(), 7);
        assert!(tokio::time::timeout(Duration::from_secs(9), throttle.enter()).await.is_err(), "only one at first");
        first.leave(good());
        assert_eq!(width(&throttle).await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_patience_is_told_to_all() {
        let throttle = Throttle::new(4, PATIENCE);
        throttle.enter().await.expect("a place").leave(Signal::Refused { wait: Duration::from_secs(3600) });
        for _ in 0..2 {
            assert!(throttle.enter().await.is_err_and(|wait| wait > PATIENCE));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_exhausted_quota_is_waited_for() {
        let throttle = Throttle::new(4, PATIENCE);
        let start = Instant::now();
        let quota = Quota { remaining: 1, resets_at: Some(start + Duration::from_secs(30)) };
        let signal = Signal::Good { kind: Kind::Tags, latency: Duration::ZERO, quota: Some(quota) };
        throttle.enter().await.expect("a place").leave(signal);
        throttle.enter().await.expect("the last one").leave(good());
        assert_eq!(start.elapsed().as_secs(), 0);
        throttle.enter().await.expect("a place").leave(good());
        assert_eq!(start.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_narrow_a_little() {
        let throttle = Throttle::new(32, PATIENCE);
        for _ in 0..4 {
            round(&throttle).await;
        }
        let slow = || Signal::Good { kind: Kind::Tags, latency: Duration::from_secs(2), quota: None };
        fill(&throttle).await.into_iter().for_each(|place| place.leave(slow()));
        assert_eq!(width(&throttle).await, 10);
        for _ in 0..20 {
            fill(&throttle).await.into_iter().for_each(|place| place.leave(slow()));
        }
        assert_eq!(width(&throttle).await, 4);
    }

    #[test]
    fn kinds_by_path() {
        assert_eq!(Kind::of("/v2/a/tags/list"), Kind::Tags);
        assert_eq!(Kind::of("/v2/a/manifests/1"), Kind::Manifest);
        assert_eq!(Kind::of("/v2/a/blobs/sha256:0"), Kind::Blob);
        assert_eq!(Kind::of("/v2/"), Kind::Other);
    }
}

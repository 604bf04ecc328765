//! How many requests run at the same time.
//!
//! No fixed rate: the limit follows what the server shows. Latency that grows
//! with the number of requests means that they queue somewhere, so more of
//! them gain nothing; latency that stays means room for more. A 429 halves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

const START: usize = 16;
const MIN: usize = 2;
const MAX: usize = 64;
/// Fewer requests than this waiting in the server: add some.
const FEW_QUEUED: f64 = 4.0;
/// More than this: take one away.
const MANY_QUEUED: f64 = 10.0;

/// What one request told about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Answered after this time.
    Answered(Duration),
    /// Told to slow down.
    Overloaded,
    /// Says nothing about load, such as a refused connection.
    Nothing,
}

/// A semaphore whose size follows the server.
pub(super) struct Limiter {
    permits: Semaphore,
    state: Mutex<State>,
}

/// A place among the running requests.
pub(super) struct Place<'a>(SemaphorePermit<'a>);

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits that disappear when they come back.
    surplus: usize,
    /// Shortest latency per kind of request.
    fastest: BTreeMap<&'static str, f64>,
    /// Requests that wait in the server, estimated per sample, summed.
    queued: f64,
    samples: usize,
}

impl Limiter {
    pub(super) fn new() -> Self {
        let state = State { limit: START, surplus: 0, fastest: BTreeMap::new(), queued: 0.0, samples: 0 };
        Self { permits: Semaphore::new(START), state: Mutex::new(state) }
    }

    /// Waits for a place.
    pub(super) async fn enter(&self) -> Option<Place<'_>> {
        // The semaphore is never closed, so there is always a place in the end.
        self.permits.acquire().await.ok().map(Place)
    }

    /// Gives the place back and learns from the request.
    pub(super) fn leave(&self, place: Option<Place<'_>>, kind: &'static str, signal: Signal) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.limit;
        state.learn(kind, signal);
        if state.limit > before {
            let added = state.limit - before;
            let kept = added.min(state.surplus);
            state.surplus -= kept;
            self.permits.add_permits(added - kept);
        } else {
            state.surplus += before - state.limit;
        }
        if let Some(Place(permit)) = place
            && state.surplus > 0
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

impl State {
    fn learn(&mut self, kind: &'static str, signal: Signal) {
        match signal {
            Signal::Nothing => {}
            Signal::Overloaded => {
                // One halving per round of answers, or a burst of 429 would end at the minimum at once.
                if self.samples > 0 || self.queued == 0.0 {
                    self.limit = (self.limit / 2).max(MIN);
                }
                (self.samples, self.queued) = (0, f64::MIN_POSITIVE);
            }
            Signal::Answered(latency) => self.learn_latency(kind, latency.as_secs_f64()),
        }
    }

    fn learn_latency(&mut self, kind: &'static str, latency: f64) {
        let fastest = self.fastest.entry(kind).or_insert(latency);
        *fastest = fastest.min(latency);
        if latency > 0.0 {
            self.queued += self.limit as f64 * (1.0 - *fastest / latency);
        }
        self.samples += 1;
        if self.samples < self.limit {
            return;
        }
        let queued = self.queued / self.samples as f64;
        if queued < FEW_QUEUED {
            self.limit = (self.limit + (self.limit / 8).max(1)).min(MAX);
        } else if queued > MANY_QUEUED {
            self.limit = (self.limit - 1).max(MIN);
        }
        (self.samples, self.queued) = (0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(state: &mut State, samples: usize, latency: impl Fn(usize) -> f64) {
        for _ in 0..samples {
            let latency = latency(state.limit);
            state.learn("PATCH", Signal::Answered(Duration::from_secs_f64(latency)));
        }
    }

    fn state() -> State {
        State { limit: START, surplus: 0, fastest: BTreeMap::new(), queued: 0.0, samples: 0 }
    }

    #[test]
    fn a_distant_server_gets_more_requests() {
        let mut state = state();
        feed(&mut state, 2000, |_| 0.1);
        assert_eq!(state.limit, MAX);
    }

    #[test]
    fn a_server_that_queues_gets_fewer_requests() {
        let mut state = state();
        feed(&mut state, 1, |_| 0.002);
        feed(&mut state, 2000, |limit| 0.001 * limit as f64);
        assert!(state.limit < START && state.limit > MIN, "{}", state.limit);
    }

    #[test]
    fn a_burst_of_429_halves_once() {
        let mut state = state();
        for _ in 0..10 {
            state.learn("PATCH", Signal::Overloaded);
        }
        assert_eq!(state.limit, START / 2);
        feed(&mut state, 1, |_| 0.1);
        state.learn("PATCH", Signal::Overloaded);
        assert_eq!(state.limit, START / 4);
    }

    #[test]
    fn refused_connections_teach_nothing() {
        let mut state = state();
        state.learn("GET", Signal::Nothing);
        assert_eq!((state.limit, state.samples), (START, 0));
    }

    #[tokio::test]
    async fn places_follow_the_limit() {
        let limiter = Limiter::new();
        let place = limiter.enter().await;
        limiter.leave(place, "PATCH", Signal::Overloaded);
        let mut places = Vec::new();
        while let Ok(permit) = limiter.permits.try_acquire() {
            places.push(Place(permit));
        }
        assert_eq!(places.len(), START - 1, "surplus permits go when they come back");
        for place in places {
            limiter.leave(Some(place), "PATCH", Signal::Nothing);
        }
        assert_eq!(limiter.permits.available_permits(), START / 2);
    }
}

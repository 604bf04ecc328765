//! Work that is done once per key; later callers wait for the first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Results by key, failures included.
pub(crate) struct OnceMap<K, V>(Mutex<BTreeMap<K, Arc<OnceCell<V>>>>);

impl<K: Ord, V: Clone> OnceMap<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The result for `key`. When a caller is cancelled, the next one starts again.
    pub(crate) async fn get(&self, key: K, work: impl Future<Output = V>) -> V {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_init(|| work).await.clone()
    }

    /// Replaces the result for `key`.
    pub(crate) fn put(&self, key: K, value: V) {
        let cell = Arc::new(OnceCell::new_with(Some(value)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, cell);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn the_work_is_done_once() {
        let (map, count) = (OnceMap::new(), AtomicUsize::new(0));
        let work = async || {
            tokio::task::yield_now().await;
            count.fetch_add(1, Ordering::Relaxed)
        };
        let both = tokio::join!(map.get("a", work()), map.get("a", work()));
        assert_eq!((both, map.get("b", work()).await), ((0, 0), 1));
        map.put("a", 7);
        assert_eq!(map.get("a", work()).await, 7);
    }
}

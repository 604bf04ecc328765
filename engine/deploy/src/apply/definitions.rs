//! Custom resource definitions of the run: the kinds they bring, and the moment from which these are served.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use super::Run;
use super::waves::is_definition;

/// A server needs milliseconds; one that needs longer is in trouble.
const LIMIT: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(250);

/// The kinds that a definition serves.
pub(super) fn served_kinds(definition: &Object) -> Vec<Gvk> {
    let spec = &definition.0["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    versions
        .iter()
        .filter(|version| version["served"] == true)
        .map(|version| Gvk {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            kind: text(&spec["names"]["kind"]),
        })
        .collect()
}

impl Run<'_> {
    /// Waits until the kinds of applied definitions can be used, so that their objects do not come too early.
    /// Gives up after a while without an error: what cannot be applied then says so itself.
    pub(super) async fn await_definitions(&self, objects: &[&Arc<Object>]) {
        if !self.is_real() {
            return;
        }
        let fresh: Vec<_> = objects
            .iter()
            .filter(|object| is_definition(&object.gvk().group_kind()))
            .filter(|object| !self.problems.had_error(&object.object_ref()))
            .filter(|object| served_kinds(object).iter().any(|gvk| !self.serves(gvk)))
            .collect();
        let end = Instant::now() + LIMIT;
        join_all(fresh.iter().map(|object| self.await_established(object.object_ref(), end))).await;
        for object in fresh {
            self.await_served(&served_kinds(object), end).await;
        }
    }

    fn serves(&self, gvk: &Gvk) -> bool {
        self.cluster.discovery().resource(gvk).is_some()
    }

    async fn await_established(&self, definition: ObjectRef, end: Instant) {
        let mut pause = FIRST_PAUSE;
        while Instant::now() < end {
            let established = self.cluster.get(&definition).await.is_ok_and(|answer| is_established(&answer.value));
            if established || !self.options.stop.sleep(pause).await {
                return;
            }
            pause = (pause * 2).min(PAUSE);
        }
    }

    /// Discovery follows a little later than the definition's own condition.
    pub(super) async fn await_served(&self, kinds: &[Gvk], end: Instant) {
        let mut pause = FIRST_PAUSE;
        while !kinds.iter().all(|gvk| self.serves(gvk)) {
            let refreshed = self.cluster.refresh_discovery().await;
            let served = refreshed.is_ok_and(|found| kinds.iter().all(|gvk| found.resource(gvk).is_some()));
            if served || Instant::now() >= end || !self.options.stop.sleep(pause).await {
                return;
            }
            pause = (pause * 2).min(PAUSE);
        }
    }

    /// A definition of this run serves the kind, or soon will.
    pub(super) fn defines(&self, gvk: &Gvk) -> bool {
        let ledger = self.ledger();
        let mut definitions = ledger.applied.values().filter(|object| is_definition(&object.gvk().group_kind()));
        definitions.any(|definition| served_kinds(definition).contains(gvk))
    }
}

fn is_established(definition: &Object) -> bool {
    let conditions = definition.0["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

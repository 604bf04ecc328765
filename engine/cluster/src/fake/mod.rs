//! A cluster in memory, for stage tests.
//!
//! It knows the kinds that tests use, owns fields per manager (lists count as one
//! field), insists on namespaces, and answers what a test tells it to. It has no
//! validation, defaulting or controllers; what depends on those is tested against a real server.

mod kinds;
mod ownership;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use crate::discovery::{ApiGroup, Discovery, Scope};
use crate::error::{ApiFailure, ClusterError, RequestContext, StatusCause};
use crate::port::{
    Answer, Cluster, DeleteOptions, Deletion, DryRun, ListContent, ListRequest, Patch, ServerVersion, WriteOptions,
};

/// What a request did; the first word of [`FakeCluster::requests`] entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Read one.
    Get,
    /// Read many.
    List,
    /// Server-side apply.
    Apply,
    /// PUT.
    Replace,
    /// Other patches.
    Patch,
    /// Delete.
    Delete,
}

/// A cluster in memory.
pub struct FakeCluster {
    version: ServerVersion,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<ObjectRef, Stored>,
    groups: Vec<ApiGroup>,
    discovery: Arc<Discovery>,
    requests: Vec<String>,
    failures: BTreeMap<(Verb, ObjectRef), Vec<ClusterError>>,
    warnings: BTreeMap<ObjectRef, Vec<String>>,
    /// How many reads a deleted object survives.
    lingering: BTreeMap<ObjectRef, usize>,
    /// States that an object takes, one per read.
    becoming: BTreeMap<ObjectRef, Vec<Value>>,
    counter: u64,
}

#[derive(Debug, Clone, Default)]
struct Stored {
    object: Value,
    /// What each manager applied.
    applied: BTreeMap<String, Value>,
}

impl Default for FakeCluster {
    fn default() -> Self {
        let groups = kinds::builtin();
        let discovery = Arc::new(Discovery::new(groups.clone()));
        let cluster = Self {
            version: ServerVersion { git_version: "v1.35.4".into(), major: "1".into(), minor: "35".into() },
            state: Mutex::new(State { groups, discovery, ..State::default() }),
        };
        for name in ["default", "kube-system"] {
            cluster.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        }
        cluster
    }
}

impl FakeCluster {
    /// A cluster with the namespaces `default` and `kube-system`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores an object as if `kluctl` had applied it.
    pub fn put(&self, object: Value) -> ObjectRef {
        self.put_as(object, crate::port::FIELD_MANAGER)
    }

    /// Stores an object as if `manager` had applied it.
    pub fn put_as(&self, object: Value, manager: &str) -> ObjectRef {
        let mut state = self.lock();
        let reference = Object(object.clone()).object_ref();
        let mut stored = state.objects.remove(&reference).unwrap_or_default();
        ownership::force(&mut stored, manager, &object);
        state.save(&reference, stored, DryRun::No);
        reference
    }

    /// Sets one top-level field, such as `status`, without an owner.
    pub fn set(&self, object: &ObjectRef, field: &str, value: Value) {
        if let Some(map) = self.lock().objects.get_mut(object).and_then(|stored| stored.object.as_object_mut()) {
            map.insert(field.into(), value);
        }
    }

    /// Removes an object at once.
    pub fn remove(&self, object: &ObjectRef) {
        self.lock().objects.remove(object);
    }

    /// The stored object.
    pub fn object(&self, object: &ObjectRef) -> Option<Object> {
        self.lock().objects.get(object).map(|stored| Object(stored.object.clone()))
    }

    /// The next request of this kind for the object fails; several queue up.
    pub fn fail(&self, verb: Verb, object: &ObjectRef, error: ClusterError) {
        self.lock().failures.entry((verb, object.clone())).or_default().push(error);
    }

    /// The next request of this kind for the object ends with this status and message.
    pub fn fail_with(&self, verb: Verb, object: &ObjectRef, code: u16, message: &str) {
        self.fail(verb, object, ClusterError::from_failure(failure(verb, object, code, message)));
    }

    /// Every answer about the object carries this warning.
    pub fn warn(&self, object: &ObjectRef, warning: &str) {
        self.lock().warnings.entry(object.clone()).or_default().push(warning.into());
    }

    /// A deleted object stays visible for this many reads.
    pub fn linger(&self, object: &ObjectRef, reads: usize) {
        self.lock().lingering.insert(object.clone(), reads);
    }

    /// Each read of the object merges the next of these states into it first; null removes the object.
    pub fn becomes(&self, object: &ObjectRef, states: Vec<Value>) {
        self.lock().becoming.insert(object.clone(), states);
    }

    /// Requests so far, in order of arrival: `VERB REF`, with ` (dry-run)` and ` (force)`.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.lock().requests.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failure(verb: Verb, object: &ObjectRef, code: u16, message: &str) -> ApiFailure {
    let method = match verb {
        Verb::Get | Verb::List => "GET",
        Verb::Apply | Verb::Patch => "PATCH",
        Verb::Replace => "PUT",
        Verb::Delete => "DELETE",
    };
    let request = RequestContext { method, path: format!("/{object}") };
    ApiFailure { request, code, reason: String::new(), message: message.into(), causes: Vec::new() }
}

impl State {
    fn begin(&mut self, verb: Verb, object: &ObjectRef, note: &str) -> Result<(), ClusterError> {
        self.requests.push(format!("{verb:?} {object}{note}"));
        let key = (verb, object.clone());
        if let Some(errors) = self.failures.get_mut(&key)
            && !errors.is_empty()
        {
            return Err(errors.remove(0));
        }
        if verb == Verb::List {
            return Ok(());
        }
        let resource = self.discovery.resource(&object.gvk()).ok_or_else(|| ClusterError::UnknownKind(object.gvk()))?;
        if object.name.is_empty() {
            return Err(ClusterError::MissingName);
        }
        if resource.scope == Scope::Namespaced && object.namespace.is_empty() {
            return Err(ClusterError::MissingNamespace);
        }
        Ok(())
    }

    fn answer<T>(&self, object: &ObjectRef, value: T) -> Answer<T> {
        Answer { value, warnings: self.warnings.get(object).cloned().unwrap_or_default() }
    }

    fn found(&self, verb: Verb, object: &ObjectRef) -> Result<Stored, ClusterError> {
        self.objects.get(object).cloned().ok_or_else(|| not_found(verb, object))
    }

    fn require_namespace(&self, verb: Verb, object: &ObjectRef) -> Result<(), ClusterError> {
        let namespace = ObjectRef::new(&Gvk::from_api_version("v1", "Namespace"), "", &object.namespace);
        if object.namespace.is_empty() || self.objects.contains_key(&namespace) {
            return Ok(());
        }
        Err(not_found(verb, &namespace))
    }

    fn save(&mut self, reference: &ObjectRef, mut stored: Stored, dry_run: DryRun) -> Object {
        let uid = self.counter + 1;
        let changed = self.objects.get(reference).is_none_or(|before| before.applied != stored.applied);
        let metadata = metadata(&mut stored.object);
        metadata.entry("uid").or_insert_with(|| format!("uid-{uid}").into());
        metadata.entry("creationTimestamp").or_insert_with(|| "2024-01-01T00:00:00Z".into());
        metadata.entry("resourceVersion").or_insert_with(|| "1".into());
        if changed {
            metadata.insert("resourceVersion".into(), uid.to_string().into());
        }
        metadata.insert("managedFields".into(), ownership::managed_fields(&stored.applied));
        let object = Object(stored.object.clone());
        if dry_run == DryRun::No {
            self.counter = uid;
            self.serve_custom_resource(&object);
            self.objects.insert(reference.clone(), stored);
        }
        object
    }

    fn serve_custom_resource(&mut self, object: &Object) {
        if object.kind() == "CustomResourceDefinition" {
            self.groups.retain(|group| group.name != object.0["spec"]["group"].as_str().unwrap_or_default());
            self.groups.extend(kinds::of_definition(&object.0));
        }
    }

    fn advance(&mut self, object: &ObjectRef) {
        if let Some(left) = self.lingering.get_mut(object)
            && self.objects.get(object).is_some_and(|stored| !stored.object["metadata"]["deletionTimestamp"].is_null())
        {
            if *left == 0 {
                self.objects.remove(object);
            } else {
                *left -= 1;
            }
        }
        let Some(states) = self.becoming.get_mut(object).filter(|states| !states.is_empty()) else { return };
        let next = states.remove(0);
        if next.is_null() {
            self.objects.remove(object);
        } else {
            let stored = self.objects.entry(object.clone()).or_insert_with(|| Stored {
                object: json!({"apiVersion": object.gvk().api_version(), "kind": object.kind,
                    "metadata": {"name": object.name, "namespace": object.namespace}}),
                applied: BTreeMap::new(),
            });
            ownership::merge(&mut stored.object, &next);
        }
    }
}

fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    match &mut object["metadata"] {
        Value::Object(map) => map,
        _ => unreachable!("set to a map above"),
    }
}

fn not_found(verb: Verb, object: &ObjectRef) -> ClusterError {
    let kind = format!("{}s", object.kind.to_lowercase());
    let kind = if object.group.is_empty() { kind } else { format!("{kind}.{}", object.group) };
    ClusterError::from_failure(failure(verb, object, 404, &format!("{kind} \"{}\" not found", object.name)))
}

fn note(options: &WriteOptions<'_>) -> String {
    let dry_run = if options.dry_run == DryRun::All { " (dry-run)" } else { "" };
    let force = if options.force { " (force)" } else { "" };
    format!("{dry_run}{force}")
}

#[async_trait]
impl Cluster for FakeCluster {
    fn context(&self) -> &str {
        "fake"
    }

    fn server_version(&self) -> &ServerVersion {
        &self.version
    }

    fn discovery(&self) -> Arc<Discovery> {
        self.lock().discovery.clone()
    }

    async fn refresh_discovery(&self) -> Result<Arc<Discovery>, ClusterError> {
        let mut state = self.lock();
        state.discovery = Arc::new(Discovery::new(state.groups.clone()));
        Ok(state.discovery.clone())
    }

    async fn get(&self, object: &ObjectRef) -> Result<Answer<Object>, ClusterError> {
        let mut state = self.lock();
        state.begin(Verb::Get, object, "")?;
        state.advance(object);
        let stored = state.found(Verb::Get, object)?;
        Ok(state.answer(object, Object(stored.object)))
    }

    async fn get_subresource(&self, object: &ObjectRef, name: &str) -> Result<Answer<Value>, ClusterError> {
        let mut state = self.lock();
        state.begin(Verb::Get, object, &format!("/{name}"))?;
        let served = state.discovery.resource(&object.gvk()).is_some_and(|r| r.subresources.iter().any(|s| s == name));
        if !served {
            return Err(not_found(Verb::Get, object));
        }
        let stored = state.found(Verb::Get, object)?;
        Ok(state.answer(object, stored.object))
    }

    /// Only tokens of service accounts.
    async fn create_subresource(
        &self,
        object: &ObjectRef,
        name: &str,
        content: &Value,
    ) -> Result<Answer<Value>, ClusterError> {
        let mut state = self.lock();
        state.begin(Verb::Get, object, &format!("/{name}"))?;
        state.found(Verb::Get, object)?;
        let mut answer = state.answer(object, content.clone());
        answer.value["status"] = serde_json::json!({ "token": format!("token-of-{}", object.name) });
        Ok(answer)
    }

    async fn list(&self, request: &ListRequest) -> Result<Answer<Vec<Object>>, ClusterError> {
        let mut state = self.lock();
        let target = ObjectRef::new(&request.gvk, &request.namespace, "");
        state.begin(Verb::List, &target, "")?;
        if state.discovery.resource(&request.gvk).is_none() {
            return Err(ClusterError::UnknownKind(request.gvk.clone()));
        }
        let wanted: BTreeSet<_> = request.label_selector.split(',').filter(|part| !part.is_empty()).collect();
        let matches = |object: &Object| {
            wanted.iter().all(|part| part.split_once('=').is_some_and(|(key, value)| object.label(key) == Some(value)))
        };
        let found = state
            .objects
            .iter()
            .filter(|(reference, _)| reference.gvk() == request.gvk)
            .filter(|(reference, _)| request.namespace.is_empty() || reference.namespace == request.namespace)
            .map(|(_, stored)| Object(stored.object.clone()))
            .filter(matches)
            .map(|object| match request.content {
                ListContent::Full => object,
                ListContent::Metadata => Object(json!({"apiVersion": object.0["apiVersion"],
                    "kind": object.0["kind"], "metadata": object.0["metadata"]})),
            })
            .collect();
        Ok(Answer::new(found))
    }

    async fn apply(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError> {
        let mut state = self.lock();
        let reference = object.object_ref();
        state.begin(Verb::Apply, &reference, &note(&options))?;
        state.require_namespace(Verb::Apply, &reference)?;
        let mut stored = state.objects.get(&reference).cloned().unwrap_or_default();
        let causes = ownership::conflicts(&stored, options.manager, &object.0);
        if !causes.is_empty() && !options.force {
            return Err(conflict(&reference, causes));
        }
        ownership::force(&mut stored, options.manager, &object.0);
        let saved = state.save(&reference, stored, options.dry_run);
        Ok(state.answer(&reference, saved))
    }

    async fn replace(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError> {
        let mut state = self.lock();
        let reference = object.object_ref();
        state.begin(Verb::Replace, &reference, &note(&options))?;
        let before = state.found(Verb::Replace, &reference)?;
        let version = object.resource_version();
        if !version.is_empty() && version != Object(before.object.clone()).resource_version() {
            return Err(ClusterError::from_failure(failure(
                Verb::Replace,
                &reference,
                409,
                "the object has been modified",
            )));
        }
        let mut replaced = object.0.clone();
        for key in ["uid", "creationTimestamp"] {
            let kept = before.object["metadata"][key].clone();
            metadata(&mut replaced).insert(key.into(), kept);
        }
        let applied = BTreeMap::from([(options.manager.to_owned(), object.0.clone())]);
        let saved = state.save(&reference, Stored { object: replaced, applied }, options.dry_run);
        Ok(state.answer(&reference, saved))
    }

    async fn patch(
        &self,
        object: &ObjectRef,
        patch: &Patch,
        options: WriteOptions<'_>,
    ) -> Result<Answer<Object>, ClusterError> {
        let mut state = self.lock();
        state.begin(Verb::Patch, object, &note(&options))?;
        let mut stored = state.found(Verb::Patch, object)?;
        let Patch::Merge(patch) = patch else {
            return Err(ClusterError::from_failure(failure(
                Verb::Patch,
                object,
                415,
                "the fake knows merge patches only",
            )));
        };
        ownership::merge(&mut stored.object, patch);
        let saved = state.save(object, stored, options.dry_run);
        Ok(state.answer(object, saved))
    }

    async fn delete(&self, object: &ObjectRef, options: DeleteOptions<'_>) -> Result<Answer<Deletion>, ClusterError> {
        let mut state = self.lock();
        let note = if options.dry_run == DryRun::All { " (dry-run)" } else { "" };
        state.begin(Verb::Delete, object, note)?;
        let stored = state.found(Verb::Delete, object)?;
        if options.uid.is_some_and(|uid| stored.object["metadata"]["uid"] != uid) {
            return Err(ClusterError::from_failure(failure(Verb::Delete, object, 409, "the UID does not match")));
        }
        if options.dry_run == DryRun::No {
            if state.lingering.contains_key(object) {
                if let Some(stored) = state.objects.get_mut(object) {
                    metadata(&mut stored.object).insert("deletionTimestamp".into(), "2024-01-01T00:00:00Z".into());
                }
            } else {
                state.objects.remove(object);
            }
        }
        let uid = stored.object["metadata"]["uid"].as_str().map(str::to_owned);
        Ok(state.answer(object, Deletion { uid }))
    }
}

fn conflict(object: &ObjectRef, causes: Vec<StatusCause>) -> ClusterError {
    let texts: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.message, cause.field)).collect();
    let message = format!("Apply failed with {} conflict: {}", causes.len(), texts.join(", "));
    let mut failure = failure(Verb::Apply, object, 409, &message);
    (failure.reason, failure.causes) = ("Conflict".into(), causes);
    ClusterError::from_failure(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(data: Value) -> Object {
        Object(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "default"}, "data": data}))
    }

    #[tokio::test]
    async fn a_field_of_another_manager_conflicts_until_forced() {
        let cluster = FakeCluster::new();
        let reference = cluster.put_as(config_map(json!({"x": "1"})).0, "robot");
        let ours = config_map(json!({"x": "2"}));
        let options = WriteOptions::deployment(DryRun::No);
        let error = cluster.apply(&ours, options).await.unwrap_err();
        let cause = &error.failure().unwrap().causes[0];
        assert_eq!((cause.field.as_str(), cause.message.as_str()), (".data.x", "conflict with \"robot\""));
        cluster.apply(&ours, WriteOptions { force: true, ..options }).await.unwrap();
        assert_eq!(cluster.object(&reference).unwrap().0["data"]["x"], "2");
    }

    #[tokio::test]
    async fn a_field_no_longer_applied_disappears() {
        let cluster = FakeCluster::new();
        let reference = cluster.put(config_map(json!({"x": "1", "y": "1"})).0);
        cluster.apply(&config_map(json!({"x": "1"})), WriteOptions::deployment(DryRun::No)).await.unwrap();
        assert_eq!(cluster.object(&reference).unwrap().0["data"], json!({"x": "1"}));
    }

    #[tokio::test]
    async fn dry_run_stores_nothing() {
        let cluster = FakeCluster::new();
        let object = config_map(json!({}));
        cluster.apply(&object, WriteOptions::deployment(DryRun::All)).await.unwrap();
        assert!(cluster.get(&object.object_ref()).await.unwrap_err().is_not_found());
        assert_eq!(cluster.requests(), ["Apply default/ConfigMap/a (dry-run)", "Get default/ConfigMap/a"]);
    }

    #[tokio::test]
    async fn a_missing_namespace_is_not_found() {
        let mut object = config_map(json!({}));
        object.set_namespace("nowhere");
        let error = FakeCluster::new().apply(&object, WriteOptions::deployment(DryRun::No)).await.unwrap_err();
        assert_eq!(error.to_string(), "namespaces \"nowhere\" not found");
    }

    #[tokio::test]
    async fn a_definition_serves_its_kind_after_a_refresh() {
        let cluster = FakeCluster::new();
        cluster.put(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "gizmos.example.org"}, "spec": {"group": "example.org", "scope": "Namespaced",
            "names": {"kind": "Gizmo", "plural": "gizmos"}, "versions": [{"name": "v1", "served": true}]}}));
        let kind = Gvk::from_api_version("example.org/v1", "Gizmo");
        assert!(cluster.discovery().resource(&kind).is_none());
        assert!(cluster.refresh_discovery().await.unwrap().resource(&kind).is_some());
    }

    #[tokio::test]
    async fn the_cluster_id_is_found_without_get_permission() {
        let cluster = FakeCluster::new();
        let reference = ObjectRef::new(&Gvk::from_api_version("v1", "Namespace"), "", "kube-system");
        cluster.fail_with(Verb::Get, &reference, 403, "forbidden");
        assert!(crate::cluster_id(&cluster).await.unwrap().starts_with("uid-"));
        cluster.remove(&reference);
        cluster.fail_with(Verb::Get, &reference, 403, "forbidden");
        let error = crate::cluster_id(&cluster).await.unwrap_err();
        assert_eq!(error.to_string(), "kube-system namespace has no uid");
    }
}

//! Stage: what changed between the live objects and the server's answers (spec 03 section 11).

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use windlass_diff::{IgnoreFlags, IgnoreRules, RuleError, diff_object};
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{Change, DeploymentError};

use crate::collect::PinnedObjects;
use crate::observe::RemoteState;

const DIFF_NAME_ANNOTATION: &str = "kluctl.io/diff-name";

/// Changes by diff ref, and objects that could not be compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangeSet {
    /// Only objects with changes.
    pub changes: BTreeMap<ObjectRef, Vec<Change>>,
    /// By the object's own ref.
    pub errors: Vec<DeploymentError>,
}

/// The ref under which an object is shown and paired: `kluctl.io/diff-name` replaces the name.
pub fn diff_ref(object: &Object) -> ObjectRef {
    let mut object_ref = object.object_ref();
    if let Some(name) = object.annotation(DIFF_NAME_ANNOTATION) {
        object_ref.name = name.into();
    }
    object_ref
}

/// Live objects by diff ref; of several the youngest, then the one with the greatest name.
pub fn by_diff_ref(remote: &RemoteState) -> BTreeMap<ObjectRef, Arc<Object>> {
    let mut paired: BTreeMap<ObjectRef, Arc<Object>> = BTreeMap::new();
    for (_, object) in remote.iter() {
        let key = diff_ref(object);
        let newer = paired.get(&key).is_none_or(|other| age(object) > age(other));
        if newer {
            paired.insert(key, object.clone());
        }
    }
    paired
}

fn age(object: &Object) -> (&str, &str) {
    let created = object.0.get("metadata").and_then(|m| m.get("creationTimestamp")).and_then(|v| v.as_str());
    (created.unwrap_or_default(), object.name())
}

/// Compares every applied object with its live partner.
pub fn diff(
    local: &PinnedObjects,
    remote: &RemoteState,
    applied: &BTreeMap<ObjectRef, Arc<Object>>,
    flags: IgnoreFlags,
) -> ChangeSet {
    let partners = by_diff_ref(remote);
    let outcomes: Vec<_> = local
        .items
        .par_iter()
        .flat_map_iter(|item| {
            let rules = IgnoreRules::compile(item.ignore_for_diff.iter(), flags);
            let partners = &partners;
            item.objects.iter().map(move |object| compare(object, &rules, partners, applied))
        })
        .collect();
    let mut result = ChangeSet::default();
    for outcome in outcomes {
        match outcome {
            Ok(Some((key, changes))) if !changes.is_empty() => {
                result.changes.insert(key, changes);
            }
            Ok(_) => {}
            Err(error) => result.errors.push(*error),
        }
    }
    result
}

type Compared = Result<Option<(ObjectRef, Vec<Change>)>, Box<DeploymentError>>;

fn compare(
    local: &Arc<Object>,
    rules: &Result<IgnoreRules, RuleError>,
    partners: &BTreeMap<ObjectRef, Arc<Object>>,
    applied: &BTreeMap<ObjectRef, Arc<Object>>,
) -> Compared {
    let own = local.object_ref();
    let key = diff_ref(local);
    let (Some(applied), Some(remote)) = (applied.get(&own), partners.get(&key)) else { return Ok(None) };
    let failed = |error: &dyn std::fmt::Display| Box::new(DeploymentError::new(own.clone(), error.to_string()));
    let rules = rules.as_ref().map_err(|error| failed(error))?;
    let changes = diff_object(local, remote, applied, rules).map_err(|error| failed(&error))?;
    Ok(Some((key, changes)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, created: &str, diff_name: Option<&str>) -> Arc<Object> {
        let mut object = Object(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "n", "creationTimestamp": created}}));
        if let Some(diff_name) = diff_name {
            object.set_annotation(DIFF_NAME_ANNOTATION, diff_name);
        }
        Arc::new(object)
    }

    fn map(objects: &[Arc<Object>]) -> BTreeMap<ObjectRef, Arc<Object>> {
        objects.iter().map(|o| (o.object_ref(), o.clone())).collect()
    }

    fn state(objects: &[Arc<Object>]) -> RemoteState {
        objects.iter().map(|o| Object::clone(o)).collect()
    }

    #[test]
    fn the_youngest_of_several_partners_wins() {
        let objects = [
            object("a-1", "2024-01-01T00:00:00Z", Some("a")),
            object("a-3", "2024-01-02T00:00:00Z", Some("a")),
            object("a-2", "2024-01-02T00:00:00Z", Some("a")),
        ];
        let paired = by_diff_ref(&state(&objects));
        assert_eq!(paired.values().map(|o| o.name()).collect::<Vec<_>>(), ["a-3"]);
    }

    #[test]
    fn objects_on_one_side_only_have_no_changes() {
        let local = crate::collect::PinnedItem { objects: vec![object("a", "", None)], ..Default::default() };
        let local = PinnedObjects { items: vec![local] };
        let objects = [object("a", "", None)];
        let (none, flags) = (RemoteState::default(), IgnoreFlags::default());
        assert_eq!(diff(&local, &none, &map(&objects), flags), ChangeSet::default());
        assert_eq!(diff(&local, &state(&objects), &BTreeMap::new(), flags), ChangeSet::default());
    }
}

//! What a dry run has to remember, because the server stored nothing (spec 03 sections 7.6 and 7.7).

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use super::definitions::served_kinds;
use super::waves::{is_definition, is_namespace};

/// Namespaces and kinds that exist only in this dry run.
#[derive(Debug, Default)]
pub(super) struct Simulation {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    namespaces: BTreeSet<String>,
    kinds: BTreeSet<Gvk>,
}

impl Simulation {
    /// Remembers an object that was dry-run applied.
    pub(super) fn remember(&self, object: &Object, existed: bool) {
        let kind = object.gvk().group_kind();
        if is_namespace(&kind) && !existed {
            self.lock().namespaces.insert(object.name().to_owned());
        } else if is_definition(&kind) {
            self.lock().kinds.extend(served_kinds(object));
        }
    }

    pub(super) fn has_namespace(&self, name: &str) -> bool {
        self.lock().namespaces.contains(name)
    }

    pub(super) fn has_kind(&self, gvk: &Gvk) -> bool {
        self.lock().kinds.contains(gvk)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object under a name that is free, in a namespace that exists.
#[derive(Debug)]
pub(super) struct Disguise {
    real: ObjectRef,
    name: String,
}

impl Disguise {
    /// The object under a temporary name; its namespace is replaced when that is simulated.
    pub(super) fn put_on(object: &mut Object, namespace_is_simulated: bool) -> Self {
        let real = object.object_ref();
        let name = temporary_name(&real);
        if let Some(metadata) = object.0.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".into(), name.clone().into());
        }
        if namespace_is_simulated {
            object.set_namespace("default");
        }
        Self { real, name }
    }

    /// The server's answer as if it had been about the real object.
    pub(super) fn take_off(&self, mut object: Object) -> Object {
        rename(&mut object.0, &self.name, &self.real.name);
        object.set_namespace(&self.real.namespace);
        object
    }

    /// A message with the real name.
    pub(super) fn reveal(&self, message: &str) -> String {
        message.replace(&self.name, &self.real.name)
    }
}

/// At most 63 characters, the same in every run.
fn temporary_name(object: &ObjectRef) -> String {
    let identity = format!("{}/{}/{}/{}", object.group, object.kind, object.namespace, object.name);
    let digest = Sha256::digest(identity.as_bytes());
    let suffix: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let stem: String = object.name.chars().take(54).collect();
    format!("{stem}-{suffix}")
}

/// Replaces every key and every text that is exactly `from`.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => *text = to.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, from, to)),
        Value::Object(map) => {
            map.values_mut().for_each(|item| rename(item, from, to));
            rename_key(map, from, to);
        }
        _ => {}
    }
}

fn rename_key(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(name: &str) -> Object {
        Object(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "real"}}))
    }

    #[test]
    fn a_disguise_comes_off_completely() {
        let mut object = job("migrate");
        let disguise = Disguise::put_on(&mut object, true);
        assert_ne!(object.name(), "migrate");
        assert_eq!(object.namespace(), "default");
        let name = object.name().to_owned();
        object.0["spec"] = json!({"labels": {"job-name": name, &name: "x"}, "list": [name]});
        let message = format!("jobs \"{}\" is invalid", object.name());
        let back = disguise.take_off(object);
        let spec = json!({"labels": {"job-name": "migrate", "migrate": "x"}, "list": ["migrate"]});
        assert_eq!((back.name(), back.namespace(), &back.0["spec"]), ("migrate", "real", &spec));
        assert_eq!(disguise.reveal(&message), "jobs \"migrate\" is invalid");
    }

    #[test]
    fn temporary_names_are_short_and_repeatable() {
        let long = job(&"x".repeat(100)).object_ref();
        assert_eq!(temporary_name(&long).len(), 63);
        assert_eq!(temporary_name(&long), temporary_name(&long));
        assert_ne!(temporary_name(&job("a").object_ref()), temporary_name(&job("b").object_ref()));
    }

    #[test]
    fn an_existing_namespace_is_not_simulated() {
        let simulation = Simulation::default();
        let namespace = Object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}));
        simulation.remember(&namespace, true);
        assert!(!simulation.has_namespace("a"));
        simulation.remember(&namespace, false);
        assert!(simulation.has_namespace("a"));
    }
}

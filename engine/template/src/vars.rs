//! Project variables, converted once and shared by every template.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::value::{Frozen, FrozenDict};

/// Names that a project variable can never hide: the extensions win.
pub const RESERVED_NAMES: [&str; 14] = [
    "debug_print",
    "get_var",
    "images",
    "load_base64",
    "load_latest_git_commit",
    "load_latest_git_sha",
    "load_sha256",
    "load_template",
    "merge_dict",
    "raise",
    "render",
    "time",
    "update_dict",
    "version",
];

/// The variables of a project or item; cloning is cheap.
///
/// Templates may change what they are given; they change a copy, so every
/// template starts from the same variables.
#[derive(Clone, Default)]
pub struct Vars {
    frozen: Arc<FrozenDict>,
    json: Arc<Map<String, Json>>,
}

impl Vars {
    /// Converts the variables (once).
    pub fn new(variables: Map<String, Json>) -> Self {
        Self { frozen: Arc::new(Frozen::dict(&variables)), json: Arc::new(variables) }
    }

    /// No variables.
    pub fn empty() -> Self {
        Self::default()
    }

    /// These variables with `other` merged over them.
    #[must_use]
    pub fn merge(&self, other: &Map<String, Json>) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let mut merged = (*self.json).clone();
        deep_merge(&mut merged, other);
        // A branch that the merge did not touch keeps its converted form.
        let frozen = merged
            .iter()
            .map(|(key, value)| {
                let unchanged = self.json.get(key).is_some_and(|old| !other.contains_key(key) && old == value);
                let kept = if unchanged { self.frozen.get(key.as_str()).cloned() } else { None };
                (Arc::from(key.as_str()), kept.unwrap_or_else(|| Frozen::from_json(value)))
            })
            .collect::<IndexMap<_, _>>();
        Self { frozen: Arc::new(frozen), json: Arc::new(merged) }
    }

    /// The variables as data.
    pub fn as_json(&self) -> &Map<String, Json> {
        &self.json
    }

    /// The reserved names that these variables define in vain (`images` is not
    /// among them: the list of that name is used elsewhere).
    pub fn hidden_names(&self) -> Vec<&str> {
        let hidden = |name: &&String| name.as_str() != "images" && is_reserved(name);
        self.json.keys().filter(hidden).map(String::as_str).collect()
    }

    pub(crate) fn frozen(&self) -> &Arc<FrozenDict> {
        &self.frozen
    }
}

// Values may be secret: only the names are shown.
impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.json.keys()).finish()
    }
}

pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED_NAMES.binary_search(&name).is_ok()
}

/// Merges `other` over `base`: mappings merge, everything else is replaced.
pub fn deep_merge(base: &mut Map<String, Json>, other: &Map<String, Json>) {
    for (key, value) in other {
        match (base.get_mut(key), value) {
            (Some(Json::Object(base)), Json::Object(other)) => deep_merge(base, other),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn mappings_merge_and_all_else_is_replaced() {
        let mut base = map(json!({"a": {"x": 1, "y": [1]}, "b": {"k": 1}, "c": 1, "d": {"z": 0}}));
        deep_merge(&mut base, &map(json!({"a": {"y": [2], "n": null}, "b": 3, "c": {"k": 1}, "d": null})));
        assert_eq!(base, map(json!({"a": {"x": 1, "y": [2], "n": null}, "b": 3, "c": {"k": 1}, "d": null})));
    }

    #[test]
    fn merging_nothing_changes_nothing() {
        let vars = Vars::new(map(json!({"a": {"x": 1}})));
        assert_eq!(vars.merge(&Map::new()).as_json(), vars.as_json());
    }

    #[test]
    fn reserved_names_are_sorted_and_reported() {
        assert!(RESERVED_NAMES.is_sorted());
        let vars = Vars::new(map(json!({"time": 1, "images": [], "ok": 1})));
        assert_eq!(vars.hidden_names(), ["time"]);
    }

    #[test]
    fn debug_output_holds_no_values() {
        let vars = Vars::new(map(json!({"password": "hunter2"})));
        assert!(!format!("{vars:?}").contains("hunter2"));
    }
}

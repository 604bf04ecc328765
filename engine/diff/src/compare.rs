//! Field by field comparison (spec 03 section 11.4).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use windlass_fieldpath::FieldPath;
use windlass_model::result::{Change, ChangeType};

use crate::list;
use crate::unified::unified_diff;

/// Changes from `old` to `new`, sorted by path.
pub(crate) fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut comparison = Comparison::default();
    comparison.values(old, new);
    let mut changes = comparison.changes;
    changes.sort_by(|a, b| (&a.json_path, a.change_type).cmp(&(&b.json_path, b.change_type)));
    changes
}

#[derive(Default)]
struct Comparison {
    path: FieldPath,
    changes: Vec<Change>,
}

impl Comparison {
    fn values(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            (old, new) if old == new => {}
            (Value::Object(old), Value::Object(new)) => self.maps(old, new),
            (Value::Array(old), Value::Array(new)) => self.lists(old, new),
            (old, new) => self.record(Some(old), Some(new)),
        }
    }

    fn maps(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            self.path.push_key(key);
            self.pair(old.get(key), new.get(key));
            self.path.0.pop();
        }
    }

    fn lists(&mut self, old: &[Value], new: &[Value]) {
        for (index, old, new) in list::pairs(&self.path, old, new) {
            self.path.push_index(index);
            self.pair(old, new);
            self.path.0.pop();
        }
    }

    fn pair(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(old), Some(new)) => self.values(old, new),
            (None, None) => {}
            (old, new) => self.record(old, new),
        }
    }

    fn record(&mut self, old: Option<&Value>, new: Option<&Value>) {
        let change_type = match (old, new) {
            (None, _) => ChangeType::Insert,
            (_, None) => ChangeType::Delete,
            _ => ChangeType::Update,
        };
        self.changes.push(Change {
            change_type,
            json_path: self.path.to_string(),
            old_value: old.cloned(),
            new_value: new.cloned(),
            unified_diff: unified_diff(old, new),
        });
    }
}

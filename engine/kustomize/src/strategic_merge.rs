//! Strategic-merge patches.
//!
//! Lists of some kinds are merged item by item, new items first. `null` removes a field; `$patch` removes or replaces
//! what it stands in. Where Kustomize's own merge has corners (items without their key, keys twice, a replaced item
//! of a merged list), the result is not certain.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::manifest::NotationInFile;
use crate::merge_schema::{MergedList, Rule};
use crate::scalar::text_of;
use crate::unsure::{Certain, Unsure, ensure};

const DIRECTIVE: &str = "$patch";

/// Merges a patch into an object; nothing is left when the patch deletes it.
///
/// `notation` is that of the object, with numbers as in the patch too.
pub(crate) fn merge(
    object: Map<String, Value>,
    patch: &Map<String, Value>,
    rule: Rule,
    notation: NotationInFile,
) -> Certain<Option<Map<String, Value>>> {
    ensure(notation.explicit_nulls || !object.values().any(has_null), "an empty value")?;
    Merge { plain_numbers: notation.plain_numbers }.mapping(object, Some(patch), rule)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[derive(Clone, Copy)]
struct Merge {
    plain_numbers: bool,
}

impl Merge {
    fn value(self, current: Option<Value>, patch: Option<&Value>, rule: Rule) -> Certain<Option<Value>> {
        match (current, patch) {
            (_, Some(Value::Null)) | (None, None) => Ok(None),
            (None | Some(Value::Null), Some(added)) => self.added(added, rule),
            (Some(Value::Object(current)), None) => Ok(self.mapping(current, None, rule)?.map(Value::Object)),
            (Some(Value::Object(current)), Some(Value::Object(patch))) => {
                Ok(self.mapping(current, Some(patch), rule)?.map(Value::Object))
            }
            (Some(Value::Array(current)), None) => Ok(self.list(current, None, rule)?.map(Value::Array)),
            (Some(Value::Array(current)), Some(Value::Array(patch))) => {
                Ok(self.list(current, Some(patch), rule)?.map(Value::Array))
            }
            (Some(Value::Object(_) | Value::Array(_)), Some(_)) => Err(Unsure("a patch of another type")),
            (Some(_), Some(Value::Object(_) | Value::Array(_))) => Err(Unsure("a patch of another type")),
            (Some(current), None) => Ok(Some(current)),
            (Some(_), Some(scalar)) => Ok(Some(scalar.clone())),
        }
    }

    /// What a patch adds is merged with itself, which drops nulls and directives.
    fn added(self, added: &Value, rule: Rule) -> Certain<Option<Value>> {
        match added {
            Value::Object(fields) => match directive(fields)? {
                Directive::Delete => Ok(None),
                Directive::None | Directive::Merge | Directive::Replace => {
                    let fields = without_directive(fields);
                    Ok(self.mapping(fields.clone(), Some(&fields), rule)?.map(Value::Object))
                }
            },
            Value::Array(items) => {
                let merged = matches!(rule, Rule::Merge(_) | Rule::Set);
                ensure(!merged || !items.iter().any(has_directive), "a directive in a new list")?;
                Ok(self.list(items.clone(), Some(items), rule)?.map(Value::Array))
            }
            Value::Null => Ok(None),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(Some(added.clone())),
        }
    }

    fn mapping(
        self,
        mut current: Map<String, Value>,
        patch: Option<&Map<String, Value>>,
        rule: Rule,
    ) -> Certain<Option<Map<String, Value>>> {
        let mut elided = None;
        if let Some(fields) = patch {
            match directive(fields)? {
                Directive::Delete => return Ok(None),
                Directive::Replace => {
                    current = without_directive(fields);
                    elided = Some(current.clone());
                }
                Directive::Merge => elided = Some(without_directive(fields)),
                Directive::None => {}
            }
        }
        let patch = elided.as_ref().or(patch);
        let names: BTreeSet<String> = current.keys().chain(patch.into_iter().flat_map(Map::keys)).cloned().collect();
        let mut merged = Map::new();
        for name in names {
            let of_patch = patch.and_then(|patch| patch.get(&name));
            if let Some(value) = self.value(current.remove(&name), of_patch, rule.of_field(&name))? {
                merged.insert(name, value);
            }
        }
        Ok(Some(merged))
    }

    fn list(self, current: Vec<Value>, patch: Option<&Vec<Value>>, rule: Rule) -> Certain<Option<Vec<Value>>> {
        match rule {
            Rule::Plain | Rule::Mapping(_) => Ok(Some(patch.cloned().unwrap_or(current))),
            Rule::Set => set(current, patch.map_or(&[], Vec::as_slice)).map(Some),
            Rule::Merge(list) => match patch.map_or(Ok(ListDirective::None), |patch| list_directive(patch))? {
                ListDirective::None => self.keyed(current, patch.map_or(&[], Vec::as_slice), list).map(Some),
                ListDirective::Delete => Ok(None),
                ListDirective::Replace(items) => self.keyed(items.clone(), &items, list).map(Some),
            },
        }
    }

    fn keyed(self, current: Vec<Value>, patch: &[Value], list: &MergedList) -> Certain<Vec<Value>> {
        let current = self.items(current, list)?;
        let patch = self.items(patch.to_vec(), list)?;
        let two_keys = list.keys.len() > 1 && current.iter().chain(&patch).any(|item| item.second.is_some());
        check_keys(&current, &patch)?;
        let rule = list.item_rule();
        let is_current = |item: &Item| current.iter().any(|other| other.is(item));
        let in_patch_order = |item: &&Item| !two_keys || !is_current(item);
        let mut merged = Vec::with_capacity(current.len() + patch.len());
        for item in patch.iter().filter(in_patch_order) {
            let fits = current.iter().find(|other| other.is(item));
            merged.extend(self.item(fits, Some(item), rule, two_keys)?);
        }
        for item in &current {
            let fits = patch.iter().find(|other| other.is(item));
            if fits.is_none() || two_keys {
                merged.extend(self.item(Some(item), fits, rule, two_keys)?);
            }
        }
        Ok(merged)
    }

    fn item(self, current: Option<&Item>, patch: Option<&Item>, rule: Rule, two_keys: bool) -> Certain<Option<Value>> {
        let (Some(current), Some(patch)) = (current, patch) else {
            return match (current, patch) {
                (Some(current), None) => Ok(self.mapping(current.fields.clone(), None, rule)?.map(Value::Object)),
                (None, Some(patch)) => self.added(&Value::Object(patch.fields.clone()), rule),
                _ => Ok(None),
            };
        };
        match directive(&patch.fields)? {
            // An item that is replaced comes back as it was, if it can be found again.
            Directive::Replace => return Err(Unsure("a replaced item")),
            Directive::Delete => {
                ensure(!two_keys || patch.second.is_some(), "a deleted item without all keys")?;
                return Ok(None);
            }
            Directive::None | Directive::Merge => {}
        }
        let merged = self.mapping(current.fields.clone(), Some(&patch.fields), rule)?;
        Ok(merged.map(Value::Object))
    }

    fn items(self, items: Vec<Value>, list: &MergedList) -> Certain<Vec<Item>> {
        let text = |fields: &Map<String, Value>, key: &str| match fields.get(key) {
            None => Ok(None),
            Some(value) => {
                let text = text_of(value, self.plain_numbers)?;
                ensure(!text.is_empty(), "an empty key")?;
                Ok(Some(text))
            }
        };
        let item = |value: Value| {
            let Value::Object(fields) = value else { return Err(Unsure("an item that is no mapping")) };
            let [key, others @ ..] = list.keys.as_slice() else { return Err(Unsure("a list without keys")) };
            let key = text(&fields, key)?.ok_or(Unsure("an item without its key"))?;
            let second = match others {
                [] => None,
                [second] => text(&fields, second)?,
                _ => return Err(Unsure("a list with many keys")),
            };
            Ok(Item { key, second, fields })
        };
        items.into_iter().map(item).collect()
    }
}

/// An item of a merged list.
struct Item {
    key: String,
    second: Option<String>,
    fields: Map<String, Value>,
}

impl Item {
    fn is(&self, other: &Self) -> bool {
        self.key == other.key && self.second == other.second
    }
}

/// Every item must be found by its keys, and by no others.
fn check_keys(current: &[Item], patch: &[Item]) -> Certain<()> {
    let is_unique = |list: &[Item]| {
        let mut seen = BTreeSet::new();
        list.iter().all(|item| seen.insert((&item.key, &item.second)))
    };
    ensure(is_unique(current) && is_unique(patch), "an item twice")?;
    let all = || current.iter().chain(patch);
    let is_half =
        |item: &Item| all().any(|other| other.key == item.key && other.second.is_some() != item.second.is_some());
    ensure(!all().any(is_half), "an item without its second key")
}

fn set(current: Vec<Value>, patch: &[Value]) -> Certain<Vec<Value>> {
    ensure(
        current.iter().chain(patch).all(|item| item.as_str().is_some_and(|text| !text.is_empty())),
        "a set of others",
    )?;
    let mut merged: Vec<Value> = Vec::with_capacity(current.len() + patch.len());
    for item in patch.iter().cloned().chain(current) {
        if !merged.contains(&item) {
            merged.push(item);
        }
    }
    Ok(merged)
}

enum Directive {
    None,
    Merge,
    Replace,
    Delete,
}

fn directive(fields: &Map<String, Value>) -> Certain<Directive> {
    match fields.get(DIRECTIVE) {
        None => Ok(Directive::None),
        Some(Value::String(word)) => match word.as_str() {
            "merge" => Ok(Directive::Merge),
            "replace" => Ok(Directive::Replace),
            "delete" => Ok(Directive::Delete),
            _ => Err(Unsure("an unknown directive")),
        },
        Some(_) => Err(Unsure("an unknown directive")),
    }
}

fn without_directive(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    fields.remove(DIRECTIVE);
    fields
}

fn has_directive(item: &Value) -> bool {
    item.get(DIRECTIVE).is_some()
}

enum ListDirective {
    None,
    Delete,
    /// By these items.
    Replace(Vec<Value>),
}

/// An item that is nothing but a directive is meant for the list.
fn list_directive(patch: &[Value]) -> Certain<ListDirective> {
    let is_for_list = |item: &&Value| has_directive(item) && item.as_object().is_some_and(|fields| fields.len() == 1);
    let Some(found) = patch.iter().find(is_for_list) else { return Ok(ListDirective::None) };
    let others: Vec<Value> = patch.iter().filter(|item| !is_for_list(item)).cloned().collect();
    ensure(others.len() + 1 == patch.len() && !others.iter().any(has_directive), "many directives in a list")?;
    match found[DIRECTIVE].as_str() {
        Some("replace") => Ok(ListDirective::Replace(others)),
        Some("delete") => Ok(ListDirective::Delete),
        _ => Err(Unsure("an unusual directive in a list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(object: Value, patch: Value) -> Certain<Option<Value>> {
        let Value::Object(object) = object else { unreachable!("a test passes mappings") };
        let rule = Rule::of_kind("apps/v1", "Deployment");
        let notation = NotationInFile { explicit_nulls: false, ..NotationInFile::PLAIN };
        Ok(merge(object, patch.as_object().unwrap(), rule, notation)?.map(Value::Object))
    }

    fn pod(pod: Value) -> Value {
        json!({"spec": {"template": {"spec": pod}}})
    }

    fn containers(current: Value, patch: Value) -> Certain<Value> {
        let merged = merged(pod(json!({"containers": current})), pod(json!({"containers": patch})))?;
        Ok(merged.unwrap()["spec"]["template"]["spec"]["containers"].take())
    }

    #[test]
    fn fields_are_merged_and_nulls_remove_them() {
        let object = json!({"a": {"b": 1, "c": 2}, "list": [1]});
        let patch = json!({"a": {"b": null, "d": {"e": null, "f": 1}}, "list": [2], "new": null});
        assert_eq!(merged(object, patch).unwrap().unwrap(), json!({"a": {"c": 2, "d": {"f": 1}}, "list": [2]}));
    }

    #[test]
    fn items_are_merged_by_key_and_new_ones_come_first() {
        let current = json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]);
        let patch = json!([{"name": "n", "image": "1"}, {"name": "b", "image": "2"}]);
        let wanted = json!([{"name": "n", "image": "1"}, {"name": "b", "image": "2"}, {"name": "a", "image": "1"}]);
        assert_eq!(containers(current, patch).unwrap(), wanted);
    }

    #[test]
    fn two_keys_keep_the_order_of_the_object() {
        let port = |port: u64, protocol: &str| json!({"containerPort": port, "protocol": protocol});
        let current = json!([{"name": "a", "ports": [port(1, "TCP"), port(1, "UDP")]}]);
        let patch =
            json!([{"name": "a", "ports": [{"containerPort": 1, "protocol": "UDP", "name": "x"}, port(2, "TCP")]}]);
        let wanted = json!([port(2, "TCP"), port(1, "TCP"), {"containerPort": 1, "protocol": "UDP", "name": "x"}]);
        assert_eq!(containers(current, patch).unwrap()[0]["ports"], wanted);
    }

    #[test]
    fn directives_delete_and_replace() {
        let current = json!([{"name": "a"}, {"name": "b"}]);
        let deleted = containers(current.clone(), json!([{"name": "a", "$patch": "delete"}])).unwrap();
        assert_eq!(deleted, json!([{"name": "b"}]));
        let replaced = containers(current, json!([{"$patch": "replace"}, {"name": "c"}])).unwrap();
        assert_eq!(replaced, json!([{"name": "c"}]));
        let object = json!({"a": {"b": 1}});
        assert_eq!(
            merged(object.clone(), json!({"a": {"$patch": "replace", "c": 1}})).unwrap().unwrap(),
            json!({"a": {"c": 1}})
        );
        assert_eq!(merged(object, json!({"$patch": "delete"})).unwrap(), None);
    }

    #[test]
    fn a_null_that_is_written_stays() {
        let object = json!({"a": null, "b": null});
        let patch = json!({"b": {"c": 1}});
        let merged =
            merge(object.as_object().unwrap().clone(), patch.as_object().unwrap(), Rule::Plain, NotationInFile::PLAIN);
        assert_eq!(Value::Object(merged.unwrap().unwrap()), json!({"a": null, "b": {"c": 1}}));
    }

    #[test]
    fn corners_are_not_certain() {
        for patch in [
            json!([{"image": "1"}]),
            json!([{"name": "a"}, {"name": "a"}]),
            json!([{"name": "a", "$patch": "replace"}]),
            json!([{"name": "a", "$patch": "other"}]),
            json!(["a"]),
            json!({"name": "a"}),
            json!([{"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}]}]),
        ] {
            let current = json!([{"name": "a", "ports": [{"containerPort": 1}]}]);
            assert!(containers(current, patch.clone()).is_err(), "{patch}");
        }
        assert!(merged(json!({"a": null}), json!({})).is_err());
        assert!(merged(json!({"a": {}}), json!({"a": 1})).is_err());
    }
}

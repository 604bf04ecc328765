//! Which lists of which kinds are merged, and by which keys.
//!
//! Of other kinds, such as custom resources, every list is replaced.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("merge_keys.txt");

/// What a strategic merge does with a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// Lists here and below are replaced.
    Plain,
    /// A mapping with rules for its fields.
    Mapping(&'static str),
    /// A list of mappings, merged by the keys of the field.
    Merge(&'static MergedList),
    /// A list of plain values, merged as a set.
    Set,
}

/// A list that is merged.
#[derive(Debug)]
pub(crate) struct MergedList {
    /// One, or two of which the second may be missing.
    pub(crate) keys: Vec<&'static str>,
    item: Option<&'static str>,
}

impl MergedList {
    pub(crate) fn item_rule(&self) -> Rule {
        self.item.map_or(Rule::Plain, Rule::Mapping)
    }
}

impl Rule {
    /// Of an object.
    pub(crate) fn of_kind(api_version: &str, kind: &str) -> Self {
        schema().kinds.get(&(api_version, kind)).map_or(Self::Plain, |name| Self::Mapping(name))
    }

    /// Of a field of a mapping.
    pub(crate) fn of_field(self, name: &str) -> Self {
        let Self::Mapping(of) = self else { return Self::Plain };
        match schema().types.get(of).and_then(|fields| fields.get(name)) {
            None | Some(Field::List) => Self::Plain,
            Some(Field::Mapping(name)) => Self::Mapping(name),
            Some(Field::Merge(list)) => Self::Merge(list),
            Some(Field::Set) => Self::Set,
        }
    }
}

#[derive(Debug)]
enum Field {
    Mapping(&'static str),
    /// Replaced as a whole, whatever its items are.
    List,
    Merge(MergedList),
    Set,
}

#[derive(Default)]
struct Schema {
    kinds: BTreeMap<(&'static str, &'static str), &'static str>,
    types: BTreeMap<&'static str, BTreeMap<&'static str, Field>>,
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| read(TABLE))
}

fn read(table: &'static str) -> Schema {
    let mut schema = Schema::default();
    let mut current = "";
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["kind", api_version, kind, name] => {
                schema.kinds.insert((api_version, kind), name);
            }
            ["type", name] => current = name,
            [field, rule @ ..] => {
                schema.types.entry(current).or_default().insert(field, read_field(rule));
            }
            [] => {}
        }
    }
    schema
}

fn read_field(words: &[&'static str]) -> Field {
    match words {
        ["map", name] => Field::Mapping(name),
        ["merge", keys, item] => {
            Field::Merge(MergedList { keys: keys.split(',').collect(), item: (*item != "-").then_some(*item) })
        }
        ["set"] => Field::Set,
        _ => Field::List,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_merged_by_name_and_their_ports_by_two_keys() {
        let pod = Rule::of_kind("apps/v1", "Deployment").of_field("spec").of_field("template").of_field("spec");
        let Rule::Merge(containers) = pod.of_field("containers") else { panic!("merged") };
        assert_eq!(containers.keys, ["name"]);
        let Rule::Merge(ports) = containers.item_rule().of_field("ports") else { panic!("merged") };
        assert_eq!(ports.keys, ["containerPort", "protocol"]);
        assert!(matches!(containers.item_rule().of_field("args"), Rule::Plain));
    }

    #[test]
    fn finalizers_are_a_set() {
        let metadata = Rule::of_kind("v1", "ConfigMap").of_field("metadata");
        assert!(matches!(metadata.of_field("finalizers"), Rule::Set));
    }

    #[test]
    fn other_kinds_and_versions_have_no_rules() {
        assert!(matches!(Rule::of_kind("example.com/v1", "Deployment"), Rule::Plain));
        assert!(matches!(Rule::of_kind("v1", "ConfigMap").of_field("data"), Rule::Plain));
    }

    #[test]
    fn every_type_of_the_table_exists() {
        let schema = schema();
        let of_fields = schema.types.values().flat_map(BTreeMap::values).filter_map(|field| match field {
            Field::Mapping(name) => Some(*name),
            Field::Merge(list) => list.item,
            Field::List | Field::Set => None,
        });
        for name in schema.kinds.values().copied().chain(of_fields) {
            assert!(schema.types.contains_key(name), "{name}");
        }
    }
}

//! Entries of every kind that needs no file.

use serde_json::json;
use windlass_cluster::fake::FakeCluster;
use windlass_model::event::{Event, Silent};
use windlass_template::{EngineOptions, Ports};

use super::*;
use crate::ports::NoStores;

async fn load_values(start: Value, sources: Value) -> Result<Value, VarsError> {
    load_with(start, sources, None, &Silent).await
}

async fn load_with(
    start: Value,
    sources: Value,
    cluster: Option<&dyn Cluster>,
    events: &dyn Events,
) -> Result<Value, VarsError> {
    let engine = Engine::new(EngineOptions::default(), Ports::default());
    let environment = BTreeMap::from([("PORT".to_owned(), "80".to_owned()), ("EMPTY".to_owned(), String::new())]);
    let source = SourceTree { id: 0, root: "/nowhere".into() };
    let secrets = SecretValues::default();
    let aws = AwsConfig::default();
    let identity = crate::ports::AwsIdentity { config: &aws, cluster: None };
    let decryption = &Decryption::new(&NoStores, identity, &secrets);
    let remote = Remote { stores: &NoStores, web: &NoStores, secrets: &secrets, aws: &aws, decryption };
    let context = VarsContext {
        engine: &engine,
        environment: &environment,
        remote,
        sources: &windlass_sources::FakeSources::default(),
        source: &source,
        search_dirs: &[],
        cluster,
        events,
        notices: &Notices::default(),
    };
    let sources: Vec<VarsSource> = serde_json::from_value(sources).unwrap();
    let start = Vars::new(start.as_object().cloned().unwrap_or_default());
    load_all(start, &sources, &context).await.map(|vars| Value::Object(vars.as_json().clone()))
}

#[tokio::test]
async fn entries_see_what_was_loaded_before_and_results_are_strings() {
    let vars = load_values(json!({"a": 1}), json!([{"values": {"b": "{{ a }}"}}, {"values": {"c": "{{ b }}x"}}])).await;
    assert_eq!(vars.unwrap(), json!({"a": 1, "b": "1", "c": "1x"}));
}

#[tokio::test]
async fn no_override_keeps_what_exists() {
    let vars =
        load_values(json!({"a": {"x": 1}}), json!([{"values": {"a": {"x": 2, "y": 3}}, "noOverride": true}])).await;
    assert_eq!(vars.unwrap(), json!({"a": {"x": 1, "y": 3}}));
}

#[tokio::test]
async fn a_false_condition_skips_the_entry() {
    assert_eq!(load_values(json!({}), json!([{"values": {"a": 1}, "when": "1 == 2"}])).await.unwrap(), json!({}));
}

#[tokio::test]
async fn environment_values_are_yaml_and_may_be_in_lists() {
    let sources = json!([{"systemEnvVars": {"p": "PORT", "d": "NONE:x", "n": "EMPTY", "l": ["PORT", {"k": "NO:"}]}}]);
    let vars = load_values(json!({}), sources).await.unwrap();
    assert_eq!(vars, json!({"p": 80, "d": "x", "n": null, "l": [80, {"k": ""}]}));
}

#[tokio::test]
async fn errors_name_what_is_wrong() {
    let cases = [
        (json!([{"systemEnvVars": {"a": "NOT_SET"}}]), r#"environment variable NOT_SET not found for $["a"]"#),
        (json!([{"systemEnvVars": {"a": [5]}}]), r#"value at $["a"][0] is not a string"#),
        (json!([{"values": {}, "multidoc": true}]), "multidoc vars sources can only be used"),
        (json!([{"values": {}, "renderedVars": {"a": 1}}]), "renderedVars is not allowed here"),
        (json!([{"clusterSecret": {"name": "a"}}]), "loading vars from cluster is disabled"),
        (json!([{"vault": {}}]), "this run may not read from Vault"),
        (json!([{"values": {}, "targetPath": "a[0]"}]), "invalid targetPath 'a[0]'"),
        (json!([{"file": "nope.yaml"}]), "absolute path of nope.yaml could not be resolved"),
        (json!([{"values": {"a": "{{ nope }}"}}]), "UndefinedError: 'nope' is undefined"),
        (json!([{"values": {"a": 1}, "when": "nope"}]), "unable to render conditional 'nope'"),
    ];
    for (sources, wanted) in cases {
        let text = load_values(json!({}), sources).await.unwrap_err().to_string();
        assert!(text.contains(wanted), "{text}");
    }
}

fn cluster() -> FakeCluster {
    let cluster = FakeCluster::new();
    let labels = json!({"grp": "g"});
    let vars = "m: {{ a + 1 }}\n";
    cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"vars": vars, "list": "[1]", "empty": "",
        "multi": "x: {{ a }}\n---\nb: 2\n"}, "metadata": {"name": "a", "namespace": "n", "labels": labels}}));
    cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"vars": "z: 1"},
        "metadata": {"name": "b", "namespace": "n", "labels": {"grp": "g", "sel": "one"}}}));
    // `s: {{ a }}` and `*`.
    cluster.put(json!({"apiVersion": "v1", "kind": "Secret", "data": {"vars": "czoge3sgYSB9fQ==", "bad": "Kg=="},
        "metadata": {"name": "s", "namespace": "n"}}));
    cluster
}

async fn load_from_cluster(sources: Value) -> Result<Value, VarsError> {
    load_with(json!({"a": 1, "kept": 7}), sources, Some(&cluster()), &Silent).await
}

fn map_key(key: &str) -> Value {
    json!({"name": "a", "namespace": "n", "key": key})
}

#[tokio::test]
async fn keys_of_cluster_objects_are_rendered_and_parsed() {
    let sources = json!([
        {"clusterConfigMap": map_key("vars")},
        {"clusterConfigMap": {"labels": {"sel": "one"}, "namespace": "n", "key": "vars"}, "targetPath": "l.z"},
        {"clusterConfigMap": map_key("multi"), "multidoc": true, "targetPath": "d"},
        {"clusterSecret": {"name": "s", "namespace": "n", "key": "vars"}},
    ]);
    let wanted = json!({"a": 1, "kept": 7, "m": 2, "l": {"z": {"z": 1}}, "d": [{"x": 1}, {"b": 2}], "s": 1});
    assert_eq!(load_from_cluster(sources).await.unwrap(), wanted);
}

#[tokio::test]
async fn an_ignored_absence_on_the_cluster_changes_no_value() {
    let sources = json!([
        {"clusterConfigMap": {"name": "x", "namespace": "n", "key": "k"}, "ignoreMissing": true, "targetPath": "kept"},
        {"clusterConfigMap": map_key("none"), "ignoreMissing": true, "targetPath": "kept"},
        {"clusterSecret": {"labels": {"q": "1"}, "namespace": "n", "key": "k"}, "ignoreMissing": true},
        {"clusterObject": {"kind": "ConfigMap", "name": "x", "namespace": "n", "path": "data"}, "ignoreMissing": true,
            "targetPath": "kept"},
        {"clusterObject": {"kind": "ConfigMap", "name": "a", "namespace": "n", "path": "data.x"}, "ignoreMissing": true,
            "targetPath": "new"},
    ]);
    assert_eq!(load_from_cluster(sources).await.unwrap(), json!({"a": 1, "kept": 7, "new": {}}));
}

#[tokio::test]
async fn parts_of_cluster_objects_are_found_by_path() {
    let object = |fields: Value| {
        let mut object = json!({"kind": "ConfigMap", "namespace": "n"});
        object.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
        object
    };
    let sources = json!([
        {"clusterObject": object(json!({"labels": {"grp": "g"}, "list": true, "path": "metadata.name"})), "targetPath": "names"},
        {"clusterObject": object(json!({"name": "a", "path": "data.vars", "render": true})), "targetPath": "text"},
        {"clusterObject": object(json!({"name": "a", "path": "data.vars", "render": true, "parseYaml": true}))},
        {"clusterObject": object(json!({"name": "a", "path": "data.list", "parseYaml": true})), "targetPath": "list"},
        {"clusterObject": object(json!({"name": "b", "path": "$", "apiVersion": "v1"})), "targetPath": "whole"},
    ]);
    let vars = load_from_cluster(sources).await.unwrap();
    assert_eq!((&vars["names"], &vars["text"], &vars["m"]), (&json!(["a", "b"]), &json!("m: 2"), &json!(2)));
    assert_eq!((&vars["list"], &vars["whole"]["data"]["vars"]), (&json!([1]), &json!("z: 1")));
}

#[tokio::test]
async fn errors_of_cluster_sources_name_object_and_cause() {
    let key = |name: &str, key: &str| json!({"name": name, "namespace": "n", "key": key});
    let object = |name: &str, path: &str| json!({"kind": "ConfigMap", "name": name, "namespace": "n", "path": path});
    let labels = |value: &str| json!({"labels": {"grp": value}, "namespace": "n", "key": "vars"});
    let in_object = |path: &str, cause: &str| {
        format!("failed to load vars from kubernetes object n/ConfigMap/a and json path {path}: {cause}")
    };
    let mut unparsable = object("a", "data");
    unparsable["parseYaml"] = true.into();
    let cases = [
        (json!({"clusterConfigMap": key("x", "k")}), "configmaps \"x\" not found".to_owned()),
        (json!({"clusterConfigMap": key("a", "k")}), "key k not found in n/ConfigMap/a on cluster".into()),
        (json!({"clusterConfigMap": labels("g")}), "found more than one objects with labels map[grp:g]".into()),
        (json!({"clusterConfigMap": labels("x")}), "no object found with labels map[grp:x]".into()),
        (json!({"clusterConfigMap": key("a", "list")}), "'targetPath' is required for this variable source".into()),
        (json!({"clusterConfigMap": key("a", "empty")}), "'targetPath' is required for this variable source".into()),
        (json!({"clusterSecret": key("s", "bad")}), "value of key bad of n/Secret/s is not valid YAML".into()),
        (json!({"clusterObject": object("x", "data")}), "no object found".into()),
        (json!({"clusterObject": object("a", "zz")}), in_object("zz", "json path not found")),
        (
            json!({"clusterObject": object("a", "data.*")}),
            in_object("data.*", "json path resulted in multiple matches"),
        ),
        (
            json!({"clusterObject": unparsable}),
            in_object("data", "value is not a string, but parsing YAML was requested"),
        ),
        (
            json!({"clusterObject": {"kind": "Nope", "name": "a", "path": "a"}}),
            "no matching resource found for kind Nope".into(),
        ),
    ];
    for (source, wanted) in cases {
        assert_eq!(load_from_cluster(json!([source])).await.unwrap_err().to_string(), wanted);
    }
}

/// Remembers warnings.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<Event>>);

impl Events for Heard {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

#[tokio::test]
async fn the_old_place_of_target_path_is_mentioned_once() {
    let mut key = map_key("list");
    key["targetPath"] = "li".into();
    let heard = Heard::default();
    let sources = json!([{"clusterConfigMap": key}, {"clusterConfigMap": key}]);
    let vars = load_with(json!({"a": 1}), sources, Some(&cluster()), &heard).await.unwrap();
    assert_eq!((&vars["li"], heard.0.lock().unwrap().len()), (&json!([1]), 1));
}

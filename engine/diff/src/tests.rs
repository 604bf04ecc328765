use proptest::prelude::*;
use serde_json::{Value, json};
use windlass_model::deployment::{IgnoreForDiff, OneOrMany};

use super::*;

fn config_map(annotations: Value, data: Value) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop", "annotations": annotations},
        "data": data,
    }))
}

/// Changed paths with their text, lines joined by `|`.
fn shown(local: &Object, remote: &Object, applied: &Object, rules: &IgnoreRules) -> Vec<String> {
    let changes = diff_object(local, remote, applied, rules).unwrap();
    changes.iter().map(|change| format!("{} {}", change.json_path, change.unified_diff.replace('\n', "|"))).collect()
}

fn changed(remote: &Object, applied: &Object) -> Vec<String> {
    shown(applied, remote, applied, &IgnoreRules::default())
}

fn one(text: &str) -> OneOrMany {
    OneOrMany::One(text.into())
}

#[test]
fn recorded_changes_of_scalars() {
    let remote =
        config_map(json!({}), json!({"color": "red", "gone": "x", "empty": "", "a": "one", "dotted.key": "1"}));
    let applied =
        config_map(json!({}), json!({"color": "blue", "fresh": "y", "empty": "now", "a": "two", "dotted.key": "2"}));
    assert_eq!(
        changed(&remote, &applied),
        [
            "data.color -red|+blue",
            "data.empty +now",
            "data.fresh +y",
            "data.gone -x",
            "data[\"a\"] -one|+two",
            "data[\"dotted.key\"] -1|+2",
        ]
    );
}

fn deployment(container: Value) -> Object {
    Object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }))
}

#[test]
fn recorded_changes_of_lists_and_maps() {
    let remote = deployment(json!({
        "name": "main", "args": ["a", "b", "c"],
        "env": [{"name": "ONE", "value": "1"}, {"name": "TWO", "value": "2"}],
        "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}],
        "resources": {"limits": {"memory": "64Mi"}},
    }));
    let applied = deployment(json!({
        "name": "main", "args": ["b", "c", "d"],
        "env": [{"name": "TWO", "value": "22"}, {"name": "THREE", "value": "3"}],
        "ports": [{"containerPort": 80, "name": "http", "protocol": "TCP"}, {"containerPort": 81, "name": "adm", "protocol": "TCP"}],
        "resources": {"requests": {"memory": "32Mi"}},
    }));
    let container = "spec.template.spec.containers[0]";
    assert_eq!(
        changed(&remote, &applied),
        [
            ".args[0] -a",
            ".args[2] +d",
            ".env.ONE -name: ONE|-value: \"1\"",
            ".env.THREE +name: THREE|+value: \"3\"",
            ".env.TWO.value -2|+22",
            ".ports[1] +containerPort: 81|+name: adm|+protocol: TCP",
            ".resources.limits -memory: 64Mi",
            ".resources.requests +memory: 32Mi",
        ]
        .map(|line| format!("{container}{line}"))
    );
}

#[test]
fn changes_inside_an_env_from_entry_are_normal_changes() {
    let optional =
        |optional: bool| deployment(json!({"envFrom": [{"configMapRef": {"name": "one", "optional": optional}}]}));
    assert_eq!(
        changed(&optional(true), &optional(false)),
        ["spec.template.spec.containers[0].envFrom[\"configMapRef/one\"].configMapRef.optional -true|+false"]
    );
}

#[test]
fn changes_between_leftover_service_account_secrets_are_normal_changes() {
    let account =
        |name: &str| Object(json!({"kind": "ServiceAccount", "metadata": {"name": "sa"}, "secrets": [{"name": name}]}));
    assert_eq!(changed(&account("one"), &account("two")), ["secrets[0].name -one|+two"]);
}

#[test]
fn order_changes_of_args_and_init_containers_show_but_not_of_env() {
    let pod = |args: Value, env: Value, init: Value| {
        let mut object = deployment(json!({"name": "main", "args": args, "env": env}));
        object.0["spec"]["template"]["spec"]["initContainers"] = init;
        object
    };
    let (x, y) = (json!({"name": "X"}), json!({"name": "Y"}));
    let changes = changed(
        &pod(json!(["a", "b"]), json!([x, y]), json!([x, y])),
        &pod(json!(["b", "a"]), json!([y, x]), json!([y, x])),
    );
    let container = "spec.template.spec.containers[0]";
    assert!(changes.contains(&format!("{container}.args[0] -a")), "{changes:?}");
    assert!(changes.contains(&format!("{container}.args[1] +a")), "{changes:?}");
    assert!(changes.iter().any(|change| change.contains("initContainers")), "{changes:?}");
    assert!(!changes.iter().any(|change| change.contains(".env")), "{changes:?}");
}

#[test]
fn types_matter_even_where_the_text_is_equal() {
    let object = |value: Value| Object(json!({"kind": "X", "spec": {"value": value}}));
    assert_eq!(changed(&object(json!(1)), &object(json!("1"))), ["spec.value -1|+1"]);
    assert_eq!(changed(&object(json!(null)), &object(json!(false))), ["spec.value -<nil>|+false"]);
    assert!(changed(&object(json!(1.0)), &object(json!(1))).is_empty());
}

#[test]
fn an_object_with_ignore_diff_never_changes() {
    let local = config_map(json!({"kluctl.io/ignore-diff": "true"}), json!({"color": "blue"}));
    let remote = config_map(json!({}), json!({"color": "red"}));
    assert!(shown(&local, &remote, &local, &IgnoreRules::default()).is_empty());
    let local = config_map(json!({"kluctl.io/ignore-diff": "maybe"}), json!({"color": "blue"}));
    assert_eq!(shown(&local, &remote, &local, &IgnoreRules::default()).len(), 2, "unreadable counts as absent");
}

#[test]
fn annotations_of_the_rendered_object_hide_fields() {
    let annotations = json!({
        "kluctl.io/ignore-diff-field-1": "data.color",
        "kluctl.io/ignore-diff-field-2": "data[\"odd-key\"]",
        "kluctl.io/ignore-diff-field-3": "data.nope",
        "kluctl.io/ignore-diff-field-4": "..",
        "kluctl.io/ignore-diff-field-regex": "data\\.s|annotations",
    });
    let local = config_map(annotations, json!({"color": "blue", "size": "L", "odd-key": "y", "rest": "2"}));
    let remote = config_map(json!({}), json!({"color": "red", "size": "M", "odd-key": "x", "rest": "1"}));
    assert_eq!(shown(&local, &remote, &local, &IgnoreRules::default()), ["data.rest -1|+2"]);
}

#[test]
fn broken_annotations_are_errors_even_when_nothing_changed() {
    for (key, value) in [("kluctl.io/ignore-diff-field-2", "data.a-b"), ("kluctl.io/ignore-diff-field-regex", "(")] {
        let local = config_map(json!({key: value}), json!({}));
        let error = diff_object(&local, &local, &local, &IgnoreRules::default()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("annotation `{key}`: ")), "{error}");
    }
}

#[test]
fn project_rules_hide_fields_of_selected_objects() {
    let rules = [
        IgnoreForDiff { field_path: one("data.color"), kind: Some("ConfigMap".into()), ..Default::default() },
        IgnoreForDiff { field_path_regex: one("data\\[\"odd-.*"), name: Some("settings".into()), ..Default::default() },
        IgnoreForDiff { field_path: one("data.size"), group: Some("apps".into()), ..Default::default() },
    ];
    let rules = IgnoreRules::compile(&rules, IgnoreFlags::default()).unwrap();
    let remote = config_map(json!({}), json!({"color": "red", "size": "M", "odd-key": "x"}));
    let applied = config_map(json!({}), json!({"color": "blue", "size": "L", "odd-key": "y"}));
    assert_eq!(shown(&applied, &remote, &applied, &rules), ["data.size -M|+L"]);
}

#[test]
fn regexes_remove_the_right_elements_of_a_list() {
    let rules = [IgnoreForDiff { field_path_regex: one(r"list\[[02]\]"), ..Default::default() }];
    let rules = IgnoreRules::compile(&rules, IgnoreFlags::default()).unwrap();
    let object = |list: Value| Object(json!({"kind": "X", "list": list}));
    let (remote, applied) = (object(json!([1, 2, 3])), object(json!([7, 2, 9])));
    assert!(shown(&applied, &remote, &applied, &rules).is_empty());
}

#[test]
fn flags_hide_labels_tags_annotations_and_our_own_metadata() {
    let object = |value: &str| {
        Object(json!({"kind": "X", "metadata": {
            "labels": {"kluctl.io/tag-0": value, "kluctl.io/discriminator": value, "team": value},
            "annotations": {"kluctl.io/deployment-item-dir": value, "note": value},
        }}))
    };
    let hidden = |flags: IgnoreFlags| {
        let rules = IgnoreRules::compile([], flags).unwrap();
        let left = shown(&object("b"), &object("a"), &object("b"), &rules);
        left.into_iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (item_dir, note) = ("metadata.annotations[\"kluctl.io/deployment-item-dir\"]", "metadata.annotations.note");
    let (discriminator, tag) = ("metadata.labels[\"kluctl.io/discriminator\"]", "metadata.labels[\"kluctl.io/tag-0\"]");
    let team = "metadata.labels.team";
    let flags = IgnoreFlags::default();
    assert_eq!(hidden(flags), [note, item_dir, team, discriminator, tag]);
    assert_eq!(hidden(IgnoreFlags { tags: true, ..flags }), [note, item_dir, team, discriminator]);
    assert_eq!(hidden(IgnoreFlags { labels: true, ..flags }), [note, item_dir]);
    assert_eq!(hidden(IgnoreFlags { annotations: true, ..flags }), [team, discriminator, tag]);
    assert_eq!(hidden(IgnoreFlags { kluctl_metadata: true, ..flags }), [note, team]);
}

#[test]
fn broken_project_rules_do_not_compile() {
    let compile = |rule: IgnoreForDiff| IgnoreRules::compile([&rule], IgnoreFlags::default()).unwrap_err().to_string();
    assert_eq!(compile(IgnoreForDiff::default()), "at least one of fieldPath or fieldPathRegex must be set");
    assert!(compile(IgnoreForDiff { field_path: one("a["), ..Default::default() }).starts_with("json path `a[`"));
    assert!(
        compile(IgnoreForDiff { field_path_regex: one("["), ..Default::default() }).starts_with("regular expression")
    );
}

/// Any JSON value of moderate size, with keys that normalising looks for.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        "[a-z\n]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("spec".to_owned()),
        Just("metadata".to_owned()),
        Just("name".to_owned()),
        Just("labels".to_owned()),
        Just("env".to_owned()),
        Just("containers".to_owned()),
        Just("template".to_owned()),
        "[a-z]{1,3}",
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The value with the elements of every list in one order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(sorted).collect();
            list.sort_by_cached_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #[test]
    fn an_object_does_not_differ_from_itself(spec in any_value(), kind in "Deployment|ConfigMap|ServiceAccount|X") {
        let mut value = json!({"kind": kind, "metadata": {"name": "a"}});
        value["spec"] = spec;
        let object = Object(value);
        prop_assert!(diff_object(&object, &object, &object, &IgnoreRules::default()).unwrap().is_empty());
        let normal = normalise::normalised(&object);
        prop_assert!(compare::compare(&normal, &normal).is_empty());
    }

    #[test]
    fn different_values_of_a_field_always_show(old in any_value(), new in any_value()) {
        let object = |value: &Value| Object(json!({"kind": "X", "field": value}));
        let [old_normal, new_normal] = [&old, &new].map(|value| normalise::normalised(&object(value)));
        let changes = diff_object(&object(&new), &object(&old), &object(&new), &IgnoreRules::default()).unwrap();
        prop_assert!(old_normal != new_normal || changes.is_empty());
        // Lists of elements with merge keys may differ in order without a change, nothing else may.
        prop_assert!(!changes.is_empty() || sorted(&old_normal) == sorted(&new_normal));
    }
}

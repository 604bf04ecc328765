//! What the fields of `vars` entries do, with stores, addresses and a cluster in memory.

mod stage;

use serde_json::{Value, json};
use stage::{Stage, shown, shows};

const ITEM: &str = "deployments:\n- path: item\n";

/// A project that shows `expressions` after loading `vars` (one entry per element).
fn project(vars: &[Value], expressions: &[&str]) -> Stage {
    let deployment = json!({"vars": vars, "deployments": [{"path": "item"}]}).to_string();
    // The entries are templates themselves; what is in them is for the second rendering.
    let deployment = format!("{{% raw %}}{deployment}{{% endraw %}}");
    Stage::new(&[("deployment.yaml", &deployment), ("item/a.yaml", &shows(expressions))])
}

fn seen(vars: &[Value], expressions: &[&str]) -> Value {
    shown(&project(vars, expressions).run().objects()[0])
}

/// One entry per store and the web, each asking for `name`.
fn sources(name: &str) -> [(&'static str, Value); 5] {
    [
        ("awsSecretsManager", json!({"secretName": name, "region": "r"})),
        ("gcpSecretManager", json!({"secretName": name})),
        ("azureKeyVault", json!({"secretName": name, "vaultUri": "u"})),
        ("vault", json!({"path": name, "address": "a"})),
        ("http", json!({"url": name})),
    ]
}

fn entry(kind: &str, source: &Value, more: Value) -> Value {
    let mut entry = more;
    entry[kind] = source.clone();
    entry
}

#[test]
fn entries_are_merged_in_order() {
    let first = json!({"values": {"m": {"a": 1, "b": {"c": 1}}, "l": [1, 2], "s": 1, "n": 1}});
    for (second, wanted) in [
        (json!({"values": {"m": {"a": 2, "d": 3}}}), json!([{"a": 2, "b": {"c": 1}, "d": 3}, [1, 2], 1, 1])),
        (json!({"values": {"m": {"b": 7}}}), json!([{"a": 1, "b": 7}, [1, 2], 1, 1])),
        (json!({"values": {"m": null, "l": [3], "s": {"x": 1}}}), json!([null, [3], {"x": 1}, 1])),
        (
            json!({"values": {"m": {"a": 2, "d": 3}, "l": [3], "n": null}, "noOverride": true}),
            json!([{"a": 1, "b": {"c": 1}, "d": 3}, [1, 2], 1, 1]),
        ),
        (json!({"values": {"c": 2}, "targetPath": "m.b"}), json!([{"a": 1, "b": {"c": 2}}, [1, 2], 1, 1])),
        (
            json!({"values": {"c": 2, "d": 3}, "targetPath": "$.m.b", "noOverride": true}),
            json!([{"a": 1, "b": {"c": 1, "d": 3}}, [1, 2], 1, 1]),
        ),
        (
            json!({"values": {"z": 2}, "targetPath": "s.x.y"}),
            json!([{"a": 1, "b": {"c": 1}}, [1, 2], {"x": {"y": {"z": 2}}}, 1]),
        ),
    ] {
        assert_eq!(seen(&[first.clone(), second.clone()], &["m", "l", "s", "n"]), wanted, "{second}");
    }
}

#[test]
fn conditions_see_what_was_loaded_before_and_a_skipped_store_is_not_asked() {
    let vars = [
        json!({"values": {"on": false}}),
        json!({"vault": {"address": "a", "path": "p"}, "when": "on"}),
        json!({"vault": {"address": "a", "path": "q"}, "when": "not on"}),
        json!({"values": {"on": true}, "when": "v == 1"}),
        json!({"values": {"own": true}, "when": "own is not defined"}),
    ];
    let outcome = project(&vars, &["on", "own"]).secret("q", "{\"v\": 1}").run();
    assert_eq!(outcome.asked, ["vault a q"]);
    assert_eq!(shown(&outcome.objects()[0]), json!([true, true]));
    let error = project(&[json!({"values": {}, "when": "nope"})], &[]).run().error();
    assert!(error.contains("unable to render conditional 'nope'"), "{error}");
}

#[test]
fn stores_and_addresses_get_all_fields_rendered() {
    let vars = [
        json!({"values": {"p": "x"}}),
        json!({"awsSecretsManager": {"secretName": "{{ p }}1", "region": "r-{{ p }}", "profile": "f"}}),
        json!({"awsSecretsManager": {"secretName": "{{ p }}1", "region": "r"}}),
        json!({"gcpSecretManager": {"secretName": "{{ p }}1"}}),
        json!({"azureKeyVault": {"vaultUri": "u-{{ p }}", "secretName": "{{ p }}1"}}),
        json!({"vault": {"address": "a-{{ p }}", "path": "{{ p }}2"}}),
        json!({"http": {"url": "{{ p }}1", "method": "POST", "body": "b-{{ p }}", "headers": {"H-{{ p }}": "{{ p }}"}}}),
    ];
    let config = "aws: {profile: own, serviceAccount: {name: account, namespace: ns}}\n";
    let deployment = format!("{{% raw %}}{}{{% endraw %}}", json!({"vars": vars}));
    let stage = Stage::new(&[(".kluctl.yaml", config), ("deployment.yaml", &deployment)]);
    let outcome = stage.secret("x1", "a: 1").secret("x2", "{}").run();
    assert!(outcome.prepared.is_ok());
    let wanted = [
        "aws x1 r-x f account",
        "aws x1 r own account",
        "google x1",
        "azure u-x x1",
        "vault a-x x2",
        r#"["http","x1","POST","b-x",{"H-x":"x"}]"#,
    ];
    assert_eq!(outcome.asked, wanted);
}

#[test]
fn secrets_are_templates_and_answers_of_addresses_are_not() {
    for (kind, source) in sources("s") {
        let vars = [json!({"values": {"one": 1}}), entry(kind, &source, json!({}))];
        let outcome = project(&vars, &["v"]).secret("s", r#"{"v": "{{ one + 1 }}"}"#).run();
        let wanted = if kind == "http" { "{{ one + 1 }}" } else { "2" };
        assert_eq!(shown(&outcome.objects()[0]), json!([wanted]), "{kind}");
    }
}

#[test]
fn json_path_takes_a_part_of_an_answer() {
    let vars = [json!({"http": {"url": "s", "jsonPath": "a[0].b"}})];
    let outcome = project(&vars, &["v"]).secret("s", r#"{"a": [{"b": "v: 1"}]}"#).run();
    assert_eq!(shown(&outcome.objects()[0]), json!([1]));
}

#[test]
fn absence_is_an_error_unless_it_is_tolerated_and_then_changes_nothing() {
    for (kind, source) in sources("gone") {
        let run = |more: Value| {
            project(&[json!({"values": {"kept": 7}}), entry(kind, &source, more)], &["kept", "new | default(0)"]).run()
        };
        let error = run(json!({})).error();
        assert!(error.contains("gone"), "{kind}: {error}");
        for (more, wanted) in [
            (json!({"ignoreMissing": true}), json!([7, 0])),
            (json!({"ignoreMissing": true, "targetPath": "kept"}), json!([7, 0])),
            (json!({"ignoreMissing": true, "targetPath": "new"}), json!([7, {}])),
        ] {
            assert_eq!(shown(&run(more.clone()).objects()[0]), wanted, "{kind} {more}");
        }
    }
    for (kind, source) in sources("broken").into_iter().filter(|(kind, _)| *kind != "http") {
        let error = project(&[entry(kind, &source, json!({"ignoreMissing": true}))], &[]).run().error();
        assert!(error.ends_with("permission denied"), "{kind}: {error}");
    }
}

#[test]
fn values_that_are_no_map_need_a_place() {
    for (kind, source) in sources("s").into_iter().filter(|(kind, _)| *kind != "vault") {
        let run = |more: Value, text: &str| project(&[entry(kind, &source, more)], &["x"]).secret("s", text).run();
        assert!(run(json!({}), "[1]").error().ends_with("'targetPath' is required for this variable source"), "{kind}");
        assert_eq!(shown(&run(json!({"targetPath": "x"}), "[1]").objects()[0]), json!([[1]]), "{kind}");
        assert_eq!(shown(&run(json!({"targetPath": "x"}), "text").objects()[0]), json!(["text"]), "{kind}");
    }
}

#[test]
fn multidoc_gives_all_documents() {
    for (kind, source) in sources("s").into_iter().filter(|(kind, _)| *kind != "vault") {
        let run = |more: Value| project(&[entry(kind, &source, more)], &["x"]).secret("s", "a: 1\n---\n- 2\n").run();
        let outcome = run(json!({"multidoc": true, "targetPath": "x"}));
        assert_eq!(shown(&outcome.objects()[0]), json!([[{"a": 1}, [2]]]), "{kind}");
        let error = run(json!({"multidoc": true})).error();
        assert!(error.ends_with("multidoc vars sources can only be used when targetPath is also specified"), "{error}");
    }
    for (kind, source) in
        [("systemEnvVars", json!({"a": "A:1"})), ("clusterObject", json!({"kind": "A", "name": "b", "path": "c"}))]
    {
        let error = project(&[entry(kind, &source, json!({"multidoc": true, "targetPath": "x"}))], &[]).run().error();
        assert!(error.contains(&format!("vars[0].multidoc: `{kind}` reads no documents")), "{error}");
    }
}

#[test]
fn sensitive_decides_what_may_be_shown() {
    const VALUE: &str = "correct-horse-battery";
    let text = json!({"v": VALUE}).to_string();
    let object = |kind: &str, data: Value| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "o", "namespace": "n"}, "data": data});
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
    let objects = [object("ConfigMap", json!({"k": text})), object("Secret", json!({"k": encoded}))];
    let key = json!({"name": "o", "namespace": "n", "key": "k"});
    let cases = [
        ("values", json!({"v": VALUE}), false),
        ("systemEnvVars", json!({"v": "VALUE"}), false),
        ("clusterConfigMap", key.clone(), false),
        ("clusterSecret", key, true),
        (
            "clusterObject",
            json!({"kind": "ConfigMap", "name": "o", "namespace": "n", "path": "data.k", "parseYaml": true}),
            false,
        ),
        ("http", json!({"url": "s"}), false),
        ("http", json!({"url": "login"}), true),
        ("awsSecretsManager", json!({"secretName": "s", "region": "r"}), true),
        ("gcpSecretManager", json!({"secretName": "s"}), true),
        ("azureKeyVault", json!({"secretName": "s", "vaultUri": "u"}), true),
        ("vault", json!({"path": "s", "address": "a"}), true),
    ];
    for (kind, source, by_default) in cases {
        for (more, hidden) in
            [(json!({}), by_default), (json!({"sensitive": true}), true), (json!({"sensitive": false}), false)]
        {
            let stage = project(&[entry(kind, &source, more.clone())], &["v"]).cluster(&objects);
            let outcome = stage.secret("s", &text).secret("login", &text).environment("VALUE", VALUE).run();
            let masked = outcome.secrets.mask(&format!("it is {VALUE}")).into_owned();
            assert_eq!(!masked.contains(VALUE), hidden, "{kind} {source} {more}: {masked}");
            let objects = outcome.objects();
            let map = objects.iter().find(|object| object["metadata"]["name"] == "shown").unwrap();
            assert_eq!(shown(map), json!([VALUE]), "what is deployed is whole");
        }
    }
}

#[test]
fn options_of_git_files_decide_what_comes_of_a_file() {
    let list = |options: &str| {
        let deployment = format!(
            "vars:\n- values: {{a: 5}}\n- gitFiles: {{url: 'https://h/lib.git', files: [{{glob: '*.yaml'{options}}}]}}\n  targetPath: g\n{ITEM}"
        );
        let object = shows(&["g[0].files[0].content", "g[0].files[0].parsed | default('none')", "g | length"]);
        let files = [
            ("deployment.yaml", deployment.as_str()),
            ("item/a.yaml", &object),
            ("../libs/lib/f.yaml", "v: '{{ a }}'\n---\n- 2\n"),
            ("../libs/lib/deep/f.yaml", "not: found\n"),
        ];
        shown(&Stage::new(&files).run().objects()[0])
    };
    let (plain, rendered) = ("v: '{{ a }}'\n---\n- 2\n", "v: '5'\n---\n- 2");
    assert_eq!(list(""), json!([plain, "none", 1]));
    assert_eq!(list(", parseYaml: true"), json!([plain, {"v": "{{ a }}"}, 1]));
    let both = list(", render: true, parseYaml: true, yamlMultiDoc: true");
    assert!(both[0].as_str().unwrap().starts_with(rendered), "{both}");
    assert_eq!(both[1], json!([{"v": "5"}, [2]]));
}

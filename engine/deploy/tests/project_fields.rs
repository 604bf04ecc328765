//! What the fields of `.kluctl.yaml`, `.kluctl-library.yaml` and `deployment.yaml` do; the table of all fields in
//! `docs/compatibility.md` names these tests.

mod stage;

use serde_json::{Value, json};
use stage::{Stage, shown, shows};
use windlass_deploy::collect::PinnedItem;
use windlass_model::deployment::{ConflictAction, OneOrMany};

const ITEM: &str = "deployments:\n- path: item\n";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

fn map(name: &str) -> String {
    MAP.replace("name: a", &format!("name: {name}"))
}

fn names(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap()).collect()
}

/// The items of a project of two levels with `extra` on the include.
fn with_include(extra: &str) -> Stage {
    let root = format!("deployments:\n- path: own\n- include: sub\n  tags: [below]\n{extra}");
    let (own, inner) = (map("own"), map("inner"));
    Stage::new(&[
        ("deployment.yaml", &root),
        ("own/a.yaml", &own),
        ("sub/deployment.yaml", "deployments:\n- include: deep\n"),
        ("sub/deep/deployment.yaml", ITEM),
        ("sub/deep/item/a.yaml", &inner),
    ])
}

fn items(stage: Stage) -> Vec<PinnedItem> {
    stage.run().prepared.unwrap_or_else(|error| panic!("{error}")).objects.items
}

#[test]
fn aws_settings_of_project_and_target_meet_field_by_field() {
    let config = "aws: {profile: p, serviceAccount: {name: a, namespace: ns}}\ntargets:\n- name: own\n  aws: {profile: q}\n\
                  - name: none\n- name: account\n  aws: {serviceAccount: {name: b, namespace: other}}\n";
    let object = shows(&["target.aws"]);
    let files = [(".kluctl.yaml", config), ("deployment.yaml", ITEM), ("item/a.yaml", object.as_str())];
    for (target, profile, account, namespace) in
        [("own", "q", "a", "ns"), ("none", "p", "a", "ns"), ("account", "p", "b", "other")]
    {
        let wanted = json!([{"profile": profile, "serviceAccount": {"name": account, "namespace": namespace}}]);
        assert_eq!(shown(&Stage::new(&files).target(target).run().objects()[0]), wanted, "{target}");
    }
}

#[test]
fn a_target_gives_context_args_images_and_discriminator() {
    let config = "discriminator: of-the-project\ntargets:\n- name: dev\n  context: '{{ target.name }}-cluster'\n\
                  \u{20} args: {size: 2, nested: {a: '{{ target.name }}'}}\n  discriminator: d-{{ target.name }}\n\
                  \u{20} images:\n  - {imageRegex: '^app', resultImage: 'app:1', container: main, deployment: Pod/p, namespace: ns}\n\
                  - name: lost\n  context: nowhere\n- name: plain\n";
    let pod = |container: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: ns}}\nspec:\n  containers:\n  - name: {container}\n\
             \u{20}   image: '{{{{ images.get_image(\"app\") }}}}'\n"
        )
    };
    let object = shows(&["target.args", "args", "target.name"]);
    let (pod, other) = (pod("main"), pod("other"));
    let files = [(".kluctl.yaml", config), ("deployment.yaml", ITEM), ("item/a.yaml", &object), ("item/b.yaml", &pod)];
    let objects = Stage::new(&files).target("dev").args(json!({"size": 3})).run().objects();
    let own = json!({"nested": {"a": "dev"}, "size": 2});
    assert_eq!(shown(&objects[0]), json!([own, {"nested": {"a": "dev"}, "size": 3}, "dev"]));
    assert_eq!(objects[0]["metadata"]["labels"]["kluctl.io/discriminator"], "d-dev");
    assert_eq!(objects[1]["spec"]["containers"][0]["image"], "app:1");
    let mut files = files;
    files[3].1 = &other;
    assert!(Stage::new(&files).target("dev").run().error().contains("app"), "the entry is for another container");
    let error = Stage::new(&files).target("lost").cluster(&[]).run().error();
    assert!(error.contains("context nowhere does not exist"), "{error}");
    let args = shows(&["target.args is defined", "target.context"]);
    files[2].1 = &args;
    assert_eq!(shown(&Stage::new(&files[..3]).target("plain").run().objects()[0]), json!([false, ""]));
}

#[test]
fn targets_without_name_and_with_the_name_of_another_are_left_out_with_a_warning() {
    let config = "targets:\n- args: {}\n- name: a\n  args: {v: 1}\n- name: '{{ \"a\" }}'\n  args: {v: 2}\n";
    let object = shows(&["args.v"]);
    let outcome =
        Stage::new(&[(".kluctl.yaml", config), ("deployment.yaml", ITEM), ("item/a.yaml", &object)]).target("a").run();
    assert_eq!(outcome.warnings, ["Target at index 0 has no name", "Duplicate target a"]);
    assert_eq!(shown(&outcome.objects()[0]), json!([1]));
}

#[test]
fn fields_of_older_generations_are_refused_with_their_place() {
    for field in ["deployment", "clusters", "sealedSecrets", "secretsConfig", "sealingConfig", "secretSets"] {
        let error = Stage::new(&[(".kluctl.yaml", &format!("args: []\n{field}: {{}}\n"))]).run().error();
        assert!(error.contains(&format!(".kluctl.yaml:2:1: unknown field \"{field}\"")), "{error}");
    }
    for field in ["cluster", "targetConfig", "dynamicArgs", "sealingConfig", "serviceAccount"] {
        let config = format!("targets:\n- name: a\n  {field}: x\n");
        let error = Stage::new(&[(".kluctl.yaml", &config)]).target("a").run().error();
        assert!(error.contains(&format!(".kluctl.yaml:3:3: unknown field \"{field}\"")), "{error}");
    }
    for field in [
        "args",
        "sealedSecrets",
        "secrets",
        "includes",
        "kustomizeDirs",
        "templateExcludes",
        "inheritTags",
        "deleteByLabels",
    ] {
        let error = Stage::new(&[("deployment.yaml", &format!("tags: []\n{field}: x\n"))]).run().error();
        assert!(error.contains(&format!("deployment.yaml:2:1: unknown field \"{field}\"")), "{error}");
    }
}

#[test]
fn unknown_fields_of_every_structure_are_named_with_their_place() {
    for entry in [
        "deployments: [{path: a, NOPE: 1}]",
        "deployments: [{git: {url: 'https://h/a', NOPE: 1}}]",
        "deployments: [{git: {url: 'https://h/a', ref: {NOPE: a}}}]",
        "deployments: [{oci: {url: 'oci://h/a', NOPE: 1}}]",
        "deployments: [{oci: {url: 'oci://h/a', ref: {NOPE: a}}}]",
        "deployments: [{deleteObjects: [{name: a, kind: b, NOPE: 1}]}]",
        "deployments: [{waitReadinessObjects: [{name: a, kind: b, NOPE: 1}]}]",
        "ignoreForDiff: [{fieldPath: a, NOPE: 1}]",
        "conflictResolution: [{fieldPath: a, action: ignore, NOPE: 1}]",
        "vars: [{values: {}, NOPE: 1}]",
        "vars: [{git: {url: 'https://h/a', path: a, NOPE: 1}}]",
        "vars: [{gitFiles: {url: 'https://h/a', NOPE: 1}}]",
        "vars: [{gitFiles: {url: 'https://h/a', files: [{glob: a, NOPE: 1}]}}]",
        "vars: [{clusterConfigMap: {name: a, namespace: b, key: c, NOPE: 1}}]",
        "vars: [{clusterSecret: {name: a, namespace: b, key: c, NOPE: 1}}]",
        "vars: [{clusterObject: {kind: a, name: a, path: c, NOPE: 1}}]",
        "vars: [{http: {url: a, NOPE: 1}}]",
        "vars: [{awsSecretsManager: {secretName: a, NOPE: 1}}]",
        "vars: [{gcpSecretManager: {secretName: a, NOPE: 1}}]",
        "vars: [{azureKeyVault: {secretName: a, vaultUri: b, NOPE: 1}}]",
        "vars: [{vault: {address: a, path: b, NOPE: 1}}]",
    ] {
        let error = Stage::new(&[("deployment.yaml", entry)]).run().error();
        let column = entry.find("NOPE").unwrap() + 1;
        assert!(error.contains("deployment.yaml:1:") && error.contains("NOPE"), "{entry}: {error}");
        let exact = error.contains(&format!("deployment.yaml:1:{column}: unknown field \"NOPE\""));
        // The texts of references are read by rules of their own, which know the place of the whole value only.
        assert!(exact || entry.contains("git: {"), "{entry}: {error}");
    }
    for (name, text) in [
        (".kluctl.yaml", "aws: {NOPE: 1}"),
        (".kluctl.yaml", "aws: {serviceAccount: {NOPE: 1}}"),
        (".kluctl.yaml", "args: [{name: a, NOPE: 1}]"),
        (".kluctl.yaml", "targets: [{name: a, aws: {NOPE: 1}}]"),
        ("sub/.kluctl-library.yaml", "NOPE: 1"),
        ("sub/.kluctl-library.yaml", "args: [{name: a, NOPE: 1}]"),
    ] {
        let files = [("deployment.yaml", "deployments: [{include: sub}]"), ("sub/deployment.yaml", ""), (name, text)];
        let error = Stage::new(&files).run().error();
        let place = format!("{name}:1:{}: unknown field \"NOPE\"", text.find("NOPE").unwrap() + 1);
        assert!(error.contains(&place), "{place}: {error}");
    }
}

#[test]
fn output_only_fields_are_refused() {
    let cases = [
        ("deployments: [{path: a, renderedObjects: [{kind: A, name: b}]}]", "renderedObjects is not allowed here"),
        (
            "deployments: [{path: a, renderedHelmChartConfig: {helmChart: {path: a, releaseName: b}}}]",
            "renderedHelmChartConfig is not allowed here",
        ),
        ("deployments: [{path: a, renderedInclude: {}}]", "renderedInclude is not allowed here"),
        ("vars: [{values: {}, renderedVars: {a: 1}}]", "renderedVars is not allowed here"),
        ("vars: [{values: {}, renderedSensitive: true}]", "renderedSensitive is not allowed here"),
    ];
    for (text, wanted) in cases {
        let error = Stage::new(&[("deployment.yaml", text), ("a/a.yaml", MAP)]).run().error();
        assert!(error.ends_with(wanted), "{error}");
    }
}

#[test]
fn every_kind_of_item_keeps_its_fields() {
    let deployment = "deployments:\n- path: item\n  waitReadiness: true\n  barrier: true\n  message: first\n\
                      - barrier: true\n\
                      - deleteObjects: [{group: apps, kind: Deployment, name: old, namespace: ns}, {group: '', name: b}]\n\
                      - waitReadinessObjects: [{kind: Job, name: j}]\n\
                      - path: annotated\n- tags: [only, a, tag]\n";
    let kustomization =
        "resources: [a.yaml]\nmetadata:\n  annotations: {kluctl.io/barrier: T, kluctl.io/wait-readiness: '1'}\n";
    let found = items(Stage::new(&[
        ("deployment.yaml", deployment),
        ("item/a.yaml", MAP),
        ("annotated/kustomization.yaml", kustomization),
        ("annotated/a.yaml", &map("b")),
    ]));
    let flags: Vec<_> = found
        .iter()
        .map(|item| (item.barrier, item.wait_readiness, item.message.as_deref(), item.objects.len()))
        .collect();
    let wanted = [
        (true, true, Some("first"), 1),
        (true, false, None, 0),
        (false, false, None, 0),
        (false, false, None, 0),
        (true, true, None, 1),
        (false, false, None, 0),
    ];
    assert_eq!(flags, wanted);
    let deletes = serde_json::to_value(&found[2].delete_objects).unwrap();
    let old = json!({"group": "apps", "kind": "Deployment", "name": "old", "namespace": "ns"});
    assert_eq!(deletes, json!([old, {"group": "", "name": "b"}]));
    let waits = serde_json::to_value(&found[3].wait_readiness_objects).unwrap();
    assert_eq!(waits, json!([{"kind": "Job", "name": "j"}]));
    assert_eq!(found[5].tags, ["only", "a", "tag"]);
}

#[test]
fn recursive_items_take_files_of_all_directories() {
    let files = [("item/a.yaml", map("a")), ("item/deep/er/b.yaml", map("b")), ("item/deep/c.txt", "no".into())];
    for (recursive, wanted) in [("false", &["a"][..]), ("true", &["a", "b"])] {
        let deployment = format!("deployments:\n- path: item\n  recursive: {recursive}\n");
        let mut all = vec![("deployment.yaml", deployment.as_str())];
        all.extend(files.iter().map(|(name, text)| (*name, text.as_str())));
        assert_eq!(names(&Stage::new(&all).run().objects()), wanted);
    }
}

#[test]
fn always_deploy_of_an_include_holds_for_every_item_below() {
    let included = |extra: &str| names_of(with_include(extra).include_tag("own"));
    assert_eq!(included(""), ["own"]);
    assert_eq!(included("  alwaysDeploy: true\n"), ["own", "inner"]);
}

fn names_of(stage: Stage) -> Vec<String> {
    names(&stage.run().objects()).into_iter().map(str::to_owned).collect()
}

#[test]
fn only_render_of_an_include_holds_for_every_item_below() {
    assert_eq!(names_of(with_include("")), ["own", "inner"]);
    assert_eq!(names_of(with_include("  onlyRender: true\n")), ["own"]);
    // Bases of other items are rendered whatever is selected.
    let root = "deployments:\n- include: bases\n  onlyRender: true\n- path: app\n";
    let files = [
        ("deployment.yaml", root),
        ("bases/deployment.yaml", "deployments:\n- path: one\n"),
        ("bases/one/kustomization.yaml", "resources: [a.yaml]\n"),
        ("bases/one/a.yaml", MAP),
        ("app/kustomization.yaml", "resources: [../bases/one]\n"),
    ];
    assert_eq!(names_of(Stage::new(&files).include_tag("app")), ["a"]);
}

#[test]
fn skip_delete_if_tags_of_an_include_marks_every_object_below() {
    let marks = |extra: &str| -> Vec<Value> {
        let objects = with_include(extra).run().objects();
        objects.iter().map(|o| o["metadata"]["annotations"]["kluctl.io/skip-delete-if-tags"].clone()).collect()
    };
    assert_eq!(marks(""), [Value::Null, Value::Null]);
    assert_eq!(marks("  skipDeleteIfTags: true\n"), [Value::Null, json!("true")]);
}

#[test]
fn an_include_waits_for_objects_and_at_its_barrier_behind_its_items() {
    let extra = "  waitReadinessObjects: [{kind: Job, name: j}]\n  barrier: true\n  message: sub is there\n";
    let found = items(with_include(extra));
    let order: Vec<_> = found
        .iter()
        .map(|item| (item.objects.len(), item.wait_readiness_objects.len(), item.barrier, item.message.as_deref()))
        .collect();
    let wanted = [(1, 0, false, None), (1, 0, false, None), (0, 1, false, None), (0, 0, true, Some("sub is there"))];
    assert_eq!(order, wanted);
    let own = items(with_include(extra).include_tag("own"));
    assert!(own.iter().all(|item| item.wait_readiness_objects.is_empty()), "nobody waits for what is left out");
    assert!(own.last().unwrap().barrier);
    let below = items(with_include(extra).include_tag("below"));
    assert_eq!(below.iter().filter(|item| !item.wait_readiness_objects.is_empty()).count(), 1);
}

#[test]
fn fields_that_could_do_nothing_are_refused_with_their_place() {
    for (text, place, reason) in [
        (
            "deployments:\n- path: item\n- include: sub\n  deleteObjects: [{kind: A, name: b}]\n",
            "deployment.yaml:4:",
            "deployments[1].deleteObjects: an include can not delete objects; put `deleteObjects` into an entry of its own",
        ),
        (
            "vars:\n- values: {a: 1}\n  targetPath: b\n  multidoc: true\n",
            "deployment.yaml:4:",
            "vars[0].multidoc: `values` reads no documents",
        ),
        (
            "deployments:\n- path: item\n  vars:\n  - gitFiles: {url: 'https://h/a', files: []}\n    multidoc: true\n",
            "deployment.yaml:5:",
            "deployments[0].vars[0].multidoc: `gitFiles` reads no documents; use `yamlMultiDoc` of its `files`",
        ),
    ] {
        let files = [("deployment.yaml", text), ("item/a.yaml", MAP), ("sub/deployment.yaml", "")];
        let error = Stage::new(&files).run().error();
        assert!(error.contains(place) && error.contains(reason), "{error}");
    }
    let barrier = Stage::new(&[("deployment.yaml", "deployments:\n- deleteObjects: [{kind: A, name: b}]\n")]).run();
    assert!(barrier.prepared.is_ok());
}

#[test]
fn args_of_an_include_that_is_no_library_are_warned_about() {
    let root = "deployments:\n- include: sub\n  args: {a: 2}\n  passVars: true\n  vars:\n  - values: {w: 1}\n";
    let object = shows(&["args", "w"]);
    let plain = [("deployment.yaml", root), ("sub/deployment.yaml", ITEM), ("sub/item/a.yaml", object.as_str())];
    let outcome = Stage::new(&plain).args(json!({"a": 1})).run();
    assert_eq!(outcome.warnings.len(), 1);
    assert!(
        outcome.warnings[0].starts_with("the include `sub` has no `.kluctl-library.yaml`"),
        "{:?}",
        outcome.warnings
    );
    assert_eq!(shown(&outcome.objects()[0]), json!([{"a": 1}, 1]));
    let library = [&plain[..], &[("sub/.kluctl-library.yaml", "")]].concat();
    let outcome = Stage::new(&library).args(json!({"a": 1})).run();
    assert!(outcome.warnings.is_empty());
    assert_eq!(shown(&outcome.objects()[0]), json!([{"a": 2}, 1]));
}

#[test]
fn pass_vars_gives_a_library_all_variables_but_args() {
    let object = shows(&["v | default('none')", "target is defined", "args"]);
    let files = |pass: &str| {
        let root =
            format!("vars:\n- values: {{v: 1}}\ndeployments:\n- include: sub\n  args: {{a: 2}}\n  passVars: {pass}\n");
        let stage = Stage::new(&[
            ("deployment.yaml", &root),
            ("sub/.kluctl-library.yaml", "args:\n- name: a\n- name: b.c\n  default: 3\n"),
            ("sub/deployment.yaml", ITEM),
            ("sub/item/a.yaml", &object),
        ]);
        shown(&stage.args(json!({"own": 1})).run().objects()[0])
    };
    let args = json!({"a": 2, "b": {"c": 3}});
    assert_eq!(files("true"), json!([1, true, args]));
    assert_eq!(files("false"), json!(["none", false, args]));
}

#[test]
fn rules_of_inner_projects_come_first_with_all_their_fields() {
    let root = "ignoreForDiff:\n- {fieldPath: outer}\nconflictResolution:\n- {fieldPath: outer, action: ignore}\n\
                deployments:\n- include: sub\n";
    let sub = "ignoreForDiff:\n- {fieldPath: [a.b, c], fieldPathRegex: 'x.*', group: g, kind: K, name: nm, namespace: s}\n\
               conflictResolution:\n- {fieldPath: a, fieldPathRegex: [re, 7], manager: m, group: g, kind: K, name: nm, \
               namespace: s, action: force-apply}\ndeployments:\n- path: item\n";
    let found = items(Stage::new(&[("deployment.yaml", root), ("sub/deployment.yaml", sub), ("sub/item/a.yaml", MAP)]));
    let (ignores, conflicts) = (&found[0].ignore_for_diff, &found[0].conflict_resolution);
    let place = json!({"group": "g", "kind": "K", "name": "nm", "namespace": "s"});
    let inner = |fields: Value| {
        let mut all = place.clone();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        all
    };
    let wanted = inner(json!({"fieldPath": ["a.b", "c"], "fieldPathRegex": ["x.*"]}));
    assert_eq!(serde_json::to_value(&ignores[0]).unwrap(), wanted);
    assert_eq!(ignores[1].field_path, OneOrMany::One("outer".into()));
    let wanted =
        inner(json!({"fieldPath": ["a"], "fieldPathRegex": ["re", "7"], "manager": ["m"], "action": "force-apply"}));
    assert_eq!(serde_json::to_value(&conflicts[0]).unwrap(), wanted);
    assert_eq!(conflicts[1].action, Some(ConflictAction::Ignore));
}

#[test]
fn labels_annotations_and_namespace_of_the_innermost_project_win() {
    let root = "commonLabels: {a: root, b: root}\ncommonAnnotations: {a: root, b: root}\noverrideNamespace: outer\n\
                deployments:\n- path: item\n- include: sub\n- include: none\n";
    let sub =
        "commonLabels: {b: sub}\ncommonAnnotations: {b: sub}\noverrideNamespace: inner\ndeployments:\n- path: item\n";
    let objects = Stage::new(&[
        ("deployment.yaml", root),
        ("item/a.yaml", &map("a")),
        ("sub/deployment.yaml", sub),
        ("sub/item/a.yaml", &map("b")),
        ("none/deployment.yaml", "overrideNamespace: ''\ndeployments:\n- path: item\n"),
        ("none/item/a.yaml", &map("c")),
    ]);
    let facts: Vec<Value> = objects.run().objects().iter().map(|object| facts_of(&object["metadata"])).collect();
    let wanted = [
        json!(["outer", "root", "root", "root", "root"]),
        json!(["inner", "root", "sub", "root", "sub"]),
        json!([null, "root", "root", "root", "root"]),
    ];
    assert_eq!(facts, wanted);
}

fn facts_of(metadata: &Value) -> Value {
    let (labels, annotations) = (&metadata["labels"], &metadata["annotations"]);
    json!([metadata["namespace"], labels["a"], labels["b"], annotations["a"], annotations["b"]])
}

#[test]
fn git_and_oci_includes_take_their_reference_and_directory() {
    let include = |source: &str| {
        let root = format!("deployments:\n- {source}\n");
        let texts = ["default", "next", "v1", "oci", "sub"].map(map);
        let places = ["lib/", "lib-next/", "lib-v1/", "oci/", "lib/sub/"];
        let mut files = vec![("deployment.yaml".to_owned(), root)];
        for (place, text) in places.iter().zip(texts) {
            files.push((format!("../libs/{place}deployment.yaml"), ITEM.to_owned()));
            files.push((format!("../libs/{place}item/a.yaml"), text));
        }
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        names_of(Stage::new(&files))
    };
    for (source, wanted) in [
        ("git: https://h/lib.git", "default"),
        ("git: {url: 'https://h/lib.git', ref: {branch: next}}", "next"),
        ("git: {url: 'https://h/lib.git', ref: {tag: v1}}", "v1"),
        ("git: {url: 'https://h/lib.git', subDir: sub}", "sub"),
        ("oci: {url: 'oci://h/lib'}", "oci"),
    ] {
        assert_eq!(include(source), [wanted], "{source}");
    }
}

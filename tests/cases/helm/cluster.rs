//! Charts and the live cluster: kinds that a chart brings along, and `lookup`.

use serde_json::Value;
use windlass_tests::{ControlPlane, Options, TestProject};

use super::{chart, choose, refused, release};

const KIND: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: KIND, plural: PLURAL}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
";

fn kind(kind: &str, plural: &str) -> String {
    KIND.replace("PLURAL", plural).replace("KIND", kind)
}

#[test]
fn a_chart_brings_its_kinds_and_objects_of_them_in_one_run() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let project = release("path: ../chart, namespace: default").on(&plane);
    let object = "apiVersion: example.com/v1\nkind: KIND\nmetadata: {name: it}\nspec: {size: {{ .Values.size }}}\n";
    let (of_folder, of_template) = (object.replace("KIND", "Wheel"), object.replace("KIND", "Rope"));
    let files = [
        ("crds/wheels.yaml", kind("Wheel", "wheels")),
        ("templates/kind.yaml", kind("Rope", "ropes")),
        ("templates/wheel.yaml", of_folder),
        ("templates/rope.yaml", of_template),
        ("values.yaml", "size: 3\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, &**text)).collect();
    move_into(&project, &chart(project.work(), "wheels", "1.0.0", &files));
    let preview = project.succeed(&["diff"]);
    for name in ["Wheel/it", "Rope/it", "CustomResourceDefinition/wheels.example.com"] {
        assert!(preview.stdout.contains(name), "{name}: {preview:?}");
    }
    assert!(!preview.stdout.contains("Errors:"), "{preview:?}");
    let deployed = project.succeed(&["deploy", "--yes"]);
    assert!(!deployed.stdout.contains("Errors:"), "{deployed:?}");
    for plural in ["wheels", "ropes"] {
        let path = format!("/apis/example.com/v1/namespaces/default/{plural}/it");
        let object = plane.get(&path).expect("an answer").expect("the object");
        assert_eq!(object["spec"]["size"], 3);
    }
    assert_eq!(project.succeed(&["diff"]).stdout, "");
}

fn move_into(project: &TestProject, chart: &std::path::Path) {
    let target = project.dir().join("chart");
    let _ = std::fs::remove_dir_all(&target);
    std::fs::rename(chart, target).expect("a folder");
}

/// Renders a chart with one ConfigMap whose `data` these lines make.
fn ask(project: &TestProject, lines: &str) -> windlass_tests::Answer {
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: answers}}\ndata:\n{lines}");
    let folder = chart(project.work(), "asks", "1.0.0", &[("templates/map.yaml", &map)]);
    move_into(project, &folder);
    choose(project, "path: ../chart, namespace: team");
    project.run(&["render", "--print-all"])
}

fn answers(answer: &windlass_tests::Answer) -> Value {
    assert_eq!(answer.code, 0, "{answer:?}");
    windlass_tests::yaml::load(&answer.stdout).expect("a document")["data"].clone()
}

const OBJECTS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: team}}
---
{apiVersion: v1, kind: Secret, metadata: {name: login, namespace: team}, stringData: {user: me}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: team}, data: {x: '1'}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: team}, data: {x: '2'}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: maps, namespace: team}
rules:
- {apiGroups: [''], resources: [configmaps], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: maps, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: maps}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: limited}]
";

const MAPS: &str = "  one: '{{ (lookup \"v1\" \"ConfigMap\" \"team\" \"b\").data.x }}'
  list: '{{ range (lookup \"v1\" \"ConfigMap\" \"team\" \"\").items }}{{ .metadata.name }}={{ .data.x }} {{ end }}'
";

#[test]
fn lookup_reads_the_live_cluster_and_nothing_else() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    plane.apply(OBJECTS).expect("objects");
    let project = release("path: ../chart").on(&plane);
    plane.forget_requests();
    let lines = format!(
        "{MAPS}{}",
        "  secret: '{{ eq \"me\" ((lookup \"v1\" \"Secret\" \"team\" \"login\").data.user | b64dec) }}'
  absent: '{{ lookup \"v1\" \"Secret\" \"team\" \"absent\" | empty }}'
  absentList: '{{ lookup \"v1\" \"Secret\" \"nowhere\" \"\" | toJson }}'
  unknownKind: '{{ lookup \"example.com/v1\" \"Nothing\" \"team\" \"x\" | empty }}'
  unknownList: '{{ lookup \"example.com/v1\" \"Nothing\" \"\" \"\" | empty }}'
  clusterWide: '{{ (lookup \"v1\" \"Namespace\" \"\" \"team\").metadata.name }}'
  withNamespace: '{{ (lookup \"v1\" \"Namespace\" \"ignored\" \"team\").metadata.name }}'
  everywhere: '{{ gt (len (lookup \"v1\" \"ConfigMap\" \"\" \"\").items) 2 }}'
  group: '{{ (lookup \"rbac.authorization.k8s.io/v1\" \"Role\" \"team\" \"maps\").metadata.name }}'
"
    );
    let data = answers(&ask(&project, &lines));
    let of = |name: &str| data[name].as_str().unwrap_or_default().trim().to_owned();
    assert_eq!((of("one"), of("list").contains("a=2 b=1")), ("1".into(), true), "{data}");
    for name in ["secret", "absent", "unknownKind", "unknownList", "everywhere"] {
        assert_eq!(of(name), "true", "{name}: {data}");
    }
    assert_eq!((of("clusterWide"), of("withNamespace"), of("group")), ("team".into(), "team".into(), "maps".into()));
    assert!(of("absentList").contains("\"items\":[]"), "{data}");
    let requests = plane.requests();
    assert!(!requests.is_empty() && requests.iter().all(|request| !request.writes()), "{requests:#?}");
    // Without a cluster nothing is found.
    let mut offline = project.command(&["render", "--print-all", "--offline-kubernetes"]);
    let stdout = offline.output().expect("a run").stdout;
    assert!(!String::from_utf8_lossy(&stdout).contains("a=2"));
}

#[test]
fn an_account_of_one_namespace_looks_up_there_and_is_told_what_it_may_not_read() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    plane.apply(OBJECTS).expect("objects");
    let project = release("path: ../chart").with_kubeconfig(plane.kubeconfig_of("limited"));
    let data = answers(&ask(&project, MAPS));
    assert_eq!(data["one"], "1");
    for question in ["\"team\" \"login\"", "\"team\" \"\"", "\"\" \"\""] {
        let answer = ask(&project, &format!("  x: '{{{{ lookup \"v1\" \"Secret\" {question} | toJson }}}}'\n"));
        refused(&answer, "rendering helm chart asks for release r has failed");
        assert!(answer.stderr.contains("forbidden") && answer.stderr.contains("secrets"), "{answer:?}");
    }
}

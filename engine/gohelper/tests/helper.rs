//! The embedded helper, asked through the public interface.
#![cfg(feature = "bundled-go")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use windlass_gohelper::{GoHelper, HelmCapabilities, HelmRequest, HelperError, KustomizeRequest, Output};

fn helper() -> GoHelper {
    GoHelper::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gohelper"))
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

async fn kustomize(root: &Path, dir: &str) -> Result<Output, HelperError> {
    let request = KustomizeRequest { dir: root.join(dir), root: root.to_owned() };
    helper().kustomize_build(request).await
}

fn chart(dir: &Path) -> HelmRequest {
    HelmRequest {
        chart_dir: dir.to_owned(),
        release_name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        values: String::new(),
        values_name: "helm-values.yaml".to_owned(),
        capabilities: HelmCapabilities::default(),
        skip_crds: false,
    }
}

const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: ch\nversion: 0.1.0\n");

fn message(result: Result<Output, HelperError>) -> String {
    match result {
        Err(HelperError::Build { message } | HelperError::Encoding { message }) => message,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn versions_are_those_of_the_reference() {
    let version = helper().version().await.unwrap();
    assert!(version.helm.starts_with("v4.2."), "{version:?}");
    assert!(version.kustomize.starts_with("v0.21."), "{version:?}");
}

#[tokio::test]
async fn kustomize_keeps_order_and_exact_integers() {
    let root = tree(&[
        ("k/kustomization.yaml", "resources: [b.yaml, a.yaml]\nnamePrefix: p-\n"),
        ("k/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("k/b.yaml", "apiVersion: x/v1\nkind: B\nmetadata: {name: b}\nspec: {n: 12345678901234567890, s: yes}\n"),
    ]);
    let output = kustomize(root.path(), "k").await.unwrap();
    assert_eq!(
        output.objects,
        [
            json!({"apiVersion": "x/v1", "kind": "B", "metadata": {"name": "p-b"},
                   "spec": {"n": 12345678901234567890_u64, "s": "yes"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p-a"}}),
        ]
    );
}

/// A log line without its `2006/01/02 15:04:05 `.
fn without_time(line: &str) -> &str {
    let is_time = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "/: ".contains(c));
    let (time, text) = line.split_at_checked(20).expect("a time and a text");
    assert!(is_time(time), "{line}");
    text
}

#[tokio::test]
async fn kustomize_warnings_belong_to_their_request() {
    let root = tree(&[
        ("sorted/kustomization.yaml", "resources: []\nsortOptions: {order: legacy}\n"),
        ("plain/kustomization.yaml", "resources: []\n"),
        ("old/kustomization.yaml", "resources: []\ncommonLabels: {a: b}\n"),
    ]);
    let (sorted, plain, old) =
        tokio::join!(kustomize(root.path(), "sorted"), kustomize(root.path(), "plain"), kustomize(root.path(), "old"),);
    let sorted = sorted.unwrap().warnings;
    assert_eq!(sorted.len(), 1, "{sorted:?}");
    assert!(without_time(&sorted[0]).starts_with("Warning: Sorting order is set both in"), "{sorted:?}");
    assert!(plain.unwrap().warnings.is_empty());
    let old = old.unwrap().warnings;
    assert_eq!(old.len(), 1, "{old:?}");
    assert!(old[0].contains("'commonLabels' is deprecated"), "{old:?}");
}

#[tokio::test]
async fn kustomize_errors_are_its_own() {
    let root = tree(&[("k/kustomization.yaml", "resources: []\nnope: 1\n")]);
    let text = message(kustomize(root.path(), "k").await);
    assert!(text.contains("unknown field \"nope\""), "{text}");
}

#[tokio::test]
async fn kustomize_reads_nothing_outside_of_the_root() {
    let outside = tree(&[("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")]);
    let root = tree(&[("k/kustomization.yaml", "resources: [x.yaml]\n")]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path().join("x.yaml"), root.path().join("k/x.yaml")).unwrap();
    let text = message(kustomize(root.path(), "k").await);
    assert!(text.contains("fs-security-constraint open"), "{text}");
    assert!(text.contains("is not in or below"), "{text}");
}

#[tokio::test]
async fn a_base_outside_of_the_root_is_refused() {
    let all = tree(&[
        ("root/k/kustomization.yaml", "resources: [../../base]\n"),
        ("base/kustomization.yaml", "resources: []\n"),
    ]);
    let text = message(kustomize(&all.path().join("root"), "k").await);
    assert!(text.contains("fs-security-constraint"), "{text}");
}

#[tokio::test]
async fn infinite_numbers_are_an_encoding_error() {
    let root = tree(&[
        ("k/kustomization.yaml", "resources: [a.yaml]\n"),
        ("k/a.yaml", "apiVersion: x/v1\nkind: A\nmetadata: {name: a}\nspec: {a: .inf}\n"),
    ]);
    let error = kustomize(root.path(), "k").await.unwrap_err();
    assert!(matches!(error, HelperError::Encoding { .. }), "{error:?}");
    assert_eq!(error.to_string(), "error marshaling into JSON: json: unsupported value: +Inf");
}

#[tokio::test]
async fn a_custom_schema_does_not_leak_into_the_next_build() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: a, image: i}]}}}\n";
    let patch = "patches: [{patch: '{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"b\",\"image\":\"i\"}]}}}}'}]\n";
    let root = tree(&[
        ("custom/schema.json", "{\"definitions\": {}}"),
        ("custom/kustomization.yaml", &format!("resources: [d.yaml]\nopenapi: {{path: schema.json}}\n{patch}")),
        ("custom/d.yaml", deployment),
        ("plain/kustomization.yaml", &format!("resources: [d.yaml]\n{patch}")),
        ("plain/d.yaml", deployment),
    ]);
    let containers =
        |output: Output| output.objects[0]["spec"]["template"]["spec"]["containers"].as_array().map(Vec::len);
    let helper = helper();
    let build = |dir: &str| {
        helper.kustomize_build(KustomizeRequest { dir: root.path().join(dir), root: root.path().to_owned() })
    };
    assert_eq!(containers(build("custom").await.unwrap()), Some(1));
    assert_eq!(containers(build("plain").await.unwrap()), Some(2));
}

#[tokio::test]
async fn many_requests_share_one_helper() {
    let root = tree(&[
        ("k/kustomization.yaml", "resources: [a.yaml]\nnameSuffix: -s\n"),
        ("k/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ]);
    let helper = helper();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let helper = helper.clone();
        let request = KustomizeRequest { dir: root.path().join("k"), root: root.path().to_owned() };
        tasks.spawn(async move { helper.kustomize_build(request).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.len(), 100);
    for result in results {
        assert_eq!(result.unwrap().objects[0]["metadata"]["name"], "a-s");
    }
}

#[tokio::test]
async fn helm_renders_crds_manifests_and_hooks_without_tests() {
    let dir = tree(&[
        CHART,
        ("crds/c.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n"),
        ("templates/NOTES.txt", "hello"),
        (
            "templates/a.yaml",
            "kind: Zed\napiVersion: z/v1\nmetadata: {name: '{{ .Values.a }}'}\n---\nkind: Service\napiVersion: v1\nmetadata: {name: s}\n",
        ),
        (
            "templates/h.yaml",
            "kind: A\napiVersion: v1\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n---\nkind: A\napiVersion: v1\nmetadata: {name: t, annotations: {helm.sh/hook: 'pre-install, test'}}\n---\nkind: A\napiVersion: v1\nmetadata: {name: u, annotations: {helm.sh/hook: crd-install}}\n",
        ),
    ]);
    let mut request = chart(dir.path());
    request.values = "a: yes\n".to_owned();
    let output = helper().helm_template(request.clone()).await.unwrap();
    let names = |output: &Output| -> Vec<Value> {
        output.objects.iter().map(|object| object["metadata"]["name"].clone()).collect()
    };
    assert_eq!(names(&output), ["c", "s", "true", "h"]);
    let warnings: Vec<&str> = output.warnings.iter().map(|text| without_time(text)).collect();
    assert_eq!(warnings, ["INFO skipping unknown hooks hookTypes=crd-install"]);
    request.skip_crds = true;
    assert_eq!(names(&helper().helm_template(request).await.unwrap()), ["s", "true", "h"]);
}

#[tokio::test]
async fn helm_takes_the_last_of_duplicate_keys() {
    let dir = tree(&[
        CHART,
        ("templates/a.yaml", "kind: A\napiVersion: v1\nmetadata: {name: a}\ndata: {a: one}\ndata: {a: two}\n"),
    ]);
    let output = helper().helm_template(chart(dir.path())).await.unwrap();
    assert_eq!(output.objects[0]["data"]["a"], "two");
}

#[tokio::test]
async fn helm_capabilities_are_the_callers() {
    let dir = tree(&[
        CHART,
        (
            "templates/a.yaml",
            "kind: A\napiVersion: v1\nmetadata: {name: a}\nv: '{{ .Capabilities.KubeVersion }}'\nhas: [{{ .Capabilities.APIVersions.Has \"apps/v1\" }}, {{ .Capabilities.APIVersions.Has \"a/v1/B\" }}]\n",
        ),
    ]);
    let default = helper().helm_template(chart(dir.path())).await.unwrap();
    assert_eq!(default.objects[0]["v"], "v1.36.0");
    assert_eq!(default.objects[0]["has"], json!([true, false]));
    let mut request = chart(dir.path());
    request.capabilities =
        HelmCapabilities { kube_version: Some("1.27.3".to_owned()), api_versions: Some(vec!["a/v1/B".to_owned()]) };
    let given = helper().helm_template(request).await.unwrap();
    assert_eq!(given.objects[0]["v"], "v1.27.3");
    assert_eq!(given.objects[0]["has"], json!([false, true]));
}

async fn helm_message(files: &[(&str, &str)], change: impl FnOnce(&mut HelmRequest)) -> String {
    let dir = tree(files);
    let mut request = chart(dir.path());
    change(&mut request);
    message(helper().helm_template(request).await)
}

#[tokio::test]
async fn helm_refusals_are_helms_own() {
    let long = "a".repeat(54);
    assert_eq!(
        helm_message(&[CHART], |request| request.release_name = long.clone()).await,
        format!(
            "release name check failed: release name \"{long}\": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
        )
    );
    assert_eq!(
        helm_message(&[("Chart.yaml", "apiVersion: v2\nname: l\nversion: 0.1.0\ntype: library\n")], |_| {}).await,
        "library charts are not installable"
    );
    assert_eq!(
        helm_message(&[("Chart.yaml", "apiVersion: v2\nname: l\nversion: 0.1.0\nkubeVersion: '<1.20'\n")], |_| {})
            .await,
        "chart requires kubeVersion: <1.20 which is incompatible with Kubernetes v1.36.0"
    );
    assert_eq!(
        helm_message(&[CHART, ("templates/a.yaml", "{{ required \"need it\" .Values.x }}\n")], |_| {}).await,
        "execution error at (ch/templates/a.yaml:1:3): need it"
    );
    assert_eq!(
        helm_message(&[CHART], |request| request.values = "- 1\n".to_owned()).await,
        "failed to parse helm-values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
}

#[tokio::test]
async fn a_deprecated_chart_warns() {
    let dir = tree(&[("Chart.yaml", "apiVersion: v2\nname: old\nversion: 0.1.0\ndeprecated: true\n")]);
    let output = helper().helm_template(chart(dir.path())).await.unwrap();
    assert_eq!(output.warnings, ["Chart old is deprecated"]);
}

#[tokio::test]
async fn an_unusable_cache_folder_is_named() {
    let dir = tree(&[("file", "")]);
    let helper = GoHelper::new(dir.path().join("file"));
    let error = helper.version().await.unwrap_err();
    assert!(error.to_string().contains("file/gohelper-"), "{error}");
}

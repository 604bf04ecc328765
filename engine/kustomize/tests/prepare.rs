//! The kustomization that an item's folder gets.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use windlass_kustomize::{
    GoHelper, HelmOutputFile, KustomizeError, PrepareOptions, Prepared, build, build_native, prepare,
};

fn tree(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in files {
        write(&dir, name, "");
    }
    dir
}

fn write(dir: &TempDir, name: &str, text: &str) {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn listed(files: &[&str], options: &PrepareOptions) -> Vec<String> {
    let prepared = prepare(tree(files).path(), options).unwrap();
    assert!(prepared.generated);
    serde_json::from_value(prepared.kustomization["resources"].clone()).unwrap()
}

fn recursive() -> PrepareOptions {
    PrepareOptions { recursive: true, item: "dir/i".to_owned(), ..PrepareOptions::default() }
}

fn with_output(config: &str, output: &str) -> PrepareOptions {
    let helm_outputs = vec![HelmOutputFile { config: config.to_owned(), output: output.to_owned() }];
    PrepareOptions { helm_outputs, ..PrepareOptions::default() }
}

fn prepared(name: &str, text: &str, options: &PrepareOptions) -> (Result<Prepared, KustomizeError>, String) {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, name, text);
    let result = prepare(dir.path(), options);
    (result, fs::read_to_string(dir.path().join(name)).unwrap())
}

#[test]
fn files_are_listed_by_name() {
    let files = [
        "b.yaml",
        "readme.md",
        "Z.yaml",
        "9.yaml",
        "c.YAML",
        "x.json",
        "helm-values.yaml",
        "sub/no.yaml",
        "a.yml",
        ".dot.yaml",
        "10.yaml",
        "Helm-Values.YML",
    ];
    let wanted = [".dot.yaml", "10.yaml", "9.yaml", "Z.yaml", "a.yml", "b.yaml", "c.YAML"];
    assert_eq!(listed(&files, &PrepareOptions::default()), wanted);
}

#[test]
fn a_recursive_listing_walks_in_order() {
    let files = ["z.yaml", "b.yaml", "a.yaml", "a/b/x.yaml", "a/y.yaml", "a/n.txt"];
    assert_eq!(listed(&files, &recursive()), ["a/b/x.yaml", "a/y.yaml", "a.yaml", "b.yaml", "z.yaml"]);
}

#[test]
fn nothing_to_list_is_no_error() {
    let dir = tree(&["readme.md"]);
    let prepared = prepare(dir.path(), &PrepareOptions::default()).unwrap();
    assert_eq!(fs::read_to_string(&prepared.path).unwrap().trim_end(), "resources: []");
    assert!(prepared.path.ends_with("kustomization.yml"));
}

#[test]
fn the_output_of_a_chart_is_listed_once() {
    let options = with_output("helm-chart.yaml", "helm-rendered.yaml");
    assert_eq!(
        listed(&["helm-chart.yaml", "helm-rendered.yaml", "z.yaml"], &options),
        ["helm-rendered.yaml", "z.yaml"]
    );
}

#[test]
fn an_output_in_a_sub_folder_or_with_another_ending_is_listed_in_place_of_the_chart() {
    let nested = with_output("helm-chart.yaml", "sub/out.yaml");
    assert_eq!(
        listed(&["a.yaml", "helm-chart.yaml", "sub/out.yaml", "z.yaml"], &nested),
        ["a.yaml", "sub/out.yaml", "z.yaml"]
    );
    let other = with_output("helm-chart.yaml", "out.txt");
    assert_eq!(listed(&["helm-chart.yaml", "out.txt"], &other), ["out.txt"]);
}

#[test]
fn the_files_of_a_chart_are_not_listed() {
    let options = PrepareOptions { recursive: true, ..with_output("helm-chart.yaml", "helm-rendered.yaml") };
    let files = ["chart/Chart.yaml", "chart/templates/a.yaml", "helm-chart.yaml", "helm-rendered.yaml"];
    assert_eq!(listed(&files, &options), ["helm-rendered.yaml"]);
    let item_is_chart = ["Chart.yaml", "values.yaml", "templates/a.yaml", "helm-chart.yaml", "helm-rendered.yaml"];
    assert_eq!(listed(&item_is_chart, &options), ["helm-rendered.yaml"]);
}

#[test]
fn recursion_and_kustomizations_exclude_each_other() {
    let own = prepare(tree(&["kustomization.yaml"]).path(), &recursive()).unwrap_err();
    assert_eq!(own.to_string(), "recursive: true cannot be used when a kustomization.yaml/yml already exists in dir/i");
    let nested = prepare(tree(&["a/kustomization.yaml"]).path(), &recursive()).unwrap_err();
    assert_eq!(
        nested.to_string(),
        "recursive: true cannot be used when a nested kustomization.yaml/yml already exists in a/kustomization.yaml"
    );
}

#[test]
fn the_file_is_written_in_normal_form() {
    let (result, text) =
        prepared("kustomization.yaml", "resources: [b.yaml]  # why\nnamePrefix: p-\n", &PrepareOptions::default());
    assert_eq!(text, "namePrefix: p-\nresources:\n- b.yaml\n");
    assert!(!result.unwrap().generated);
}

#[test]
fn the_namespace_in_force_fills_a_gap_only() {
    let options = PrepareOptions { override_namespace: Some("outer".to_owned()), ..PrepareOptions::default() };
    let namespace =
        |text: &str| prepared("kustomization.yml", text, &options).0.unwrap().kustomization["namespace"].clone();
    assert_eq!(namespace("resources: []\n"), "outer");
    assert_eq!(namespace("namespace: own\n"), "own");
    assert_eq!(namespace("namespace:\n"), json!(null));
    assert_eq!(namespace(""), "outer");
}

#[test]
fn annotations_of_the_kustomization_are_flags() {
    let flags = |value: &str| {
        let text =
            format!("metadata: {{annotations: {{kluctl.io/barrier: {value}, kluctl.io/wait-readiness: 'no'}}}}\n");
        let prepared = prepared("kustomization.yml", &text, &PrepareOptions::default()).0.unwrap();
        (prepared.barrier(), prepared.wait_readiness())
    };
    assert_eq!(flags("'true'"), (true, false));
    assert_eq!(flags("'1'"), (true, false));
    assert_eq!(flags("'yes'"), (false, false));
}

#[test]
fn what_is_no_kustomization_is_refused_and_left_alone() {
    let (result, text) = prepared("kustomization.yml", "- a\n", &PrepareOptions::default());
    assert!(matches!(result, Err(KustomizeError::NotAMapping { .. })));
    assert_eq!(text, "- a\n");
    let (result, _) = prepared("kustomization.yml", "a: [\n", &PrepareOptions::default());
    assert!(matches!(result, Err(KustomizeError::Syntax { .. })));
    let (result, _) = prepared("kustomization.yml", "a: 1\na: 2\n", &PrepareOptions::default());
    assert!(matches!(result, Err(KustomizeError::Syntax { .. })));
    let missing = prepare(Path::new("/nowhere/at/all"), &PrepareOptions::default());
    assert!(matches!(missing, Err(KustomizeError::Io { .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_inside_of_the_root_only() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let outside = tempfile::tempdir().unwrap();
    write(&outside, "x.yaml", map);
    let root = tempfile::tempdir().unwrap();
    write(&root, "common/a.yaml", map);
    write(&root, "item/note.txt", "");
    let item = root.path().join("item");
    std::os::unix::fs::symlink("../common/a.yaml", item.join("a.yaml")).unwrap();
    let helper = GoHelper::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("gohelper"));
    let options = PrepareOptions::default();
    let inside = prepare(&item, &options).unwrap();
    let objects = build_native(&item, root.path(), &inside).unwrap().unwrap().objects;
    assert_eq!(objects[0]["metadata"]["name"], "a");
    fs::remove_file(item.join("kustomization.yml")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("x.yaml"), item.join("x.yaml")).unwrap();
    let leaving = prepare(&item, &options).unwrap();
    assert_eq!(build_native(&item, root.path(), &leaving).unwrap(), None);
    let error = build(&item, root.path(), &leaving, &helper).await.unwrap_err();
    assert!(error.to_string().contains("fs-security-constraint open"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_linked_kustomization_is_never_written() {
    let outside = tempfile::tempdir().unwrap();
    write(&outside, "k.yaml", "resources: []   # mine\n");
    let root = tempfile::tempdir().unwrap();
    write(&root, "item/note.txt", "");
    let item = root.path().join("item");
    std::os::unix::fs::symlink(outside.path().join("k.yaml"), item.join("kustomization.yaml")).unwrap();
    let options = PrepareOptions { override_namespace: Some("n".to_owned()), ..PrepareOptions::default() };
    assert!(matches!(prepare(&item, &options), Err(KustomizeError::Linked { .. })));
    let prepared = prepare(&item, &PrepareOptions::default()).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("k.yaml")).unwrap(), "resources: []   # mine\n");
    assert_eq!(build_native(&item, root.path(), &prepared).unwrap(), None);
    let helper = GoHelper::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("gohelper"));
    assert!(build(&item, root.path(), &prepared, &helper).await.is_err());
}

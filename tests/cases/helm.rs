//! Charts against real servers: what is pulled from where, what a chart may ask the cluster, and killed runs.

#[path = "helm/cluster.rs"]
mod cluster;
#[path = "helm/killed.rs"]
mod killed;
#[path = "helm/repositories.rs"]
mod repositories;

use std::fs;
use std::path::{Path, PathBuf};

use windlass_tests::{Answer, TestProject};

const RENDER: [&str; 3] = ["render", "--offline-kubernetes", "--print-all"];

/// A chart folder of these templates.
fn chart(work: &Path, name: &str, version: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = work.join("charts").join(format!("{name}-{version}"));
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: \"{version}\"\n");
    for (path, text) in [("Chart.yaml", &*metadata)].iter().chain(files) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// A chart with one ConfigMap, which carries the chart's version.
fn web(work: &Path, version: &str) -> PathBuf {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {version: '{{ .Chart.Version }}'}\n";
    chart(work, "web", version, &[("templates/map.yaml", map)])
}

/// A project with one release, whose chart is described by these fields of `helm-chart.yaml`.
fn release(fields: &str) -> TestProject {
    let project = TestProject::from_files(&[
        (".kluctl.yaml", "discriminator: helm\n"),
        ("deployment.yaml", "deployments:\n- path: app\n"),
    ]);
    choose(&project, fields);
    project
}

fn choose(project: &TestProject, fields: &str) {
    project.write("app/helm-chart.yaml", &format!("helmChart: {{releaseName: r, {fields}}}\n"));
}

/// Asserts that a run failed and said this.
#[track_caller]
fn refused(answer: &Answer, text: &str) {
    assert!(answer.code == 1 && answer.stderr.contains(text), "wanted `{text}`: {answer:#?}");
}

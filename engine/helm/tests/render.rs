//! Charts of a small project, rendered with the real helper.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use windlass_helm::{
    ChartRequest, GoHelper, HelmCapabilities, HelmError, RenderedChart, Values, render_chart, values_file,
};

/// A source tree, whose files are also its rendered files.
struct Project {
    dir: TempDir,
}

const CHART: &str = "apiVersion: v2\nname: ch\nversion: 0.1.0\n";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.size }}\n";

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    /// With a chart in `ch` and an item `i` that has this configuration.
    fn with_item(config: &str) -> Self {
        Self::new(&[
            ("ch/Chart.yaml", CHART),
            ("ch/values.yaml", "size: 1\n"),
            ("ch/templates/a.yaml", CONFIG_MAP),
            ("i/helm-chart.yaml", &format!("helmChart: {{{config}}}\n")),
        ])
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn render(&self, capabilities: HelmCapabilities) -> Result<RenderedChart, HelmError> {
        let root = self.root();
        let item = root.join("i");
        let values = values_file(&item).map(|path| Values { text: fs::read_to_string(&path).unwrap(), path });
        let request = ChartRequest {
            config: &item.join("helm-chart.yaml"),
            render_root: &root,
            source_dir: &item,
            source_root: &root,
            values,
            capabilities,
            on_demand: None,
            lookup: None,
        };
        render_chart(request, &helper()).await
    }

    async fn output(&self) -> String {
        let rendered = self.render(HelmCapabilities::default()).await.unwrap();
        fs::read_to_string(rendered.output).unwrap()
    }

    /// The error with the project's folder replaced.
    async fn error(&self) -> String {
        let error = self.render(HelmCapabilities::default()).await.unwrap_err();
        error.to_string().replace(&self.root().display().to_string(), "<P>")
    }
}

fn helper() -> GoHelper {
    GoHelper::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("gohelper"))
}

#[tokio::test]
async fn a_local_chart_is_written_with_its_namespace() {
    let project = Project::with_item("path: ../ch, releaseName: rel, namespace: hns");
    project.write("i/helm-values.yaml", "size: 3\n");
    assert_eq!(
        project.output().await,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    \
         kluctl.io/helm-install-namespace: hns\n  name: rel-3\n"
    );
}

#[tokio::test]
async fn documents_are_in_helms_order_without_test_hooks() {
    let project = Project::with_item("path: ../ch, releaseName: r, output: out.yaml");
    project.write(
        "ch/crds/c.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: c\n",
    );
    project.write(
        "ch/templates/h.yaml",
        "kind: A\nmetadata: {name: h, annotations: {helm.sh/hook: post-upgrade}}\n---\n\
         kind: A\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n---\n# nothing\n---\n\
         kind: Namespace\napiVersion: v1\nmetadata: {name: first}\n",
    );
    let text = project.output().await;
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    assert_eq!(names, ["c", "first", "r-1", "h"]);
    assert!(!text.contains("helm-install-namespace"), "{text}");
    assert!(project.root().join("i/out.yaml").is_file());
    assert!(!text.starts_with("---") && !text.ends_with("---\n"), "{text}");
}

#[tokio::test]
async fn a_chart_without_objects_gives_an_empty_file() {
    let project = Project::with_item("path: ../ch, releaseName: r");
    project.write("ch/templates/a.yaml", "# nothing\n");
    assert_eq!(project.output().await, "");
}

#[cfg(unix)]
#[tokio::test]
async fn the_output_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::with_item("path: ../ch, releaseName: r");
    let rendered = project.render(HelmCapabilities::default()).await.unwrap();
    assert_eq!(fs::metadata(rendered.output).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn capabilities_reach_the_chart() {
    let project = Project::with_item("path: ../ch, releaseName: r");
    project.write("ch/templates/a.yaml", "kind: A\nmetadata: {name: '{{ .Capabilities.KubeVersion.Minor }}'}\n");
    let capabilities = HelmCapabilities { kube_version: Some("v1.27.3".to_owned()), api_versions: None };
    let rendered = project.render(capabilities).await.unwrap();
    assert_eq!(fs::read_to_string(rendered.output).unwrap(), "kind: A\nmetadata:\n  name: \"27\"\n");
}

#[tokio::test]
async fn pulled_charts_are_found() {
    let project =
        Project::with_item("repo: 'oci://registry.example.com:5000/team/pepper', chartVersion: 2.0.0, releaseName: o");
    let base = ".helm-charts/oci_5000_registry.example.com/team/pepper/2.0.0";
    project.write(&format!("{base}/Chart.yaml"), "apiVersion: v2\nname: pepper\nversion: 2.0.0\n");
    project.write(&format!("{base}/templates/a.yaml"), "kind: A\nmetadata: {name: oci}\n");
    let rendered = project.render(HelmCapabilities::default()).await.unwrap();
    assert_eq!(rendered.chart, "pepper");
    assert!(fs::read_to_string(rendered.output).unwrap().contains("name: oci"));
}

const PEP: &str = "repo: 'https://charts.example.com/stable', chartName: Pep, releaseName: r, chartVersion: ";

#[tokio::test]
async fn pulled_charts_must_be_there_in_the_right_version() {
    let project = Project::with_item(&format!("{PEP} v1.2.3"));
    assert_eq!(
        project.error().await,
        "rendering helm chart Pep for release r has failed: can't determine pulled chart dir. No base dir for charts found"
    );
    fs::create_dir(project.root().join(".helm-charts")).unwrap();
    assert_eq!(
        project.error().await,
        "rendering helm chart Pep for release r has failed: Helm Chart Pep has not been pre-pulled, which is not \
         allowed when skipPrePull is not enabled. Run 'kluctl helm-pull' to pre-pull all Helm Charts"
    );
    project.write(
        ".helm-charts/https_charts.example.com/stable/Pep/v1.2.3/Chart.yaml",
        "apiVersion: v2\nname: Pep\nversion: 1.2.3\n",
    );
    assert_eq!(
        project.error().await,
        "rendering helm chart Pep for release r has failed: pre-pulled Helm Chart Pep need to be pulled \
         (call 'kluctl helm-pull'). Desired version is v1.2.3 while pre-pulled version is 1.2.3"
    );
}

#[tokio::test]
async fn pulling_while_rendering_is_not_available() {
    let project = Project::with_item(&format!("{PEP} 1.2.3, skipPrePull: true"));
    assert!(project.error().await.ends_with("skipPrePull enabled, and charts can not be pulled here"));
}

#[tokio::test]
async fn wrong_paths_are_refused() {
    let error = async |config: &str| Project::with_item(config).error().await;
    assert_eq!(error("path: /ch, releaseName: a").await, "absolute path is not allowed in helm-chart.yaml");
    assert_eq!(
        error("path: ../nope, releaseName: a").await,
        "opening <P>/nope/Chart.yaml failed: open <P>/nope/Chart.yaml: no such file or directory"
    );
    let outside = error("path: ../../ch, releaseName: a").await;
    assert!(outside.starts_with("path ") && outside.ends_with("/ch is not inside directory <P>"), "{outside}");
    let output = error("path: ../ch, releaseName: a, output: ../../x.yaml").await;
    assert!(output.ends_with("/x.yaml is not inside directory <P>"), "{output}");
    assert!(error("path: ../ch, releaseName: a, output: no/x.yaml").await.starts_with("resolve `<P>/i/no`"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_do_not_lead_out_of_the_source() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("a.yaml"), "kind: A\nmetadata: {name: stolen}\n").unwrap();
    let project = Project::with_item("path: ../ch, releaseName: a");
    std::os::unix::fs::symlink(elsewhere.path().join("a.yaml"), project.root().join("ch/templates/b.yaml")).unwrap();
    assert!(project.error().await.ends_with("a.yaml is not inside directory <P>"));
    let project = Project::with_item("path: ../ch, releaseName: a");
    std::os::unix::fs::symlink(elsewhere.path().join("a.yaml"), project.root().join("i/helm-rendered.yaml")).unwrap();
    assert!(project.error().await.ends_with("helm-rendered.yaml is not inside directory <P>"));
}

#[tokio::test]
async fn a_kustomization_beside_must_list_the_output() {
    let project = Project::with_item("path: ../ch, releaseName: a");
    project.write("i/kustomization.yaml", "resources: []\n");
    assert_eq!(
        project.error().await,
        "i/kustomization.yaml does not include the rendered helm chart: helm-rendered.yaml"
    );
    project.write("i/kustomization.yaml", "resources: [helm-rendered.yaml]\n");
    assert!(project.output().await.contains("a-1"));
}

#[tokio::test]
async fn helms_refusals_name_chart_and_release() {
    let project = Project::with_item("path: ../ch, releaseName: a");
    project.write("ch/templates/a.yaml", "{{ required \"need it\" .Values.x }}\n");
    assert_eq!(
        project.error().await,
        "rendering helm chart ch for release a has failed: execution error at (ch/templates/a.yaml:1:3): need it"
    );
    project.write("i/helm-values.yaml", "- 1\n");
    assert_eq!(
        project.error().await,
        "rendering helm chart ch for release a has failed: failed to parse <P>/i/helm-values.yaml: cannot unmarshal \
         yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of \
         type map[string]interface {}"
    );
}

#[tokio::test]
async fn a_chart_without_a_name_is_refused() {
    let project = Project::with_item("path: ../ch, releaseName: a");
    project.write("ch/Chart.yaml", "apiVersion: v2\nversion: 0.1.0\n");
    assert_eq!(project.error().await, "unmarshalling <P>/ch/Chart.yaml failed: the chart has no name");
}

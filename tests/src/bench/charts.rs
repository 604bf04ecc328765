//! Many charts: windlass beside one Go process that renders them with Helm's own packages.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::measure::{Usage, measure};
use crate::servers::SandboxError;
use crate::servers::build::{self, Server};
use crate::windlass::isolate;

const CHARTS: usize = 40;
/// Files of one chart, each with two objects.
const TEMPLATES: usize = 6;
const HELPERS: &str = "{{- define \"app.labels\" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
helm.sh/chart: {{ printf \"%s-%s\" .Chart.Name .Chart.Version | replace \"+\" \"_\" | trunc 63 }}
{{- end -}}
";
const OBJECTS: &str = "{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}-PART
  namespace: {{ .Release.Namespace }}
  labels: {{- include \"app.labels\" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Chart.Name }}-PART}}
  template:
    metadata: {labels: {app: {{ .Chart.Name }}-PART}}
    spec:
      containers:
      {{- range $index, $name := .Values.containers }}
      - name: {{ $name }}
        image: {{ printf \"%s/%s:%s\" $.Values.image.host $name $.Values.image.tag | quote }}
        env: {{- range $key, $value := $.Values.env }}
        - {name: {{ $key | upper }}, value: {{ tpl $value $ | quote }}}
        {{- end }}
        resources: {{- toYaml $.Values.resources | nindent 10 }}
      {{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}-PART
  namespace: {{ .Release.Namespace }}
  labels: {{- include \"app.labels\" . | nindent 4 }}
data:
  {{- range $key, $value := .Values.env }}
  {{ $key }}: {{ tpl $value $ | b64enc | quote }}
  {{- end }}
{{- end }}
";
const VALUES: &str = "enabled: true
replicas: 2
containers: [web, worker, proxy]
image: {host: registry.example.com, tag: 1.2.3}
resources: {limits: {cpu: 500m, memory: 256Mi}, requests: {cpu: 50m, memory: 64Mi}}
env: {first: 'in {{ .Release.Namespace }}', second: 'of {{ .Chart.Name }}', third: plain, fourth: '{{ .Values.replicas }}'}
";

/// Renders 40 charts both ways, alternating, and prints the medians of wall time.
pub fn charts(binary: &Path, runs: usize, output: &mut dyn Write) -> Result<(), SandboxError> {
    let work = tempfile::tempdir().map_err(SandboxError::file("create a folder in", std::env::temp_dir()))?;
    let (project, rendered) = (work.path().join("project"), work.path().join("rendered"));
    generate(&project)?;
    fs::create_dir_all(&rendered).map_err(SandboxError::file("create", &rendered))?;
    let bare = build::ensure(Server::Charts)?;
    let floor = || {
        let mut command = Command::new(&bare);
        command.arg(project.join("charts")).arg(&rendered);
        measure(&command)
    };
    let own = || {
        let mut command = Command::new(binary);
        isolate(&mut command, work.path());
        command.args(["--no-update-check", "render", "--offline-kubernetes", "--print-all"]).current_dir(&project);
        measure(&command)
    };
    // Unpacks the helper and fills the page cache.
    own()?;
    floor()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        theirs.push(floor()?);
        ours.push(own()?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    // A closed pipe is the reader's wish.
    let mut print = |text: String| drop(writeln!(output, "{text}"));
    print(format!("{CHARTS} charts, {} objects, medians of {runs} runs", CHARTS * TEMPLATES * 2));
    for (name, usage) in [("one Go process", theirs), ("windlass render", ours)] {
        let Usage { wall, user, system, peak_bytes, .. } = usage;
        print(format!("{name:16} {wall:.3} s wall, {:.3} s CPU, {} MB", user + system, peak_bytes >> 20));
    }
    print(format!("ratio            {:.2} (goal 1.3)", ours.wall / theirs.wall));
    Ok(())
}

fn median(mut usages: Vec<Usage>) -> Usage {
    usages.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    usages[usages.len() / 2]
}

fn generate(project: &Path) -> Result<(), SandboxError> {
    let mut deployment = "deployments:\n".to_owned();
    let mut files = vec![(".kluctl.yaml".to_owned(), "{}\n".to_owned())];
    for number in 0..CHARTS {
        let (name, chart) = (format!("app-{number}"), format!("charts/app-{number}"));
        let _ = writeln!(deployment, "- path: items/{name}");
        let config = format!("helmChart: {{path: ../../{chart}, releaseName: r, namespace: default}}\n");
        files.push((format!("items/{name}/helm-chart.yaml"), config));
        files.push((format!("{chart}/Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n")));
        files.push((format!("{chart}/values.yaml"), VALUES.to_owned()));
        files.push((format!("{chart}/templates/_helpers.tpl"), HELPERS.to_owned()));
        for part in 0..TEMPLATES {
            let text = OBJECTS.replace("PART", &part.to_string());
            files.push((format!("{chart}/templates/part-{part}.yaml"), text));
        }
    }
    files.push(("deployment.yaml".to_owned(), deployment));
    for (path, text) in files {
        let path = project.join(path);
        let folder = path.parent().unwrap_or(project);
        fs::create_dir_all(folder).map_err(SandboxError::file("create", folder))?;
        fs::write(&path, text).map_err(SandboxError::file("write", &path))?;
    }
    Ok(())
}

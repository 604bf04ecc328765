//! Renders a chart into its output file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use windlass_gohelper::{GoHelper, HelmCapabilities, HelmRequest, Lookup, Output};
use windlass_yaml::{Dialect, Source, parse_first, to_string_documents};

use crate::config::ChartConfig;
use crate::error::{ConfigError, HelmError, RenderFailure, failed};
use crate::locate::{LocatedChart, OnDemandCharts, join, locate};

/// Tells the deployment which namespace an object without one belongs to.
const INSTALL_NAMESPACE: &str = "kluctl.io/helm-install-namespace";

/// One chart of an item.
#[derive(Clone)]
pub struct ChartRequest<'a> {
    /// The rendered `helm-chart.yaml`.
    pub config: &'a Path,
    /// The folder that the rendered files of the source are in; the output stays inside.
    pub render_root: &'a Path,
    /// The folder of the original `helm-chart.yaml`.
    pub source_dir: &'a Path,
    /// The root of the source; charts stay inside.
    pub source_root: &'a Path,
    /// The values file beside the `helm-chart.yaml`.
    pub values: Option<Values>,
    /// What the cluster can do.
    pub capabilities: HelmCapabilities,
    /// Pulls charts with `skipPrePull`.
    pub on_demand: Option<&'a dyn OnDemandCharts>,
    /// Answers `lookup`; without one it finds nothing.
    pub lookup: Option<&'a dyn Lookup>,
}

/// A values file: rendered, decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Values {
    /// For errors.
    pub path: PathBuf,
    /// Its text; may hold secrets.
    pub text: String,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Values").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A rendered chart.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedChart {
    /// The configuration.
    pub config: ChartConfig,
    /// The chart's name.
    pub chart: String,
    /// The file that was written.
    pub output: PathBuf,
    /// What Helm wanted to tell, one a line.
    pub warnings: Vec<String>,
}

/// The values file in the folder of a `helm-chart.yaml`.
#[must_use]
pub fn values_file(dir: &Path) -> Option<PathBuf> {
    ["helm-values.yml", "helm-values.yaml"].iter().map(|name| dir.join(name)).find(|path| path.is_file())
}

/// Renders a chart and writes its output file.
pub async fn render_chart(request: ChartRequest<'_>, helper: &GoHelper) -> Result<RenderedChart, HelmError> {
    let ChartRequest { config: path, render_root, source_dir, source_root, values, capabilities, on_demand, lookup } =
        request;
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let config = ChartConfig::parse(&text, path)?;
    let dir = path.parent().unwrap_or(Path::new(""));
    let output = output_file(&config, dir, render_root)?;
    check_listed(&config, dir, source_dir.strip_prefix(source_root).unwrap_or(source_dir))?;
    let LocatedChart { name, dir: chart_dir } = locate(&config, source_dir, source_root, on_demand).await?;
    let (values, values_name) = match values {
        Some(Values { path, text }) => (text, path.display().to_string()),
        None => (String::new(), String::new()),
    };
    let helm = HelmRequest {
        chart_dir,
        release_name: config.release_name.clone(),
        namespace: config.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        values,
        values_name,
        capabilities,
        skip_crds: config.skip_crds,
    };
    let rendered = match lookup {
        Some(lookup) => helper.helm_template_live(helm, lookup).await,
        None => helper.helm_template(helm).await,
    };
    let Output { mut objects, warnings } = rendered.map_err(|source| HelmError::Render {
        chart: name.clone(),
        release: config.release_name.clone(),
        source: RenderFailure::Helper(source),
    })?;
    if let Some(namespace) = &config.namespace {
        objects.iter_mut().for_each(|object| set_install_namespace(object, namespace));
    }
    write(&output, &to_string_documents(&objects))?;
    Ok(RenderedChart { config, chart: name, output, warnings })
}

/// The place of the output; its folder must exist and be inside of the rendered files.
fn output_file(config: &ChartConfig, dir: &Path, render_root: &Path) -> Result<PathBuf, HelmError> {
    let output = join(dir, &config.output);
    let folder = output.parent().unwrap_or(dir);
    let real = fs::canonicalize(folder).map_err(failed("resolve", folder))?;
    let root = fs::canonicalize(render_root).map_err(failed("resolve", render_root))?;
    let is_link = fs::symlink_metadata(&output).is_ok_and(|metadata| metadata.is_symlink());
    if real.starts_with(&root) && !is_link {
        Ok(output)
    } else {
        Err(HelmError::Outside { path: output, root: render_root.to_owned() })
    }
}

/// A kustomization beside the `helm-chart.yaml` must use the output; one that is no YAML is reported later.
fn check_listed(config: &ChartConfig, dir: &Path, relative: &Path) -> Result<(), HelmError> {
    let files = ["kustomization.yml", "kustomization.yaml"].map(|name| dir.join(name));
    let Some(file) = files.into_iter().find(|file| file.is_file()) else {
        return Ok(());
    };
    let text = fs::read_to_string(&file).map_err(failed("read", &file))?;
    let source = Source::new(file.display().to_string(), text);
    let document = parse_first(&source, Dialect::GoV2)
        .map_err(|error| ConfigError::Yaml { source: Box::new(error) })
        .map_err(|source| HelmError::Config { path: file, source })?;
    let resources = document.value.get("resources").and_then(Value::as_array);
    if resources.is_some_and(|resources| resources.iter().any(|resource| *resource == config.output)) {
        return Ok(());
    }
    Err(HelmError::NotListed { dir: relative.to_owned(), output: config.output.clone() })
}

fn set_install_namespace(object: &mut Value, namespace: &str) {
    let mapping = |value: &mut Value| {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
    };
    let Value::Object(fields) = object else { return };
    let metadata = fields.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    mapping(metadata);
    let Value::Object(metadata) = metadata else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    mapping(annotations);
    if let Value::Object(annotations) = annotations {
        annotations.insert(INSTALL_NAMESPACE.to_owned(), namespace.into());
    }
}

/// Charts render secrets too, so only the owner may read the file.
fn write(path: &Path, text: &str) -> Result<(), HelmError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed("write", path))
}

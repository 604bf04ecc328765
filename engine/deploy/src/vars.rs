//! Loads `vars` lists into variables (spec 01 section 13).
//!
//! An entry is rendered with everything loaded before it, its condition is
//! evaluated, its source is read, and the value is merged. One file per source.

mod environment;
mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};
use windlass_model::vars_source::{VarsKind, VarsSource};
use windlass_template::{Batch, Engine, SearchPath, TemplateError, Vars};

use crate::config_file::ConfigError;
use crate::merge::{NotAMap, deep_merge, set_nested};
use crate::multi_error::Errors;
use crate::source_tree::SourceTree;
use crate::target::RenderedText;

/// What vars sources may read.
#[derive(Debug, Clone)]
pub struct VarsContext<'a> {
    /// Renders entries and file contents.
    pub engine: &'a Engine,
    /// Process environment, for `systemEnvVars`.
    pub environment: &'a BTreeMap<String, String>,
    /// Source of the containing project: files stay inside.
    pub source: &'a SourceTree,
    /// Directories searched for files, own project first.
    pub search_dirs: &'a [PathBuf],
    /// Whether the run is connected to a cluster.
    pub connected: bool,
}

/// Why variables cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum VarsError {
    /// Templates inside the entry.
    #[error(transparent)]
    Entry(#[from] Errors<RenderedText>),
    /// The entry's condition.
    #[error(transparent)]
    Condition(#[from] Errors<ConditionError>),
    /// The rendered entry has lost its shape.
    #[error("the rendered vars source is not valid: {0}")]
    Shape(String),
    /// An output-only field is set.
    #[error("{field} is not allowed here")]
    OutputOnly {
        /// The field.
        field: &'static str,
    },
    /// `multidoc` without `targetPath`.
    #[error("multidoc vars sources can only be used when targetPath is also specified")]
    MultidocWithoutTargetPath,
    /// A value that is no map has no place.
    #[error("'targetPath' is required for this variable source")]
    TargetPathRequired,
    /// `targetPath` is not a simple path.
    #[error("invalid targetPath '{path}': {reason}")]
    TargetPath {
        /// The path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is nowhere.
    #[error("failed to render vars file {file}: absolute path of {file} could not be resolved")]
    FileMissing {
        /// The path as written.
        file: String,
        /// The directories searched.
        searched: Vec<PathBuf>,
    },
    /// The file's templates.
    #[error("failed to render vars file {file}: {source}\n")]
    FileTemplate {
        /// The path as written.
        file: String,
        /// Where and why.
        #[source]
        source: TemplateError,
    },
    /// The file's content.
    #[error("failed to load vars from {file}: {source}")]
    FileContent {
        /// The path as written.
        file: String,
        /// Where and why.
        #[source]
        source: ConfigError,
    },
    /// A path that leaves the source.
    #[error("vars file {file} leaves the source directory `{}`", root.display())]
    FileOutside {
        /// The path as written.
        file: String,
        /// The root it has to stay in.
        root: PathBuf,
    },
    /// SOPS files are not supported yet.
    #[error("vars file {file} is encrypted with SOPS, which this version of windlass can not decrypt yet")]
    Encrypted {
        /// The path as written.
        file: String,
    },
    /// A leaf of `systemEnvVars` is no text.
    #[error("value at {path} is not a string")]
    EnvironmentLeaf {
        /// JSON path of the leaf.
        path: String,
    },
    /// The variable is not set and has no default.
    #[error("environment variable {name} not found for {path}")]
    EnvironmentMissing {
        /// Variable name.
        name: String,
        /// JSON path of the leaf.
        path: String,
    },
    /// The variable's content is no YAML.
    #[error("environment variable {name} for {path} is not valid YAML")]
    EnvironmentContent {
        /// Variable name.
        name: String,
        /// JSON path of the leaf.
        path: String,
    },
    /// The cluster is needed, and the run is offline.
    #[error("loading vars from cluster is disabled")]
    ClusterDisabled,
    /// The source kind exists in the format but not in this version.
    #[error("vars source `{}` is not supported by this version of windlass yet", kind.field())]
    Unsupported {
        /// The source.
        kind: VarsKind,
    },
}

/// A condition that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[error("unable to render conditional '{text}': {source}\n")]
pub struct ConditionError {
    /// The expression.
    pub text: String,
    /// Where and why.
    #[source]
    pub source: TemplateError,
}

/// Loads a list of entries over `vars`.
///
/// # Errors
/// The first entry that cannot be loaded.
pub fn load_all(mut vars: Vars, sources: &[VarsSource], context: &VarsContext<'_>) -> Result<Vars, VarsError> {
    for source in sources {
        vars = load(&vars, source, context)?;
    }
    Ok(vars)
}

fn load(vars: &Vars, source: &VarsSource, context: &VarsContext<'_>) -> Result<Vars, VarsError> {
    refuse_output_fields(source)?;
    let batch = context.engine.batch(vars.clone(), SearchPath::empty());
    let source = render_entry(&batch, source)?;
    if !evaluate(&batch, source.when.as_deref())? {
        return Ok(vars.clone());
    }
    if source.multidoc && source.target_path.is_none() {
        return Err(VarsError::MultidocWithoutTargetPath);
    }
    let Some(value) = read(vars, &source, context)? else { return Ok(vars.clone()) };
    let value = place(value, source.target_path.as_deref())?;
    Ok(if source.no_override {
        let mut merged = value;
        deep_merge(&mut merged, vars.as_json());
        Vars::new(merged)
    } else {
        vars.merge(&value)
    })
}

/// Evaluates a `when`; absent is true.
///
/// # Errors
/// The expression cannot be evaluated.
pub fn evaluate(batch: &Batch, when: Option<&str>) -> Result<bool, Errors<ConditionError>> {
    let Some(text) = when else { return Ok(true) };
    batch
        .evaluate_named_condition(text, &format!("when: {text}"))
        .map_err(|source| ConditionError { text: text.into(), source }.into())
}

fn refuse_output_fields(source: &VarsSource) -> Result<(), VarsError> {
    for (field, value) in [("renderedVars", &source.rendered_vars), ("renderedSensitive", &source.rendered_sensitive)] {
        if value.as_ref().is_some_and(|v| !is_empty(v)) {
            return Err(VarsError::OutputOnly { field });
        }
    }
    Ok(())
}

/// Go's zero value: what upstream counts as "not given".
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn render_entry(batch: &Batch, source: &VarsSource) -> Result<VarsSource, VarsError> {
    let shape = |e: serde_json::Error| VarsError::Shape(e.to_string());
    let value = serde_json::to_value(source).map_err(shape)?;
    let text = value.to_string();
    let origin = windlass_model::location::Source::new("vars", text.as_str());
    let origin = windlass_model::location::Location::new(origin, 0..text.len());
    let rendered = batch.render_struct(&value, &origin).map_err(|errors| {
        let errors = errors.into_iter().map(RenderedText).collect();
        Errors::new(errors).map_or_else(|| VarsError::Shape("unknown error".into()), VarsError::Entry)
    })?;
    serde_json::from_value(rendered).map_err(shape)
}

/// The value of the source; `None` when it is absent and that is tolerated.
fn read(vars: &Vars, source: &VarsSource, context: &VarsContext<'_>) -> Result<Option<Value>, VarsError> {
    if let Some(values) = &source.values {
        return Ok(Some(Value::Object(values.clone())));
    }
    if let Some(path) = &source.file {
        return file::read(path, source, vars, context);
    }
    if let Some(names) = &source.system_env_vars {
        return environment::read(names, source.ignore_missing, context.environment).map(Some);
    }
    match source.kinds().first() {
        Some(VarsKind::ClusterConfigMap | VarsKind::ClusterSecret | VarsKind::ClusterObject) if !context.connected => {
            Err(VarsError::ClusterDisabled)
        }
        Some(kind) => Err(VarsError::Unsupported { kind: *kind }),
        None => Ok(None),
    }
}

fn place(value: Value, target_path: Option<&str>) -> Result<Map<String, Value>, VarsError> {
    match (target_path, value) {
        (None, Value::Object(map)) => Ok(map),
        (None, _) => Err(VarsError::TargetPathRequired),
        (Some(path), value) => {
            let keys: Vec<&str> = path.trim_start_matches('$').trim_start_matches('.').split('.').collect();
            let mut map = Map::new();
            let bad = |reason: String| VarsError::TargetPath { path: path.into(), reason };
            if keys.iter().any(|key| key.is_empty() || key.contains(['[', ']', '*', '?'])) {
                return Err(bad("only keys separated by dots can be used".into()));
            }
            set_nested(&mut map, &keys, value).map_err(|e: NotAMap| bad(e.to_string()))?;
            Ok(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_template::{EngineOptions, Ports};

    use super::*;

    fn load_values(start: Value, sources: Value) -> Result<Value, VarsError> {
        let engine = Engine::new(EngineOptions::default(), Ports::default());
        let environment = BTreeMap::from([("PORT".to_owned(), "80".to_owned()), ("EMPTY".to_owned(), String::new())]);
        let source = SourceTree { id: 0, root: "/nowhere".into() };
        let context = VarsContext {
            engine: &engine,
            environment: &environment,
            source: &source,
            search_dirs: &[],
            connected: false,
        };
        let sources: Vec<VarsSource> = serde_json::from_value(sources).unwrap();
        let start = Vars::new(start.as_object().cloned().unwrap_or_default());
        load_all(start, &sources, &context).map(|vars| Value::Object(vars.as_json().clone()))
    }

    #[test]
    fn entries_see_what_was_loaded_before_and_results_are_strings() {
        let vars = load_values(json!({"a": 1}), json!([{"values": {"b": "{{ a }}"}}, {"values": {"c": "{{ b }}x"}}]));
        assert_eq!(vars.unwrap(), json!({"a": 1, "b": "1", "c": "1x"}));
    }

    #[test]
    fn no_override_keeps_what_exists() {
        let vars =
            load_values(json!({"a": {"x": 1}}), json!([{"values": {"a": {"x": 2, "y": 3}}, "noOverride": true}]));
        assert_eq!(vars.unwrap(), json!({"a": {"x": 1, "y": 3}}));
    }

    #[test]
    fn a_false_condition_skips_the_entry() {
        assert_eq!(load_values(json!({}), json!([{"values": {"a": 1}, "when": "1 == 2"}])).unwrap(), json!({}));
    }

    #[test]
    fn environment_values_are_yaml_and_may_be_in_lists() {
        let sources =
            json!([{"systemEnvVars": {"p": "PORT", "d": "NONE:x", "n": "EMPTY", "l": ["PORT", {"k": "NO:"}]}}]);
        let vars = load_values(json!({}), sources).unwrap();
        assert_eq!(vars, json!({"p": 80, "d": "x", "n": null, "l": [80, {"k": ""}]}));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let cases = [
            (json!([{"systemEnvVars": {"a": "NOT_SET"}}]), r#"environment variable NOT_SET not found for $["a"]"#),
            (json!([{"systemEnvVars": {"a": [5]}}]), r#"value at $["a"][0] is not a string"#),
            (json!([{"values": {}, "multidoc": true}]), "multidoc vars sources can only be used"),
            (json!([{"values": {}, "renderedVars": {"a": 1}}]), "renderedVars is not allowed here"),
            (json!([{"clusterSecret": {"name": "a"}}]), "loading vars from cluster is disabled"),
            (json!([{"vault": {}}]), "vars source `vault` is not supported"),
            (json!([{"values": {}, "targetPath": "a[0]"}]), "invalid targetPath 'a[0]'"),
            (json!([{"file": "nope.yaml"}]), "absolute path of nope.yaml could not be resolved"),
            (json!([{"values": {"a": "{{ nope }}"}}]), "UndefinedError: 'nope' is undefined"),
            (json!([{"values": {"a": 1}, "when": "nope"}]), "unable to render conditional 'nope'"),
        ];
        for (sources, wanted) in cases {
            let text = load_values(json!({}), sources).unwrap_err().to_string();
            assert!(text.contains(wanted), "{text}");
        }
    }
}

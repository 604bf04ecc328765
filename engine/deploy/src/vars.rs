//! Loads `vars` lists into variables (spec 01 section 13).
//!
//! An entry is rendered with everything loaded before it, its condition is
//! evaluated, its source is read, and the value is merged. One file per source.

mod aws_secret;
mod azure_secret;
mod cluster_key;
mod cluster_object;
mod environment;
mod error;
mod file;
mod git;
mod git_files;
mod glob;
mod google_secret;
mod http;
mod remote;
mod vault_secret;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};
use windlass_cluster::Cluster;
use windlass_masking::SecretValues;
use windlass_model::event::Events;
use windlass_model::object_ref::ObjectRef;
use windlass_model::project::AwsConfig;
use windlass_model::vars_source::{ClusterKeySource, VarsKind, VarsSource};
use windlass_sources::Sources;
use windlass_template::{Batch, Engine, SearchPath, Vars};

use crate::merge::{NotAMap, deep_merge, set_nested};
use crate::multi_error::Errors;
use crate::ports::{SecretStores, Web};
use crate::sops::{Decryption, Masking};
use crate::source_tree::SourceTree;
use crate::target::RenderedText;
use cluster_key::KeyKind;
pub use cluster_object::ObjectProblem;
pub use error::{ConditionError, VarsError};

/// What vars sources may read.
#[derive(Clone, Copy)]
pub struct VarsContext<'a> {
    /// Renders entries and file contents.
    pub engine: &'a Engine,
    /// Process environment, for `systemEnvVars`.
    pub environment: &'a BTreeMap<String, String>,
    /// Stores and addresses, and whose credentials they get.
    pub remote: Remote<'a>,
    /// Directories of git repositories.
    pub sources: &'a dyn Sources,
    /// Source of the containing project: files stay inside.
    pub source: &'a SourceTree,
    /// Directories searched for files, own project first.
    pub search_dirs: &'a [PathBuf],
    /// The cluster, when the run is connected to one.
    pub cluster: Option<&'a dyn Cluster>,
    /// Takes notices.
    pub events: &'a dyn Events,
    /// What the user was told already.
    pub notices: &'a Notices,
}

/// What vars sources may read outside project and cluster.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// Secret stores.
    pub stores: &'a dyn SecretStores,
    /// Addresses.
    pub web: &'a dyn Web,
    /// Takes secret values, so that no output shows them.
    pub secrets: &'a SecretValues,
    /// AWS settings of target and project.
    pub aws: &'a AwsConfig,
    /// Decrypts files.
    pub decryption: &'a Decryption<'a>,
}

/// Notices that a run gives once.
#[derive(Debug, Default)]
pub struct Notices {
    target_path: AtomicBool,
}

impl Notices {
    fn deprecated_target_path(&self, events: &dyn Events) {
        if !self.target_path.swap(true, Ordering::Relaxed) {
            events.warn(
                "'targetPath' in clusterConfigMap and clusterSecret is deprecated, use the common 'targetPath' \
                 property from one level above instead."
                    .into(),
            );
        }
    }
}

/// Loads a list of entries over `vars`.
///
/// # Errors
/// The first entry that cannot be loaded.
pub async fn load_all(mut vars: Vars, sources: &[VarsSource], context: &VarsContext<'_>) -> Result<Vars, VarsError> {
    for source in sources {
        vars = load(&vars, source, context).await?;
    }
    Ok(vars)
}

async fn load(vars: &Vars, source: &VarsSource, context: &VarsContext<'_>) -> Result<Vars, VarsError> {
    refuse_output_fields(source)?;
    let batch = context.engine.batch(vars.clone(), SearchPath::empty());
    let batch = match context.search_dirs.first() {
        Some(project) => crate::config_file::standing_in(batch, project),
        None => batch,
    };
    let source = render_entry(&batch, source)?;
    if !evaluate(&batch, source.when.as_deref())? {
        return Ok(vars.clone());
    }
    if source.multidoc && source.target_path.is_none() {
        return Err(VarsError::MultidocWithoutTargetPath);
    }
    let Some(value) = read(vars, &source, &batch, context).await? else { return Ok(vars.clone()) };
    if is_secret(&source) {
        context.remote.secrets.register_value(&value);
    }
    let value = place(value, target_path(&source, context))?;
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
async fn read(
    vars: &Vars,
    source: &VarsSource,
    batch: &Batch,
    context: &VarsContext<'_>,
) -> Result<Option<Value>, VarsError> {
    if let Some(values) = &source.values {
        return Ok(Some(Value::Object(values.clone())));
    }
    if let Some(path) = &source.file {
        return file::read(path, source, vars, context).await;
    }
    if let Some(git) = &source.git {
        return git::read(git, source, vars, context).await;
    }
    if let Some(git) = &source.git_files {
        return git_files::read(git, Masking::of(source), batch, context).await.map(Some);
    }
    if let Some(names) = &source.system_env_vars {
        return environment::read(names, source.ignore_missing, context.environment).map(Some);
    }
    if let Some((kind, key)) = cluster_key(source) {
        return cluster_key::read(kind, key, source, batch, connected(context)?).await;
    }
    if let Some(object) = &source.cluster_object {
        let found = cluster_object::read(object, source.ignore_missing, batch, connected(context)?).await?;
        return Ok(found.or_else(|| absent(vars.as_json(), source.target_path.as_deref())));
    }
    if let Some(found) = read_remote(source, batch, context).await? {
        return Ok(found.or_else(|| absent(vars.as_json(), source.target_path.as_deref())));
    }
    match source.kinds().first() {
        Some(kind) => Err(VarsError::Unsupported { kind: *kind }),
        None => Ok(None),
    }
}

/// The value of a store or an address; the outer `None` says that the source is of another kind.
async fn read_remote(
    source: &VarsSource,
    batch: &Batch,
    context: &VarsContext<'_>,
) -> Result<Option<Option<Value>>, VarsError> {
    let reader = remote::Reader { source, batch, remote: context.remote };
    let found = if let Some(request) = &source.http {
        http::read(request, &reader).await?
    } else if let Some(secret) = &source.aws_secrets_manager {
        aws_secret::read(secret, context.cluster, &reader).await?
    } else if let Some(secret) = &source.gcp_secret_manager {
        google_secret::read(secret, &reader).await?
    } else if let Some(secret) = &source.azure_key_vault {
        azure_secret::read(secret, &reader).await?
    } else if let Some(secret) = &source.vault {
        vault_secret::read(secret, &reader).await?
    } else {
        return Ok(None);
    };
    Ok(Some(found))
}

/// What a tolerated absence gives: `{}` where nothing is yet, and nothing where something is.
fn absent(vars: &Map<String, Value>, target_path: Option<&str>) -> Option<Value> {
    let path = target_path?.trim_start_matches('$').trim_start_matches('.');
    crate::merge::get_nested(vars, path).is_none().then(|| Value::Object(Map::new()))
}

/// Whether the values of a source are kept out of output. Upstream calls more of them sensitive
/// (`systemEnvVars`, all cluster objects), but hides none; see `docs/design.md`.
fn is_secret(source: &VarsSource) -> bool {
    let by_kind = || match source.kinds().first() {
        Some(
            VarsKind::ClusterSecret
            | VarsKind::AwsSecretsManager
            | VarsKind::GcpSecretManager
            | VarsKind::AzureKeyVault
            | VarsKind::Vault,
        ) => true,
        Some(VarsKind::ClusterObject) => source.cluster_object.as_ref().is_some_and(|object| object.kind == "Secret"),
        _ => false,
    };
    source.sensitive.unwrap_or_else(by_kind)
}

fn connected<'a>(context: &VarsContext<'a>) -> Result<&'a dyn Cluster, VarsError> {
    context.cluster.ok_or(VarsError::ClusterDisabled)
}

fn cluster_key(source: &VarsSource) -> Option<(KeyKind, &ClusterKeySource)> {
    let config_map = source.cluster_config_map.as_ref().map(|key| (KeyKind::ConfigMap, key));
    config_map.or_else(|| source.cluster_secret.as_ref().map(|key| (KeyKind::Secret, key)))
}

/// The common `targetPath`, or its deprecated place.
fn target_path<'a>(source: &'a VarsSource, context: &VarsContext<'_>) -> Option<&'a str> {
    let deprecated = cluster_key(source).and_then(|(_, key)| key.target_path.as_deref());
    if deprecated.is_some() {
        context.notices.deprecated_target_path(context.events);
    }
    source.target_path.as_deref().or(deprecated)
}

/// An object in messages: `namespace/Kind/name`.
fn object_name(object: &ObjectRef) -> String {
    object.to_string()
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
mod tests;

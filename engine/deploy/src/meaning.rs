//! Fields of `deployment.yaml` that could do nothing where they stand. Upstream reads them and does nothing;
//! here they are errors, since whoever wrote them expects something (spec 01 section 16.2, 6).

use std::sync::Arc;

use windlass_model::deployment::{DeploymentConfig, ItemConfig};
use windlass_model::location::Source;
use windlass_model::vars_source::{VarsKind, VarsSource};
use windlass_yaml::{Dialect, PathElement, YamlError, YamlErrorKind, display_path};

use crate::config_file::ConfigError;

/// Checks a decoded file; `text` is for places.
///
/// # Errors
/// The first field without meaning.
pub(crate) fn check(config: &DeploymentConfig, text: &Arc<Source>) -> Result<(), ConfigError> {
    let Some((path, reason)) = without_meaning(config) else { return Ok(()) };
    let document = windlass_yaml::parse_first(text, Dialect::GoV2)?;
    let kind = YamlErrorKind::Invalid { path: display_path(&path), reason };
    Err(YamlError::new(document.location(&path), kind).into())
}

fn without_meaning(config: &DeploymentConfig) -> Option<(Vec<PathElement>, String)> {
    if let Some(found) = vars_without_meaning(&["vars".into()], &config.vars) {
        return Some(found);
    }
    config.deployments.iter().enumerate().find_map(|(index, item)| {
        let at = |field: &str| vec!["deployments".into(), index.into(), field.into()];
        if is_include(item) && !item.delete_objects.is_empty() {
            let reason = "an include can not delete objects; put `deleteObjects` into an entry of its own before it, \
                          with `barrier: true` when they have to be gone first";
            return Some((at("deleteObjects"), reason.to_owned()));
        }
        vars_without_meaning(&at("vars"), &item.vars)
    })
}

fn vars_without_meaning(list: &[PathElement], sources: &[VarsSource]) -> Option<(Vec<PathElement>, String)> {
    let no_text = [VarsKind::Values, VarsKind::SystemEnvVars, VarsKind::ClusterObject, VarsKind::GitFiles];
    sources.iter().enumerate().filter(|(_, source)| source.multidoc).find_map(|(index, source)| {
        let kind = source.kinds().into_iter().find(|kind| no_text.contains(kind))?;
        let path = list.iter().cloned().chain([index.into(), "multidoc".into()]).collect();
        let instead = if kind == VarsKind::GitFiles { "; use `yamlMultiDoc` of its `files`" } else { "" };
        Some((path, format!("`{}` reads no documents{instead}", kind.field())))
    })
}

fn is_include(item: &ItemConfig) -> bool {
    item.include.is_some() || item.git.is_some() || item.oci.is_some()
}

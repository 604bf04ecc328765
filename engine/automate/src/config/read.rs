//! Finds and reads the files of the configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_model::image_automation::ImageAutomation;
use windlass_model::location::Source;
use windlass_yaml::{Dialect, Document, PathElement};

use super::error::ConfigError;
use super::section::Collector;
use super::{Index, flux};
use crate::set::{Scope, files};

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct ConfigRequest {
    /// The project file; its section `imageAutomation` counts.
    pub project_file: Option<PathBuf>,
    /// Root of the work tree: globs start here.
    pub root: PathBuf,
    /// Paths or globs of Flux's resources; empty means every YAML file of the tree that has one.
    pub resources: Vec<String>,
}

const SECTION: &str = "imageAutomation";

/// Reads everything; the first thing that is wrong ends it.
///
/// # Errors
/// Files that cannot be read, texts that are not what they must be, with position.
pub fn load(request: &ConfigRequest) -> Result<Index, ConfigError> {
    let mut collector = Collector::default();
    if let Some(file) = &request.project_file {
        project(file, &request.root, &mut collector)?;
    }
    resources(request, &mut collector)?;
    collector.finish()
}

fn project(file: &Path, root: &Path, collector: &mut Collector) -> Result<(), ConfigError> {
    let document = windlass_yaml::parse_first(&text(file, &shown(file, root))?, Dialect::GoV2)?;
    let Some(value) = document.value.get(SECTION).filter(|value| !value.is_null()) else { return Ok(()) };
    let base = [PathElement::from(SECTION)];
    let section: ImageAutomation = windlass_yaml::from_value(&document, value, &base)?;
    collector.namespace.clone_from(&section.namespace);
    collector.section(&section, &document, &base)?;
    let folder = file.parent().unwrap_or(root);
    for (index, glob) in section.include.iter().enumerate() {
        let scope = Scope::Globs { include: vec![glob.clone()], exclude: Vec::new() };
        let found = files(folder, &scope)?;
        if found.is_empty() {
            let at = document.location(&[SECTION.into(), "include".into(), index.into()]);
            return Err(ConfigError::NoFile { place: format!("{at}: "), glob: glob.clone() });
        }
        for file in found.iter().filter(|found| !same(&found.real, file)) {
            included(&file.real, &shown(&file.real, root), collector)?;
        }
    }
    Ok(())
}

fn same(real: &Path, project: &Path) -> bool {
    project.canonicalize().is_ok_and(|project| project == real)
}

/// A file with the section's content, at the top or under its own name.
fn included(file: &Path, name: &str, collector: &mut Collector) -> Result<(), ConfigError> {
    for document in windlass_yaml::parse_documents(&text(file, name)?, Dialect::GoV2)? {
        let (value, base) = match document.value.get(SECTION) {
            Some(inner) => (inner, vec![PathElement::from(SECTION)]),
            None => (&document.value, Vec::new()),
        };
        let section: ImageAutomation = windlass_yaml::from_value(&document, value, &base)?;
        if !section.include.is_empty() {
            let at = document.location(&base.iter().cloned().chain(["include".into()]).collect::<Vec<_>>());
            return Err(ConfigError::Entry { at, reason: "an included file cannot include others".into() });
        }
        collector.section(&section, &document, &base)?;
    }
    Ok(())
}

fn resources(request: &ConfigRequest, collector: &mut Collector) -> Result<(), ConfigError> {
    let explicit = !request.resources.is_empty();
    let mut found = Vec::new();
    if explicit {
        for glob in &request.resources {
            let path = request.root.join(glob);
            let scope = if path.is_dir() || path.is_file() {
                Scope::Below(glob.into())
            } else {
                Scope::Globs { include: vec![glob.clone()], exclude: Vec::new() }
            };
            let named = files(&request.root, &scope)?;
            if named.is_empty() {
                return Err(ConfigError::NoFile { place: String::new(), glob: glob.clone() });
            }
            found.extend(named);
        }
        found.sort();
        found.dedup_by(|a, b| a.real == b.real);
    } else {
        found = files(&request.root, &Scope::default())?;
    }
    use rayon::prelude::*;
    let wanted: Vec<_> = found
        .par_iter()
        .filter(|file| {
            let bytes = std::fs::read(&file.real).unwrap_or_default();
            explicit || memchr::memmem::find(&bytes, flux::GROUP.as_bytes()).is_some()
        })
        .collect();
    for file in wanted {
        let documents = match manifests(&file.real, &shown(&file.real, &request.root)) {
            Ok(documents) => documents,
            // Templates are no manifests; what was named by the user must be readable.
            Err(error @ ConfigError::Yaml(_)) if !explicit => {
                collector.warnings.push(format!("{error}; the file's resources are not known"));
                continue;
            }
            Err(error) => return Err(error),
        };
        for document in documents.iter().filter(|document| document.value.is_object()) {
            flux::add(document, collector)?;
        }
    }
    Ok(())
}

fn manifests(file: &Path, name: &str) -> Result<Vec<Document>, ConfigError> {
    Ok(windlass_yaml::parse_documents(&text(file, name)?, Dialect::GoV2)?)
}

/// The name in messages: below the root when it is there.
fn shown(file: &Path, root: &Path) -> String {
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let short = file.strip_prefix(&real).or_else(|_| file.strip_prefix(root)).unwrap_or(file);
    short.display().to_string()
}

fn text(file: &Path, name: &str) -> Result<Arc<Source>, ConfigError> {
    let bytes = std::fs::read(file).map_err(|source| ConfigError::Read { path: file.into(), source })?;
    Ok(Source::new(name, windlass_yaml::decode(&bytes, name)?.into_owned()))
}

//! Which files of an item's folder a generated kustomization lists.

use std::fs;
use std::path::Path;

use crate::error::KustomizeError;
use crate::files::failed;
use crate::prepare::{HelmOutputFile, PrepareOptions};
use crate::remote::REMOTE_DIR;

/// The entries of `resources`, relative to `dir`, with `/` as separator.
pub(crate) fn list(dir: &Path, options: &PrepareOptions) -> Result<Vec<String>, KustomizeError> {
    let mut listing = Listing { options, entries: Vec::new() };
    listing.visit(dir, "", is_chart(dir)?)?;
    Ok(listing.entries)
}

struct Listing<'a> {
    options: &'a PrepareOptions,
    entries: Vec<String>,
}

impl Listing<'_> {
    /// Of a chart only the rendered output counts; the rest are the chart's own files.
    fn visit(&mut self, dir: &Path, prefix: &str, in_chart: bool) -> Result<(), KustomizeError> {
        for (name, is_dir) in sorted_entries(dir)? {
            let relative = format!("{prefix}{name}");
            if is_dir {
                self.visit_dir(&dir.join(&name), &relative, in_chart)?;
            } else {
                self.visit_file(&name, relative, in_chart)?;
            }
        }
        Ok(())
    }

    fn visit_dir(&mut self, dir: &Path, relative: &str, in_chart: bool) -> Result<(), KustomizeError> {
        if !self.options.recursive || in_chart || relative == REMOTE_DIR {
            return Ok(());
        }
        let in_chart = is_chart(dir)?;
        self.visit(dir, &format!("{relative}/"), in_chart)
    }

    fn visit_file(&mut self, name: &str, relative: String, in_chart: bool) -> Result<(), KustomizeError> {
        match role(name) {
            Role::Ignored => {}
            Role::HelmChart => self.push_output(&relative),
            Role::Kustomization if relative.contains('/') => {
                return Err(KustomizeError::RecursiveWithNestedKustomization { path: relative });
            }
            Role::Kustomization | Role::Manifest => {
                if !in_chart || self.options.helm_outputs.iter().any(|helm| helm.output == relative) {
                    self.push(relative);
                }
            }
        }
        Ok(())
    }

    /// A chart stands for its output, wherever that is; one that is listed as a file itself keeps its own place.
    fn push_output(&mut self, config: &str) {
        let outputs = &self.options.helm_outputs;
        let Some(HelmOutputFile { output, .. }) = outputs.iter().find(|helm| helm.config == config) else {
            return;
        };
        let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let is_listed_itself = role(output.rsplit('/').next().unwrap_or_default()) == Role::Manifest
            && (self.options.recursive || folder(output) == folder(config));
        if !is_listed_itself {
            self.push(output.clone());
        }
    }

    fn push(&mut self, entry: String) {
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    HelmChart,
    Kustomization,
    Manifest,
    Ignored,
}

pub(crate) fn role(name: &str) -> Role {
    match name.to_lowercase().as_str() {
        "helm-values.yml" | "helm-values.yaml" => Role::Ignored,
        "helm-chart.yml" | "helm-chart.yaml" => Role::HelmChart,
        "kustomization.yml" | "kustomization.yaml" => Role::Kustomization,
        lower if lower.ends_with(".yml") || lower.ends_with(".yaml") => Role::Manifest,
        _ => Role::Ignored,
    }
}

fn is_chart(dir: &Path) -> Result<bool, KustomizeError> {
    Ok(sorted_entries(dir)?.iter().any(|(name, is_dir)| !is_dir && matches!(name.as_str(), "Chart.yaml" | "Chart.yml")))
}

/// Names with whether they are folders; links count as files. Names that are not text are left out.
fn sorted_entries(dir: &Path) -> Result<Vec<(String, bool)>, KustomizeError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed("list", dir))? {
        let entry = entry.map_err(failed("list", dir))?;
        let is_dir = entry.file_type().map_err(failed("inspect", &entry.path()))?.is_dir();
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, is_dir));
        }
    }
    entries.sort();
    Ok(entries)
}

//! What can be wrong with an item's kustomization or manifests.

use std::io;
use std::path::{Path, PathBuf};

use windlass_gohelper::HelperError;
use windlass_yaml::YamlError;

/// Preparing or building a kustomization failed.
///
/// Texts that exist in Kustomize are Kustomize's own, as scripts match on them.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
    /// A file or folder could not be read or written.
    #[error("{action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The kustomization is not YAML.
    #[error("unmarshalling {} failed: {source}", path.display())]
    Syntax {
        /// The kustomization file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<YamlError>,
    },
    /// The kustomization is a list or a scalar.
    #[error("unmarshalling {} failed: a kustomization must be a mapping", path.display())]
    NotAMapping {
        /// The kustomization file.
        path: PathBuf,
    },
    /// The namespace in force can not be set in a kustomization that is a link.
    #[error(
        "{} is a link, so its namespace can not be set here; set `namespace` in the file it leads to",
        path.display()
    )]
    Linked {
        /// The link.
        path: PathBuf,
    },
    /// `recursive: true` on a folder that has its own kustomization.
    #[error("recursive: true cannot be used when a kustomization.yaml/yml already exists in {item}")]
    RecursiveWithKustomization {
        /// The item's folder as the user knows it.
        item: String,
    },
    /// `recursive: true` above a folder that has its own kustomization.
    #[error("recursive: true cannot be used when a nested kustomization.yaml/yml already exists in {path}")]
    RecursiveWithNestedKustomization {
        /// The nested kustomization, relative to the item's folder.
        path: String,
    },
    /// A folder has more than one file that could be meant.
    #[error("Found multiple kustomization files under: {}\n", dir.display())]
    MultipleFiles {
        /// The folder.
        dir: PathBuf,
    },
    /// A resource of the kustomization does not exist.
    #[error("{}", missing_resource(resource, path, missing))]
    MissingResource {
        /// The entry in `resources`.
        resource: String,
        /// The file that it means.
        path: PathBuf,
        /// The first part of the path that does not exist.
        missing: PathBuf,
    },
    /// A resource file holds something that is no object, or an object twice.
    #[error("{}", bad_resource("accumulating resources from", resource, path, problem))]
    BadResource {
        /// The entry in `resources`.
        resource: String,
        /// The file that it means.
        path: PathBuf,
        /// What is wrong with its content.
        problem: ManifestProblem,
    },
    /// An object of a file exists in an earlier file too.
    #[error("{}", bad_resource("merging resources from", resource, path, problem))]
    Conflict {
        /// The entry in `resources`.
        resource: String,
        /// The file that it means.
        path: PathBuf,
        /// Which object.
        problem: ManifestProblem,
    },
    /// A manifest is not YAML, and there is no helper that could say it in Kustomize's words.
    #[error("accumulating resources: accumulating resources from '{resource}': MalformedYAMLError: {source}")]
    Manifest {
        /// The entry in `resources`.
        resource: String,
        /// Where and why.
        #[source]
        source: Box<YamlError>,
    },
    /// The helper failed, or refused the kustomization.
    #[error(transparent)]
    Helper(#[from] HelperError),
}

impl KustomizeError {
    /// Whether the objects exist but can not be written as JSON, such as an infinite number.
    ///
    /// kluctl notices that only when it writes the objects, in a later stage.
    #[must_use]
    pub fn is_encoding(&self) -> bool {
        matches!(self, Self::Helper(HelperError::Encoding { .. }))
    }
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// Neither `apiVersion`, `kind` nor `metadata`.
    #[error("missing Resource metadata")]
    NoMetadata,
    /// No `kind`.
    #[error("missing kind in object {object}")]
    NoKind {
        /// The object's head in Go's notation.
        object: String,
    },
    /// No `metadata.name`.
    #[error("missing metadata.name in object {object}")]
    NoName {
        /// The object's head in Go's notation.
        object: String,
    },
    /// The id is taken.
    #[error("may not add resource with an already registered id: {id}")]
    DuplicateId {
        /// Kind, version, group, name and namespace.
        id: String,
    },
}

fn missing_resource(resource: &str, path: &Path, missing: &Path) -> String {
    let (path, missing) = (path.display(), missing.display());
    format!(
        "accumulating resources: accumulation err='accumulating resources from '{resource}': \
         open {path}: no such file or directory': must build at directory: not a valid directory: \
         evalsymlink failure on '{path}' : lstat {missing}: no such file or directory"
    )
}

fn bad_resource(action: &str, resource: &str, path: &Path, problem: &ManifestProblem) -> String {
    format!(
        "accumulating resources: accumulation err='{action} '{resource}': {problem}': \
         must build at directory: '{}': file is not directory",
        path.display()
    )
}

//! Why variables cannot be loaded; texts are upstream's where scripts know them.

use std::path::PathBuf;

use windlass_cluster::ClusterError;
use windlass_fieldpath::JsonPathError;
use windlass_model::source::GitUrlError;
use windlass_model::vars_source::VarsKind;
use windlass_sources::SourceError;
use windlass_template::TemplateError;

use super::ObjectProblem;
use crate::config_file::ConfigError;
use crate::multi_error::Errors;
use crate::ports::StoreFailure;
use crate::target::RenderedText;
use crate::traceback::Traceback;

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
    #[error("failed to render vars file {file}: {}", Traceback(source))]
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
    /// The file is encrypted, and cannot be read.
    #[error("failed to decrypt vars file {file}: {source}")]
    Encrypted {
        /// The path as written.
        file: String,
        /// Why.
        #[source]
        source: Box<windlass_sops::SopsError>,
    },
    /// A decrypted file that is no map of variables; what is in it stays unsaid.
    #[error("failed to load vars from {file}: the decrypted content is not a valid YAML mapping{place}")]
    EncryptedContent {
        /// The path as written.
        file: String,
        /// Where, if that is known.
        place: String,
    },
    /// The address of a repository.
    #[error(transparent)]
    GitUrl(#[from] GitUrlError),
    /// A repository that cannot be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A glob of `gitFiles`.
    #[error("invalid glob '{glob}': {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong.
        reason: String,
    },
    /// A regular expression of `gitFiles`.
    #[error("invalid regular expression '{pattern}' in ref: {reason}")]
    RefPattern {
        /// The expression.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// No branch or tag of a repository stands at the commit.
    #[error("commit {commit} not found")]
    NoCommit {
        /// The commit as written.
        commit: String,
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
    /// The cluster's answer.
    #[error(transparent)]
    Cluster(#[from] Box<ClusterError>),
    /// No object has the labels.
    #[error("no object found with labels {labels}")]
    NothingSelected {
        /// The labels.
        labels: String,
    },
    /// Several objects have the labels.
    #[error("found more than one objects with labels {labels}")]
    SeveralSelected {
        /// The labels.
        labels: String,
    },
    /// The object has no such key.
    #[error("key {key} not found in {object} on cluster")]
    ClusterKey {
        /// The key.
        key: String,
        /// The object.
        object: String,
    },
    /// Templates in a key.
    #[error("failed to render key {key} of {object}: {}", Traceback(source))]
    ClusterTemplate {
        /// The key.
        key: String,
        /// The object.
        object: String,
        /// Where and why.
        #[source]
        source: TemplateError,
    },
    /// The content of a ConfigMap's key.
    #[error(transparent)]
    ClusterContent {
        /// Where and why.
        source: ConfigError,
    },
    /// The content of a Secret's key.
    #[error("value of key {key} of {object} {problem}")]
    SecretContent {
        /// The key.
        key: String,
        /// The object.
        object: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The cluster has no such kind.
    #[error("no matching resource found for kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The cluster has several such kinds.
    #[error("more then one matching resources found for kind {kind}, consider also specifying apiVersion")]
    AmbiguousKind {
        /// The kind.
        kind: String,
    },
    /// `clusterObject` finds nothing.
    #[error("no object found")]
    NoObject,
    /// `clusterObject` without `list` finds several.
    #[error("found more than one object")]
    SeveralObjects,
    /// The path of `clusterObject` does not parse.
    #[error(transparent)]
    ObjectPath {
        /// Where and why.
        source: JsonPathError,
    },
    /// The value of an object.
    #[error("failed to load vars from kubernetes object {object} and json path {path}: {problem}")]
    ObjectValue {
        /// The object.
        object: String,
        /// The path.
        path: String,
        /// What is wrong.
        #[source]
        problem: ObjectProblem,
    },
    /// A secret store or an address.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// Templates in what a store gave.
    #[error("failed to render the value of {subject}: {}", Traceback(source))]
    RemoteTemplate {
        /// Store and secret.
        subject: String,
        /// Where and why.
        #[source]
        source: TemplateError,
    },
    /// What a store or an address gave; it may be secret, so it is not quoted.
    #[error("the value of {subject} {problem}")]
    RemoteContent {
        /// Store and secret, or address.
        subject: String,
        /// What is wrong.
        problem: String,
    },
    /// An address answers with an error.
    #[error("http request to {url} failed with status code {status}")]
    HttpStatus {
        /// The address.
        url: String,
        /// Its answer.
        status: u16,
    },
    /// `jsonPath` does not parse.
    #[error(transparent)]
    HttpPath(JsonPathError),
    /// `jsonPath` leads nowhere.
    #[error("{path} not found in result from http request {url}")]
    HttpPathNotFound {
        /// The path.
        path: String,
        /// The address.
        url: String,
    },
    /// `jsonPath` leads to something else than text.
    #[error("{path} in result of http request {url} is not a string")]
    HttpPathNoText {
        /// The path.
        path: String,
        /// The address.
        url: String,
    },
    /// The source kind exists in the format but not in this version.
    #[error("vars source `{}` is not supported by this version of windlass yet", kind.field())]
    Unsupported {
        /// The source.
        kind: VarsKind,
    },
}

/// A condition that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[error("unable to render conditional '{text}': {}", Traceback(source))]
pub struct ConditionError {
    /// The expression.
    pub text: String,
    /// Where and why.
    #[source]
    pub source: TemplateError,
}

//! Kustomization → objects, natively where that is exact, else by the helper.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use windlass_gohelper::{GoHelper, HelperError, KustomizeRequest};
use windlass_yaml::{Dialect, Source, YamlError, parse_documents};

use crate::annotations::{Fate, settle};
use crate::error::{KustomizeError, ManifestProblem};
use crate::files::{canonical, kustomizations_in, read_text};
use crate::identity::Identity;
use crate::kustomization::{NativeBuild, Plan, plan};
use crate::manifest::{Manifest, Reading, read};
use crate::namespace;
use crate::prepare::Prepared;
use crate::references;

/// The objects of a kustomization.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Built {
    /// In Kustomize's order.
    pub objects: Vec<Value>,
    /// What Kustomize wanted to tell, one a line.
    pub warnings: Vec<String>,
}

/// Builds the kustomization in `dir`. No file outside of `source_root` is read, also not through links.
pub async fn build(
    dir: &Path,
    source_root: &Path,
    prepared: &Prepared,
    helper: &GoHelper,
) -> Result<Built, KustomizeError> {
    let syntax_error = match attempt(dir, source_root, prepared)? {
        Outcome::Built(objects) => return Ok(Built { objects, warnings: Vec::new() }),
        Outcome::Helper(syntax_error) => syntax_error,
    };
    let request = KustomizeRequest { dir: dir.to_owned(), root: source_root.to_owned() };
    match (helper.kustomize_build(request).await, syntax_error) {
        (Ok(output), _) => Ok(Built { objects: output.objects, warnings: output.warnings }),
        (Err(HelperError::ProgramMissing { .. }), Some(error)) => Err(error.into()),
        (Err(error), _) => Err(error.into()),
    }
}

/// The native part alone, for callers on many threads; nothing when the helper is needed.
pub fn build_native(dir: &Path, source_root: &Path, prepared: &Prepared) -> Result<Option<Vec<Value>>, KustomizeError> {
    match attempt(dir, source_root, prepared)? {
        Outcome::Built(objects) => Ok(Some(objects)),
        Outcome::Helper(_) => Ok(None),
    }
}

enum Outcome {
    Built(Vec<Value>),
    /// With the syntax error that was the reason, if it was.
    Helper(Option<SyntaxError>),
}

struct SyntaxError {
    resource: String,
    source: Box<YamlError>,
}

impl From<SyntaxError> for KustomizeError {
    fn from(error: SyntaxError) -> Self {
        let SyntaxError { resource, source } = error;
        Self::Manifest { resource, source }
    }
}

fn attempt(dir: &Path, source_root: &Path, prepared: &Prepared) -> Result<Outcome, KustomizeError> {
    let dir = canonical(dir)?;
    if kustomizations_in(&dir).len() > 1 {
        return Err(KustomizeError::MultipleFiles { dir });
    }
    let Plan::Native(native) = plan(&prepared.kustomization) else {
        return Ok(Outcome::Helper(None));
    };
    let root = canonical(source_root)?;
    if !canonical(&prepared.path)?.starts_with(&root) {
        return Ok(Outcome::Helper(None));
    }
    let mut builder = Builder { root, visited: Vec::new(), namespace_used: false };
    match builder.accumulate(&dir, &native) {
        Ok(manifests) => Ok(builder.finish(manifests).map_or(Outcome::Helper(None), Outcome::Built)),
        Err(Stop::Helper(syntax_error)) => Ok(Outcome::Helper(syntax_error)),
        Err(Stop::Failed(error)) => Err(*error),
    }
}

/// Ends a native build.
enum Stop {
    /// Only the helper knows.
    Helper(Option<SyntaxError>),
    /// Certainly wrong.
    Failed(Box<KustomizeError>),
}

const UNSURE: Stop = Stop::Helper(None);

struct Builder {
    /// Canonical; nothing outside of it is read.
    root: PathBuf,
    /// The folders from the item's to the current one, canonical.
    visited: Vec<PathBuf>,
    namespace_used: bool,
}

impl Builder {
    fn accumulate(&mut self, dir: &Path, native: &NativeBuild) -> Result<Vec<Manifest>, Stop> {
        if !dir.starts_with(&self.root) {
            return Err(UNSURE);
        }
        self.visited.push(dir.to_owned());
        let mut all = Accumulated::default();
        for resource in &native.resources {
            self.add(&mut all, dir, resource)?;
        }
        self.visited.pop();
        let mut manifests = all.manifests;
        if let Some(wanted) = &native.namespace {
            self.namespace_used = true;
            if !namespace::set(&mut manifests, wanted) || has_duplicates(&manifests) {
                return Err(UNSURE);
            }
        }
        Ok(manifests)
    }

    fn add(&mut self, all: &mut Accumulated, dir: &Path, resource: &str) -> Result<(), Stop> {
        match self.locate(dir, resource)? {
            Place::File(path) => {
                let manifests = self.read_file(&path, resource)?;
                all.merge(manifests).map_err(|problem| {
                    self.refuse(KustomizeError::Conflict { resource: resource.to_owned(), path, problem })
                })
            }
            Place::Dir(path) => {
                let manifests = self.accumulate_dir(&path)?;
                all.merge(manifests).map_err(|_| UNSURE)
            }
        }
    }

    /// Finds what an entry of `resources` means.
    fn locate(&self, dir: &Path, resource: &str) -> Result<Place, Stop> {
        if !is_local(resource) {
            return Err(UNSURE);
        }
        let path = join(dir, resource);
        if !path.starts_with(&self.root) {
            return Err(UNSURE);
        }
        let path = match fs::canonicalize(&path) {
            Ok(real) if real == path => path,
            // Errors name the path with its links.
            Ok(_) => return self.locate_linked(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.missing(resource, path)),
            Err(_) => return Err(UNSURE),
        };
        Ok(if path.is_dir() { Place::Dir(path) } else { Place::File(path) })
    }

    fn missing(&self, resource: &str, path: PathBuf) -> Stop {
        let mut missing = path.as_path();
        while let Some(parent) = missing.parent() {
            match fs::canonicalize(parent) {
                // Below a link Kustomize names other places, and a dangling link is another error.
                Ok(real) if real != parent || fs::symlink_metadata(missing).is_ok() => return UNSURE,
                Ok(_) => break,
                Err(_) => missing = parent,
            }
        }
        let missing = missing.to_owned();
        self.refuse(KustomizeError::MissingResource { resource: resource.to_owned(), path, missing })
    }

    fn locate_linked(&self, path: &Path) -> Result<Place, Stop> {
        let real = fs::canonicalize(path).map_err(|_| UNSURE)?;
        if !real.starts_with(&self.root) {
            return Err(UNSURE);
        }
        Ok(if real.is_dir() { Place::Dir(real) } else { Place::File(path.to_owned()) })
    }

    fn read_file(&self, path: &Path, resource: &str) -> Result<Vec<Manifest>, Stop> {
        let bytes = fs::read(path).map_err(|_| UNSURE)?;
        let text = String::from_utf8(bytes).map_err(|_| UNSURE)?;
        let refuse = |problem| {
            let (resource, path) = (resource.to_owned(), path.to_owned());
            self.refuse(KustomizeError::BadResource { resource, path, problem })
        };
        match read(&text, resource) {
            Reading::Objects(manifests) => match first_duplicate(&manifests) {
                None => Ok(manifests),
                Some(problem) => Err(refuse(problem)),
            },
            Reading::Refused(problem) => Err(refuse(problem)),
            Reading::Unsure(source) => {
                Err(Stop::Helper(source.map(|source| SyntaxError { resource: resource.to_owned(), source })))
            }
        }
    }

    fn accumulate_dir(&mut self, dir: &Path) -> Result<Vec<Manifest>, Stop> {
        if self.visited.iter().any(|visited| visited.starts_with(dir)) {
            return Err(UNSURE);
        }
        let kustomizations = kustomizations_in(dir);
        let [file] = kustomizations.as_slice() else {
            return Err(UNSURE);
        };
        match read_kustomization(file).as_ref().map(plan) {
            Some(Plan::Native(native)) => self.accumulate(dir, &native),
            Some(Plan::Helper) | None => Err(UNSURE),
        }
    }

    /// Only errors of the item's own kustomization are told here; those of others are wrapped by Kustomize.
    fn refuse(&self, error: KustomizeError) -> Stop {
        if self.visited.len() == 1 { Stop::Failed(Box::new(error)) } else { UNSURE }
    }

    /// What happens to all objects in the end; nothing when the helper must do it.
    fn finish(&self, mut manifests: Vec<Manifest>) -> Option<Vec<Value>> {
        if self.namespace_used && !manifests.iter().all(namespace::is_covered) {
            return None;
        }
        if !manifests.iter().all(|manifest| references::are_reachable(&manifest.object, manifest.kind())) {
            return None;
        }
        let mut objects = Vec::with_capacity(manifests.len());
        for mut manifest in manifests.drain(..) {
            match settle(&mut manifest.object) {
                Fate::Keep => objects.push(Value::Object(manifest.object)),
                Fate::Drop => {}
                Fate::Unsure => return None,
            }
        }
        Some(objects)
    }
}

enum Place {
    File(PathBuf),
    Dir(PathBuf),
}

#[derive(Default)]
struct Accumulated {
    manifests: Vec<Manifest>,
    taken: BTreeSet<Identity>,
}

impl Accumulated {
    fn merge(&mut self, manifests: Vec<Manifest>) -> Result<(), ManifestProblem> {
        for manifest in &manifests {
            if !self.taken.insert(manifest.identity()) {
                return Err(ManifestProblem::DuplicateId { id: manifest.notation().to_string() });
            }
        }
        self.manifests.extend(manifests);
        Ok(())
    }
}

fn first_duplicate(manifests: &[Manifest]) -> Option<ManifestProblem> {
    let mut taken = BTreeSet::new();
    manifests
        .iter()
        .find(|manifest| !taken.insert(manifest.identity()))
        .map(|manifest| ManifestProblem::DuplicateId { id: manifest.notation().to_string() })
}

pub(crate) fn has_duplicates(manifests: &[Manifest]) -> bool {
    first_duplicate(manifests).is_some()
}

/// Whether Kustomize can not take an entry for a URL.
fn is_local(resource: &str) -> bool {
    !resource.is_empty()
        && !Path::new(resource).is_absolute()
        && !resource.contains([':', '@', '?', '\\'])
        && !resource.contains("//")
        && !resource.to_ascii_lowercase().starts_with("github.com")
}

/// Joins as Go does: `..` is taken literally, before links are followed.
fn join(dir: &Path, resource: &str) -> PathBuf {
    let mut path = dir.to_owned();
    for component in Path::new(resource).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

fn read_kustomization(file: &Path) -> Option<Value> {
    let source = Source::new(file.display().to_string(), read_text(file).ok()?);
    let mut documents = parse_documents(&source, Dialect::GoV2).ok()?;
    if documents.len() == 1 { documents.pop().map(|document| document.value) } else { None }
}

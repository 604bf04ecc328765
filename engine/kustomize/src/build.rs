//! Kustomization → objects, natively where that is exact, else by the helper.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_gohelper::{GoHelper, HelperError, KustomizeRequest};
use windlass_yaml::{Dialect, Source, YamlError, parse_documents};

use crate::annotations::{Fate, settle};
use crate::error::{KustomizeError, ManifestProblem};
use crate::files::{Disk, Files, Place, canonical, kustomizations_in};
use crate::generators::generate;
use crate::hash::add_hashes;
use crate::identity::Identity;
use crate::kustomization::{Kustomization, Plan, UsedAs, plan};
use crate::manifest::{Manifest, Reading, read};
use crate::prepare::Prepared;
use crate::references;
use crate::transform::{self, Context};
use crate::unsure::{Certain, Unsure, ensure};

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
        Outcome::Built(built) => return Ok(built),
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
pub fn build_native(dir: &Path, source_root: &Path, prepared: &Prepared) -> Result<Option<Built>, KustomizeError> {
    match attempt(dir, source_root, prepared)? {
        Outcome::Built(built) => Ok(Some(built)),
        Outcome::Helper(_) => Ok(None),
    }
}

enum Outcome {
    Built(Built),
    /// With the syntax error that was the reason, if it was.
    Helper(Option<SyntaxError>),
}

pub(crate) struct SyntaxError {
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
    let root = canonical(source_root)?;
    if !canonical(&prepared.path)?.starts_with(&root) {
        return Ok(Outcome::Helper(None));
    }
    let files = Disk { root };
    match build_from(&files, &dir, &prepared.kustomization) {
        Ok(built) => Ok(Outcome::Built(built)),
        Err(Stop::Helper(syntax_error)) => Ok(Outcome::Helper(syntax_error)),
        Err(Stop::Failed(error)) => Err(*error),
    }
}

/// Builds from any files.
pub(crate) fn build_from(files: &dyn Files, dir: &Path, kustomization: &Value) -> Result<Built, Stop> {
    let Plan::Native(kustomization) = plan(kustomization, UsedAs::Kustomization) else {
        return Err(Unsure("a kustomization that is not covered").into());
    };
    let mut builder = Builder { files, visited: Vec::new(), warnings: Vec::new() };
    let manifests = builder.accumulate(dir, &kustomization, Vec::new())?;
    let objects = finish(manifests)?;
    Ok(Built { objects, warnings: builder.warnings })
}

/// What happens to all objects in the end.
pub(crate) fn finish(mut manifests: Vec<Manifest>) -> Certain<Vec<Value>> {
    add_hashes(&mut manifests)?;
    references::follow(&mut manifests)?;
    let mut objects = Vec::with_capacity(manifests.len());
    for mut manifest in manifests {
        ensure(!manifest.kind().is_empty(), "an object without a kind")?;
        match settle(&mut manifest.object) {
            Fate::Keep => objects.push(Value::Object(manifest.object)),
            Fate::Drop => {}
            Fate::Unsure => return Err(Unsure("unusual annotations")),
        }
    }
    Ok(objects)
}

/// Ends a native build.
pub(crate) enum Stop {
    /// Only the helper knows.
    Helper(Option<SyntaxError>),
    /// Certainly wrong.
    Failed(Box<KustomizeError>),
}

impl From<Unsure> for Stop {
    fn from(_: Unsure) -> Self {
        Self::Helper(None)
    }
}

struct Builder<'a> {
    files: &'a dyn Files,
    /// The folders from the item's to the current one, canonical.
    visited: Vec<PathBuf>,
    warnings: Vec<String>,
}

impl Builder<'_> {
    /// A component starts with the objects that there are, a kustomization with none.
    fn accumulate(
        &mut self,
        dir: &Path,
        kustomization: &Kustomization,
        objects: Vec<Manifest>,
    ) -> Result<Vec<Manifest>, Stop> {
        self.warnings.extend(kustomization.warnings());
        self.visited.push(dir.to_owned());
        let mut all = Accumulated::from(objects);
        for resource in &kustomization.resources {
            self.add(&mut all, dir, resource)?;
        }
        let mut manifests = all.manifests;
        let context = Context { files: self.files, dir };
        generate(kustomization, &mut manifests, context)?;
        for component in &kustomization.components {
            manifests = self.add_component(dir, component, manifests)?;
        }
        transform::apply(kustomization, &mut manifests, context)?;
        self.visited.pop();
        Ok(manifests)
    }

    fn add(&mut self, all: &mut Accumulated, dir: &Path, resource: &str) -> Result<(), Stop> {
        match self.files.locate(dir, resource) {
            Place::File(path) => {
                let manifests = self.read_file(&path, resource)?;
                all.merge(manifests).map_err(|problem| {
                    self.refuse(KustomizeError::Conflict { resource: resource.to_owned(), path, problem })
                })
            }
            Place::Dir(path) => {
                let kustomization = self.read_kustomization(&path, UsedAs::Kustomization)?;
                let manifests = self.accumulate(&path, &kustomization, Vec::new())?;
                all.merge(manifests).map_err(|_| Unsure("objects clash").into())
            }
            Place::Missing { path, missing } => {
                Err(self.refuse(KustomizeError::MissingResource { resource: resource.to_owned(), path, missing }))
            }
            Place::Unknown => Err(Unsure("a resource in an unusual place").into()),
        }
    }

    fn add_component(&mut self, dir: &Path, component: &str, manifests: Vec<Manifest>) -> Result<Vec<Manifest>, Stop> {
        let Place::Dir(path) = self.files.locate(dir, component) else {
            return Err(Unsure("a component that is no folder").into());
        };
        let kustomization = self.read_kustomization(&path, UsedAs::Component)?;
        let manifests = self.accumulate(&path, &kustomization, manifests)?;
        ensure(!has_duplicates(&manifests), "objects clash after a component")?;
        Ok(manifests)
    }

    fn read_kustomization(&self, dir: &Path, used_as: UsedAs) -> Certain<Box<Kustomization>> {
        ensure(!self.visited.iter().any(|visited| visited.starts_with(dir)), "a cycle")?;
        let kustomizations = self.files.kustomizations(dir);
        let [file] = kustomizations.as_slice() else {
            return Err(Unsure("not one kustomization"));
        };
        let text = self.files.read_text(file)?;
        let source = Source::new(file.display().to_string(), text);
        let mut documents =
            parse_documents(&source, Dialect::GoV2).map_err(|_| Unsure("an unreadable kustomization"))?;
        let document = documents.pop().filter(|_| documents.is_empty()).ok_or(Unsure("not one document"))?;
        match plan(&document.value, used_as) {
            Plan::Native(kustomization) => Ok(kustomization),
            Plan::Helper => Err(Unsure("a nested kustomization that is not covered")),
        }
    }

    fn read_file(&self, path: &Path, resource: &str) -> Result<Vec<Manifest>, Stop> {
        let text = self.files.read_text(path)?;
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

    /// Only errors of the item's own kustomization are told here; those of others are wrapped by Kustomize.
    fn refuse(&self, error: KustomizeError) -> Stop {
        if self.visited.len() == 1 { Stop::Failed(Box::new(error)) } else { Stop::Helper(None) }
    }
}

struct Accumulated {
    manifests: Vec<Manifest>,
    taken: BTreeSet<Identity>,
}

impl From<Vec<Manifest>> for Accumulated {
    fn from(manifests: Vec<Manifest>) -> Self {
        let taken = manifests.iter().map(Manifest::identity).collect();
        Self { manifests, taken }
    }
}

impl Accumulated {
    fn merge(&mut self, manifests: Vec<Manifest>) -> Result<(), ManifestProblem> {
        for manifest in &manifests {
            if !self.taken.insert(manifest.identity()) {
                return Err(ManifestProblem::DuplicateId { id: manifest.id_text().to_string() });
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
        .map(|manifest| ManifestProblem::DuplicateId { id: manifest.id_text().to_string() })
}

pub(crate) fn has_duplicates(manifests: &[Manifest]) -> bool {
    first_duplicate(manifests).is_some()
}

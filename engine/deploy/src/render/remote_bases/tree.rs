//! Folders with kustomizations: of the project as it was rendered, and of repositories as they were laid beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use windlass_kustomize::{BuiltInMemory, REMOTE_DIR, RemoteEntry, inside, remote_entry, without_login};
use windlass_sources::{CheckedOut, SourceState};
use windlass_yaml::{Dialect, Document, PathElement, Source, parse_first};

use super::copy::{LeftOut, copy_repository, fresh_dir, is_encrypted, write_new};
use super::entries::{Spot, Wanted, entries, is_web, paths};
use super::error::{RemoteBaseError, RemoteBaseProblem};
use super::fetch::Fetched;
use crate::render::RenderRequest;
use crate::tree::ItemNode;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Files that belong together.
#[derive(Debug)]
pub(super) struct Tree {
    /// Where they lie, links resolved.
    root: PathBuf,
    /// The rendered root that must contain everything.
    rendered: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The project's own; with the folder that the user knows.
    Project(PathBuf),
    /// With the address, and what was not copied.
    Repository { url: String, left_out: LeftOut },
}

/// A folder that may have a kustomization.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// Links resolved.
    pub(super) dir: PathBuf,
    tree: Arc<Tree>,
}

impl Folder {
    /// As the user knows it.
    pub(super) fn name(&self) -> String {
        let inner = self.dir.strip_prefix(&self.tree.root).unwrap_or(&self.dir);
        match &self.tree.kind {
            Kind::Project(source) => source.join(inner).display().to_string(),
            Kind::Repository { url, .. } if inner == Path::new("") => url.clone(),
            Kind::Repository { url, .. } => format!("{url}//{}", inner.display()),
        }
    }
}

/// An entry that leads to another host.
pub(super) struct Found {
    pub(super) folder: Folder,
    pub(super) file: PathBuf,
    pub(super) document: Arc<Document>,
    pub(super) spot: Spot,
    pub(super) entry: RemoteEntry,
}

impl Found {
    pub(super) fn refuse(&self, problem: RemoteBaseProblem) -> RemoteBaseError {
        refuse(&self.document, &self.spot.path, &self.spot.text, problem)
    }
}

fn refuse(document: &Document, path: &[PathElement], text: &str, problem: RemoteBaseProblem) -> RemoteBaseError {
    RemoteBaseError { at: document.location(path), entry: without_login(text), problem }
}

/// The folders of the items that are built from files.
pub(super) fn starts(
    items: &[Arc<ItemNode>],
    ready: &[Option<BuiltInMemory>],
    request: RenderRequest<'_>,
) -> Vec<Folder> {
    let mut trees: BTreeMap<usize, Arc<Tree>> = BTreeMap::new();
    let mut folders = Vec::new();
    for (item, ready) in items.iter().zip(ready) {
        let (None, Some(dir)) = (ready, &item.render_dir) else { continue };
        let id = item.source.id;
        // What does not exist or leads elsewhere is told by those who build.
        let Ok(root) = request.output_dir.join(id.to_string()).canonicalize() else { continue };
        let Ok(dir) = request.output_dir.join(dir).canonicalize() else { continue };
        if item.config.only_render || !dir.starts_with(&root) {
            continue;
        }
        let kind = Kind::Project(item.source.root.clone());
        let tree = trees.entry(id).or_insert_with(|| Arc::new(Tree { rendered: root.clone(), root, kind }));
        folders.push(Folder { dir, tree: tree.clone() });
    }
    folders
}

/// What a folder's kustomizations name.
#[derive(Default)]
pub(super) struct Read {
    pub(super) found: Vec<Found>,
    pub(super) folders: Vec<Folder>,
    pub(super) errors: Vec<RemoteBaseError>,
}

pub(super) fn read_folder(folder: &Folder) -> Read {
    let mut read = Read::default();
    for file in NAMES.map(|name| folder.dir.join(name)).into_iter().filter(|file| is_inside(file, folder)) {
        // What cannot be read is told by those who build.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let source = Source::new(format!("{}/{name}", folder.name()), text);
        let Ok(document) = parse_first(&source, Dialect::GoV2) else { continue };
        read_document(folder, &file, Arc::new(document), &mut read);
    }
    read
}

fn is_inside(file: &Path, folder: &Folder) -> bool {
    file.is_file() && file.canonicalize().is_ok_and(|real| real.starts_with(&folder.tree.root))
}

fn read_document(folder: &Folder, file: &Path, document: Arc<Document>, read: &mut Read) {
    let problem = |(path, text)| Some((left_out(folder, text)?, path, text));
    if let Some((problem, path, text)) = paths(&document.value).into_iter().find_map(problem) {
        read.errors.push(refuse(&document, &path, text, problem));
    }
    for spot in entries(&document.value) {
        match meaning(folder, &spot) {
            Ok(Some(entry)) => {
                let (folder, file, document) = (folder.clone(), file.to_owned(), document.clone());
                read.found.push(Found { folder, file, document, spot, entry });
            }
            Ok(None) if spot.wanted != Wanted::File => read.folders.extend(local_folder(folder, &spot.text)),
            Ok(None) => {}
            Err(problem) => read.errors.push(refuse(&document, &spot.path, &spot.text, problem)),
        }
    }
}

fn meaning(folder: &Folder, spot: &Spot) -> Result<Option<RemoteEntry>, RemoteBaseProblem> {
    if spot.wanted == Wanted::File {
        return Ok(is_web(&spot.text).then(|| RemoteEntry::File { url: spot.text.clone() }));
    }
    // As for Kustomize, a file that exists comes first.
    if !spot.text.contains(['\n', '\0']) && folder.dir.join(&spot.text).is_file() {
        return Ok(None);
    }
    match remote_entry(&spot.text)? {
        Some(RemoteEntry::File { .. }) if spot.wanted == Wanted::Component => Err(RemoteBaseProblem::FileAsComponent),
        Some(RemoteEntry::Either { base, .. }) if spot.wanted == Wanted::Component => {
            Ok(Some(RemoteEntry::Repository(base)))
        }
        entry => Ok(entry),
    }
}

/// Why a path of a repository's kustomization has nothing behind it: it ends outside of the repository, also through a
/// link, or at a file that is not decrypted.
fn left_out(folder: &Folder, text: &str) -> Option<RemoteBaseProblem> {
    let Kind::Repository { left_out, .. } = &folder.tree.kind else { return None };
    let path = Path::new(text);
    let inner = folder.dir.strip_prefix(&folder.tree.root).unwrap_or(Path::new(""));
    if path.is_absolute() || text.contains("://") {
        return None;
    }
    let outside = match inside(inner, text) {
        Some(path) if left_out.encrypted.contains(&path) => return Some(RemoteBaseProblem::Encrypted),
        Some(path) => path.ancestors().any(|part| left_out.outside.contains(part)),
        None => path.components().any(|part| part == Component::ParentDir),
    };
    outside.then_some(RemoteBaseProblem::Outside)
}

fn local_folder(folder: &Folder, text: &str) -> Option<Folder> {
    if text.is_empty() || text.contains(['\n', '\0']) {
        return None;
    }
    let dir = folder.dir.join(text).canonicalize().ok()?;
    (dir.is_dir() && dir.starts_with(&folder.tree.root)).then(|| Folder { dir, tree: folder.tree.clone() })
}

/// Where something fetched was laid.
pub(super) struct Placed {
    pub(super) path: PathBuf,
    /// Unless it is a file.
    pub(super) folder: Option<Folder>,
}

/// Where everything fetched was laid: each repository and each file once.
#[derive(Default)]
pub(super) struct Places {
    repositories: BTreeMap<PathBuf, Arc<Tree>>,
    files: BTreeSet<PathBuf>,
}

impl Places {
    pub(super) fn place(&mut self, found: &Found, fetched: Fetched) -> Result<Placed, RemoteBaseProblem> {
        let rendered = &found.folder.tree.rendered;
        match fetched {
            Fetched::File { url, text } => {
                let path = rendered.join(REMOTE_DIR).join(format!("file-{}", digest(&url))).join(file_name(&url));
                if is_encrypted(&path, text.as_bytes()) {
                    return Err(RemoteBaseProblem::Encrypted);
                }
                if self.files.insert(path.clone()) {
                    if let Some(dir) = path.parent() {
                        fresh_dir(rendered, dir)?;
                    }
                    write_new(&path, &text).map_err(RemoteBaseProblem::io("write", &path))?;
                }
                Ok(Placed { path, folder: None })
            }
            Fetched::Repository(checked_out, base) => {
                let tree = self.repository(rendered, &checked_out, &base.url)?;
                let dir = tree.root.join(&base.sub_dir);
                let modules = checked_out.root.join(".gitmodules").exists();
                let hint = if modules {
                    "; its submodules are not fetched"
                } else {
                    "; check the part behind the repository's name"
                };
                let none = || RemoteBaseProblem::NoFolder { dir: base.sub_dir.clone(), hint };
                if let Kind::Repository { left_out, .. } = &tree.kind
                    && base.sub_dir.ancestors().any(|part| left_out.outside.contains(part))
                {
                    return Err(RemoteBaseProblem::Outside);
                }
                let dir = dir.canonicalize().map_err(|_| none())?;
                if !dir.starts_with(&tree.root) {
                    return Err(RemoteBaseProblem::Outside);
                }
                if !dir.is_dir() {
                    return Err(none());
                }
                Ok(Placed { path: dir.clone(), folder: Some(Folder { dir, tree }) })
            }
        }
    }

    fn repository(
        &mut self,
        rendered: &Path,
        checked_out: &CheckedOut,
        url: &str,
    ) -> Result<Arc<Tree>, RemoteBaseProblem> {
        let state = match &checked_out.state {
            SourceState::Commit { commit, .. } => commit.as_str(),
            SourceState::Artifact { digest } => digest.as_str(),
            SourceState::Override => "local",
        };
        let shown = without_login(url);
        let name = file_name(&shown);
        let name = name.strip_suffix(".git").unwrap_or(&name);
        let root = rendered.join(REMOTE_DIR).join(format!("{name}-{}", digest(&format!("{shown} {state}"))));
        if let Some(tree) = self.repositories.get(&root) {
            return Ok(tree.clone());
        }
        fresh_dir(rendered, &root)?;
        let left_out = copy_repository(&checked_out.root, &root)?;
        let kind = Kind::Repository { url: shown, left_out };
        let tree = Arc::new(Tree { root: root.clone(), rendered: rendered.to_owned(), kind });
        self.repositories.insert(root, tree.clone());
        Ok(tree)
    }
}

/// Enough to tell places apart, and the same in each run.
fn digest(text: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(text.as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The last part of an address, as the name of a file.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit(['/', ':']).next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = last.chars().map(|c| if is_plain(c) { c } else { '_' }).take(100).collect();
    if name.trim_matches('.').is_empty() { "file".to_owned() } else { name }
}

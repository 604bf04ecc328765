//! Bare copies of repositories, shared between runs and safe between processes.
//!
//! A new mirror is built in a folder of its own and renamed when it is complete. An existing one is changed only
//! under its lock; what a killed process left behind is swept away before the next change. A mirror that lacks
//! objects is thrown away and fetched anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use sha2::{Digest as _, Sha256};
use windlass_model::source::{GitReference, GitUrl};

use crate::{GitError, GitSettings, remote};

/// Below the cache folder.
const FOLDER: &str = "git-mirrors";

/// Time of the last update, in milliseconds since 1970; its absence is an unfinished mirror.
const STAMP: &str = "windlass-updated";

/// A complete mirror and what it had when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    dir: PathBuf,
    url: String,
    refs: BTreeMap<String, ObjectId>,
    head: Option<String>,
}

/// A commit and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCommit {
    /// Full name of the branch or tag; `None` for a hash.
    pub reference: Option<String>,
    /// The commit.
    pub id: ObjectId,
}

impl FoundCommit {
    /// What the user would write as `ref`: the branch, tag or hash.
    #[must_use]
    pub fn short_name(&self) -> String {
        let Some(full) = &self.reference else { return self.id.to_string() };
        let short = full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/"));
        short.unwrap_or(full).to_owned()
    }
}

/// Whether opening a mirror asked the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The mirror was brought up to date.
    Updated,
    /// The mirror is young enough.
    Recent,
}

impl Mirror {
    /// The mirror of `url`, brought up to date unless it is younger than the interval of the settings.
    ///
    /// Waits while another process updates it. `before_update` is called before the server is asked.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the cache folder cannot be used.
    pub fn open(
        url: &GitUrl,
        settings: &GitSettings,
        before_update: impl FnOnce(),
    ) -> Result<(Self, Freshness), GitError> {
        let place = Place::of(url, &settings.cache_dir);
        let _lock = place.lock()?;
        place.sweep();
        if let Some(mirror) = place.recent(url, settings.update_interval) {
            return Ok((mirror, Freshness::Recent));
        }
        before_update();
        let updated = match place.is_complete() {
            true => place.update(url, settings),
            false => place.create(url, settings),
        };
        let mirror = match updated {
            Err(GitError::Damaged { path, message }) => {
                tracing::warn!(path = %path.display(), message, "a damaged git mirror is fetched anew");
                place.create(url, settings)?
            }
            other => other?,
        };
        Ok((mirror, Freshness::Updated))
    }

    /// Throws the mirror away and fetches it anew, after it proved to be damaged.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn rebuild(url: &GitUrl, settings: &GitSettings) -> Result<Self, GitError> {
        let place = Place::of(url, &settings.cache_dir);
        let _lock = place.lock()?;
        place.sweep();
        place.create(url, settings)
    }

    /// Branches and tags by full name, tags peeled.
    pub fn refs(&self) -> &BTreeMap<String, ObjectId> {
        &self.refs
    }

    /// Full name of the default branch.
    pub fn default_branch(&self) -> Option<&str> {
        self.head.as_deref()
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The commit that a reference stands for.
    ///
    /// # Errors
    /// There is none.
    pub fn resolve(&self, reference: Option<&GitReference>) -> Result<FoundCommit, GitError> {
        let missing =
            || GitError::NoReference { reference: reference.map_or_else(|| "{  }".to_owned(), ToString::to_string) };
        let named = |name: String| {
            let id = self.refs.get(&name).copied();
            id.map(|id| FoundCommit { reference: Some(name), id }).ok_or_else(missing)
        };
        match reference {
            None => match &self.head {
                Some(name) => named(name.clone()),
                None => Err(GitError::NoDefaultBranch { url: self.url.clone() }),
            },
            Some(GitReference::Branch(name)) => named(format!("refs/heads/{name}")),
            Some(GitReference::Tag(name)) => named(format!("refs/tags/{name}")),
            Some(GitReference::Commit(hash)) => {
                let id = ObjectId::from_hex(hash.to_lowercase().as_bytes()).map_err(|_| missing())?;
                let repository = open(&self.dir)?;
                let is_commit = repository.find_object(id).is_ok_and(|object| object.kind == gix::object::Kind::Commit);
                if is_commit { Ok(FoundCommit { reference: None, id }) } else { Err(missing()) }
            }
        }
    }

    fn read(dir: &Path, url: &GitUrl) -> Result<Self, GitError> {
        let damaged = |message: String| GitError::Damaged { path: dir.into(), message };
        let repository = open(dir)?;
        let mut refs = BTreeMap::new();
        let store = repository.references().map_err(|error| damaged(error.to_string()))?;
        for reference in store.all().map_err(|error| damaged(error.to_string()))? {
            let mut reference = reference.map_err(|error| damaged(error.to_string()))?;
            let name = reference.name().as_bstr().to_string();
            if !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/") {
                continue;
            }
            let id = reference.peel_to_id().map_err(|error| damaged(format!("{name}: {error}")))?.detach();
            let object = repository.find_header(id).map_err(|error| damaged(format!("{name}: {error}")))?;
            // A tag of a tree or a file is nothing that can be checked out.
            if object.kind() == gix::object::Kind::Commit {
                refs.insert(name, id);
            }
        }
        let head = repository.head_name().ok().flatten().map(|name| name.as_bstr().to_string());
        let head = head.filter(|name| refs.contains_key(name));
        Ok(Self { dir: dir.into(), url: url.to_string(), refs, head })
    }
}

/// Opens a repository without the user's configuration.
pub(crate) fn open(dir: &Path) -> Result<gix::Repository, GitError> {
    gix::open_opts(dir, gix::open::Options::isolated())
        .map_err(|error| GitError::Damaged { path: dir.into(), message: error.to_string() })
}

/// Removes branches and tags that are not in `names`.
pub(crate) fn remove_others(repository: &gix::Repository, names: &[BString]) -> Result<(), String> {
    let known: std::collections::BTreeSet<&[u8]> = names.iter().map(|name| name.as_slice()).collect();
    let store = repository.references().map_err(|error| error.to_string())?;
    for reference in store.all().map_err(|error| error.to_string())? {
        let reference = reference.map_err(|error| error.to_string())?;
        if !known.contains(reference.name().as_bstr().as_bytes()) {
            reference.delete().map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Where the mirror of a repository is.
struct Place {
    folder: PathBuf,
    name: String,
}

impl Place {
    /// One mirror per address without login: users who see different things through one host have their own caches.
    fn of(url: &GitUrl, cache_dir: &Path) -> Self {
        let address = url.without_login();
        let normal = address.as_str().trim_end_matches('/');
        let normal = normal.strip_suffix(".git").unwrap_or(normal);
        let identity = format!("{} {normal}", url.user().unwrap_or_default());
        let hash: String = Sha256::digest(identity.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = url.name().chars().take(60).map(safe).collect();
        Self { folder: cache_dir.join(FOLDER), name: format!("{name}-{hash}") }
    }

    fn dir(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn io(&self, path: &Path, error: &std::io::Error) -> GitError {
        GitError::Cache { path: path.into(), message: error.to_string() }
    }

    /// The only one to change this mirror until dropped; the system lets go when the process dies.
    fn lock(&self) -> Result<File, GitError> {
        fs::create_dir_all(&self.folder).map_err(|error| self.io(&self.folder, &error))?;
        let path = self.folder.join(format!("{}.lock", self.name));
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| self.io(&path, &error))?;
        file.lock().map_err(|error| self.io(&path, &error))?;
        Ok(file)
    }

    fn stamp(&self) -> Option<SystemTime> {
        let text = fs::read_to_string(self.dir().join(STAMP)).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_millis(text.trim().parse().ok()?))
    }

    fn is_complete(&self) -> bool {
        self.stamp().is_some()
    }

    fn recent(&self, url: &GitUrl, interval: Duration) -> Option<Mirror> {
        let age = SystemTime::now().duration_since(self.stamp()?).ok()?;
        // A damaged one is left to the update, which notices the same and fetches it anew.
        (age < interval).then(|| Mirror::read(&self.dir(), url).ok()).flatten()
    }

    /// Removes what killed processes left: nobody else has the lock.
    fn sweep(&self) {
        let unfinished = format!("{}.new-", self.name);
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&unfinished)) {
            let _ = fs::remove_dir_all(entry.path());
        }
        if self.dir().is_dir() {
            sweep_locks(&self.dir());
            sweep_packs(&self.dir().join("objects").join("pack"));
        }
    }

    fn update(&self, url: &GitUrl, settings: &GitSettings) -> Result<Mirror, GitError> {
        // Negotiating with a server needs objects; whether they are there must be known before.
        Mirror::read(&self.dir(), url)?;
        fill(&self.dir(), url, settings)
    }

    fn create(&self, url: &GitUrl, settings: &GitSettings) -> Result<Mirror, GitError> {
        let new = tempfile::Builder::new()
            .prefix(&format!("{}.new-", self.name))
            .tempdir_in(&self.folder)
            .map_err(|error| self.io(&self.folder, &error))?;
        gix::ThreadSafeRepository::init_opts(
            new.path(),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            gix::open::Options::isolated(),
        )
        .map_err(|error| GitError::Cache { path: new.path().into(), message: error.to_string() })?;
        fill(new.path(), url, settings)?;
        let dir = self.dir();
        if dir.exists() {
            let old = new.path().with_extension("old");
            fs::rename(&dir, &old).map_err(|error| self.io(&dir, &error))?;
            let _ = fs::remove_dir_all(old);
        }
        fs::rename(new.keep(), &dir).map_err(|error| self.io(&dir, &error))?;
        Mirror::read(&dir, url)
    }
}

/// Fetches into a bare repository, checks it, and stamps it.
fn fill(dir: &Path, url: &GitUrl, settings: &GitSettings) -> Result<Mirror, GitError> {
    let head = remote::fetch(dir, url, settings)?;
    if let Some(branch) = &head.branch {
        set_head(dir, branch)?;
    }
    let mirror = Mirror::read(dir, url)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    write_whole(dir, STAMP, now.as_millis().to_string().as_bytes())?;
    Ok(mirror)
}

fn set_head(dir: &Path, branch: &BString) -> Result<(), GitError> {
    let line = format!("ref: {branch}\n");
    if fs::read_to_string(dir.join("HEAD")).is_ok_and(|text| text == line) {
        return Ok(());
    }
    write_whole(dir, "HEAD", line.as_bytes())
}

/// Replaces a file in one step.
fn write_whole(dir: &Path, name: &str, content: &[u8]) -> Result<(), GitError> {
    use std::io::Write as _;
    let path = dir.join(name);
    let failed = |error: std::io::Error| GitError::Cache { path: path.clone(), message: error.to_string() };
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Locks of references and temporary files of a process that is gone.
fn sweep_locks(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && name != "objects" {
            sweep_locks(&path);
        } else if !is_dir && (name.ends_with(".lock") || name.starts_with(".tmp")) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Packs that were not finished: temporary files, and parts of a pack without the others.
fn sweep_packs(dir: &Path) {
    let entries: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    for path in &entries {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_whole = path.with_extension("pack").is_file() && path.with_extension("idx").is_file();
        let keeps = matches!(extension, "pack" | "idx" | "rev") && is_whole;
        if !keeps {
            let _ = fs::remove_file(path);
        }
    }
}

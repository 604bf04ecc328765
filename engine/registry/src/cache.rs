//! Tag lists on disk, with the headers by which a registry says that nothing has changed.
//!
//! Off unless a folder is given: a deploy shall see what the registry has now. A file
//! belongs to one repository and one identity, and holds no credentials.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::credentials::Resolved;
use crate::digest::sha256_digest;
use crate::repository::Repository;
use crate::settings::{CacheSettings, Login};

/// Changes with the format; files of another one are not read.
const VERSION: u32 = 1;

/// One page as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CachedPage {
    pub(crate) tags: Vec<String>,
    /// As in the header, not yet resolved.
    pub(crate) next: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// The pages of one walk, by address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    pages: BTreeMap<String, CachedPage>,
}

impl Listing {
    pub(crate) fn page(&self, url: &str) -> Option<&CachedPage> {
        self.pages.get(url)
    }

    pub(crate) fn add(&mut self, url: &str, page: CachedPage) {
        self.pages.insert(url.to_owned(), page);
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    repository: String,
    /// Seconds since 1970.
    fetched_at: u64,
    /// The complete list; the pages may be in another order.
    tags: Vec<String>,
    listing: Listing,
}

/// The file of one repository and identity.
pub(crate) struct Slot<'c> {
    settings: &'c CacheSettings,
    repository: String,
    path: PathBuf,
}

/// What a file says.
pub(crate) enum Cached {
    /// The list, young enough.
    Fresh(Vec<String>),
    /// Pages to ask about.
    Stale(Listing),
    Nothing,
}

impl<'c> Slot<'c> {
    pub(crate) fn new(settings: &'c CacheSettings, repository: &Repository, resolved: &Resolved) -> Self {
        let repository = repository.to_string();
        let key = format!("{VERSION}\n{repository}\n{}", identity(resolved));
        let name = sha256_digest(key.as_bytes()).replace("sha256:", "tags-");
        Self { path: settings.folder.join(format!("{name}.json")), settings, repository }
    }

    /// Anything that cannot be read is nothing: the registry knows better.
    pub(crate) async fn read(&self, now: SystemTime) -> Cached {
        let Ok(bytes) = tokio::fs::read(&self.path).await else { return Cached::Nothing };
        let Ok(file) = serde_json::from_slice::<File>(&bytes) else { return Cached::Nothing };
        if file.version != VERSION || file.repository != self.repository {
            return Cached::Nothing;
        }
        let fetched_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(file.fetched_at));
        let age = fetched_at.and_then(|fetched_at| now.duration_since(fetched_at).ok());
        match age {
            Some(age) if age < self.settings.ttl => Cached::Fresh(file.tags),
            _ => Cached::Stale(file.listing),
        }
    }

    /// Appears whole or not at all; a failure costs only the next request.
    pub(crate) async fn write(&self, tags: &[String], listing: Listing, now: SystemTime) {
        let fetched_at = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (repository, tags) = (self.repository.clone(), tags.to_vec());
        let file = File { version: VERSION, repository, fetched_at, tags, listing };
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write_whole(&path, &file)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::debug!(path = %self.path.display(), "the tag list is not kept");
        }
    }
}

fn write_whole(path: &Path, file: &File) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Readable by this user only, as the lists may be private.
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    unfinished.write_all(&serde_json::to_vec(file)?)?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(path)?;
    Ok(())
}

/// Tells identities apart.
///
/// Many share a user name (`oauth2`, `AWS`), so a part of the secret's hash belongs to it: enough to
/// keep lists apart, and too little to tell whether a guessed password is the right one.
fn identity(resolved: &Resolved) -> String {
    let Some(login) = &resolved.login else { return "anonymous".to_owned() };
    let user = match login {
        Login::Basic { username, .. } => username.as_str(),
        Login::Bearer(_) => "bearer",
        Login::Identity(_) => "identity",
    };
    let hash = sha256_digest(format!("windlass registry cache\n{}", login.secret()).as_bytes());
    format!("{user}\n{}", &hash["sha256:".len()..][..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(login: Option<Login>) -> Resolved {
        Resolved { login, tried: String::new() }
    }

    fn basic(password: &str) -> Option<Login> {
        Some(Login::Basic { username: "oauth2".into(), password: password.into() })
    }

    fn listing() -> Listing {
        let page = CachedPage { tags: vec!["1".into()], etag: Some("\"e\"".into()), ..CachedPage::default() };
        let mut listing = Listing::default();
        listing.add("https://r.example/v2/ab/tags/list", page);
        listing
    }

    #[tokio::test]
    async fn a_list_is_fresh_then_stale() {
        let folder = tempfile::tempdir().unwrap();
        let settings = CacheSettings { folder: folder.path().join("new"), ttl: Duration::from_secs(60) };
        let repository = Repository::parse("r.example/ab").unwrap();
        let slot = Slot::new(&settings, &repository, &resolved(None));
        let now = SystemTime::now();
        assert!(matches!(slot.read(now).await, Cached::Nothing));
        slot.write(&["1".into()], listing(), now).await;
        assert!(matches!(slot.read(now).await, Cached::Fresh(tags) if tags == ["1"]));
        let later = now + Duration::from_secs(61);
        assert!(matches!(slot.read(later).await, Cached::Stale(pages) if pages == listing()));
        let earlier = now - Duration::from_secs(3600);
        assert!(matches!(slot.read(earlier).await, Cached::Stale(_)), "a clock that was wrong keeps nothing fresh");
    }

    #[tokio::test]
    async fn broken_files_are_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let settings = CacheSettings { folder: folder.path().into(), ttl: Duration::from_secs(60) };
        let slot = Slot::new(&settings, &Repository::parse("r.example/ab").unwrap(), &resolved(None));
        for content in ["", "{", r#"{"version": 0}"#] {
            std::fs::write(&slot.path, content).unwrap();
            assert!(matches!(slot.read(SystemTime::now()).await, Cached::Nothing), "{content}");
        }
        let unwritable = CacheSettings { folder: slot.path.clone(), ttl: Duration::ZERO };
        let slot = Slot::new(&unwritable, &Repository::parse("r.example/ab").unwrap(), &resolved(None));
        slot.write(&[], Listing::default(), SystemTime::now()).await;
        assert!(matches!(slot.read(SystemTime::now()).await, Cached::Nothing));
    }

    #[test]
    fn identities_and_repositories_have_their_own_files() {
        let settings = CacheSettings { folder: "c".into(), ttl: Duration::ZERO };
        let path = |image: &str, login| {
            Slot::new(&settings, &Repository::parse(image).unwrap(), &resolved(login)).path.display().to_string()
        };
        let mut paths = vec![
            path("r.example/ab", None),
            path("r.example/cd", None),
            path("r.example/ab", basic("s3cr3t-one")),
            path("r.example/ab", basic("s3cr3t-two")),
            path("r.example/ab", Some(Login::Bearer("s3cr3t-one".into()))),
            path("r.example/ab", Some(Login::Identity("s3cr3t-one".into()))),
        ];
        assert!(paths.iter().all(|path| !path.contains("s3cr3t")));
        assert_eq!(paths[0], path("r.example/ab", None));
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 6);
    }
}

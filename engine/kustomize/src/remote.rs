//! Entries of a kustomization that lead to another host: git repositories and single files.
//!
//! Pure: says what an entry means, by the forms that Kustomize accepts. Fetching is the caller's business; what was
//! fetched lies in [`REMOTE_DIR`] and the entry is replaced by a path before anything is built.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// Folder below the root of the rendered files for what was fetched. No generated kustomization lists it.
pub const REMOTE_DIR: &str = ".remote-bases";

/// What an entry of a kustomization means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteEntry {
    /// A folder of a git repository.
    Repository(RemoteBase),
    /// One file behind an address.
    File {
        /// The address.
        url: String,
    },
    /// A folder of a git repository if there is one, else a file.
    Either {
        /// As a folder.
        base: RemoteBase,
        /// As an address.
        url: String,
    },
}

/// A folder of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteBase {
    /// The repository.
    pub url: String,
    /// The folder in it, without `..`; empty for its root.
    pub sub_dir: PathBuf,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// How long fetching may take.
    pub timeout: Option<Duration>,
    /// `submodules=true` was asked for.
    pub submodules: bool,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteEntryError {
    /// `..` in the folder.
    #[error("the folder `{sub_dir}` leads out of the repository")]
    Outside {
        /// The folder.
        sub_dir: String,
    },
    /// A local repository.
    #[error("repositories on this machine are not read; use a relative path")]
    Local,
    /// Not enough for a repository.
    #[error("the address names no repository")]
    NoRepository,
}

/// What `entry` means; `None` for a path or an inline object.
///
/// # Errors
/// An address that cannot be used.
pub fn remote_entry(entry: &str) -> Result<Option<RemoteEntry>, RemoteEntryError> {
    if entry.contains('\n') {
        return Ok(None);
    }
    let (address, is_git) = match entry.strip_prefix("git::") {
        Some(address) => (address, true),
        None => (entry, false),
    };
    let Some((host, rest)) = split_host(address)? else {
        return if is_git { Err(RemoteEntryError::NoRepository) } else { Ok(None) };
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_http = host.starts_with("http://") || host.starts_with("https://");
    let (repository, sub_dir, form) = split_path(&host, path);
    let is_certain = is_git || !is_http || form == Form::Marked;
    let file = || RemoteEntry::File { url: address.to_owned() };
    if !is_certain && (has_manifest_name(path) || form == Form::TooShort) {
        return Ok(Some(file()));
    }
    if repository.is_empty() {
        return Err(RemoteEntryError::NoRepository);
    }
    let base = base(format!("{host}{repository}"), sub_dir, query)?;
    Ok(Some(if is_certain || is_code_host(&host) {
        RemoteEntry::Repository(base)
    } else {
        RemoteEntry::Either { base, url: address.to_owned() }
    }))
}

/// An address without user and password, for messages.
#[must_use]
pub fn without_login(entry: &str) -> String {
    let Some((scheme, rest)) = entry.split_once("://") else { return entry.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => entry.to_owned(),
    }
}

/// The address up to its path, in a form that git knows, and the rest.
fn split_host(address: &str) -> Result<Option<(String, &str)>, RemoteEntryError> {
    let lower = address.to_ascii_lowercase();
    if lower.starts_with("file://") {
        return Err(RemoteEntryError::Local);
    }
    for scheme in ["https://", "http://", "ssh://"] {
        if lower.starts_with(scheme) {
            let rest = &address[scheme.len()..];
            let end = rest.find('/').unwrap_or(rest.len());
            let host = format!("{scheme}{}/", &rest[..end]);
            return Ok(Some((host, rest[end..].trim_start_matches('/'))));
        }
    }
    if let Some(rest) = lower.strip_prefix("github.com").and_then(|_| address.get("github.com".len()..)) {
        let path = rest.strip_prefix(['/', ':']);
        return Ok(path.map(|path| ("https://github.com/".to_owned(), path.trim_start_matches('/'))));
    }
    Ok(split_scp(address))
}

/// `user@host:path`, also with `/` behind the host.
fn split_scp(address: &str) -> Option<(String, &str)> {
    let (user, rest) = address.split_once('@')?;
    let is_user = user.starts_with(|c: char| c.is_ascii_alphabetic())
        && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let end = rest.find([':', '/'])?;
    (is_user && end > 0).then(|| (format!("{user}@{}:", &rest[..end]), rest[end + 1..].trim_start_matches('/')))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The end of the repository is marked.
    Marked,
    /// Organisation and repository by their position.
    Counted,
    /// Not even that.
    TooShort,
}

/// Repository and folder.
fn split_path<'p>(host: &str, path: &'p str) -> (&'p str, &'p str, Form) {
    if let Some((repository, sub_dir)) = path.split_once("//") {
        return (repository, sub_dir, Form::Marked);
    }
    if let Some(at) = path.find(".git/").or_else(|| path.ends_with(".git").then(|| path.len() - 4)) {
        let (repository, sub_dir) = path.split_at(at + 4);
        return (repository, sub_dir, Form::Marked);
    }
    let marker = "_git/";
    if let Some(at) = path.find(marker) {
        let start = at + marker.len();
        let end = path[start..].find('/').map_or(path.len(), |end| start + end);
        return (&path[..end], &path[end..], Form::Marked);
    }
    let parts = if host.contains("git-codecommit.") { 3 } else { 2 };
    let trimmed = path.trim_end_matches('/');
    if trimmed.split('/').count() < parts {
        return (trimmed, "", Form::TooShort);
    }
    let end = trimmed.match_indices('/').nth(parts - 1).map_or(trimmed.len(), |(at, _)| at);
    (&trimmed[..end], &trimmed[end..], Form::Counted)
}

/// Its web pages are no manifests.
fn is_code_host(host: &str) -> bool {
    host.ends_with("://github.com/") || host.ends_with("@github.com/")
}

fn has_manifest_name(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.to_ascii_lowercase().ends_with(ending))
}

fn base(url: String, sub_dir: &str, query: &str) -> Result<RemoteBase, RemoteEntryError> {
    let outside = || RemoteEntryError::Outside { sub_dir: sub_dir.trim_matches('/').to_owned() };
    let clean = inside(Path::new(""), sub_dir.trim_start_matches('/')).ok_or_else(outside)?;
    let parameters: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let get = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.to_string()).filter(|value| !value.is_empty())
    };
    Ok(RemoteBase {
        url,
        sub_dir: clean,
        reference: get("ref").or_else(|| get("version")),
        timeout: get("timeout").and_then(|text| duration(&text)),
        submodules: get("submodules")
            .is_some_and(|text| matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")),
    })
}

/// `entry` below `dir`; `None` when it leaves the root that `dir` is relative to.
#[must_use]
pub fn inside(dir: &Path, entry: &str) -> Option<PathBuf> {
    let mut path = dir.to_owned();
    for component in Path::new(entry).components() {
        match component {
            Component::ParentDir => path.pop().then_some(())?,
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Seconds, or Go's notation; like Kustomize, anything else is as if it were not there.
fn duration(text: &str) -> Option<Duration> {
    let mut total = text.parse().map(Duration::from_secs).ok();
    let mut rest = if total.is_some() { "" } else { text };
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let (factor, length) = match tail {
            _ if tail.starts_with("ms") => (0.001, 2),
            _ if tail.starts_with('s') => (1.0, 1),
            _ if tail.starts_with('m') => (60.0, 1),
            _ if tail.starts_with('h') => (3600.0, 1),
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()?;
        total = Some(total.unwrap_or_default().checked_add(part)?);
        rest = &tail[length..];
    }
    total.filter(|total| !total.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(entry: &str) -> (String, String, Option<String>) {
        match remote_entry(entry) {
            Ok(Some(RemoteEntry::Repository(base) | RemoteEntry::Either { base, .. })) => {
                (base.url, base.sub_dir.display().to_string(), base.reference)
            }
            other => panic!("{entry}: {other:?}"),
        }
    }

    #[test]
    fn the_forms_of_a_repository() {
        for (entry, url, sub_dir, reference) in [
            ("https://h/org/repo//sub/dir?ref=v1", "https://h/org/repo", "sub/dir", "v1"),
            ("https://h/a/b/c.git/sub?version=v1", "https://h/a/b/c.git", "sub", "v1"),
            ("https://h:8443/c.git//sub/../x", "https://h:8443/c.git", "x", ""),
            ("HTTPS://u:p@h/c.git", "https://u:p@h/c.git", "", ""),
            ("git::https://h/org/repo/sub.yaml", "https://h/org/repo", "sub.yaml", ""),
            ("git@h:org/repo//sub?ref=a%2Fb", "git@h:org/repo", "sub", "a/b"),
            ("git@h/org/repo", "git@h:org/repo", "", ""),
            ("git::git@h:org/repo.git/sub", "git@h:org/repo.git", "sub", ""),
            ("ssh://git@h:2222/org/repo//sub", "ssh://git@h:2222/org/repo", "sub", ""),
            ("github.com/org/repo/sub/?ref=main", "https://github.com/org/repo", "sub", "main"),
            ("GitHub.com:org/repo.git", "https://github.com/org/repo.git", "", ""),
            ("https://h/org/project/_git/repo/sub?ref=x", "https://h/org/project/_git/repo", "sub", "x"),
            ("https://git-codecommit.r.h/v1/repos/r/sub", "https://git-codecommit.r.h/v1/repos/r", "sub", ""),
            ("https://h/org/repo/sub?ref=", "https://h/org/repo", "sub", ""),
        ] {
            let wanted = (url.to_owned(), sub_dir.to_owned(), Some(reference.to_owned()).filter(|r| !r.is_empty()));
            assert_eq!(repository(entry), wanted, "{entry}");
        }
    }

    #[test]
    fn a_manifest_behind_an_address_is_a_file() {
        for entry in
            ["https://h/a.yaml", "https://h/o/r/main/a.yml?token=x", "http://h/a", "https://github.com/o/r/x.JSON"]
        {
            assert_eq!(remote_entry(entry), Ok(Some(RemoteEntry::File { url: entry.to_owned() })), "{entry}");
        }
        assert!(matches!(remote_entry("https://h/o/r/raw?ref=main"), Ok(Some(RemoteEntry::Either { .. }))));
    }

    #[test]
    fn paths_and_objects_are_not_remote() {
        for entry in [
            "a.yaml",
            "../base",
            "./a@b.yaml",
            "",
            "a:b",
            "github.community/a",
            "host/org/repo",
            "kind: A\nurl: https://h/a",
        ] {
            assert_eq!(remote_entry(entry), Ok(None), "{entry}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (entry, error) in [
            ("https://h/o/r//../x", RemoteEntryError::Outside { sub_dir: "../x".into() }),
            ("git@h:o/r//a/../../x", RemoteEntryError::Outside { sub_dir: "a/../../x".into() }),
            ("file:///srv/repo.git", RemoteEntryError::Local),
            ("git::file:///srv/repo.git", RemoteEntryError::Local),
            ("git::nothing", RemoteEntryError::NoRepository),
            ("git::https://h", RemoteEntryError::NoRepository),
        ] {
            assert_eq!(remote_entry(entry), Err(error), "{entry}");
        }
    }

    #[test]
    fn timeouts_and_submodules_are_read() {
        for (text, seconds) in
            [("30", Some(30)), ("1m30s", Some(90)), ("1.5h", Some(5400)), ("x", None), ("0", None), ("5", Some(5))]
        {
            let Ok(Some(RemoteEntry::Repository(base))) =
                remote_entry(&format!("https://h/o/r//x?timeout={text}&submodules=true"))
            else {
                panic!("{text}")
            };
            assert_eq!((base.timeout, base.submodules), (seconds.map(Duration::from_secs), true), "{text}");
        }
    }

    #[test]
    fn messages_have_no_login() {
        assert_eq!(without_login("https://u:p@h/r.git//a@b"), "https://h/r.git//a@b");
        assert_eq!(without_login("git@h:r"), "git@h:r");
    }
}

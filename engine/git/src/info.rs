//! What command results tell about the repository (spec 03 section 15.3).

use std::path::{Path, PathBuf};

use windlass_model::result::{GitInfo, GitRef};

/// The repository cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read git repository `{}`: {message}", path.display())]
pub struct InfoError {
    /// Its root.
    pub path: PathBuf,
    /// Why.
    pub message: String,
}

/// Remote, branch, commit and cleanliness of the repository at `root`; empty without a repository.
///
/// # Errors
/// The repository exists and cannot be read.
pub fn read(root: &Path, sub_dir: &str) -> Result<GitInfo, InfoError> {
    if !root.join(".git").exists() {
        return Ok(GitInfo::default());
    }
    let failed = |message: String| InfoError { path: root.into(), message };
    let repo = gix::open(root).map_err(|e| failed(e.to_string()))?;
    let head = repo.head().map_err(|e| failed(e.to_string()))?;
    let commit = head.id().map(|id| id.to_string()).unwrap_or_default();
    // Without a commit upstream reports no branch either.
    let git_ref = head.referent_name().filter(|_| !commit.is_empty()).map(branch);
    Ok(GitInfo {
        url: origin(&repo),
        git_ref,
        sub_dir: sub_dir.into(),
        commit,
        dirty: is_dirty(&repo).map_err(failed)?,
    })
}

fn branch(name: &gix::refs::FullNameRef) -> GitRef {
    let full = name.as_bstr().to_string();
    match full.strip_prefix("refs/tags/") {
        Some(tag) => GitRef::Tag(tag.into()),
        None => GitRef::Branch(full.strip_prefix("refs/heads/").unwrap_or(&full).into()),
    }
}

fn origin(repo: &gix::Repository) -> Option<String> {
    repo.config_snapshot().string("remote.origin.url").map(|url| public_url(&url.to_string()))
}

/// Without user and password of an HTTP address: either may be a token, and results and artifacts are read by many.
fn public_url(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.to_owned() };
    let has_login = !url.username().is_empty() || url.password().is_some();
    if !has_login || !matches!(url.scheme(), "http" | "https") {
        return text.to_owned();
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Changed, staged or untracked files that are not ignored.
fn is_dirty(repo: &gix::Repository) -> Result<bool, String> {
    let status = repo.status(gix::progress::Discard).map_err(|e| e.to_string())?;
    let mut changes =
        status.untracked_files(gix::status::UntrackedFiles::Files).into_iter(None).map_err(|e| e.to_string())?;
    match changes.next() {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_the_remote_are_not_told() {
        assert_eq!(public_url("https://me:s3cret@h.example:8443/a/b.git"), "https://h.example:8443/a/b.git");
        assert_eq!(public_url("http://t0ken@h.example/a"), "http://h.example/a");
    }

    #[test]
    fn other_remotes_are_told_as_they_are() {
        for text in ["https://H.example/a", "git@h.example:a/b.git", "ssh://git@h.example/a", "../a", "C:\\a", ""] {
            assert_eq!(public_url(text), text);
        }
    }
}

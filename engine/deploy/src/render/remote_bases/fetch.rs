//! Gets what an entry leads to.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use windlass_kustomize::{RemoteBase, RemoteEntry};
use windlass_model::source::{GitReference, GitSource, GitUrl};
use windlass_model::vars_source::HttpSource;
use windlass_sources::{CheckedOut, Refs, RemoteRef, Sources};

use super::error::RemoteBaseProblem;
use crate::render::RenderRequest;

/// What was fetched.
pub(super) enum Fetched {
    /// A repository.
    Repository(Arc<CheckedOut>, RemoteBase),
    /// A file.
    File { url: String, text: String },
}

pub(super) async fn fetch(entry: &RemoteEntry, request: RenderRequest<'_>) -> Result<Fetched, RemoteBaseProblem> {
    match entry {
        RemoteEntry::Repository(base) => repository(base, request.sources).await,
        RemoteEntry::File { url } => file(url, request).await,
        // Which one it is, only the server knows; a repository is what such addresses nearly always are.
        RemoteEntry::Either { base, url } => match repository(base, request.sources).await {
            Err(problem @ RemoteBaseProblem::Source(_)) => file(url, request).await.map_err(|_| problem),
            other => other,
        },
    }
}

async fn repository(base: &RemoteBase, sources: &dyn Sources) -> Result<Fetched, RemoteBaseProblem> {
    let work = check_out(base, sources);
    let checked_out = match base.timeout {
        Some(limit) => tokio::time::timeout(limit, work)
            .await
            .map_err(|_| RemoteBaseProblem::Timeout { seconds: limit.as_secs_f64() })??,
        None => work.await?,
    };
    if base.submodules && checked_out.root.join(".gitmodules").exists() {
        return Err(RemoteBaseProblem::Submodules);
    }
    Ok(Fetched::Repository(checked_out, base.clone()))
}

async fn check_out(base: &RemoteBase, sources: &dyn Sources) -> Result<Arc<CheckedOut>, RemoteBaseProblem> {
    let url = GitUrl::parse(&base.url)?;
    let reference = match &base.reference {
        Some(name) => Some(kind_of(name, &url, sources).await?),
        None => None,
    };
    Ok(sources.git(&GitSource { url, reference }).await?)
}

/// A tag before a branch of the same name, as git itself does it.
async fn kind_of(name: &str, url: &GitUrl, sources: &dyn Sources) -> Result<GitReference, RemoteBaseProblem> {
    let refs = match sources.git_refs(url).await? {
        Refs::Override => return Ok(GitReference::Branch(name.to_owned())),
        Refs::Remote(refs) => refs,
    };
    let has = |full: &str| refs.iter().any(|known| known.name == full);
    let short = |prefix: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    let (tag, branch) = (short("refs/tags/"), short("refs/heads/"));
    if has(&format!("refs/tags/{tag}")) {
        return Ok(GitReference::Tag(tag));
    }
    if has(&format!("refs/heads/{branch}")) {
        return Ok(GitReference::Branch(branch));
    }
    if matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(GitReference::Commit(name.to_owned()));
    }
    Err(RemoteBaseProblem::NoReference { reference: name.to_owned(), url: url.to_string(), known: known(&refs) })
}

fn known(refs: &[RemoteRef]) -> String {
    let names = refs.iter().filter_map(|known| known.name.strip_prefix("refs/")?.split_once('/'));
    let mut names: Vec<String> = names.map(|(_, name)| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(8);
    names.truncate(8);
    match (names.is_empty(), more) {
        (true, _) => "it is empty".to_owned(),
        (false, 0) => format!("it has {}", names.join(", ")),
        (false, more) => format!("it has {} and {more} more", names.join(", ")),
    }
}

async fn file(url: &str, request: RenderRequest<'_>) -> Result<Fetched, RemoteBaseProblem> {
    let source = HttpSource { url: url.to_owned(), ..HttpSource::default() };
    let answer = request.web.fetch(&source).await.map_err(RemoteBaseProblem::Web)?;
    if !(200..300).contains(&answer.status) {
        return Err(RemoteBaseProblem::Status { status: answer.status });
    }
    let text = answer.body.expose_secret().to_owned();
    if text.trim_start().starts_with('<') {
        return Err(RemoteBaseProblem::WebPage);
    }
    Ok(Fetched::File { url: url.to_owned(), text })
}

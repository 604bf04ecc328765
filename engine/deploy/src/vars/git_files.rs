//! `gitFiles`: files of every matching branch or tag of another repository (spec 01 section 13.4).

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use windlass_images::go_regex::GoRegex;
use windlass_model::location::Source;
use windlass_model::source::{GitFilesEntry, GitFilesVars, GitReference, GitSource, GitUrl};
use windlass_sources::{Refs, RemoteRef, SourceState};
use windlass_template::Batch;
use windlass_yaml::Dialect;

use super::glob::PathGlob;
use super::{VarsContext, VarsError};
use crate::config_file::ConfigError;
use crate::sops::Masking;

/// What a local directory that stands for a repository is called when no name was asked for.
const OVERRIDE: &str = "local-override";

/// A list with one element per reference, in the order of their full names.
pub(super) async fn read(
    git: &GitFilesVars,
    masking: Masking,
    batch: &Batch,
    context: &VarsContext<'_>,
) -> Result<Value, VarsError> {
    let url = GitUrl::parse(&git.url)?;
    let mut globs = Vec::new();
    for entry in &git.files {
        let glob =
            PathGlob::parse(&entry.glob).map_err(|reason| VarsError::Glob { glob: entry.glob.clone(), reason })?;
        globs.push((entry, glob));
    }
    let references = references(git, &url, context).await?;
    let checkouts = references.iter().map(|reference| {
        let source = GitSource { url: url.clone(), reference: Some(reference.clone()) };
        async move { context.sources.git(&source).await }
    });
    let mut elements = Vec::new();
    for (reference, checked_out) in references.iter().zip(futures::future::join_all(checkouts).await) {
        elements.push(element(reference, &checked_out?.root, &globs, masking, batch, context).await?);
    }
    Ok(Value::Array(elements))
}

/// Branches and tags that are asked for.
async fn references(
    git: &GitFilesVars,
    url: &GitUrl,
    context: &VarsContext<'_>,
) -> Result<Vec<GitReference>, VarsError> {
    let Some(wanted) = &git.reference else { return default_branch(url, context).await };
    let refs = match context.sources.git_refs(url).await? {
        Refs::Remote(refs) => refs,
        Refs::Override => return Ok(vec![override_name(wanted)]),
    };
    let all = || refs.iter().filter_map(named);
    match wanted {
        GitReference::Commit(hash) => {
            let tips: Vec<_> =
                all().filter(|(_, tip)| tip.commit == hash.to_lowercase()).map(|(name, _)| name).collect();
            match tips.is_empty() {
                true => Err(VarsError::NoCommit { commit: hash.clone() }),
                false => Ok(tips),
            }
        }
        GitReference::Branch(pattern) | GitReference::Tag(pattern) => {
            let regex = GoRegex::whole(pattern)
                .map_err(|error| VarsError::RefPattern { pattern: pattern.clone(), reason: error.reason })?;
            let same_kind = |name: &GitReference| std::mem::discriminant(name) == std::mem::discriminant(wanted);
            let names = all().map(|(name, _)| name).filter(same_kind);
            Ok(names.filter(|name| regex.is_match(name.name())).collect())
        }
    }
}

async fn default_branch(url: &GitUrl, context: &VarsContext<'_>) -> Result<Vec<GitReference>, VarsError> {
    let checked_out = context.sources.git(&GitSource { url: url.clone(), reference: None }).await?;
    let branch = match &checked_out.state {
        SourceState::Commit { reference: Some(name), .. } => name.strip_prefix("refs/heads/").unwrap_or(name),
        _ => OVERRIDE,
    };
    Ok(vec![GitReference::Branch(branch.to_owned())])
}

fn named(reference: &RemoteRef) -> Option<(GitReference, &RemoteRef)> {
    let branch = reference.name.strip_prefix("refs/heads/").map(|name| GitReference::Branch(name.to_owned()));
    let tag = || reference.name.strip_prefix("refs/tags/").map(|name| GitReference::Tag(name.to_owned()));
    Some((branch.or_else(tag)?, reference))
}

/// A plain name stays; a pattern cannot be told which of its matches a directory stands for.
fn override_name(wanted: &GitReference) -> GitReference {
    let is_plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c));
    let name = |name: &str| if is_plain(name) { name.to_owned() } else { OVERRIDE.to_owned() };
    match wanted {
        GitReference::Branch(pattern) => GitReference::Branch(name(pattern)),
        GitReference::Tag(pattern) => GitReference::Tag(name(pattern)),
        GitReference::Commit(_) => GitReference::Branch(OVERRIDE.to_owned()),
    }
}

async fn element(
    reference: &GitReference,
    root: &Path,
    globs: &[(&GitFilesEntry, PathGlob)],
    masking: Masking,
    batch: &Batch,
    context: &VarsContext<'_>,
) -> Result<Value, VarsError> {
    let mut paths = Vec::new();
    walk(root, "", &mut paths)?;
    let (mut files, mut by_path, mut tree) = (Vec::new(), Map::new(), Map::new());
    for path in paths {
        let Some((entry, _)) = globs.iter().find(|(_, glob)| glob.matches(&path)) else { continue };
        let file = file_entry(entry, root, &path, masking, batch, context).await?;
        insert(&mut tree, &path, &file);
        by_path.insert(path, file.clone());
        files.push(file);
    }
    let (name, full) = match reference {
        GitReference::Tag(name) => (json!({"tag": name}), format!("refs/tags/{name}")),
        GitReference::Branch(name) | GitReference::Commit(name) => {
            (json!({"branch": name}), format!("refs/heads/{name}"))
        }
    };
    let files = if files.is_empty() { Value::Null } else { Value::Array(files) };
    Ok(json!({"ref": name, "refStr": full, "files": files, "filesByPath": by_path, "filesTree": tree}))
}

/// Files in lexical order, without the repository's own folder.
fn walk(root: &Path, below: &str, paths: &mut Vec<String>) -> Result<(), VarsError> {
    let dir = root.join(below);
    let failed = |source| VarsError::FileContent {
        file: below.to_owned(),
        source: ConfigError::Read { path: dir.clone(), source },
    };
    let mut entries = fs::read_dir(&dir).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if path == ".git" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(root, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

async fn file_entry(
    entry: &GitFilesEntry,
    root: &Path,
    path: &str,
    masking: Masking,
    batch: &Batch,
    context: &VarsContext<'_>,
) -> Result<Value, VarsError> {
    let place = root.join(path);
    let failed = |source| VarsError::FileContent {
        file: path.to_owned(),
        source: ConfigError::Read { path: place.clone(), source },
    };
    let real_root = root.canonicalize().map_err(failed)?;
    if !place.canonicalize().map_err(failed)?.starts_with(&real_root) {
        return Err(VarsError::FileOutside { file: path.to_owned(), root: real_root });
    }
    let bytes = fs::read(&place).map_err(failed)?;
    let mut size = bytes.len();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if entry.render {
        text = batch
            .render_text_of(Path::new(path), text)
            .map_err(|source| VarsError::FileTemplate { file: path.to_owned(), source })?;
    }
    let decrypted = context.remote.decryption.open(&place, &text, Some(&bytes), masking).await;
    let decrypted =
        decrypted.map_err(|source| VarsError::Encrypted { file: path.to_owned(), source: Box::new(source) })?;
    let is_encrypted = decrypted.is_some();
    if let Some(content) = decrypted {
        size = content.len();
        text = String::from_utf8_lossy(&content).into_owned();
    }
    let described = serde_json::to_value(entry).unwrap_or_default();
    let mut file = json!({"file": described, "path": path, "size": size, "content": text});
    if entry.parse_yaml {
        file["parsed"] = match parse(path, text, entry.yaml_multi_doc) {
            // The report would quote what was encrypted.
            Err(VarsError::FileContent { file, source }) if is_encrypted => {
                return Err(VarsError::EncryptedContent { file, place: super::file::place(&source) });
            }
            parsed => parsed?,
        };
    }
    Ok(file)
}

fn parse(path: &str, text: String, multi_doc: bool) -> Result<Value, VarsError> {
    let source = Source::new(path, text);
    let failed = |error: windlass_yaml::YamlError| VarsError::FileContent {
        file: path.to_owned(),
        source: ConfigError::from(error),
    };
    if multi_doc {
        let documents = windlass_yaml::parse_documents(&source, Dialect::GoV2).map_err(failed)?;
        return Ok(documents.into_iter().map(|document| document.value).collect());
    }
    Ok(windlass_yaml::parse_first(&source, Dialect::GoV2).map_err(failed)?.value)
}

fn insert(tree: &mut Map<String, Value>, path: &str, file: &Value) {
    match path.split_once('/') {
        None => {
            tree.insert(path.to_owned(), file.clone());
        }
        Some((dir, rest)) => {
            let below = tree.entry(dir).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                insert(below, rest, file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_keep_plain_names() {
        let name = |reference| override_name(&reference);
        assert_eq!(name(GitReference::Branch("main".into())), GitReference::Branch("main".into()));
        assert_eq!(name(GitReference::Tag("v.*".into())), GitReference::Tag(OVERRIDE.into()));
        assert_eq!(name(GitReference::Commit("0".into())), GitReference::Branch(OVERRIDE.into()));
    }

    #[test]
    fn trees_nest_along_directories() {
        let mut tree = Map::new();
        insert(&mut tree, "a/b/c", &json!(1));
        insert(&mut tree, "a/d", &json!(2));
        assert_eq!(Value::Object(tree), json!({"a": {"b": {"c": 1}, "d": 2}}));
    }
}

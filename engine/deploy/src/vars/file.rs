//! `file`: a YAML file of the project, rendered before it is parsed.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use windlass_model::location::Source;
use windlass_model::vars_source::VarsSource;
use windlass_template::{SearchPath, Vars};
use windlass_yaml::Dialect;

use super::{VarsContext, VarsError};
use crate::config_file::{self, ConfigError};
use crate::sops::Masking;

/// Reads the file; `None` when it is absent and that is tolerated.
pub(super) async fn read(
    file: &str,
    source: &VarsSource,
    vars: &Vars,
    context: &VarsContext<'_>,
) -> Result<Option<Value>, VarsError> {
    let Some(path) = find(file, context)? else {
        if source.ignore_missing {
            return Ok(None);
        }
        return Err(VarsError::FileMissing { file: file.into(), searched: context.search_dirs.to_vec() });
    };
    let content = |source| VarsError::FileContent { file: file.into(), source };
    let original = config_file::read_text(&path).map_err(content)?;
    let search = SearchPath::new(context.search_dirs.iter().cloned()).within(&context.source.root);
    let text = context
        .engine
        .batch(vars.clone(), search)
        .render_text_of(&path, original.text.clone())
        .map_err(|source| VarsError::FileTemplate { file: file.into(), source })?;
    let decrypted =
        context.remote.decryption.open(&path, &text, Some(original.text.as_bytes()), Masking::of(source)).await;
    let decrypted = decrypted.map_err(|source| VarsError::Encrypted { file: file.into(), source: Box::new(source) })?;
    let (text, is_encrypted) = match decrypted {
        Some(content) => (String::from_utf8_lossy(&content).into_owned(), true),
        None => (text, false),
    };
    let rendered = Source::new(path.display().to_string(), text);
    let parsed = if source.multidoc { all(&rendered, file) } else { first(&rendered, file) };
    match parsed {
        // The report would quote what was encrypted.
        Err(VarsError::FileContent { source, .. }) if is_encrypted => {
            Err(VarsError::EncryptedContent { file: file.into(), place: place(&source) })
        }
        other => other.map(Some),
    }
}

/// The file in the first search directory that has it; `..` stays inside the source.
fn find(file: &str, context: &VarsContext<'_>) -> Result<Option<PathBuf>, VarsError> {
    let outside = || VarsError::FileOutside { file: file.into(), root: context.source.root.clone() };
    let mut left_the_source = false;
    for dir in context.search_dirs {
        let candidate = if Path::new(file).is_absolute() { PathBuf::from(file) } else { dir.join(file) };
        if !candidate.is_file() {
            continue;
        }
        let inside = |real: PathBuf| real.starts_with(real_root(&context.source.root));
        if candidate.canonicalize().is_ok_and(inside) {
            return Ok(Some(candidate.canonicalize().unwrap_or(candidate)));
        }
        left_the_source = true;
    }
    if left_the_source { Err(outside()) } else { Ok(None) }
}

fn real_root(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.into())
}

fn first(text: &std::sync::Arc<Source>, file: &str) -> Result<Value, VarsError> {
    let content = |source| VarsError::FileContent { file: file.into(), source };
    let map: Map<String, Value> = config_file::decode(text).map_err(content)?;
    Ok(Value::Object(map))
}

fn all(text: &std::sync::Arc<Source>, file: &str) -> Result<Value, VarsError> {
    let content = |source: windlass_yaml::YamlError| VarsError::FileContent {
        file: file.into(),
        source: ConfigError::from(source),
    };
    let documents = windlass_yaml::parse_documents(text, Dialect::GoV2).map_err(content)?;
    let values: Vec<Value> = documents.into_iter().map(|d| d.value).collect();
    Ok(Value::Array(values))
}

pub(super) fn place(error: &ConfigError) -> String {
    match error {
        ConfigError::Yaml(error) => {
            let at = error.location();
            format!(" (line {}, column {} of it)", at.line(), at.column())
        }
        ConfigError::Read { .. } | ConfigError::Invalid { .. } => String::new(),
    }
}

//! The config file: `config.yaml` in the first config directory that has one. Keys are flag names.

use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_yaml::{Dialect, parse_first};

/// Names under which the file may exist. The content is YAML whatever the name says.
const NAMES: [&str; 4] = ["config.json", "config.yaml", "config.yml", "config"];

/// Content of the config file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    entries: Vec<(String, Value)>,
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("While parsing config: {reason}")]
pub(crate) struct ConfigFileError {
    reason: String,
    /// Where the problem stands, when the text is not YAML.
    pub(crate) at: Option<windlass_yaml::Location>,
}

/// A value of a type that no flag has.
#[derive(Debug)]
pub(crate) struct UnexpectedType;

impl ConfigFile {
    /// Reads the first file that exists; none gives an empty one.
    pub(crate) fn load(dirs: &[PathBuf]) -> Result<Self, ConfigFileError> {
        for path in dirs.iter().flat_map(|dir| NAMES.map(|name| dir.join(name))) {
            match std::fs::read(&path) {
                Ok(bytes) => return Self::read(&path, &bytes),
                Err(error) if is_absent(&error) => {}
                Err(error) => {
                    let reason = format!("read `{}`: {error}", path.display());
                    return Err(ConfigFileError { reason, at: None });
                }
            }
        }
        Ok(Self::default())
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Self, ConfigFileError> {
        let name = path.display().to_string();
        let syntax = |error: windlass_yaml::YamlError| ConfigFileError {
            reason: error.to_string(),
            at: Some(error.location().clone()),
        };
        let text = windlass_yaml::decode(bytes, &name).map_err(syntax)?;
        let source = windlass_yaml::Source::new(name, text);
        let entries = match parse_first(&source, Dialect::GoV2).map_err(syntax)?.value {
            Value::Null => Vec::new(),
            Value::Object(map) => map.into_iter().collect(),
            _ => {
                let reason = format!("`{}` must be a map of flag names to values", path.display());
                return Err(ConfigFileError { reason, at: None });
            }
        };
        Ok(Self { path: path.to_owned(), entries })
    }

    /// The file that was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Texts given for a flag, and the key as written. Keys are compared without case.
    pub(crate) fn texts(&self, flag: &str) -> Option<(&str, Result<Vec<String>, UnexpectedType>)> {
        let (key, value) = self.entries.iter().find(|(key, _)| key.to_lowercase() == flag)?;
        if value.is_null() {
            return None;
        }
        Some((key, texts_of(value)))
    }
}

fn texts_of(value: &Value) -> Result<Vec<String>, UnexpectedType> {
    match value {
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned).ok_or(UnexpectedType)).collect(),
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Bool(flag) => Ok(vec![flag.to_string()]),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(vec![number.to_string()]),
        _ => Err(UnexpectedType),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

#[cfg(test)]
impl ConfigFile {
    /// A file for tests.
    pub(crate) fn of(text: &str) -> Self {
        Self::read(Path::new("home/.kluctl/config.yaml"), text.as_bytes()).expect("config")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_case_and_scalars_become_text() {
        let file = ConfigFile::of("TARGET: prod\nPrint-All: 1\narg: [a=1, b]\n");
        let texts = |flag: &str| file.texts(flag).and_then(|(_, texts)| texts.ok());
        assert_eq!(texts("target"), Some(vec!["prod".to_owned()]));
        assert_eq!(texts("print-all"), Some(vec!["1".to_owned()]));
        assert_eq!(texts("arg"), Some(vec!["a=1".to_owned(), "b".to_owned()]));
        assert_eq!(texts("context"), None);
    }

    #[test]
    fn other_types_are_unexpected() {
        let file = ConfigFile::of("a: {b: 1}\nc: 1.5\nd: [1, 2]\n");
        for key in ["a", "c", "d"] {
            assert!(file.texts(key).is_some_and(|(_, texts)| texts.is_err()), "{key}");
        }
    }

    #[test]
    fn the_first_file_counts_and_a_missing_one_is_empty() {
        let dir = tempfile::tempdir().expect("temp dir");
        let dirs = ["a", "b"].map(|name| dir.path().join(name));
        assert!(ConfigFile::load(&dirs).expect("empty").texts("target").is_none());
        for (dir, text) in dirs.iter().zip(["target: first", "target: second\ncontext: x"]) {
            std::fs::create_dir(dir).expect("dir");
            std::fs::write(dir.join("config.yaml"), text).expect("write");
        }
        let file = ConfigFile::load(&dirs).expect("file");
        assert_eq!(file.path(), dirs[0].join("config.yaml"));
        assert!(file.texts("context").is_none());
    }

    #[test]
    fn text_that_is_not_yaml_is_an_error_with_its_place() {
        let error = ConfigFile::read(Path::new("config.yaml"), b"a: [\n").expect_err("must fail");
        assert!(error.to_string().starts_with("While parsing config: config.yaml:"), "{error}");
        let error = ConfigFile::read(Path::new("config.yaml"), b"- a\n").expect_err("must fail");
        assert!(error.to_string().contains("must be a map"), "{error}");
    }
}

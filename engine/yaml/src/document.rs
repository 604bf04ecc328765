//! Documents: a value, and the way back from a path to the text.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use windlass_model::location::{Location, Source};

use crate::compose::Composer;
use crate::dialect::ReadOptions;
use crate::error::YamlError;
use crate::locate::{self, Part};
use crate::quick;

/// One document of a YAML text.
#[derive(Debug, Clone)]
pub struct Document {
    /// The content.
    pub value: Value,
    source: Arc<Source>,
    index: usize,
    options: ReadOptions,
}

/// A step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathElement {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

impl From<&str> for PathElement {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for PathElement {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for PathElement {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Document {
    /// The text that the document stands in.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Number of the document in its text, from 0; empty documents count.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Byte range of the value at `path`: the scalar with its quotes, or the
    /// collection from its first to its last part. Reads the text again.
    ///
    /// Nothing when the path leads nowhere. A value that comes from an alias or
    /// a merge has the range of the anchored value.
    pub fn locate(&self, path: &[PathElement]) -> Option<Range<usize>> {
        locate::find(&self.source, self.index, self.options, path, Part::Value)
    }

    /// Byte range of the last key of `path`; for a list item that of the item.
    pub fn locate_key(&self, path: &[PathElement]) -> Option<Range<usize>> {
        locate::find(&self.source, self.index, self.options, path, Part::Key)
    }

    /// The place of the value at `path`, or of the nearest value around it.
    pub fn location(&self, path: &[PathElement]) -> Location {
        self.nearest(path, Part::Value)
    }

    /// The place of the key at `path`, or of the nearest value around it.
    pub fn key_location(&self, path: &[PathElement]) -> Location {
        self.nearest(path, Part::Key)
    }

    fn nearest(&self, path: &[PathElement], part: Part) -> Location {
        let exact = locate::find(&self.source, self.index, self.options, path, part);
        let span = exact.or_else(|| (0..path.len()).rev().find_map(|end| self.locate(&path[..end])));
        Location::new(self.source.clone(), span.unwrap_or(0..0))
    }
}

/// Every document of the text that is not empty or null.
pub fn parse_documents(source: &Arc<Source>, options: impl Into<ReadOptions>) -> Result<Vec<Document>, YamlError> {
    let options = options.into();
    let document = |(index, value)| Document { value, source: source.clone(), index, options };
    let values = match quick::documents(&source.text, options) {
        Some(values) => values,
        None => composed(source, options)?,
    };
    Ok(values.into_iter().enumerate().filter(|(_, value)| !value.is_null()).map(document).collect())
}

fn composed(source: &Arc<Source>, options: ReadOptions) -> Result<Vec<Value>, YamlError> {
    let mut composer = Composer::new(source, options);
    let mut values = Vec::new();
    while let Some(value) = composer.next_document()? {
        values.push(value);
    }
    Ok(values)
}

/// The first document; null when the text is empty. Later ones may be broken.
pub fn parse_first(source: &Arc<Source>, options: impl Into<ReadOptions>) -> Result<Document, YamlError> {
    let options = options.into();
    let value = match quick::documents(&source.text, options) {
        Some(values) => values.into_iter().next().unwrap_or(Value::Null),
        None => Composer::new(source, options).next_document()?.unwrap_or(Value::Null),
    };
    Ok(Document { value, source: source.clone(), index: 0, options })
}

/// A path as people write it: `deployments[0].path`.
pub fn display_path(path: &[PathElement]) -> String {
    let mut text = String::new();
    for element in path {
        match element {
            PathElement::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
            PathElement::Key(key) if is_simple(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            PathElement::Key(key) => {
                let _ = write!(text, "[{key:?}]");
            }
        }
    }
    text
}

fn is_simple(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

//! Values to typed configuration, the way Go's JSON decoder does it, strictly.
//!
//! Scalars become strings where a string is wanted; null is the zero value;
//! an unknown field is an error at its key. Structs have
//! `#[serde(deny_unknown_fields)]`. Not for structs with `flatten` and not
//! inside untagged enums: serde buffers there and the coercion is lost.

mod coerce;
mod failure;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::document::{Document, PathElement, display_path};
use crate::error::{YamlError, YamlErrorKind};
use coerce::Coerced;
use failure::Failure;

/// Decodes a document; errors stand at the value or key that caused them.
pub fn from_document<T: DeserializeOwned>(document: &Document) -> Result<T, YamlError> {
    from_value(document, &document.value, &[])
}

/// Decodes a part of a document, or a value made from it (for instance by
/// rendering its strings), that stands at `base`.
pub fn from_value<T: DeserializeOwned>(
    document: &Document,
    value: &Value,
    base: &[PathElement],
) -> Result<T, YamlError> {
    serde_path_to_error::deserialize(Coerced(value)).map_err(|error| {
        let mut path = base.to_vec();
        path.extend(error.path().iter().filter_map(element));
        positioned(document, path, error.into_inner())
    })
}

fn element(segment: &Segment) -> Option<PathElement> {
    match segment {
        Segment::Seq { index } => Some(PathElement::Index(*index)),
        Segment::Map { key } => Some(PathElement::Key(key.clone())),
        Segment::Enum { variant } => Some(PathElement::Key(variant.clone())),
        Segment::Unknown => None,
    }
}

fn positioned(document: &Document, mut path: Vec<PathElement>, failure: Failure) -> YamlError {
    match failure {
        Failure::UnknownField { field, expected } => {
            if path.last() != Some(&PathElement::Key(field.clone())) {
                path.push(PathElement::Key(field.clone()));
            }
            let at = document.key_location(&path);
            let parent = display_path(&path[..path.len() - 1]);
            let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
            let similar = similar(&field, &expected);
            YamlError::new(at, YamlErrorKind::UnknownField { field, parent, expected, similar })
        }
        Failure::MissingField { field } => {
            let field = field.to_owned();
            YamlError::new(document.location(&path), YamlErrorKind::MissingField { field })
        }
        Failure::WrongType { found, expected } => {
            let at = document.location(&path);
            YamlError::new(at, YamlErrorKind::WrongType { path: display_path(&path), expected, found })
        }
        Failure::Invalid { reason } => {
            let at = document.location(&path);
            YamlError::new(at, YamlErrorKind::Invalid { path: display_path(&path), reason })
        }
    }
}

/// Names near to `name`, nearest first.
fn similar(name: &str, names: &[String]) -> Vec<String> {
    let limit = (name.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &String)> = names
        .iter()
        .map(|other| (strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, other)| other.clone()).collect()
}

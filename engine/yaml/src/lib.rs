//! YAML as the Go tools read and write it.
//!
//! Reading goes from text to [`serde_json::Value`] through one of the
//! [`Dialect`]s: configuration files follow Go's yaml v2, manifests follow
//! kustomize's reader (Go's yaml v3). Positions are not stored while reading:
//! a [`Document`] finds the span of a path again when an error needs it.
//! Writing gives the bytes that kluctl writes ([`to_string`]).
//!
//! Not for: templates, merging of values, editing files in place.

mod compose;
mod decode;
mod dialect;
mod document;
mod emit;
mod error;
mod locate;
mod quick;
mod resolve;
mod timestamp;
mod typed;

pub use decode::decode;
pub use dialect::{Dialect, DuplicateKeys, ReadOptions};
pub use document::{Document, PathElement, display_path, parse_documents, parse_first};
pub use emit::{Emitter, Folding, format_float, is_plain_string, sort_by_key, to_string, to_string_documents};
pub use error::{YamlError, YamlErrorKind};
pub use resolve::{Resolved, resolve};
pub use typed::{from_document, from_value};
pub use windlass_model::location::{Location, Source};

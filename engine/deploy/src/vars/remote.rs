//! What sources outside project and cluster have in common: absence, templates, YAML, and silence about values.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use windlass_model::location::{Location, Source};
use windlass_model::vars_source::VarsSource;
use windlass_template::Batch;
use windlass_yaml::Dialect;

use super::{Remote, VarsError};
use crate::ports::StoreFailure;

/// Reads one entry.
pub(super) struct Reader<'a> {
    pub(super) source: &'a VarsSource,
    pub(super) batch: &'a Batch,
    pub(super) remote: Remote<'a>,
}

impl Reader<'_> {
    /// The secret, rendered and parsed; `None` when it is absent and that is tolerated.
    pub(super) fn secret(
        &self,
        found: Result<SecretString, StoreFailure>,
        subject: &str,
    ) -> Result<Option<Value>, VarsError> {
        match found {
            Ok(text) => {
                // Known before anything can go wrong with it.
                self.register(text.expose_secret());
                self.parse(&self.render(text.expose_secret(), subject)?, subject).map(Some)
            }
            Err(StoreFailure::Missing(_)) if self.source.ignore_missing => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Hides a text that is one value; parts of a document are hidden by their leaves.
    fn register(&self, text: &str) {
        if super::is_secret(self.source) && !text.contains('\n') {
            self.remote.secrets.register(text);
        }
    }

    /// Reports quote the text around a mistake, so they get none.
    fn render(&self, text: &str, subject: &str) -> Result<String, VarsError> {
        let origin = Location::new(Source::new(subject, ""), 0..0);
        self.batch
            .render_str(text, &origin)
            .map_err(|source| VarsError::RemoteTemplate { subject: subject.into(), source })
    }

    /// A document, or with `multidoc` all of them; an empty one is an empty map.
    pub(super) fn parse(&self, text: &str, subject: &str) -> Result<Value, VarsError> {
        let source = Source::new(subject, text);
        let parsed = if self.source.multidoc {
            windlass_yaml::parse_documents(&source, Dialect::GoV2)
                .map(|documents| documents.into_iter().map(|document| document.value).collect())
        } else {
            windlass_yaml::parse_first(&source, Dialect::GoV2).map(|document| match document.value {
                Value::Null => Value::Object(Map::new()),
                value => value,
            })
        };
        parsed.map_err(|error| {
            let at = error.location();
            self.unusable(subject, &format!("is not valid YAML (line {}, column {})", at.line(), at.column()))
        })
    }

    pub(super) fn unusable(&self, subject: &str, problem: &str) -> VarsError {
        VarsError::RemoteContent { subject: subject.into(), problem: problem.into() }
    }
}

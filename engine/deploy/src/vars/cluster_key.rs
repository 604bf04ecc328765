//! `clusterConfigMap` and `clusterSecret`: one key of one object, rendered and parsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_cluster::{Cluster, ListRequest};
use windlass_model::location::{Location, Source};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::vars_source::{ClusterKeySource, VarsSource};
use windlass_template::Batch;
use windlass_yaml::Dialect;

use super::{VarsError, object_name};

/// Which of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    ConfigMap,
    Secret,
}

impl KeyKind {
    fn gvk(self) -> Gvk {
        Gvk::from_api_version("v1", if self == Self::Secret { "Secret" } else { "ConfigMap" })
    }
}

/// Reads the key; `None` when object or key is absent and that is tolerated.
pub(super) async fn read(
    kind: KeyKind,
    key: &ClusterKeySource,
    source: &VarsSource,
    batch: &Batch,
    cluster: &dyn Cluster,
) -> Result<Option<Value>, VarsError> {
    let object = match find(kind, key, cluster).await {
        Ok(object) => object,
        Err(error) if source.ignore_missing && is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = object_name(&object.object_ref());
    let Some(content) = object.0["data"][&key.key].as_str() else {
        if source.ignore_missing {
            return Ok(None);
        }
        return Err(VarsError::ClusterKey { key: key.key.clone(), object: name });
    };
    let entry = Entry { kind, key: &key.key, object: &name };
    entry.value(content, source.multidoc, batch).map(Some)
}

fn is_absence(error: &VarsError) -> bool {
    match error {
        VarsError::Cluster(error) => error.is_not_found(),
        VarsError::NothingSelected { .. } => true,
        _ => false,
    }
}

async fn find(kind: KeyKind, key: &ClusterKeySource, cluster: &dyn Cluster) -> Result<Object, VarsError> {
    if let Some(name) = &key.name {
        let object = ObjectRef::new(&kind.gvk(), &key.namespace, name);
        return Ok(cluster.get(&object).await.map_err(Box::new)?.value);
    }
    let request = ListRequest { label_selector: selector(&key.labels), ..ListRequest::all(kind.gvk()) };
    let mut found = cluster.list(&request.in_namespace(&key.namespace)).await.map_err(Box::new)?.value;
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(VarsError::NothingSelected { labels: shown(&key.labels) }),
        (Some(object), true) => Ok(object),
        (Some(_), false) => Err(VarsError::SeveralSelected { labels: shown(&key.labels) }),
    }
}

/// A label selector that asks for exactly these values.
pub(super) fn selector(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The labels in upstream's words.
fn shown(labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", labels.join(" "))
}

/// The key that is read, for messages.
struct Entry<'a> {
    kind: KeyKind,
    key: &'a str,
    object: &'a str,
}

impl Entry<'_> {
    fn value(&self, content: &str, multidoc: bool, batch: &Batch) -> Result<Value, VarsError> {
        let text = match self.kind {
            KeyKind::ConfigMap => content.to_owned(),
            KeyKind::Secret => decoded(content).ok_or_else(|| self.unusable("is not base64 of a text"))?,
        };
        let rendered = batch.render_str(&text, &self.origin(&text)).map_err(|source| VarsError::ClusterTemplate {
            key: self.key.into(),
            object: self.object.into(),
            source,
        })?;
        let rendered = Source::new(self.name(), rendered);
        let parsed = if multidoc {
            windlass_yaml::parse_documents(&rendered, Dialect::GoV2)
                .map(|documents| documents.into_iter().map(|document| document.value).collect())
        } else {
            windlass_yaml::parse_first(&rendered, Dialect::GoV2).map(|document| document.value)
        };
        parsed.map_err(|source| match self.kind {
            KeyKind::ConfigMap => VarsError::ClusterContent { source: source.into() },
            // The parse error would quote the value.
            KeyKind::Secret => self.unusable("is not valid YAML"),
        })
    }

    fn name(&self) -> String {
        format!("{} key {}", self.object, self.key)
    }

    /// Where the text stands; that of a secret must not reach reports.
    fn origin(&self, text: &str) -> Location {
        let text = if self.kind == KeyKind::Secret { "" } else { text };
        let source: Arc<Source> = Source::new(self.name(), text);
        Location::new(source, 0..text.len())
    }

    fn unusable(&self, problem: &'static str) -> VarsError {
        VarsError::SecretContent { key: self.key.into(), object: self.object.into(), problem }
    }
}

fn decoded(content: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(content).ok()?).ok()
}

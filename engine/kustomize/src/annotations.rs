//! What Kustomize always does to annotations, even when the kustomization asks for nothing.

use serde_json::{Map, Value};

/// Objects with this annotation are inputs of tools, not of the cluster.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// What becomes of an object because of its annotations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays.
    Keep,
    /// It is not part of the output.
    Drop,
    /// Kustomize would rewrite the annotations in a way that is not covered here.
    Unsure,
}

/// Removes an empty annotation field, as Kustomize does, and decides about the object.
pub(crate) fn settle(object: &mut Map<String, Value>) -> Fate {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else {
        return Fate::Unsure;
    };
    match metadata.get("annotations") {
        None => Fate::Keep,
        Some(Value::Null) => {
            metadata.remove("annotations");
            Fate::Keep
        }
        Some(Value::Object(annotations)) if annotations.is_empty() => {
            metadata.remove("annotations");
            Fate::Keep
        }
        Some(Value::Object(annotations)) => judge(annotations),
        Some(_) => Fate::Unsure,
    }
}

fn judge(annotations: &Map<String, Value>) -> Fate {
    let mut fate = Fate::Keep;
    for (key, value) in annotations {
        // Kustomize rewrites every annotation with the text that stands in the file. That text is lost for
        // anything but a string, and for a timestamp, which is a string by now.
        let Value::String(text) = value else {
            return Fate::Unsure;
        };
        if looks_like_a_timestamp(text) {
            return Fate::Unsure;
        }
        if key == LOCAL_CONFIG {
            if text != "false" {
                fate = Fate::Drop;
            }
        } else if is_internal(key) {
            return Fate::Unsure;
        }
    }
    fate
}

/// Annotations which Kustomize uses for its own book-keeping and removes in the end.
fn is_internal(key: &str) -> bool {
    let domain = key.split('/').next().unwrap_or_default();
    domain == "config.k8s.io" || domain == "config.kubernetes.io" || domain.ends_with(".config.kubernetes.io")
}

/// Whether a string may have been a plain timestamp in the file.
pub(crate) fn looks_like_a_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 11 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[10] == b'T'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settled(annotations: Value) -> (Fate, Value) {
        let mut object = json!({"metadata": {"annotations": annotations}});
        let fate = settle(object.as_object_mut().unwrap());
        (fate, object["metadata"].take())
    }

    #[test]
    fn ordinary_annotations_stay() {
        assert_eq!(settled(json!({"a": "b"})), (Fate::Keep, json!({"annotations": {"a": "b"}})));
    }

    #[test]
    fn an_empty_field_is_removed() {
        assert_eq!(settled(json!({})), (Fate::Keep, json!({})));
        assert_eq!(settled(Value::Null), (Fate::Keep, json!({})));
    }

    #[test]
    fn local_config_is_dropped_unless_false() {
        assert_eq!(settled(json!({LOCAL_CONFIG: "true"})).0, Fate::Drop);
        assert_eq!(settled(json!({LOCAL_CONFIG: "anything"})).0, Fate::Drop);
        assert_eq!(settled(json!({LOCAL_CONFIG: "false"})).0, Fate::Keep);
    }

    #[test]
    fn whatever_would_be_rewritten_is_left_to_the_helper() {
        for annotations in [
            json!({"a": 1}),
            json!({"a": null}),
            json!({"a": "2024-01-02T00:00:00Z"}),
            json!({"internal.config.kubernetes.io/path": "x"}),
            json!({"config.kubernetes.io/index": "0"}),
            json!({"config.k8s.io/id": "0"}),
            json!(["a"]),
        ] {
            assert_eq!(settled(annotations.clone()).0, Fate::Unsure, "{annotations}");
        }
    }
}

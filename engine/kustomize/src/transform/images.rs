//! `images`: other names, tags and digests for the images of pods.

use regex::Regex;
use serde_json::{Map, Value};

use crate::field_path::{Missing, visit};
use crate::kustomization::ImageChange;
use crate::manifest::Manifest;
use crate::scalar::stays_a_string;
use crate::unsure::{Certain, Unsure, ensure};

/// Changed beside every list of containers, wherever it is.
const PLACES: [&str; 6] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

/// Applies one entry after the other.
pub(crate) fn change_all(images: &[ImageChange], manifests: &mut [Manifest]) -> Certain<()> {
    images.iter().try_for_each(|image| {
        let change = Change::new(image)?;
        // Kustomize goes through twice, which shows where a suffix is added.
        let mut affected = manifests.iter_mut().filter(|manifest| manifest.kind() != "CustomResourceDefinition");
        affected.try_for_each(|manifest| {
            in_containers(&mut manifest.object, &change)?;
            PLACES.iter().try_for_each(|place| {
                visit(&mut manifest.object, place, Missing::Skip, &mut |field| change.apply(field))
            })
        })
    })
}

struct Change<'a> {
    image: &'a ImageChange,
    pattern: Regex,
}

impl<'a> Change<'a> {
    fn new(image: &'a ImageChange) -> Certain<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | ':');
        ensure(!image.name.is_empty() && image.name.chars().all(is_plain), "an unusual image")?;
        let tail = r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?";
        // The name is an expression for Kustomize too: `.` means any character.
        let pattern = Regex::new(&format!("^{}{tail}$", image.name)).map_err(|_| Unsure("an unusual image"))?;
        Ok(Self { image, pattern })
    }

    fn apply(&self, field: &mut Value) -> Certain<()> {
        match field {
            Value::Null => Ok(()),
            Value::String(current) => {
                if self.pattern.is_match(current) {
                    let changed = self.changed(current);
                    ensure(stays_a_string(&changed), "an image that is no plain text")?;
                    *current = changed;
                }
                Ok(())
            }
            _ => Err(Unsure("an image that is no text")),
        }
    }

    fn changed(&self, current: &str) -> String {
        let ImageChange { name: _, new_name, tag_suffix, new_tag, digest } = self.image;
        let parts = Parts::of(current);
        let name = if new_name.is_empty() { parts.name } else { new_name };
        let (tag, digest) = match (new_tag.is_empty(), digest.is_empty(), tag_suffix.is_empty()) {
            (false, _, _) => (new_tag.clone(), digest.as_str()),
            (true, false, _) => (String::new(), digest.as_str()),
            (true, true, false) => (format!("{}{tag_suffix}", parts.tag), ""),
            (true, true, true) => (parts.tag.to_owned(), parts.digest),
        };
        let mut changed = name.to_owned();
        for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
            if !part.is_empty() {
                changed.push(mark);
                changed.push_str(part);
            }
        }
        changed
    }
}

struct Parts<'a> {
    name: &'a str,
    tag: &'a str,
    digest: &'a str,
}

impl<'a> Parts<'a> {
    /// A colon before the first slash belongs to the registry's port.
    fn of(image: &'a str) -> Self {
        let from = image.find('/').unwrap_or(0);
        let (name, digest) = match image[from..].find('@') {
            Some(at) => (&image[..from + at], &image[from + at + 1..]),
            None => (image, ""),
        };
        match name[from..].find(':') {
            Some(colon) => Self { name: &name[..from + colon], tag: &name[from + colon + 1..], digest },
            None => Self { name, tag: "", digest },
        }
    }
}

fn in_containers(mapping: &mut Map<String, Value>, change: &Change<'_>) -> Certain<()> {
    mapping.iter_mut().try_for_each(|(field, value)| {
        in_any(value, change)?;
        match value {
            Value::Array(containers) if matches!(field.as_str(), "containers" | "initContainers") => {
                containers.iter_mut().try_for_each(|container| match container {
                    Value::Null => Ok(()),
                    Value::Object(container) => container.get_mut("image").map_or(Ok(()), |image| change.apply(image)),
                    _ => Err(Unsure("a container that is no mapping")),
                })
            }
            _ => Ok(()),
        }
    })
}

fn in_any(value: &mut Value, change: &Change<'_>) -> Certain<()> {
    match value {
        Value::Object(mapping) => in_containers(mapping, change),
        Value::Array(items) => items.iter_mut().try_for_each(|item| in_any(item, change)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn changed(change: Value, image: Value) -> Certain<Value> {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                            "spec": {"containers": [{"image": image}]}});
        let mut manifests = [manifest(object)];
        change_all(&[serde_json::from_value(change).unwrap()], &mut manifests)?;
        Ok(manifests[0].object["spec"]["containers"][0]["image"].clone())
    }

    #[test]
    fn names_tags_and_digests_are_replaced() {
        for (change, image, wanted) in [
            (json!({"name": "nginx", "newTag": "1.2"}), "nginx", "nginx:1.2"),
            (json!({"name": "nginx", "newTag": "1.2"}), "nginx:1@sha256:ab", "nginx:1.2"),
            (json!({"name": "nginx", "newName": "r:5000/n"}), "nginx:1@sha256:ab", "r:5000/n:1@sha256:ab"),
            (json!({"name": "r:5000/n", "digest": "sha256:cd"}), "r:5000/n:1", "r:5000/n@sha256:cd"),
            (json!({"name": "nginx", "newTag": "2", "digest": "sha256:cd"}), "nginx", "nginx:2@sha256:cd"),
            (json!({"name": "nginx", "newTag": "2"}), "my/nginx:1", "my/nginx:1"),
            (json!({"name": "nginx", "tagSuffix": "-x"}), "nginx:1", "nginx:1-x-x"),
        ] {
            assert_eq!(changed(change.clone(), json!(image)).unwrap(), wanted, "{change}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_certain() {
        assert!(changed(json!({"name": "nginx"}), json!({})).is_err());
        assert!(changed(json!({"name": ""}), json!("nginx")).is_err());
        assert!(changed(json!({"name": "a(b"}), json!("nginx")).is_err());
    }

    #[test]
    fn definitions_stay() {
        let object = json!({"apiVersion": "x/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a"},
                            "spec": {"containers": [{"image": "nginx"}]}});
        let mut manifests = [manifest(object.clone())];
        let change = ImageChange { name: "nginx".to_owned(), new_tag: "2".to_owned(), ..ImageChange::default() };
        change_all(&[change], &mut manifests).unwrap();
        assert_eq!(Value::Object(manifests[0].object.clone()), object);
    }
}

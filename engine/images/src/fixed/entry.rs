//! Entries as files, targets and variables write them.

use serde_json::{Map, Value};

use super::{FixedImage, FixedImageError, FixedImages, FixedOrigin, ImageMatch};
use crate::go_regex::{GoRegex, PatternError};

/// What is wrong with an entry. Texts are upstream's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A field no generation of the format knows.
    #[error("error unmarshaling JSON: while decoding JSON: json: unknown field {field:?}")]
    UnknownField {
        /// The field.
        field: String,
        /// Known fields that look like it.
        known: &'static [&'static str],
    },
    /// A field with a value of another kind.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    )]
    WrongType {
        /// The field.
        field: String,
        /// What was found.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// No criterion that says which image is meant.
    #[error(
        "Key: 'FixedImage.image' Error:Field validation for 'image' failed on the 'one of image or imageRegex must be set' tag"
    )]
    NoImage,
    /// Two criteria for the image.
    #[error(
        "Key: 'FixedImage.image' Error:Field validation for 'image' failed on the 'only one of image or imageRegex can be set' tag"
    )]
    TwoImages,
    /// No result.
    #[error("Key: 'FixedImage.ResultImage' Error:Field validation for 'ResultImage' failed on the 'required' tag")]
    NoResult,
    /// `imageRegex` does not compile.
    #[error(transparent)]
    Pattern(PatternError),
}

const FIELDS: &[&str] = &[
    "image",
    "imageRegex",
    "resultImage",
    "namespace",
    "deployment",
    "container",
    // Written by `list-images` of some generation, ignored as input.
    "deployedImage",
    "registryImage",
    "versionFilter",
    "deployTags",
    "deploymentDir",
    "kustomizeDir",
    "object",
];

impl FixedImages {
    /// The entries of a whole fixed-images file: a mapping with the one key `images`, or nothing.
    pub fn from_document(
        document: &Value,
        origin: impl Fn(usize) -> FixedOrigin,
    ) -> Result<Vec<FixedImage>, FixedImageError> {
        let refused = |reason| FixedImageError::Document { reason };
        let map = match document {
            Value::Null => return Ok(Vec::new()),
            Value::Object(map) => map,
            other => return Err(refused(wrong_type("FixedImagesConfig", other, "types.FixedImagesConfig"))),
        };
        if let Some(field) = map.keys().find(|key| *key != "images") {
            return Err(refused(EntryError::UnknownField { field: field.clone(), known: &["images"] }));
        }
        Self::from_list(map.get("images").unwrap_or(&Value::Null), origin)
    }

    /// The entries of an `images` list of a file, target or request.
    pub fn from_list(list: &Value, origin: impl Fn(usize) -> FixedOrigin) -> Result<Vec<FixedImage>, FixedImageError> {
        let list = match list {
            Value::Null => return Ok(Vec::new()),
            Value::Array(list) => list,
            other => {
                let reason = wrong_type("FixedImagesConfig.images", other, "[]types.FixedImage");
                return Err(FixedImageError::Document { reason });
            }
        };
        let entry = |(index, entry): (usize, &Value)| {
            FixedImage::from_value(entry, origin(index)).map_err(|reason| FixedImageError::Entry { index, reason })
        };
        list.iter().enumerate().map(entry).collect()
    }

    /// The variable `images` as an item sees it; `None` when it is not set.
    ///
    /// Upstream reads it only when an image is looked up that nothing else answers; call it then.
    pub fn from_vars(variable: Option<&Value>) -> Result<Self, FixedImageError> {
        let list = match variable {
            None => return Ok(Self::default()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(FixedImageError::Vars { reason: "nested value is not a slice" }),
        };
        if !list.iter().all(Value::is_object) {
            return Err(FixedImageError::Vars { reason: "nested value is not a slice of maps" });
        }
        let entry = |(index, entry): (usize, &Value)| {
            FixedImage::from_value(entry, FixedOrigin::Vars { index })
                .map_err(|reason| FixedImageError::VarsEntry { index, reason })
        };
        list.iter().enumerate().map(entry).collect()
    }
}

impl FixedImage {
    /// The entry as a file or a command result writes it.
    pub fn to_value(&self) -> Value {
        let Self { image, namespace, deployment, container, result_image, origin: _ } = self;
        let (exact, pattern) = match image {
            Some(ImageMatch::Exact(image)) => (Some(image.as_str()), None),
            Some(ImageMatch::Regex(pattern)) => (None, Some(pattern.as_str())),
            None => (None, None),
        };
        let fields = [
            ("image", exact),
            ("imageRegex", pattern),
            ("namespace", namespace.as_deref()),
            ("deployment", deployment.as_deref()),
            ("container", container.as_deref()),
            ("resultImage", Some(result_image.as_str())),
        ];
        fields.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?)))).collect()
    }

    /// Reads one entry, strictly.
    pub fn from_value(value: &Value, origin: FixedOrigin) -> Result<Self, EntryError> {
        let Value::Object(map) = value else {
            return Err(wrong_type("FixedImagesConfig.images", value, "types.FixedImage"));
        };
        if let Some(field) = map.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(EntryError::UnknownField { field: field.clone(), known: FIELDS });
        }
        check_information(map)?;
        let image = text(map, "image")?;
        let pattern = text(map, "imageRegex")?;
        let deployment = text(map, "deployment")?;
        let image = match (image, pattern) {
            (Some(_), Some(_)) => return Err(EntryError::TwoImages),
            (Some(image), None) => Some(ImageMatch::Exact(image)),
            (None, Some(pattern)) => Some(ImageMatch::Regex(GoRegex::search(&pattern)?)),
            (None, None) if deployment.is_none() => return Err(EntryError::NoImage),
            (None, None) => None,
        };
        let result_image = text(map, "resultImage")?.filter(|result| !result.is_empty()).ok_or(EntryError::NoResult)?;
        Ok(Self {
            image,
            namespace: text(map, "namespace")?,
            deployment,
            container: text(map, "container")?,
            result_image,
            origin,
        })
    }
}

/// A text field; null is absent, numbers and booleans become their text as everywhere in project files.
fn text(map: &Map<String, Value>, field: &str) -> Result<Option<String>, EntryError> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(scalar.to_string())),
        Some(other) => Err(wrong_type(&format!("FixedImage.{field}"), other, "string")),
    }
}

/// Informational fields are ignored, but must have their kind.
fn check_information(map: &Map<String, Value>) -> Result<(), EntryError> {
    for field in ["deployedImage", "registryImage", "versionFilter", "deploymentDir", "kustomizeDir"] {
        text(map, field)?;
    }
    match map.get("deployTags") {
        None | Some(Value::Null | Value::Array(_)) => {}
        Some(other) => return Err(wrong_type("FixedImage.deployTags", other, "[]string")),
    }
    match map.get("object") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(other) => Err(wrong_type("FixedImage.object", other, "k8s.ObjectRef")),
    }
}

fn wrong_type(field: &str, found: &Value, wanted: &'static str) -> EntryError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    EntryError::WrongType { field: field.to_owned(), found, wanted }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn load(document: &Value) -> Result<Vec<FixedImage>, String> {
        let origin = |index| FixedOrigin::File { path: "f.yaml".into(), index, at: None };
        FixedImages::from_document(document, origin).map_err(|e| e.to_string())
    }

    fn error(entry: Value) -> String {
        load(&json!({"images": [entry]})).unwrap_err()
    }

    #[test]
    fn empty_documents_are_fine() {
        for document in [json!(null), json!({}), json!({"images": null}), json!({"images": []})] {
            assert_eq!(load(&document), Ok(vec![]), "{document}");
        }
    }

    #[test]
    fn reasons_are_the_known_ones() {
        assert!(error(json!({"resultImage": "x"})).contains("'one of image or imageRegex must be set' tag"));
        let both = json!({"image": "a", "imageRegex": "b", "resultImage": "x"});
        assert!(error(both).contains("'only one of image or imageRegex can be set' tag"));
        let required =
            "Key: 'FixedImage.ResultImage' Error:Field validation for 'ResultImage' failed on the 'required' tag";
        assert_eq!(error(json!({"image": "a"})), required);
        assert_eq!(error(json!({"image": "a", "resultImage": ""})), required);
        let unknown = "error unmarshaling JSON: while decoding JSON: json: unknown field \"tag\"";
        assert_eq!(error(json!({"image": "a", "resultImage": "b", "tag": "c"})), unknown);
        assert!(load(&json!({"other": 1})).unwrap_err().ends_with("unknown field \"other\""));
        let list =
            "json: cannot unmarshal object into Go struct field FixedImagesConfig.images of type []types.FixedImage";
        assert!(load(&json!({"images": {"a": "b"}})).unwrap_err().ends_with(list));
        assert!(
            error(json!({"imageRegex": "(", "resultImage": "b"}))
                .starts_with("error parsing regexp: missing closing )")
        );
        assert!(error(json!("x")).contains("cannot unmarshal string"));
        assert!(error(json!({"image": ["a"], "resultImage": "b"})).contains("field FixedImage.image of type string"));
    }

    #[test]
    fn fields_of_every_generation_are_accepted() {
        let entry = json!({
            "image": "a", "resultImage": "b", "deployedImage": "c", "registryImage": "c", "versionFilter": "semver()",
            "deployTags": ["x"], "deploymentDir": "d", "kustomizeDir": "d", "object": {"kind": "Deployment", "name": "web"},
        });
        assert_eq!(load(&json!({"images": [entry]})).unwrap().len(), 1);
    }

    #[test]
    fn a_deployment_alone_is_enough() {
        let entries = load(&json!({"images": [{"deployment": "Deployment/web", "resultImage": "x"}]})).unwrap();
        assert_eq!(entries[0].image, None);
    }

    #[test]
    fn present_but_empty_is_a_criterion() {
        let entries = load(&json!({"images": [{"image": "a", "namespace": "", "resultImage": "x"}]})).unwrap();
        assert_eq!(entries[0].namespace.as_deref(), Some(""));
    }

    #[test]
    fn what_is_written_reads_back() {
        for entry in [
            json!({"image": "a", "namespace": "", "deployment": "Deployment/d", "container": "c", "resultImage": "r"}),
            json!({"imageRegex": "^a", "resultImage": "r"}),
            json!({"deployment": "d", "resultImage": "r"}),
        ] {
            let read = FixedImage::from_value(&entry, FixedOrigin::Request { index: 0 }).unwrap();
            assert_eq!(read.to_value(), entry);
        }
    }

    #[test]
    fn vars_have_their_own_errors() {
        let vars = |value: Value| FixedImages::from_vars(Some(&value)).unwrap_err().to_string();
        let slice = "failed to parse fixed images from vars: nested value is not a slice";
        assert_eq!(vars(json!(null)), slice);
        assert_eq!(vars(json!({"a": "b"})), slice);
        assert_eq!(vars(json!([5])), format!("{slice} of maps"));
        assert!(vars(json!([{"image": "a"}])).starts_with("failed to parse fixed image from vars at index 0: Key:"));
        assert!(vars(json!([{"image": "a", "resultImage": "r", "extra": 1}])).ends_with("unknown field \"extra\""));
        assert_eq!(FixedImages::from_vars(None), Ok(FixedImages::default()));
        assert_eq!(FixedImages::from_vars(Some(&json!([]))), Ok(FixedImages::default()));
    }
}

//! Finding placeholders in an object, and writing results in their place.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::path::name_of;
use super::{BEGIN, END, FieldPath, ImageCall, PathStep};

/// How the string carries the placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// As it is.
    Plain,
    /// The string is base64 of the text, as in the `data` of a Secret.
    Base64,
}

/// One placeholder in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The field that holds the string.
    pub path: FieldPath,
    /// Byte range in the (decoded) string, markers included.
    pub range: Range<usize>,
    /// How the string carries it.
    pub carrier: Carrier,
    /// The call.
    pub call: ImageCall,
    /// The `name` of the mapping that directly holds the field, or empty.
    pub container: String,
}

/// A placeholder that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// A begin marker alone.
    #[error("beginPlaceholder marker without endPlaceholder marker at `{path}`")]
    NoEnd {
        /// The field.
        path: FieldPath,
    },
    /// Something between the markers that `get_image` did not write.
    #[error("broken image placeholder at `{path}`: the result of images.get_image must not be changed by a template")]
    Broken {
        /// The field.
        path: FieldPath,
    },
    /// A placeholder that is hidden from the search.
    #[error(
        "an image placeholder is hidden in base64 at `{path}`: only the data of Secrets may be encoded before images are known"
    )]
    Hidden {
        /// The field.
        path: FieldPath,
    },
}

/// Everything that one object holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Readable placeholders, in path order (mapping keys sorted), then by position.
    pub occurrences: Vec<Occurrence>,
    /// The others.
    pub errors: Vec<PlaceholderError>,
}

/// Searches every string value of an object; keys are not searched.
pub fn find(object: &Value) -> Found {
    let mut finder = Finder { found: Found::default(), path: FieldPath::default(), secret: object["kind"] == "Secret" };
    finder.value(object, "");
    finder.found
}

struct Finder {
    found: Found,
    path: FieldPath,
    secret: bool,
}

impl Finder {
    fn value(&mut self, value: &Value, container: &str) {
        match value {
            Value::String(text) => self.string(text, container),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    self.descend(PathStep::Index(index), element, "");
                }
            }
            Value::Object(map) => {
                let name = name_of(value).unwrap_or_default();
                for (key, child) in map {
                    self.descend(PathStep::Key(key.clone()), child, name);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn descend(&mut self, step: PathStep, value: &Value, container: &str) {
        self.path.0.push(step);
        self.value(value, container);
        self.path.0.pop();
    }

    fn string(&mut self, text: &str, container: &str) {
        if text.contains(BEGIN) {
            self.scan(text, Carrier::Plain, container);
        } else if hides_marker(text) {
            match self.secret_data(text) {
                Some(decoded) => self.scan(&decoded, Carrier::Base64, container),
                None => self.found.errors.push(PlaceholderError::Hidden { path: self.path.clone() }),
            }
        }
    }

    /// The decoded text of a value directly under a Secret's `data`.
    fn secret_data(&self, text: &str) -> Option<String> {
        let in_data = self.secret && self.path.0.len() == 2 && self.path.0[0] == PathStep::Key("data".into());
        let decoded = decode_text(text).filter(|_| in_data)?;
        decoded.contains(BEGIN).then_some(decoded)
    }

    fn scan(&mut self, text: &str, carrier: Carrier, container: &str) {
        let mut from = 0;
        while let Some(begin) = text[from..].find(BEGIN).map(|at| from + at) {
            let body = begin + BEGIN.len();
            let Some(end) = text[body..].find(END).map(|at| body + at) else {
                self.found.errors.push(PlaceholderError::NoEnd { path: self.path.clone() });
                return;
            };
            from = end + END.len();
            match ImageCall::decode(&text[body..end]) {
                None => self.found.errors.push(PlaceholderError::Broken { path: self.path.clone() }),
                Some(call) => self.found.occurrences.push(Occurrence {
                    path: self.path.clone(),
                    range: begin..from,
                    carrier,
                    call,
                    container: container.to_owned(),
                }),
            }
        }
    }
}

/// Writes results over placeholders: `results[i]` replaces `occurrences[i]`.
///
/// `occurrences` must be those that [`find`] gave for this object. An occurrence
/// without result (`None`) stays.
pub fn replace(object: &mut Value, occurrences: &[Occurrence], results: &[Option<String>]) {
    // From right to left, so that the ranges on the left stay true.
    for (occurrence, result) in occurrences.iter().zip(results).rev() {
        let (Some(result), Some(Value::String(text))) = (result, occurrence.path.get_mut(object)) else {
            continue;
        };
        match occurrence.carrier {
            Carrier::Plain => splice(text, &occurrence.range, result),
            Carrier::Base64 => {
                if let Some(mut decoded) = decode_text(text) {
                    splice(&mut decoded, &occurrence.range, result);
                    *text = STANDARD.encode(decoded);
                }
            }
        }
    }
}

fn splice(text: &mut String, range: &Range<usize>, result: &str) {
    if text.get(range.clone()).is_some() {
        text.replace_range(range.clone(), result);
    }
}

impl Occurrence {
    /// What stands in another version of the object (the live one) in the placeholder's place.
    ///
    /// `object` is the object the occurrence was found in. With text around the
    /// placeholder, the other string must have the same text around it; of
    /// several placeholders in one string none can be told apart.
    pub fn counterpart(&self, object: &Value, live: &Value) -> Option<String> {
        let rendered = self.text(self.path.get(object)?)?;
        let live = self.text(self.path.follow_names(object, live)?.get(live)?)?;
        let (before, after) = (rendered.get(..self.range.start)?, rendered.get(self.range.end..)?);
        if before.contains(BEGIN) || after.contains(BEGIN) {
            return None;
        }
        let value = live.strip_prefix(before)?.strip_suffix(after)?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    pub(super) fn text(&self, value: &Value) -> Option<String> {
        match self.carrier {
            Carrier::Plain => value.as_str().map(str::to_owned),
            Carrier::Base64 => decode_text(value.as_str()?),
        }
    }
}

/// The first field that still holds a begin marker, plain or in base64. For the check before anything is applied.
pub fn unresolved_marker(object: &Value) -> Option<FieldPath> {
    fn search(value: &Value, path: &mut FieldPath) -> bool {
        let mut inside = |step, child: &Value| {
            path.0.push(step);
            let found = search(child, path);
            if !found {
                path.0.pop();
            }
            found
        };
        match value {
            Value::String(text) => text.contains(BEGIN) || hides_marker(text),
            Value::Array(list) => list.iter().enumerate().any(|(i, child)| inside(PathStep::Index(i), child)),
            Value::Object(map) => map.iter().any(|(key, child)| inside(PathStep::Key(key.clone()), child)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    let mut path = FieldPath::default();
    search(object, &mut path).then_some(path)
}

fn decode_text(text: &str) -> Option<String> {
    let compact: String = text.split_ascii_whitespace().collect();
    String::from_utf8(STANDARD.decode(compact).ok()?).ok()
}

/// Whether the text holds the base64 form of [`BEGIN`], which has one of three shapes by its alignment.
fn hides_marker(text: &str) -> bool {
    // The parts of `base64(BEGIN)`, `base64("?" + BEGIN)` and `base64("??" + BEGIN)`
    // that do not depend on the neighbouring bytes.
    const SHAPES: [&str; 3] =
        ["WFhYWFhiZWdpbl9nZXRfaW1hZ2Vf", "hYWFhYYmVnaW5fZ2V0X2ltYWdlX", "YWFhYWGJlZ2luX2dldF9pbWFnZV"];
    SHAPES.iter().any(|shape| text.contains(shape))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mark(image: &str) -> String {
        ImageCall::new(image).encode()
    }

    fn resolve(object: &mut Value) {
        let found = find(object);
        assert_eq!(found.errors, []);
        let results: Vec<_> = found.occurrences.iter().map(|o| Some(o.call.image.to_uppercase())).collect();
        replace(object, &found.occurrences, &results);
        assert_eq!(unresolved_marker(object), None);
    }

    #[test]
    fn several_in_one_string_with_text_around() {
        let mut object = json!({"data": {"v": format!("a {}{}, {} z", mark("x"), mark("yy"), mark("x"))}});
        resolve(&mut object);
        assert_eq!(object, json!({"data": {"v": "a XYY, X z"}}));
    }

    #[test]
    fn path_and_container_of_each_place() {
        let object = json!({
            "metadata": {"name": "cj", "annotations": {"img": mark("a")}},
            "spec": {"containers": [{"name": "job", "image": mark("b"), "args": [mark("c")]}, {"image": mark("d")}]},
        });
        let found: Vec<_> = find(&object).occurrences.into_iter().map(|o| (o.path.to_string(), o.container)).collect();
        let wanted = [
            ("metadata.annotations.img", ""),
            ("spec.containers[0].args[0]", ""),
            ("spec.containers[0].image", "job"),
            ("spec.containers[1].image", ""),
        ];
        assert_eq!(found, wanted.map(|(path, container)| (path.to_owned(), container.to_owned())));
    }

    #[test]
    fn keys_are_not_searched() {
        assert_eq!(find(&json!({"data": {mark("a"): "b"}})), Found::default());
    }

    #[test]
    fn secret_data_is_decoded_and_encoded_again() {
        let mut object = json!({"kind": "Secret", "data": {"v": STANDARD.encode(format!("ä{}!", mark("x")))}});
        resolve(&mut object);
        assert_eq!(object["data"]["v"], STANDARD.encode("äX!"));
    }

    #[test]
    fn base64_elsewhere_is_an_error_at_every_alignment() {
        for head in ["", "1", "12", "123"] {
            let object = json!({"kind": "ConfigMap", "data": {"v": STANDARD.encode(format!("{head}{}", mark("x")))}});
            let errors = find(&object).errors;
            assert!(
                matches!(&errors[..], [PlaceholderError::Hidden { path }] if path.to_string() == "data.v"),
                "{head}"
            );
            assert!(unresolved_marker(&object).is_some());
        }
    }

    #[test]
    fn secret_values_outside_of_data_are_not_decoded() {
        let object = json!({"kind": "Secret", "metadata": {"annotations": {"v": STANDARD.encode(mark("x"))}}});
        assert!(matches!(&find(&object).errors[..], [PlaceholderError::Hidden { .. }]));
    }

    #[test]
    fn a_begin_without_end_is_an_error_and_others_go_on() {
        let object = json!({"a": format!("{BEGIN}abc"), "b": mark("x"), "c": format!("{BEGIN}%%{END}")});
        let found = find(&object);
        assert_eq!(found.occurrences.len(), 1);
        assert_eq!(found.errors[0].to_string(), "beginPlaceholder marker without endPlaceholder marker at `a`");
        assert!(matches!(&found.errors[1], PlaceholderError::Broken { path } if path.to_string() == "c"));
    }

    #[test]
    fn the_counterpart_is_found_by_container_name() {
        let object = json!({"c": [{"name": "app", "image": mark("x")}]});
        let occurrence = &find(&object).occurrences[0];
        let live = json!({"c": [{"name": "side", "image": "s:1"}, {"name": "app", "image": "x:1"}]});
        assert_eq!(occurrence.counterpart(&object, &live).as_deref(), Some("x:1"));
        assert_eq!(occurrence.counterpart(&object, &json!({"c": [{"name": "other", "image": "x:1"}]})), None);
        assert_eq!(occurrence.counterpart(&object, &json!({"c": "x:1"})), None);
    }

    #[test]
    fn without_names_the_position_counts() {
        let object = json!({"c": ["a", mark("x")], "d": [{"image": mark("y")}]});
        let found = find(&object).occurrences;
        let live = json!({"c": ["a", "x:1"], "d": [{"image": "y:1"}]});
        assert_eq!(found[0].counterpart(&object, &live).as_deref(), Some("x:1"));
        assert_eq!(found[1].counterpart(&object, &live).as_deref(), Some("y:1"));
        assert_eq!(found[1].counterpart(&object, &json!({"d": [{"name": "n", "image": "y:1"}]})), None);
    }

    #[test]
    fn text_around_must_agree_and_be_unambiguous() {
        let object = json!({"a": format!("img={};", mark("x")), "b": format!("{}{}", mark("x"), mark("y"))});
        let found = find(&object).occurrences;
        assert_eq!(found[0].counterpart(&object, &json!({"a": "img=x:1;"})).as_deref(), Some("x:1"));
        assert_eq!(found[0].counterpart(&object, &json!({"a": "image=x:1;"})), None);
        assert_eq!(found[1].counterpart(&object, &json!({"b": "x:1y:1"})), None);
    }

    #[test]
    fn a_result_may_be_missing() {
        let mut object = json!({"v": mark("x")});
        let found = find(&object);
        replace(&mut object, &found.occurrences, &[None]);
        assert_eq!(unresolved_marker(&object).unwrap().to_string(), "v");
    }
}

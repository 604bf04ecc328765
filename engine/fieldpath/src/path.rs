//! One exact place in a value.

use std::fmt;

use serde_json::{Map, Value};

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Key of a map.
    Key(String),
    /// Index of a list.
    Index(usize),
}

/// Keys and indexes from the root of a value to one place. Display is the output form of spec 03 section 2.4.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<Segment>);

/// A value cannot be put at a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Something on the way is neither a map nor missing.
    #[error("`{path}` is not a map")]
    NotAMap {
        /// Path of the obstacle.
        path: FieldPath,
    },
    /// The list on the way is shorter, or there is no list.
    #[error("`{path}` has no element {index}")]
    NoElement {
        /// Path of the list.
        path: FieldPath,
        /// Index that was wanted.
        index: usize,
    },
}

impl FieldPath {
    /// Path of map keys only.
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| Segment::Key(key.into())).collect())
    }

    /// Adds a key at the end.
    pub fn push_key(&mut self, key: &str) {
        self.0.push(Segment::Key(key.into()));
    }

    /// Adds an index at the end.
    pub fn push_index(&mut self, index: usize) {
        self.0.push(Segment::Index(index));
    }

    /// The value at this place.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |at, segment| child(at, segment))
    }

    /// The value at this place, for changing.
    pub fn get_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(value, |at, segment| match segment {
            Segment::Key(key) => at.get_mut(key.as_str()),
            Segment::Index(index) => at.get_mut(*index),
        })
    }

    /// Takes the value out of its map or list; following list elements move up.
    pub fn remove(&self, value: &mut Value) -> Option<Value> {
        let (last, parents) = self.0.split_last()?;
        let parent = Self(parents.to_vec()).get_mut(value)?;
        match (parent, last) {
            (Value::Object(map), Segment::Key(key)) => map.remove(key),
            (Value::Array(list), Segment::Index(index)) if *index < list.len() => Some(list.remove(*index)),
            _ => None,
        }
    }

    /// Puts a value here; missing levels become maps, an index one past the end appends.
    pub fn set(&self, root: &mut Value, new: Value) -> Result<(), SetError> {
        let mut at = root;
        for (depth, segment) in self.0.iter().enumerate() {
            let here = || Self(self.0[..depth].to_vec());
            at = match segment {
                Segment::Key(key) => {
                    if at.is_null() {
                        *at = Value::Object(Map::new());
                    }
                    let map = at.as_object_mut().ok_or_else(|| SetError::NotAMap { path: here() })?;
                    map.entry(key.as_str()).or_insert(Value::Null)
                }
                Segment::Index(index) => {
                    let missing = || SetError::NoElement { path: here(), index: *index };
                    let list = at.as_array_mut().ok_or_else(missing)?;
                    if *index == list.len() {
                        list.push(Value::Null);
                    }
                    list.get_mut(*index).ok_or_else(missing)?
                }
            };
        }
        *at = new;
        Ok(())
    }
}

fn child<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match segment {
        Segment::Key(key) => value.as_object()?.get(key),
        Segment::Index(index) => value.as_array()?.get(*index),
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for segment in &self.0 {
            append_segment(&mut text, segment);
        }
        f.write_str(&text)
    }
}

/// Adds one segment to a text in output form.
pub(crate) fn append_segment(text: &mut String, segment: &Segment) {
    match segment {
        Segment::Key(key) => append_key(text, key),
        Segment::Index(index) => append_index(text, *index),
    }
}

pub(crate) fn append_index(text: &mut String, index: usize) {
    text.push_str(&format!("[{index}]"));
}

pub(crate) fn append_key(text: &mut String, key: &str) {
    if is_plain(key) {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(key);
        return;
    }
    if text.is_empty() {
        text.push('$');
    }
    let quote = if key.contains('"') { '\'' } else { '"' };
    for part in ["[", quote.encode_utf8(&mut [0; 4]), key, quote.encode_utf8(&mut [0; 4]), "]"] {
        text.push_str(part);
    }
}

/// `^[A-Za-z_][A-Za-z0-9_]+$`: single characters count as odd, as they always did.
fn is_plain(key: &str) -> bool {
    key.len() > 1
        && !key.as_bytes()[0].is_ascii_digit()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(segments: &[&str]) -> FieldPath {
        FieldPath(
            segments
                .iter()
                .map(|text| match text.parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key((*text).into()),
                })
                .collect(),
        )
    }

    #[test]
    fn output_form_brackets_what_is_not_a_plain_name_of_two_characters() {
        for (segments, wanted) in [
            (&["spec", "containers", "0", "image"][..], "spec.containers[0].image"),
            (&["metadata", "labels", "app.kubernetes.io/name"], "metadata.labels[\"app.kubernetes.io/name\"]"),
            (&["data", "a"], "data[\"a\"]"),
            (&["x-y", "z1"], "$[\"x-y\"].z1"),
            (&["data", "_u"], "data._u"),
            (&["data", "n0"], "data.n0"),
            (&["data", "0n"], "data[\"0n\"]"),
            (&["data", "say \"x\""], "data['say \"x\"']"),
            (&["data", "é1"], "data[\"é1\"]"),
            (&["data", ""], "data[\"\"]"),
            (&["3", "ab"], "[3].ab"),
            (&[], ""),
        ] {
            assert_eq!(path(segments).to_string(), wanted);
        }
    }

    #[test]
    fn get_and_remove_follow_keys_and_indexes() {
        let mut value = json!({"a": [{"b": 1}, {"b": 2}]});
        assert_eq!(path(&["a", "1", "b"]).get(&value), Some(&json!(2)));
        assert_eq!(path(&["a", "0"]).remove(&mut value), Some(json!({"b": 1})));
        assert_eq!(value, json!({"a": [{"b": 2}]}));
    }

    #[test]
    fn places_that_do_not_exist_are_none() {
        let mut value = json!({"a": [1], "s": "text", "n": null});
        for segments in [&["a", "1"][..], &["a", "b"], &["0"], &["s", "0"], &["n", "x"], &["a", "0", "b"]] {
            assert_eq!(path(segments).get(&value), None, "{segments:?}");
            assert_eq!(path(segments).remove(&mut value), None, "{segments:?}");
        }
        assert_eq!(FieldPath::default().remove(&mut value), None);
    }

    #[test]
    fn setting_creates_missing_levels() {
        let mut value = Value::Null;
        path(&["a", "b", "c"]).set(&mut value, json!(1)).unwrap();
        path(&["a", "l"]).set(&mut value, json!([])).unwrap();
        path(&["a", "l", "0", "x"]).set(&mut value, json!(2)).unwrap();
        assert_eq!(value, json!({"a": {"b": {"c": 1}, "l": [{"x": 2}]}}));
    }

    #[test]
    fn setting_through_a_scalar_names_the_obstacle() {
        let mut value = json!({"a": {"b": 1}, "l": []});
        let error = path(&["a", "b", "cc"]).set(&mut value, json!(1)).unwrap_err();
        assert_eq!(error.to_string(), "`$[\"a\"][\"b\"]` is not a map");
        let error = path(&["l", "2"]).set(&mut value, json!(1)).unwrap_err();
        assert_eq!(error, SetError::NoElement { path: path(&["l"]), index: 2 });
        assert_eq!(value, json!({"a": {"b": 1}, "l": []}));
    }
}

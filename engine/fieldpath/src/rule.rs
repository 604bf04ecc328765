//! What `ignoreForDiff` and `conflictResolution` rules and annotations have in common.

use regex::Regex;
use windlass_model::object::Object;

use crate::json_path::{JsonPath, JsonPathError};

/// A rule does not compile.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RuleError {
    /// A path that does not parse.
    #[error(transparent)]
    Path(#[from] JsonPathError),
    /// A regular expression that does not compile.
    #[error("regular expression `{pattern}`: {message}")]
    Regex {
        /// The expression.
        pattern: String,
        /// Why.
        message: String,
    },
    /// A rule without paths.
    #[error("{0}")]
    Incomplete(&'static str),
}

/// Which objects a rule is for: every field that is set must be equal to the object's own, even when that is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// API group; the empty text is the core group.
    pub group: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace; the empty text is cluster scope.
    pub namespace: Option<String>,
}

impl Selector {
    /// Whether the rule is for this object.
    pub fn matches(&self, object: &Object) -> bool {
        let Self { group, kind, name, namespace } = self;
        let equal = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        equal(kind, object.kind())
            && equal(name, object.name())
            && equal(namespace, object.namespace())
            && (group.is_none() || equal(group, &object.gvk().group))
    }
}

/// Compiled paths and regular expressions of one rule.
#[derive(Debug, Clone, Default)]
pub struct FieldRule {
    /// Path expressions.
    pub paths: Vec<JsonPath>,
    /// Unanchored regular expressions over output-form paths.
    pub regexes: Vec<Regex>,
}

impl FieldRule {
    /// Compiles both; empty texts are left out.
    pub fn compile(paths: &[String], regexes: &[String]) -> Result<Self, RuleError> {
        let given = |texts: &[String]| texts.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>();
        Ok(Self {
            paths: given(paths).iter().map(|path| JsonPath::parse(path)).collect::<Result<_, _>>()?,
            regexes: given(regexes).iter().map(|pattern| compile_regex(pattern)).collect::<Result<_, _>>()?,
        })
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.regexes.is_empty()
    }
}

/// Compiles one regular expression.
pub(crate) fn compile_regex(pattern: &str) -> Result<Regex, RuleError> {
    Regex::new(pattern).map_err(|error| RuleError::Regex { pattern: pattern.to_owned(), message: error.to_string() })
}

/// Annotations `NAME`, `NAME-`, `NAME-1`, `NAME-2`, … in key order: key and value.
pub fn numbered_annotations<'o>(object: &'o Object, name: &str) -> Vec<(&'o str, &'o str)> {
    object.annotations().filter(|(key, _)| is_numbered(key, name)).collect()
}

fn is_numbered(key: &str, name: &str) -> bool {
    match key.strip_prefix(name) {
        Some("") => true,
        Some(suffix) => suffix.strip_prefix('-').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbered_annotations_end_in_digits_only() {
        let object = Object(json!({"metadata": {"annotations": {
            "k/f": "0", "k/f-": "1", "k/f-2": "2", "k/f-x": "no", "k/f-regex": "no", "k/f2": "no", "k/g": "no", "k/f-3": 4,
        }}}));
        assert_eq!(numbered_annotations(&object, "k/f"), [("k/f", "0"), ("k/f-", "1"), ("k/f-2", "2")]);
    }

    #[test]
    fn a_selector_compares_exactly_even_with_empty_values() {
        let core = Object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}));
        let select = |group: Option<&str>, namespace: Option<&str>| Selector {
            group: group.map(Into::into),
            namespace: namespace.map(Into::into),
            ..Selector::default()
        };
        assert!(Selector::default().matches(&core));
        assert!(select(Some(""), Some("")).matches(&core));
        assert!(!select(Some("apps"), None).matches(&core));
        assert!(!select(None, Some("x")).matches(&core));
        assert!(!Selector { name: Some("A".into()), ..Selector::default() }.matches(&core));
        assert!(!Selector { kind: Some("Secret".into()), ..Selector::default() }.matches(&core));
    }

    #[test]
    fn broken_rules_name_what_is_broken() {
        let error = FieldRule::compile(&["a-b".into()], &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "json path `a-b`: `-` needs brackets and quotes, as in `a['b-c']` at character 2"
        );
        let error = FieldRule::compile(&[], &["(".into()]).unwrap_err();
        assert!(error.to_string().starts_with("regular expression `(`: "), "{error}");
    }

    #[test]
    fn empty_texts_are_left_out() {
        assert!(FieldRule::compile(&[String::new()], &[String::new()]).unwrap().is_empty());
    }
}

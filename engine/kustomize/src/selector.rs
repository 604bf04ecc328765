//! Chooses objects: by regular expressions on names and kinds, and by label and annotation selectors.

use regex::Regex;
use serde_json::{Map, Value};

use crate::identity::group_version;
use crate::kustomization::Selector;
use crate::manifest::Manifest;
use crate::scalar::text_of;
use crate::unsure::{Certain, Unsure, ensure};

/// A selector that was read.
pub(crate) struct Chooser {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl Chooser {
    pub(crate) fn new(selector: &Selector) -> Certain<Self> {
        let Selector { group, version, kind, name, namespace, annotation_selector, label_selector } = selector;
        Ok(Self {
            group: anchored(group)?,
            version: anchored(version)?,
            kind: anchored(kind)?,
            name: anchored(name)?,
            namespace: anchored(namespace)?,
            labels: requirements(label_selector)?,
            annotations: requirements(annotation_selector)?,
        })
    }

    /// Whether a patch means an object: by its first or its current name.
    pub(crate) fn selects(&self, manifest: &Manifest) -> Certain<bool> {
        let (_, first_name, first_namespace) = manifest.original();
        let (kind, name, namespace) = manifest.current();
        let chosen = (fits(&self.namespace, first_namespace) || fits(&self.namespace, namespace))
            && (fits(&self.name, first_name) || fits(&self.name, name))
            && self.fits_kind(manifest.api_version(), kind);
        Ok(chosen && self.fits_metadata(manifest)?)
    }

    /// Whether one name of an object fits; the current one with the namespace as it is written.
    pub(crate) fn fits_any_name(&self, manifest: &Manifest) -> bool {
        let current = (manifest.kind(), manifest.name(), manifest.namespace());
        let previous = manifest.trail.previous.iter().map(|id| (&*id.kind, &*id.name, &*id.namespace));
        std::iter::once(current).chain(previous).any(|(kind, name, namespace)| {
            self.fits_kind(manifest.api_version(), kind) && fits(&self.name, name) && fits(&self.namespace, namespace)
        })
    }

    pub(crate) fn fits_metadata(&self, manifest: &Manifest) -> Certain<bool> {
        Ok(all_fit(&self.annotations, manifest, "annotations")? && all_fit(&self.labels, manifest, "labels")?)
    }

    pub(crate) fn has_names(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].iter().any(|part| part.is_some())
    }

    pub(crate) fn has_requirements(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    fn fits_kind(&self, api_version: &str, kind: &str) -> bool {
        let (group, version) = group_version(api_version);
        fits(&self.group, group) && fits(&self.version, version) && fits(&self.kind, kind)
    }
}

fn fits(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// Go's expressions and ours agree on everything that names need.
fn anchored(pattern: &str) -> Certain<Option<Regex>> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "-_./*+?|()[]^$".contains(c);
    ensure(pattern.chars().all(is_usual), "an unusual expression")?;
    Regex::new(&format!("^(?:{pattern})$")).map(Some).map_err(|_| Unsure("a wrong expression"))
}

/// One part of a label selector.
struct Requirement {
    key: String,
    wanted: Wanted,
}

enum Wanted {
    Present,
    Absent,
    OneOf(Vec<String>),
    /// Or absent.
    NoneOf(Vec<String>),
}

impl Requirement {
    fn fits(&self, entries: Option<&Map<String, Value>>) -> Certain<bool> {
        let value = entries.and_then(|entries| entries.get(&self.key));
        let is_one_of = |values: &[String]| match value {
            None => Ok(false),
            Some(value) => text_of(value, false).map(|text| values.contains(&text)),
        };
        match &self.wanted {
            Wanted::Present => Ok(value.is_some()),
            Wanted::Absent => Ok(value.is_none()),
            Wanted::OneOf(values) => is_one_of(values),
            Wanted::NoneOf(values) => is_one_of(values).map(|is| !is),
        }
    }
}

fn all_fit(requirements: &[Requirement], manifest: &Manifest, field: &str) -> Certain<bool> {
    let entries = manifest.metadata().and_then(|metadata| metadata.get(field)).and_then(Value::as_object);
    for requirement in requirements {
        if !requirement.fits(entries)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn requirements(selector: &str) -> Certain<Vec<Requirement>> {
    let mut rest = selector.trim();
    let mut requirements = Vec::new();
    while !rest.is_empty() {
        let end = end_of_requirement(rest);
        requirements.push(requirement(rest[..end].trim())?);
        rest = rest[end..]
            .strip_prefix(',')
            .map_or(Ok(""), |rest| ensure(!rest.trim().is_empty(), "a selector that ends in a comma").map(|()| rest))?;
    }
    Ok(requirements)
}

/// At the comma that is not inside of parentheses.
fn end_of_requirement(selector: &str) -> usize {
    let mut inside = false;
    let end = selector.find(|c| {
        inside = (inside || c == '(') && c != ')';
        c == ',' && !inside
    });
    end.unwrap_or(selector.len())
}

fn requirement(text: &str) -> Certain<Requirement> {
    let with = |key: &str, wanted: Wanted| {
        ensure(is_key(key.trim()), "an unusual key in a selector")?;
        Ok(Requirement { key: key.trim().to_owned(), wanted })
    };
    if let Some(list) = text.strip_suffix(')') {
        let (head, values) = list.split_once('(').ok_or(Unsure("a selector with a wrong list"))?;
        let values = values.split(',').map(value).collect::<Certain<Vec<_>>>()?;
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => with(key, Wanted::OneOf(values)),
            (Some(key), Some("notin"), None) => with(key, Wanted::NoneOf(values)),
            _ => Err(Unsure("a selector with an unknown operator")),
        };
    }
    if let Some((key, other)) = text.split_once("!=") {
        return with(key, Wanted::NoneOf(vec![value(other)?]));
    }
    if let Some((key, other)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return with(key, Wanted::OneOf(vec![value(other)?]));
    }
    match text.strip_prefix('!') {
        Some(key) => with(key, Wanted::Absent),
        None => with(text, Wanted::Present),
    }
}

fn is_key(key: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_part = |part: &str| {
        part.len() <= 63
            && is_edge(part.chars().next())
            && is_edge(part.chars().last())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let is_prefix =
        |part: &str| is_part(part) && !part.contains(['_']) && !part.contains("..") && *part == part.to_lowercase();
    match key.split_once('/') {
        Some((prefix, name)) => is_prefix(prefix) && is_part(name),
        None => is_part(key) && !matches!(key, "in" | "notin"),
    }
}

fn value(text: &str) -> Certain<String> {
    let text = text.trim();
    ensure(is_key(text) && !text.contains('/'), "an unusual value in a selector")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn selects(selector: Value) -> Certain<bool> {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata":
            {"name": "web-1", "labels": {"app": "web"}, "annotations": {"team": "a"}}});
        Chooser::new(&serde_json::from_value(selector).unwrap())?.selects(&manifest(object))
    }

    #[test]
    fn expressions_mean_the_whole_name() {
        assert!(selects(json!({"name": "web-.*", "kind": "Deploy.*|Job", "group": "apps"})).unwrap());
        assert!(!selects(json!({"name": "web"})).unwrap());
        assert!(selects(json!({"namespace": "default"})).unwrap());
        assert!(!selects(json!({"version": "v2"})).unwrap());
    }

    #[test]
    fn label_selectors_have_all_operators() {
        for (selector, wanted) in [
            ("app=web", true),
            ("app == web, team!=x", true),
            ("app in (api, web)", true),
            ("app notin (web),app", false),
            ("!app", false),
            ("team", false),
            ("team notin (a)", true),
        ] {
            assert_eq!(selects(json!({"labelSelector": selector})).unwrap(), wanted, "{selector}");
        }
        assert!(selects(json!({"annotationSelector": "team=a"})).unwrap());
    }

    #[test]
    fn unusual_selectors_are_not_certain() {
        for selector in ["app=a b", "app>1", "app in web", "=x", "app=web,", "app=", "a/b/c"] {
            assert!(selects(json!({"labelSelector": selector})).is_err(), "{selector}");
        }
        assert!(selects(json!({"name": "\\d"})).is_err());
        assert!(selects(json!({"name": "("})).is_err());
    }
}

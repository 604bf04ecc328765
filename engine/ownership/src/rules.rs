//! Who shall win a conflict: rules of projects and annotations of the object.

use regex::Regex;
use serde_json::Value;
use windlass_fieldpath::{FieldPath, FieldRule, RuleError, Selector, numbered_annotations};
use windlass_model::deployment::{ConflictAction, ConflictResolution};
use windlass_model::object::Object;

use crate::owners::FieldOwner;

/// A `conflictResolution` rule or an annotation does not compile.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{origin}: {source}")]
pub struct ConflictRuleError {
    /// The rule or annotation.
    pub origin: String,
    /// What is wrong with it.
    #[source]
    pub source: RuleError,
}

/// Compiled rules of an item's project and all its parents.
#[derive(Debug, Clone, Default)]
pub struct ConflictRules {
    rules: Vec<ConflictRule>,
}

impl ConflictRules {
    /// Compiles rules in the order in which they override each other: the root project's first, the item's own last.
    pub fn compile<'r>(
        root_first: impl IntoIterator<Item = &'r ConflictResolution>,
    ) -> Result<Self, ConflictRuleError> {
        root_first.into_iter().map(project_rule).collect::<Result<_, _>>().map(|rules| Self { rules })
    }

    /// The rules that can decide about `local`, annotations last.
    pub(crate) fn for_object(&self, local: &Object) -> Result<Vec<ConflictRule>, ConflictRuleError> {
        let project = self.rules.iter().filter(|rule| rule.selector.matches(local)).cloned();
        Ok(project.chain(annotation_rules(local)?).collect())
    }
}

/// A compiled rule.
#[derive(Debug, Clone)]
pub(crate) struct ConflictRule {
    selector: Selector,
    fields: FieldRule,
    managers: Vec<Regex>,
    pub(crate) action: ConflictAction,
    /// The rule in words.
    pub(crate) origin: String,
}

/// A conflicting field, as rules see it.
pub(crate) struct Field<'f> {
    pub(crate) local: &'f Value,
    pub(crate) remote: &'f Value,
    pub(crate) local_path: &'f FieldPath,
    pub(crate) remote_path: &'f FieldPath,
    pub(crate) owners: &'f [&'f FieldOwner],
}

impl ConflictRule {
    /// Paths are looked for on both sides, regular expressions in the local object only.
    pub(crate) fn hits(&self, field: &Field<'_>) -> bool {
        let by_path = self.fields.paths.iter().any(|path| {
            path.is_everything()
                || path.locate(field.local).contains(field.local_path)
                || path.locate(field.remote).contains(field.remote_path)
        });
        let by_regex = || {
            let text = field.local_path.to_string();
            self.fields.regexes.iter().any(|regex| regex.is_match(&text))
        };
        let by_manager =
            || self.managers.iter().any(|regex| field.owners.iter().any(|owner| regex.is_match(&owner.manager)));
        by_path || by_regex() || by_manager()
    }
}

fn project_rule(rule: &ConflictResolution) -> Result<ConflictRule, ConflictRuleError> {
    let ConflictResolution { field_path, field_path_regex, manager, group, kind, name, namespace, action } = rule;
    let origin = describe(rule);
    let error = |source| ConflictRuleError { origin: origin.clone(), source };
    if field_path.is_empty() && field_path_regex.is_empty() && manager.is_empty() {
        return Err(error(RuleError::Incomplete("at least one of fieldPath, fieldPathRegex or manager must be set")));
    }
    let action = action.ok_or_else(|| error(RuleError::Incomplete("action must be set to ignore or force-apply")))?;
    let fields = FieldRule::compile(field_path.as_slice(), field_path_regex.as_slice()).map_err(error)?;
    let managers = FieldRule::compile(&[], manager.as_slice()).map_err(error)?.regexes;
    let selector =
        Selector { group: group.clone(), kind: kind.clone(), name: name.clone(), namespace: namespace.clone() };
    Ok(ConflictRule { selector, fields, managers, action, origin })
}

fn describe(rule: &ConflictResolution) -> String {
    let parts =
        [("fieldPath", &rule.field_path), ("fieldPathRegex", &rule.field_path_regex), ("manager", &rule.manager)];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(name, texts)| format!("{name} `{}`", texts.as_slice().join("`, `")))
        .collect();
    format!("conflictResolution rule {}", parts.join(" and ")).trim_end().to_owned()
}

/// In the order in which they override each other.
fn annotation_rules(local: &Object) -> Result<Vec<ConflictRule>, ConflictRuleError> {
    let mut rules = Vec::new();
    for (name, action) in
        [("kluctl.io/force-apply", ConflictAction::ForceApply), ("kluctl.io/ignore-conflicts", ConflictAction::Ignore)]
    {
        if local.bool_annotation(name) == Some(true) {
            rules.push(annotation_rule(name, "true", action, |_| FieldRule::compile(&["..".into()], &[]), false)?);
        }
        for (key, value) in numbered_annotations(local, &format!("{name}-manager")) {
            let managers = |value: &str| FieldRule::compile(&[], &[value.to_owned()]);
            rules.push(annotation_rule(key, value, action, managers, true)?);
        }
        for (key, value) in numbered_annotations(local, &format!("{name}-field")) {
            let fields = |value: &str| FieldRule::compile(&[value.to_owned()], &[]);
            rules.push(annotation_rule(key, value, action, fields, false)?);
        }
    }
    Ok(rules)
}

fn annotation_rule(
    key: &str,
    value: &str,
    action: ConflictAction,
    compile: impl Fn(&str) -> Result<FieldRule, RuleError>,
    names_managers: bool,
) -> Result<ConflictRule, ConflictRuleError> {
    let origin = format!("annotation `{key}: {value}`");
    let compiled = compile(value).map_err(|source| ConflictRuleError { origin: origin.clone(), source })?;
    let (fields, managers) =
        if names_managers { (FieldRule::default(), compiled.regexes) } else { (compiled, Vec::new()) };
    Ok(ConflictRule { selector: Selector::default(), fields, managers, action, origin })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::deployment::OneOrMany;

    use super::*;

    fn compile_error(rule: ConflictResolution) -> String {
        ConflictRules::compile([&rule]).unwrap_err().to_string()
    }

    #[test]
    fn broken_project_rules_say_which_and_why() {
        let one = |text: &str| OneOrMany::One(text.into());
        let action = Some(ConflictAction::Ignore);
        assert_eq!(
            compile_error(ConflictResolution { action, ..Default::default() }),
            "conflictResolution rule: at least one of fieldPath, fieldPathRegex or manager must be set"
        );
        assert_eq!(
            compile_error(ConflictResolution { manager: one("a"), ..Default::default() }),
            "conflictResolution rule manager `a`: action must be set to ignore or force-apply"
        );
        let error = compile_error(ConflictResolution { field_path: one("a-b"), action, ..Default::default() });
        assert!(error.starts_with("conflictResolution rule fieldPath `a-b`: json path `a-b`: "), "{error}");
        let error = compile_error(ConflictResolution { manager: one("("), action, ..Default::default() });
        assert!(error.starts_with("conflictResolution rule manager `(`: regular expression `(`: "), "{error}");
    }

    #[test]
    fn annotations_come_in_their_order_of_precedence() {
        let local = Object(json!({"metadata": {"annotations": {
            "kluctl.io/ignore-conflicts-field-3": "data.x", "kluctl.io/ignore-conflicts-manager": "m",
            "kluctl.io/ignore-conflicts": "true", "kluctl.io/force-apply-field": "data.y",
            "kluctl.io/force-apply-manager-1": "n", "kluctl.io/force-apply": "1",
            "kluctl.io/force-apply-else": "no",
        }}}));
        let rules = ConflictRules::default().for_object(&local).unwrap();
        let origins: Vec<_> = rules.iter().map(|rule| rule.origin.as_str()).collect();
        assert_eq!(
            origins,
            [
                "annotation `kluctl.io/force-apply: true`",
                "annotation `kluctl.io/force-apply-manager-1: n`",
                "annotation `kluctl.io/force-apply-field: data.y`",
                "annotation `kluctl.io/ignore-conflicts: true`",
                "annotation `kluctl.io/ignore-conflicts-manager: m`",
                "annotation `kluctl.io/ignore-conflicts-field-3: data.x`",
            ]
        );
    }

    #[test]
    fn broken_annotations_are_errors() {
        for (key, value) in [("kluctl.io/force-apply-field", "a["), ("kluctl.io/ignore-conflicts-manager-2", "(")] {
            let local = Object(json!({"metadata": {"annotations": {key: value}}}));
            let error = ConflictRules::default().for_object(&local).unwrap_err().to_string();
            assert!(error.starts_with(&format!("annotation `{key}: {value}`: ")), "{error}");
        }
    }
}

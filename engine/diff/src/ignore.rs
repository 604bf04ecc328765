//! Rules that hide fields from diffs (spec 03 section 11.3).

use serde_json::Value;
use windlass_fieldpath::{FieldPath, FieldRule, RuleError, Selector, numbered_annotations, walk_leaves};
use windlass_model::deployment::IgnoreForDiff;
use windlass_model::object::Object;

use crate::DiffError;

const FIELD_ANNOTATION: &str = "kluctl.io/ignore-diff-field";
const REGEX_ANNOTATION: &str = "kluctl.io/ignore-diff-field-regex";

/// The `--ignore-*` flags of `diff`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IgnoreFlags {
    /// `--ignore-tags`.
    pub tags: bool,
    /// `--ignore-labels`.
    pub labels: bool,
    /// `--ignore-annotations`.
    pub annotations: bool,
    /// `--ignore-kluctl-metadata`.
    pub kluctl_metadata: bool,
}

/// Compiled rules, shared by all objects of a project.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<(Selector, FieldRule)>,
}

impl IgnoreRules {
    /// Compiles the rules of a project and all its parents, and the flags. Order does not matter.
    pub fn compile<'r>(
        rules: impl IntoIterator<Item = &'r IgnoreForDiff>,
        flags: IgnoreFlags,
    ) -> Result<Self, RuleError> {
        let mut compiled = rules.into_iter().map(compile_rule).collect::<Result<Vec<_>, _>>()?;
        let flags = flag_rule(flags)?;
        if !flags.is_empty() {
            compiled.push((Selector::default(), flags));
        }
        Ok(Self { rules: compiled })
    }

    /// Removes what the rules for `object` hide from its normalised form.
    pub(crate) fn apply(&self, object: &Object, value: &mut Value) {
        self.rules
            .iter()
            .filter(|(selector, _)| selector.matches(object))
            .for_each(|(_, rule)| apply_rule(rule, value));
    }
}

fn compile_rule(rule: &IgnoreForDiff) -> Result<(Selector, FieldRule), RuleError> {
    let IgnoreForDiff { field_path, field_path_regex, group, kind, name, namespace } = rule;
    if field_path.is_empty() && field_path_regex.is_empty() {
        return Err(RuleError::Incomplete("at least one of fieldPath or fieldPathRegex must be set"));
    }
    let selector =
        Selector { group: group.clone(), kind: kind.clone(), name: name.clone(), namespace: namespace.clone() };
    Ok((selector, FieldRule::compile(field_path.as_slice(), field_path_regex.as_slice())?))
}

fn flag_rule(flags: IgnoreFlags) -> Result<FieldRule, RuleError> {
    const TAGS: &str = r#"metadata\.labels\["kluctl\.io/tag-.*"\]"#;
    let (mut paths, mut regexes) = (Vec::new(), Vec::new());
    if flags.tags {
        regexes.push(TAGS.to_owned());
    }
    if flags.labels {
        paths.push("metadata.labels.*".to_owned());
    }
    if flags.annotations {
        paths.push("metadata.annotations.*".to_owned());
    }
    if flags.kluctl_metadata {
        regexes.extend([
            TAGS.to_owned(),
            r#"metadata\.labels\["kluctl\.io/discriminator"\]"#.to_owned(),
            r#"metadata\.annotations\["kluctl\.io/deployment-item-dir"\]"#.to_owned(),
        ]);
    }
    FieldRule::compile(&paths, &regexes)
}

/// Rules that the rendered object carries as annotations.
pub(crate) fn annotation_rules(local: &Object) -> Result<FieldRule, DiffError> {
    let mut rules = FieldRule::default();
    for (annotation, path) in numbered_annotations(local, FIELD_ANNOTATION) {
        let rule = compile_annotation(annotation, &[path.to_owned()], &[])?;
        rules.paths.extend(rule.paths);
    }
    for (annotation, regex) in numbered_annotations(local, REGEX_ANNOTATION) {
        let rule = compile_annotation(annotation, &[], &[regex.to_owned()])?;
        rules.regexes.extend(rule.regexes);
    }
    Ok(rules)
}

fn compile_annotation(annotation: &str, paths: &[String], regexes: &[String]) -> Result<FieldRule, DiffError> {
    FieldRule::compile(paths, regexes)
        .map_err(|source| DiffError::Annotation { annotation: annotation.to_owned(), source })
}

/// Deletes what one rule hits. Paths that can only locate hide nothing.
pub(crate) fn apply_rule(rule: &FieldRule, value: &mut Value) {
    for path in &rule.paths {
        let _ = path.delete(value);
    }
    if rule.regexes.is_empty() {
        return;
    }
    let mut hidden: Vec<FieldPath> = Vec::new();
    walk_leaves(value, &mut |text, path| {
        if rule.regexes.iter().any(|regex| regex.is_match(text)) {
            hidden.push(path.clone());
        }
    });
    // From the back, so that removing a list element does not move the ones still to be removed.
    for path in hidden.iter().rev() {
        path.remove(value);
    }
}

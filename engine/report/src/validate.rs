//! Validate results for people.

use windlass_model::result::ValidateResult;

use crate::table::table;
use crate::text::write_messages;

/// The blocks of spec 03 section 19. Only a block of warnings starts with an empty line.
pub fn validate_text(result: &ValidateResult, width: usize) -> String {
    let mut text = String::new();
    if !result.warnings.is_empty() {
        text.push('\n');
        write_messages("Validation Warnings", &result.warnings, &mut text);
    }
    if !result.errors.is_empty() {
        separate(&mut text);
        write_messages("Validation Errors", &result.errors, &mut text);
    }
    if !result.results.is_empty() {
        separate(&mut text);
        let rows: Vec<[String; 2]> =
            result.results.iter().map(|entry| [entry.object_ref.to_string(), entry.message.clone()]).collect();
        text.push_str("Results:\n");
        text.push_str(&table(["Object", "Message"], &rows, width));
    }
    text
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use windlass_model::object_ref::{Gvk, ObjectRef};
    use windlass_model::result::{DeploymentError, ValidateResultEntry};

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> ObjectRef {
        ObjectRef::new(&Gvk::from_api_version(api_version, kind), "validate", name)
    }

    fn recorded() -> ValidateResult {
        let error = |object_ref, message: &str| DeploymentError::new(object_ref, message);
        let entry = |object_ref, annotation: &str, message: &str| ValidateResultEntry {
            object_ref,
            annotation: format!("validate-result.kluctl.io/{annotation}"),
            message: message.into(),
        };
        let mut result = ValidateResult {
            errors: vec![
                error(object("batch/v1", "Job", "work"), "Not completed"),
                error(object("batch/v1", "Job", "broken"), "went wrong"),
                error(object("apps/v1", "Deployment", "web"), "readyReplicas field not in status or empty"),
                error(object("v1", "ConfigMap", "never"), "kluctl.io/is-ready annotation is set to false"),
            ],
            results: vec![
                entry(object("batch/v1", "Job", "forced"), "two", "b"),
                entry(object("batch/v1", "Job", "forced"), "one", "a"),
                entry(object("v1", "ConfigMap", "never"), "health", "42 percent"),
            ],
            ..ValidateResult::default()
        };
        result.sort();
        result
    }

    #[test]
    fn recorded_errors_and_results() {
        let wanted = "\
Validation Errors:
  validate/ConfigMap/never: kluctl.io/is-ready annotation is set to false
  validate/Deployment/web: readyReplicas field not in status or empty
  validate/Job/broken: went wrong
  validate/Job/work: Not completed

Results:
+--------------------------+---------------------------------------------------+
| Object                   | Message                                           |
+--------------------------+---------------------------------------------------+
| validate/ConfigMap/never | 42 percent                                        |
+--------------------------+---------------------------------------------------+
| validate/Job/forced      | a                                                 |
+--------------------------+---------------------------------------------------+
| validate/Job/forced      | b                                                 |
+--------------------------+---------------------------------------------------+
";
        assert_eq!(validate_text(&recorded(), 80), wanted);
    }

    #[test]
    fn warnings_start_with_an_empty_line() {
        let result = ValidateResult {
            warnings: vec![DeploymentError::general("careful")],
            errors: vec![DeploymentError::general("broken")],
            ..ValidateResult::default()
        };
        assert_eq!(validate_text(&result, 80), "\nValidation Warnings:\n  careful\n\nValidation Errors:\n  broken\n");
    }

    #[test]
    fn nothing_to_tell_is_no_text() {
        assert_eq!(validate_text(&ValidateResult { ready: true, ..ValidateResult::default() }, 80), "");
        let results = ValidateResult { results: recorded().results, ..ValidateResult::default() };
        assert!(validate_text(&results, 80).starts_with("Results:\n+--"));
    }
}

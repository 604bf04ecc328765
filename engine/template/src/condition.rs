//! `when:` conditions.

use minijinja::value::Value;
use windlass_model::location::Location;

use crate::engine::{Batch, whole_text};
use crate::error::{ErrorKind, Frame, TemplateError, TemplatePart};
use crate::failure::{INLINE_NAME, Rendering, convert};
use crate::value::is_true;
use crate::{scope, translate};

impl Batch {
    /// Evaluates a `when:` expression that stands at `origin`.
    ///
    /// The text is compiled as one expression, so `%}` cannot escape from it.
    ///
    /// # Errors
    /// The expression is malformed or fails; the caller adds
    /// `unable to render conditional '<expression>': `.
    pub fn evaluate_condition(&self, expression: &str, origin: &Location) -> Result<bool, TemplateError> {
        let text = expression.trim();
        if text.is_empty() || text == "True" {
            return Ok(true);
        }
        let origin = &self.place_of(text, origin);
        self.guarded(|environment, purpose| {
            let translated = translate::expression(text, purpose);
            let rendering = Rendering::Inline(origin, &translated);
            let compiled =
                environment.compile_expression(&translated.text).map_err(|error| convert(&error, &rendering))?;
            let value: Value = compiled.eval(self.root()).map_err(|error| convert(&error, &rendering))?;
            is_true(&value).map_err(|_| undefined(text, origin))
        })
    }

    /// [`Self::evaluate_condition`] for an expression whose place is only known by name.
    ///
    /// # Errors
    /// The expression is malformed or fails.
    pub fn evaluate_named_condition(&self, expression: &str, origin: &str) -> Result<bool, TemplateError> {
        self.evaluate_condition(expression, &whole_text(origin, expression))
    }
}

/// The whole expression is undefined: only its last step can be the missing one.
fn undefined(expression: &str, origin: &Location) -> TemplateError {
    let key = expression.rsplit('.').next().unwrap_or(expression);
    let message = if expression.chars().all(|c| c.is_alphanumeric() || c == '_') {
        format!("'{expression}' is undefined")
    } else {
        scope::miss_message(key)
            .or_else(scope::last_miss_message)
            .unwrap_or_else(|| format!("'{expression}' is undefined"))
    };
    TemplateError::new(ErrorKind::Undefined, message).with_frames([Frame {
        at: origin.clone(),
        shown_as: INLINE_NAME.to_owned(),
        line: 1,
        part: TemplatePart::TopLevel,
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::location::Source;

    use crate::{Engine, EngineOptions, Ports, SearchPath, TemplateError, Vars};

    fn error(file: &str, condition: &str) -> TemplateError {
        let engine = Engine::new(EngineOptions::default(), Ports::default());
        let vars = Vars::new(json!({"a": {}}).as_object().cloned().unwrap_or_default());
        let batch = engine.batch(vars, SearchPath::empty()).standing_in(Source::new("deployment.yaml", file));
        batch.evaluate_named_condition(condition, "when").unwrap_err()
    }

    fn place(error: &TemplateError) -> String {
        let location = error.location().unwrap();
        format!("{} {:?}", location.source.name, location.span)
    }

    #[test]
    fn errors_point_into_the_file_and_keep_their_text() {
        let error = error("x: 1\nwhen: a.nope\n", "a.nope");
        assert!(place(&error).starts_with("deployment.yaml 11.."), "{}", place(&error));
        let text = "  File \"<template>\", line 1, in top-level template code\nUndefinedError: 'dict object' has no attribute 'nope'";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn a_text_that_is_there_twice_names_only_the_file() {
        assert_eq!(place(&error("when: nope\n---\nwhen: nope\n", "nope")), "deployment.yaml 0..0");
        assert_eq!(place(&error("when: 'no'\n", "nope")), "deployment.yaml 0..0");
    }
}

//! Renders the strings inside data.

use serde_json::{Map, Value};
use windlass_model::location::Location;

use crate::engine::Batch;
use crate::error::TemplateError;

impl Batch {
    /// Renders every string of `value`, keys of mappings included; strings
    /// without `{` stay as they are and the result of a string is a string.
    ///
    /// # Errors
    /// All failing strings together.
    pub fn render_struct(&self, value: &Value, origin: &Location) -> Result<Value, Vec<TemplateError>> {
        let mut errors = Vec::new();
        let rendered = self.render_value(value, origin, &mut errors);
        if errors.is_empty() { Ok(rendered) } else { Err(errors) }
    }

    fn render_value(&self, value: &Value, origin: &Location, errors: &mut Vec<TemplateError>) -> Value {
        match value {
            Value::String(text) => Value::String(self.render_leaf(text, origin, errors)),
            Value::Array(items) => items.iter().map(|item| self.render_value(item, origin, errors)).collect(),
            Value::Object(entries) => {
                let mut rendered = Map::new();
                for (key, value) in entries {
                    let key = self.render_leaf(key, origin, errors);
                    rendered.insert(key, self.render_value(value, origin, errors));
                }
                Value::Object(rendered)
            }
            other => other.clone(),
        }
    }

    fn render_leaf(&self, text: &str, origin: &Location, errors: &mut Vec<TemplateError>) -> String {
        self.render_str(text, origin).unwrap_or_else(|error| {
            errors.push(error);
            String::new()
        })
    }
}

//! Reads `status.conditions`.

use serde_json::Value;
use windlass_model::object::Object;

/// One condition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition<'a> {
    value: &'a Value,
}

impl<'a> Condition<'a> {
    pub(crate) fn is_true(&self) -> bool {
        self.value["status"] == "True"
    }

    pub(crate) fn is_false(&self) -> bool {
        self.value["status"] == "False"
    }

    pub(crate) fn reason(&self) -> &'a str {
        self.value["reason"].as_str().unwrap_or_default()
    }

    /// The message, or another text when it is empty.
    pub(crate) fn message_or(&self, fallback: &'a str) -> &'a str {
        self.value["message"].as_str().filter(|text| !text.is_empty()).unwrap_or(fallback)
    }
}

/// The condition of a type; several of one type are an error of whoever wrote them.
pub(crate) fn find<'a>(object: &'a Object, kind: &str) -> Result<Option<Condition<'a>>, String> {
    let all = object.0["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = all.iter().filter(|condition| condition["type"] == kind);
    let first = found.next();
    if found.next().is_some() {
        return Err(format!("{kind} condition found more then once"));
    }
    Ok(first.map(|value| Condition { value }))
}

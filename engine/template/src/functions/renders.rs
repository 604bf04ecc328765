//! `render`: a text as a template, with everything visible where it is called.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::Value;
use minijinja::{Environment, Error, State};
use windlass_model::location::Location;

use crate::binder::signature;
use crate::engine::whole_text;
use crate::error::{ErrorKind, TemplateError};
use crate::failure::{INLINE_NAME, Rendering, convert, nested, raised, type_error};
use crate::loading::unix_lines;
use crate::scope::{self, Keep, Scope};
use crate::translate;
use crate::value::{Root, type_name};

/// `render` and `load_template` may nest this deep.
const MAX_NESTING: usize = 40;

pub(crate) fn render(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("render", &["template"], 1).bind(args)?;
    let text = slots[0].clone().unwrap_or_default();
    if text.is_undefined() {
        return Err(crate::value::undefined(&text));
    }
    let Some(text) = text.as_str() else {
        return Err(type_error(format!("Can't compile non template nodes: '{}' object", type_name(&text))));
    };
    let origin = whole_text(state.name(), text);
    render_text(state.env(), INLINE_NAME, text, Some(&origin), visible(state), scope::current())
        .map(Value::from)
        .map_err(nested)
}

/// The names at the call site that are not project variables or globals.
pub(super) fn visible(state: &State<'_, '_>) -> IndexMap<String, Value> {
    let vars = scope::current().vars;
    let globals: HashMap<&str, Value> = state.env().globals().collect();
    let mut names = IndexMap::new();
    for name in state.known_variables() {
        // The surrounding loop cannot be driven from elsewhere.
        if name == "loop" || name == "self" || name == "super" || name.starts_with("__") {
            continue;
        }
        if let Some(value) = state.lookup(&name) {
            let is_global = globals.get(name.as_ref()) == Some(&value) && !vars.contains_key(name.as_ref());
            if !is_global {
                names.insert(name.into_owned(), value);
            }
        }
    }
    names
}

/// Renders `text` under `name` with `names` over the project variables.
pub(super) fn render_text(
    environment: &Environment<'_>,
    name: &str,
    text: &str,
    origin: Option<&Location>,
    names: IndexMap<String, Value>,
    scope: Scope,
) -> Result<String, TemplateError> {
    if scope::depth() > MAX_NESTING {
        return Err(TemplateError::new(ErrorKind::Limit, "maximum recursion depth exceeded"));
    }
    if crate::budget::effort(50, 100 + text.len()).is_err() {
        return Err(TemplateError::new(ErrorKind::Limit, "the template runs too long"));
    }
    let text = unix_lines(text);
    let translate = || translate::template(&text, scope.purpose);
    let kept = if origin.is_none() { scope.sources.keep(name, &text, Keep::Now, translate) } else { None };
    let translated = kept.clone().unwrap_or_else(|| Arc::new(translate()));
    let rendering = origin.map_or(Rendering::File(name, &translated), |origin| Rendering::Inline(origin, &translated));
    let template = match kept {
        Some(_) => environment.get_template(name),
        None => environment.template_from_named_str(name, &translated.text),
    };
    let template = template.map_err(|error| convert(&error, &rendering))?;
    let root = Value::from_object(Root::with_names(scope.vars.clone(), names));
    scope::enter(scope, || template.render(root).map_err(|error| convert(&error, &rendering)))
}

/// A template named in a call, or the error that it is missing.
pub(super) fn locate(name: &str, state: &State<'_, '_>) -> Result<std::path::PathBuf, Error> {
    scope::find(name, state.name()).ok_or_else(|| raised(ErrorKind::NotFound, scope::not_found_message("")))
}

//! Macros of templates, with Python's way of passing arguments.
//!
//! [`crate::translate`] wraps every macro in one of these after its end.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Tuple, Value};
use minijinja::{Environment, Error, State};

use super::add;
use crate::binder::split_named;
use crate::failure::{called, called_with_body, type_error};
use crate::value::{new_dict, py_str};

pub(super) fn register(environment: &mut Environment<'static>) {
    add(environment, "__macro", |_, args| wrapped(args));
    environment.add_global("__unset", Value::from_object(Unset));
    environment.add_test("__unset", |value: &Value| value.downcast_object_ref::<Unset>().is_some());
}

/// The value of a parameter that was not passed and has a default.
#[derive(Debug)]
struct Unset;

impl Object for Unset {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A macro with its signature.
#[derive(Debug)]
struct Macro {
    target: Value,
    /// Name and whether there is a default.
    parameters: Vec<(String, bool)>,
    varargs: bool,
    kwargs: bool,
    caller: bool,
}

/// The engine's macro, what it uses, its parameters (`name=` for those with a default).
fn wrapped(args: &[Value]) -> Result<Value, Error> {
    let [target, varargs, kwargs, caller, parameters @ ..] = args else { return Err(type_error("not a macro")) };
    let parameter = |value: &Value| {
        let text = py_str(value);
        match text.strip_suffix('=') {
            Some(name) => (name.to_owned(), true),
            None => (text, false),
        }
    };
    Ok(Value::from_object(Macro {
        target: target.clone(),
        parameters: parameters.iter().map(parameter).collect(),
        varargs: varargs.is_true(),
        kwargs: kwargs.is_true(),
        caller: caller.is_true(),
    }))
}

impl Macro {
    fn name(&self) -> String {
        self.target.get_attr("name").map(|name| py_str(&name)).unwrap_or_default()
    }

    /// One value for each parameter.
    fn bound(&self, positional: &[Value], named: &mut Vec<(String, Value)>) -> Vec<Value> {
        let given = positional.iter().take(self.parameters.len()).cloned();
        let mut values: Vec<Value> = given.collect();
        for (name, optional) in &self.parameters[values.len()..] {
            let index = named.iter().position(|(known, _)| known == name);
            values.push(match index {
                Some(index) => named.remove(index).1,
                None if *optional => Value::from_object(Unset),
                None => Value::UNDEFINED,
            });
        }
        values
    }
}

/// The engine runs a macro only in the template that it belongs to.
fn elsewhere(error: Error, name: &str) -> Error {
    if !error.detail().is_some_and(|detail| detail.contains("template state went away")) || error.source().is_some() {
        return error;
    }
    let advice = "`render` and `load_template` cannot call macros of the template around them";
    type_error(format!("{advice}: import `{name}` in the text or file that is rendered"))
}

impl Object for Macro {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(Value::from(self.name())),
            "arguments" => {
                let names: Vec<Value> = self.parameters.iter().map(|(name, _)| Value::from(name.as_str())).collect();
                Some(Value::from(Tuple::from(names)))
            }
            "catch_varargs" => Some(Value::from(self.varargs)),
            "catch_kwargs" => Some(Value::from(self.kwargs)),
            "caller" => Some(Value::from(self.caller)),
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (positional, mut named) = split_named(args);
        let mut values = self.bound(positional, &mut named);
        let extra = positional.get(self.parameters.len()..).unwrap_or_default();
        if !extra.is_empty() && !self.varargs {
            let (name, most) = (self.name(), self.parameters.len());
            return Err(type_error(format!("macro '{name}' takes not more than {most} argument(s)")));
        }
        let caller =
            named.iter().position(|(name, _)| self.caller && name == "caller").map(|index| named.remove(index));
        if let Some((first, _)) = named.first().filter(|_| !self.kwargs) {
            let name = self.name();
            return Err(type_error(match first.as_str() {
                "caller" => format!(
                    "macro '{name}' was invoked with two values for the special caller argument. This is most likely a bug."
                ),
                first => format!("macro '{name}' takes no keyword argument '{first}'"),
            }));
        }
        if self.varargs {
            values.push(Value::from(Tuple::from(extra)));
        }
        if self.kwargs {
            values.push(new_dict(named.into_iter().map(|(name, value)| (Value::from(name), value)).collect()));
        }
        let failed = if caller.is_some() { called_with_body } else { called };
        if let Some((name, target)) = caller {
            let caller = Value::from_object(Caller { target });
            values.push(minijinja::value::Kwargs::from_iter([(name, caller)]).into());
        }
        self.target.call(state, &values).map_err(|error| failed(elsewhere(error, &self.name())))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Macro '{}'>", self.name())
    }
}

/// The body of a `call` block, as its macro sees it.
#[derive(Debug)]
struct Caller {
    target: Value,
}

impl Object for Caller {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(Value::from(())),
            "arguments" => {
                let names: Vec<Value> = self.target.get_attr("arguments").ok()?.try_iter().ok()?.collect();
                Some(Value::from(Tuple::from(names)))
            }
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.target.call(state, args).map_err(called)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<Macro anonymous>")
    }
}

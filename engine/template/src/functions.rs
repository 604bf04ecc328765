//! Global functions of kluctl: everything beside Jinja's own.

mod builtins;
mod get_var;
mod images;
mod lipsum;
pub(crate) mod loads;
mod macros;
mod merging;
mod operations;
mod renders;
mod time;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use crate::binder::signature;
use crate::error::ErrorKind;
use crate::failure::raised;
use crate::ports::Ports;
use crate::scope;
use crate::translate::Purpose;
use crate::value::py_str;

pub(crate) use builtins::{is_range, range_contains};
pub(crate) use renders::render;
pub(crate) use time::Time;

pub(crate) fn register(environment: &mut Environment<'static>, ports: &Ports) {
    add(environment, "get_var", get_var::get_var);
    add(environment, "merge_dict", |_, args| merging::merge_dict(args));
    add(environment, "update_dict", |_, args| merging::update_dict(args));
    add(environment, "raise", |_, args| raise(args));
    add(environment, "render", renders::render);
    add(environment, "load_template", loads::load_template);
    add(environment, "load_sha256", loads::load_sha256);
    add(environment, "load_base64", loads::load_base64);
    for name in ["load_latest_git_commit", "load_latest_git_sha"] {
        let git = ports.git.clone();
        add(environment, name, move |state, args| loads::load_latest_git_commit(git.as_deref(), state, args));
    }
    let debug = ports.debug.clone();
    add(environment, "debug_print", move |_, args| {
        let slots = signature("debug_print", &["msg"], 1).bind(args)?;
        let first_run = scope::current().purpose == Purpose::Render;
        if let Some(sink) = debug.as_ref().filter(|_| first_run) {
            sink.message(&slots[0].as_ref().map(py_str).unwrap_or_default());
        }
        Ok(Value::from(""))
    });
    builtins::register(environment);
    add(environment, "lipsum", |_, args| lipsum::lipsum(args));
    operations::register(environment);
    macros::register(environment);
    images::register(environment, ports);
    environment.add_global("time", time::module());
}

/// Adds a function that binds its own arguments.
pub(crate) fn add(
    environment: &mut Environment<'static>,
    name: &'static str,
    function: impl Fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error> + Send + Sync + 'static,
) {
    environment.add_global(name, Value::from_object(Function { name, call: function }));
}

/// A function that binds its own arguments.
struct Function<F> {
    name: &'static str,
    call: F,
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            "range" | "dict" => write!(f, "<class '{}'>", self.name),
            "namespace" => f.write_str("<class 'jinja2.utils.Namespace'>"),
            "cycler" => f.write_str("<class 'jinja2.utils.Cycler'>"),
            "joiner" => f.write_str("<class 'jinja2.utils.Joiner'>"),
            name => write!(f, "<function {name}>"),
        }
    }
}

impl<F> Object for Function<F>
where
    F: Fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error> + Send + Sync + 'static,
{
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.call)(state, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// [`add`] for a member of an object.
pub(crate) fn callable(
    function: impl Fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error> + Send + Sync + 'static,
) -> impl Fn(&mut State<'_, '_>, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    move |state, args| function(state, &args.into_values())
}

fn raise(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("raise", &["msg"], 1).bind(args)?;
    Err(raised(ErrorKind::Raised, slots[0].as_ref().map(py_str).unwrap_or_default()))
}

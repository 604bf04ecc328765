//! Filters and tests.

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

pub(crate) type Function = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

pub(crate) fn register(environment: &mut Environment<'static>) {
    let _ = environment;
}

/// Adds a filter that binds its own arguments.
pub(crate) fn add(environment: &mut Environment<'static>, name: &'static str, filter: Function) {
    environment.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        filter(state, &args.into_values())
    });
}

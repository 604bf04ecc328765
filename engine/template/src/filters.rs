//! Filters and tests with Jinja2's signatures; kluctl's own filters.

mod collections;
mod encoding;
mod numbers;
mod pretty;
mod sequences;
mod slug;
mod strings;
mod tests;
mod urlize;
mod wrap;

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use crate::budget;
pub(crate) use collections::Group;
pub(crate) use strings::{escaped, like};

pub(crate) type Function = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

pub(crate) fn register(environment: &mut Environment<'static>) {
    for family in [
        encoding::FILTERS,
        strings::FILTERS,
        urlize::FILTERS,
        wrap::FILTERS,
        numbers::FILTERS,
        sequences::FILTERS,
        collections::FILTERS,
    ] {
        for (name, filter) in family {
            let filter = *filter;
            environment.add_filter(*name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                let args = args.into_values();
                budget::metered(None, &args, || filter(state, &args))
            });
        }
    }
    tests::register(environment);
}

/// The filtered value; an undefined one is an error.
pub(crate) fn defined(value: Option<&Value>) -> Result<&Value, Error> {
    match value {
        Some(value) if value.is_undefined() => Err(crate::value::undefined(value)),
        Some(value) => Ok(value),
        None => Err(crate::failure::type_error("a filter needs a value")),
    }
}

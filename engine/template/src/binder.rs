//! Binds call arguments to a Python signature, with Python's complaints.

use minijinja::Error;
use minijinja::value::Value;

use crate::failure::type_error;

/// A Python signature: the first `required` parameters have no default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) function: &'static str,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) required: usize,
}

/// Shorthand for a [`Signature`].
pub(crate) const fn signature(
    function: &'static str,
    parameters: &'static [&'static str],
    required: usize,
) -> Signature {
    Signature { function, parameters, required }
}

impl Signature {
    /// One slot per parameter; `None` where the call gave nothing.
    pub(crate) fn bind(&self, args: &[Value]) -> Result<Vec<Option<Value>>, Error> {
        let (positional, named) = split_named(args);
        let Self { function, parameters, required } = self;
        if positional.len() > parameters.len() {
            return Err(self.too_many(positional.len()));
        }
        let mut slots: Vec<Option<Value>> = positional.iter().cloned().map(Some).collect();
        slots.resize(parameters.len(), None);
        for (name, value) in named {
            let Some(index) = parameters.iter().position(|parameter| *parameter == name) else {
                return Err(type_error(format!("{function}() got an unexpected keyword argument '{name}'")));
            };
            if slots[index].is_some() {
                return Err(type_error(format!("{function}() got multiple values for argument '{name}'")));
            }
            slots[index] = Some(value);
        }
        let missing: Vec<_> =
            (0..*required).filter(|index| slots[*index].is_none()).map(|index| parameters[index]).collect();
        if missing.is_empty() { Ok(slots) } else { Err(self.missing(&missing)) }
    }

    fn too_many(&self, given: usize) -> Error {
        let (function, most, required) = (self.function, self.parameters.len(), self.required);
        let takes = if required == most { most.to_string() } else { format!("from {required} to {most}") };
        let plural = if most == 1 { "" } else { "s" };
        let were = if given == 1 { "was" } else { "were" };
        type_error(format!("{function}() takes {takes} positional argument{plural} but {given} {were} given"))
    }

    fn missing(&self, names: &[&str]) -> Error {
        let function = self.function;
        let plural = if names.len() == 1 { "" } else { "s" };
        let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
        let list = match quoted.as_slice() {
            [head @ .., last] if !head.is_empty() => format!("{} and {last}", head.join(", ")),
            all => all.join(""),
        };
        type_error(format!("{function}() missing {} required positional argument{plural}: {list}", names.len()))
    }
}

/// Splits off the engine's bundle of keyword arguments.
pub(crate) fn split_named(args: &[Value]) -> (&[Value], Vec<(String, Value)>) {
    let Some((last, head)) = args.split_last().filter(|(last, _)| last.is_kwargs()) else { return (args, Vec::new()) };
    let names = last.try_iter().into_iter().flatten();
    let named = names.filter_map(|name| {
        let value = last.get_item(&name).ok()?;
        name.as_str().map(|name| (name.to_owned(), value))
    });
    (head, named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Kwargs;

    const F: Signature = signature("f", &["a", "b"], 1);

    fn bind(args: &[Value]) -> String {
        match F.bind(args) {
            Ok(slots) => format!("{slots:?}"),
            Err(error) => error.detail().unwrap_or_default().to_owned(),
        }
    }

    fn named(name: &str) -> Value {
        Kwargs::from_iter([(name.to_owned(), Value::from(2))]).into()
    }

    #[test]
    fn both_styles_fill_the_same_slots() {
        assert_eq!(bind(&[Value::from(1), Value::from(2)]), "[Some(1), Some(2)]");
        assert_eq!(bind(&[Value::from(1), named("b")]), "[Some(1), Some(2)]");
        assert_eq!(bind(&[named("a")]), "[Some(2), None]");
    }

    #[test]
    fn wrong_calls_fail_as_in_python() {
        assert_eq!(bind(&[]), "f() missing 1 required positional argument: 'a'");
        assert_eq!(bind(&[named("c")]), "f() got an unexpected keyword argument 'c'");
        assert_eq!(bind(&[Value::from(1), named("a")]), "f() got multiple values for argument 'a'");
        let three = [1, 2, 3].map(Value::from);
        assert_eq!(bind(&three), "f() takes from 1 to 2 positional arguments but 3 were given");
    }
}

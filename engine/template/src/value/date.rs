//! Dates that `from_yaml` finds.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

/// A date or timestamp; prints as it would in Python.
#[derive(Debug)]
pub(crate) struct Date {
    text: String,
}

impl Date {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// ISO 8601, with a `T`.
    pub(crate) fn iso(&self) -> String {
        self.text.replacen(' ', "T", 1)
    }

    fn field(&self, name: &str) -> Option<i64> {
        let index = ["year", "month", "day", "hour", "minute", "second"].iter().position(|field| *field == name)?;
        let mut numbers = self.text.split(|c: char| !c.is_ascii_digit());
        numbers.nth(index)?.parse().ok()
    }

    fn civil(&self) -> Option<jiff::civil::DateTime> {
        let field = |name| self.field(name).unwrap_or(0);
        let small = |name| i8::try_from(field(name)).ok();
        let year = i16::try_from(field("year")).ok()?;
        jiff::civil::DateTime::new(
            year,
            small("month")?,
            small("day")?,
            small("hour")?,
            small("minute")?,
            small("second")?,
            0,
        )
        .ok()
    }
}

impl Object for Date {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.field(key.as_str()?).map(Value::from)
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match (method, args) {
            ("isoformat", []) => Ok(Value::from(self.iso())),
            ("strftime", [format]) => {
                let civil = self.civil().ok_or_else(|| crate::failure::value_error("not a date"))?;
                let text = jiff::fmt::strtime::format(format.as_str().unwrap_or_default(), civil);
                text.map(Value::from).map_err(|error| crate::failure::value_error(error.to_string()))
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

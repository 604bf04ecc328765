//! Methods of strings.

use minijinja::Error;
use minijinja::value::{Tuple, Value};

use super::unknown;

pub(crate) fn call(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let _ = (text, args, Tuple::default());
    Err(unknown("str object", method))
}

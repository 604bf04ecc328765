//! What one render may go through and keep in memory.
//!
//! The engine's fuel counts its own steps. A function may build or search
//! megabytes in one step, so functions ask here before they do.

use minijinja::Error;
use minijinja::value::Value;

use crate::error::ErrorKind;
use crate::failure::raised;
use crate::scope;

/// Bytes of one text, and bytes that one list holds for its items.
const LARGEST: usize = 100_000_000;

/// An item of a list takes as much room as some bytes of text.
const ITEM: usize = 24;

/// Asks for a text of so many bytes, before it is built.
pub(crate) fn reserve(bytes: usize) -> Result<(), Error> {
    if bytes > LARGEST {
        return Err(raised(ErrorKind::Limit, "a value of the template is too large"));
    }
    scope::charge(bytes)
}

/// [`reserve`] for so many pieces of the same size.
pub(crate) fn reserve_times(count: usize, bytes: usize) -> Result<(), Error> {
    reserve(count.saturating_mul(bytes))
}

/// Asks for a list of so many items, before it is built.
pub(crate) fn reserve_items(count: usize) -> Result<(), Error> {
    reserve_times(count, ITEM)
}

/// Accounts for looking at so many items.
pub(crate) fn visit(count: usize) -> Result<(), Error> {
    scope::charge(count.saturating_mul(16))
}

/// Accounts for what takes so much longer than it looks: compiling, parsing, searching a context.
pub(crate) fn effort(times: usize, size: usize) -> Result<(), Error> {
    scope::charge(size.saturating_mul(times))
}

/// A call of a filter or method of texts: reading is cheap, what is new takes room.
pub(crate) fn metered(
    subject: Option<&str>,
    args: &[Value],
    call: impl FnOnce() -> Result<Value, Error>,
) -> Result<Value, Error> {
    let texts = || subject.into_iter().chain(args.iter().filter_map(Value::as_str));
    scope::charge(texts().map(str::len).sum::<usize>() / 8)?;
    let result = call()?;
    if let Some(text) = result.as_str()
        && !texts().any(|known| std::ptr::eq(known, text))
    {
        scope::charge(text.len())?;
    }
    Ok(result)
}

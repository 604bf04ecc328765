//! Plain values that the other crates hand to each other. No I/O.

pub mod deployment;
pub mod event;
pub mod image_automation;
pub mod image_name;
pub mod location;
pub mod object;
pub mod object_ref;
pub mod project;
pub mod result;
pub mod source;
pub mod vars_source;

use serde::Deserialize;

/// Go's JSON decoder takes `null` for any field and leaves the zero value.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

//! YAML as PyYAML reads and writes it; `to_yaml` and `from_yaml` show its layout to users.

mod emit;
mod read;
mod scalars;
mod write;

pub(crate) use read::from_yaml;
pub(crate) use write::to_yaml;

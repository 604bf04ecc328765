//! Results as text and YAML (spec 03 sections 15.6 and 19).
//!
//! Pure functions from a result to a text; writing it anywhere is the command line's work.

mod table;
mod text;
mod validate;
mod yaml;

pub use table::table;
pub use text::{TextOptions, TextStyle, text};
pub use validate::validate_text;
pub use yaml::{compacted_value_yaml, validate_yaml, yaml};

//! Values to YAML text, byte for byte as the Go tools print it.
//!
//! Where their text would come back as another value in some reader (plain
//! `<<`, dates that only Python knows, Unicode line breaks), quotes are added.

mod order;
mod scalar;
mod writer;

use serde_json::Value;

pub use order::sort_by_key;
pub use scalar::{format_float, is_plain_string};
pub(crate) use scalar::{format_float32, is_printable};
use writer::Writer;

/// Whether long lines are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folding {
    /// At the first blank behind column 80: files and manifests.
    At80,
    /// Never: command results.
    Never,
}

/// Writes values as YAML.
#[derive(Debug, Clone, Copy)]
pub struct Emitter {
    folding: Folding,
}

impl Emitter {
    /// An emitter with the given folding.
    pub fn new(folding: Folding) -> Self {
        Self { folding }
    }

    /// One document, with a newline at its end and no `---`.
    pub fn to_string(&self, value: &Value) -> String {
        let mut text = String::new();
        self.write(value, &mut text);
        text
    }

    /// Documents with a line `---` between them.
    pub fn to_string_documents<'a>(&self, values: impl IntoIterator<Item = &'a Value>) -> String {
        let mut text = String::new();
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                text.push_str("---\n");
            }
            self.write(value, &mut text);
        }
        text
    }

    fn write(&self, value: &Value, text: &mut String) {
        let width = match self.folding {
            Folding::At80 => Some(80),
            Folding::Never => None,
        };
        Writer::new(text, width).document(value);
    }
}

/// One document with folded lines; see [`Emitter`].
pub fn to_string(value: &Value) -> String {
    Emitter::new(Folding::At80).to_string(value)
}

/// Documents with folded lines and `---` between them; see [`Emitter`].
pub fn to_string_documents<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    Emitter::new(Folding::At80).to_string_documents(values)
}

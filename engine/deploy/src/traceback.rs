//! The line end of template errors in upstream's layout.

use std::fmt;

use windlass_template::{ErrorKind, TemplateError};

/// A template error as upstream prints it: a traceback is followed by a line break, a missing template is not.
pub(crate) struct Traceback<'a>(pub(crate) &'a TemplateError);

impl fmt::Display for Traceback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        if self.0.kind() == ErrorKind::NotFound { Ok(()) } else { writeln!(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tracebacks_end_their_line() {
        let text = |kind| Traceback(&TemplateError::new(kind, "m")).to_string();
        assert_eq!(text(ErrorKind::Type), "TypeError: m\n");
        assert_eq!(text(ErrorKind::NotFound), "m");
    }
}

//! Several errors reported together, in the form scripts know (spec 01 section 1.5).

use std::fmt;

/// One or more errors of one stage, in item order.
#[derive(Debug)]
pub struct Errors<E>(Vec<E>);

impl<E> Errors<E> {
    /// The errors; `None` when there are none.
    pub fn new(errors: Vec<E>) -> Option<Self> {
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// The single errors.
    pub fn as_slice(&self) -> &[E] {
        &self.0
    }

    /// `Ok(())` when there are none.
    ///
    /// # Errors
    /// The collected errors.
    pub fn check(errors: Vec<E>) -> Result<(), Self> {
        Self::new(errors).map_or(Ok(()), Err)
    }
}

impl<E> From<E> for Errors<E> {
    fn from(error: E) -> Self {
        Self(vec![error])
    }
}

impl<E: fmt::Display> fmt::Display for Errors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => writeln!(f, "1 error occurred:")?,
            n => writeln!(f, "{n} errors occurred:")?,
        }
        for error in &self.0 {
            writeln!(f, "\t* {error}")?;
        }
        writeln!(f)
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Errors<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.first().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_gets_a_star() {
        let errors = Errors::new(vec!["a", "b\nc"]).unwrap();
        assert_eq!(errors.to_string(), "2 errors occurred:\n\t* a\n\t* b\nc\n\n");
        assert_eq!(Errors::from("x").to_string(), "1 error occurred:\n\t* x\n\n");
    }

    #[test]
    fn no_errors_are_no_error() {
        assert!(Errors::<&str>::new(vec![]).is_none());
    }
}

//! Pieces of translated text that remember where they come from.

/// Text and, for parts of it, their offset in the original.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragment {
    pub(super) text: String,
    pub(super) marks: Vec<(usize, usize)>,
}

impl Fragment {
    /// Text that stands at `offset` in the original.
    pub(super) fn original(text: &str, offset: usize) -> Self {
        Self { text: text.to_owned(), marks: vec![(0, offset)] }
    }

    /// Adds text that the user did not write.
    pub(super) fn add(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds a fragment.
    pub(super) fn then(mut self, other: Self) -> Self {
        let base = self.text.len();
        self.marks.extend(other.marks.into_iter().map(|(at, original)| (at + base, original)));
        self.text.push_str(&other.text);
        self
    }

    /// `before` + self + `after`.
    pub(super) fn wrapped(self, before: &str, after: &str) -> Self {
        Self::default().add(before).then(self).add(after)
    }
}

impl From<&str> for Fragment {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), marks: Vec::new() }
    }
}

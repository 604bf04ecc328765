//! The bytes of an input: options, changes of variables, template and files.

/// Ends the changes of variables; no byte of UTF-8 text.
const END: u8 = 0xff;
/// Separates the template from the texts of generated files.
const SEPARATOR: char = '\u{1}';

/// What the bytes of an input mean.
#[derive(Default)]
pub struct Input {
    /// Which limits and which function of the API.
    pub options: u8,
    /// A small program, see [`crate::variables::build`].
    pub variables: Vec<u8>,
    /// The template, then the generated files.
    pub parts: Vec<String>,
}

impl Input {
    /// Every sequence of bytes is an input.
    pub fn parse(data: &[u8]) -> Self {
        let Some((options, rest)) = data.split_first() else { return Self::default() };
        let (variables, text) = match rest.iter().position(|byte| *byte == END) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (&rest[..0], rest),
        };
        let text = String::from_utf8_lossy(text);
        let parts = text.splitn(4, SEPARATOR).map(str::to_owned).collect();
        Self { options: *options, variables: variables.to_vec(), parts }
    }

    /// The inverse of [`Self::parse`].
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.options];
        bytes.extend(self.variables.iter().filter(|byte| **byte != END));
        bytes.push(END);
        bytes.extend(self.parts.join("\u{1}").into_bytes());
        bytes
    }
}

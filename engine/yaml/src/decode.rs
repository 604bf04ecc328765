//! Bytes of a file to text, honouring byte order marks.

use std::borrow::Cow;

use windlass_model::location::{Location, Source};

use crate::error::{YamlError, YamlErrorKind};

/// Decodes UTF-8 (with or without mark) or UTF-16 with a mark; the mark is removed.
///
/// `name` is the file's name for the error.
pub fn decode<'a>(bytes: &'a [u8], name: &str) -> Result<Cow<'a, str>, YamlError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, name),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes, "UTF-16 (little endian)", name),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes, "UTF-16 (big endian)", name),
        _ => utf8(bytes, name),
    }
}

fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<Cow<'a, str>, YamlError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        invalid(String::from_utf8_lossy(valid).into_owned(), "UTF-8", name)
    })
}

fn utf16(
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
    encoding: &'static str,
    name: &str,
) -> Result<Cow<'static, str>, YamlError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok(c) => text.push(c),
            Err(_) => return Err(invalid(text, encoding, name)),
        }
    }
    if odd.is_empty() { Ok(Cow::Owned(text)) } else { Err(invalid(text, encoding, name)) }
}

/// The error stands where the valid part of the text ends.
fn invalid(valid: String, encoding: &'static str, name: &str) -> YamlError {
    let end = valid.len();
    let at = Location::new(Source::new(name, valid), end..end);
    YamlError::new(at, YamlErrorKind::Encoding { encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_honoured_and_removed() {
        let little = [0xFF, 0xFE, b'a', 0, 0xE4, 0];
        let big = [0xFE, 0xFF, 0, b'a', 0, 0xE4];
        let marked = [0xEF, 0xBB, 0xBF, b'a', 0xC3, 0xA4];
        for bytes in [&little[..], &big, &marked, "aä".as_bytes()] {
            assert_eq!(decode(bytes, "f").unwrap(), "aä");
        }
        assert_eq!(decode(b"", "f").unwrap(), "");
    }

    #[test]
    fn invalid_bytes_are_reported_at_their_line() {
        let error = decode(b"a: 1\nb: \xFF\n", "vars.yaml").unwrap_err();
        assert_eq!(error.to_string(), "vars.yaml:2:4: the file is not valid UTF-8");
    }

    #[test]
    fn odd_length_and_lone_surrogates_are_errors() {
        for bytes in [&[0xFF, 0xFE, b'a'][..], &[0xFE, 0xFF, 0xD8, 0x00], &[0xFE, 0xFF, 0xDC, 0x00, 0, b'a']] {
            assert!(decode(bytes, "f").is_err(), "{bytes:?}");
        }
    }
}

//! Small encodings that the protocols need.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
pub(crate) fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

pub(crate) fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// URL alphabet without padding.
pub(crate) fn base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Either alphabet, with or without padding.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(&text).ok())
}

/// The text of the first element with this name; enough for the flat answers of STS.
pub(crate) fn xml_text(body: &str, tag: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text.trim().to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

/// The DER bytes of the first PEM block with one of these labels.
pub(crate) fn pem_block(text: &str, labels: &[&str]) -> Option<Vec<u8>> {
    labels.iter().find_map(|label| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        base64_bytes(body)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_keeps_only_unreserved_characters() {
        assert_eq!(percent("a-_.~/ é+"), "a-_.~%2F%20%C3%A9%2B");
    }

    #[test]
    fn base64_of_any_dialect_is_read_and_nonsense_is_not() {
        for text in ["_-8=", "/+8=", "/+8", "_-8", "/+\n8="] {
            assert_eq!(base64_bytes(text), Some(vec![0xff, 0xef]), "{text}");
        }
        assert_eq!(base64_bytes("a$b"), None);
    }

    #[test]
    fn xml_elements_are_unescaped_once() {
        assert_eq!(xml_text("<R><Code> a&amp;lt;b </Code></R>", "Code").as_deref(), Some("a&lt;b"));
        assert_eq!(xml_text("<Code>a", "Code"), None);
    }

    #[test]
    fn pem_blocks_are_found_among_others() {
        let text = "x\n-----BEGIN B-----\nAQ\nI=\n-----END B-----\n";
        assert_eq!(pem_block(text, &["A", "B"]), Some(vec![1, 2]));
        assert_eq!(pem_block(text, &["A"]), None);
        assert_eq!(pem_block("-----BEGIN A-----\nAQ", &["A"]), None);
    }
}

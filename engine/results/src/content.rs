//! The packed form of stored JSON: gzip, best compression, base64.

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use windlass_model::result::compact_json;

/// Most that one Secret's `data` can hold, before base64.
pub const SECRET_LIMIT: usize = 1024 * 1024;

/// Most that one unpacked part may be. A Secret can unpack to a thousand times its size.
const UNPACKED_LIMIT: u64 = 256 * 1024 * 1024;

/// A part of a stored result does not decode.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// Not base64.
    #[error("not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not gzip, or cut short.
    #[error("not gzip: {0}")]
    Gzip(#[source] io::Error),
    /// More than any result that fits its Secret.
    #[error("unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Not JSON. The text is left out: it may come from a Secret.
    #[error("not JSON (line {line}, column {column})")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column.
        column: usize,
    },
}

/// The JSON text, compressed.
pub fn pack(value: &Value) -> Vec<u8> {
    // No name and no time in the header: the same value gives the same bytes.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(compact_json(value).as_bytes())
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not fail")
}

/// Packed bytes as they stand in `data`.
pub fn encode(packed: &[u8]) -> String {
    STANDARD.encode(packed)
}

/// Undoes [`pack`] and [`encode`].
///
/// # Errors
/// Whatever part of it does not decode.
pub fn decode(text: &str) -> Result<Value, ContentError> {
    decode_within(text, UNPACKED_LIMIT)
}

fn decode_within(text: &str, limit: u64) -> Result<Value, ContentError> {
    let packed = STANDARD.decode(text)?;
    let mut json = Vec::new();
    MultiGzDecoder::new(packed.as_slice()).take(limit + 1).read_to_end(&mut json).map_err(ContentError::Gzip)?;
    if json.len() as u64 > limit {
        return Err(ContentError::TooLarge { limit });
    }
    serde_json::from_slice(&json).map_err(|error| ContentError::Json { line: error.line(), column: error.column() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn error(bytes: &[u8]) -> String {
        decode(&encode(bytes)).unwrap_err().to_string()
    }

    #[test]
    fn packed_values_are_gzip_of_best_compression_without_time() {
        let packed = pack(&json!({"a": "<b>"}));
        assert_eq!(packed[..4], [0x1f, 0x8b, 8, 0]);
        assert_eq!(packed[4..9], [0, 0, 0, 0, 2], "no time, best compression");
        let mut text = String::new();
        MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, r#"{"a":"\u003cb\u003e"}"#);
    }

    #[test]
    fn what_other_encoders_packed_reads_too() {
        let mut two_members = gzip("[1,");
        two_members.extend(gzip(" 2]"));
        assert_eq!(decode(&encode(&two_members)).unwrap(), json!([1, 2]));
    }

    #[test]
    fn each_broken_layer_is_told_apart() {
        assert!(matches!(decode("*"), Err(ContentError::Base64(_))));
        assert!(error(b"plain").starts_with("not gzip: "));
        assert!(error(b"").starts_with("not gzip: "));
        let whole = pack(&json!({"a": "text that is long enough to be cut"}));
        assert!(error(&whole[..whole.len() - 9]).starts_with("not gzip: "));
    }

    #[test]
    fn broken_json_is_located_and_not_shown() {
        assert_eq!(error(&gzip("{\"a\": hidden}")), "not JSON (line 1, column 7)");
    }

    #[test]
    fn unpacking_stops_at_the_limit() {
        let text = encode(&pack(&json!("x".repeat(100))));
        assert!(decode_within(&text, 102).is_ok());
        let error = decode_within(&text, 101).unwrap_err();
        assert_eq!(error.to_string(), "unpacks to more than 101 bytes");
    }

    proptest::proptest! {
        #[test]
        fn what_is_packed_unpacks(key in ".{0,8}", text in ".{0,40}", number: i64) {
            let value = json!({key: [text, number, null, {}]});
            assert_eq!(decode(&encode(&pack(&value))).unwrap(), value);
        }
    }
}

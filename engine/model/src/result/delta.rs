//! The delta text of the diff-match-patch family: `=N` copy, `-N` skip, `+TEXT` insert.
//!
//! Any delta that rebuilds the text is right; ours compares JSON pieces, which is fast and short enough.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A delta does not fit its previous text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// A token that is none of `=N`, `-N`, `+TEXT`.
    #[error("delta has the unreadable token `{0}`")]
    Token(String),
    /// `=N` or `-N` goes beyond the previous text.
    #[error("delta needs more text than there is")]
    TooLong,
    /// The tokens end before the previous text does.
    #[error("delta leaves {0} characters of the previous text over")]
    TooShort(usize),
}

/// Difference from `previous` to `next`.
pub fn encode_delta(previous: &str, next: &str) -> String {
    let (old, new) = (pieces(previous), pieces(next));
    let mut ids = HashMap::new();
    let old_ids = intern(&old, &mut ids);
    let new_ids = intern(&new, &mut ids);
    let mut delta = Delta::default();
    for op in capture_diff_slices(Algorithm::Myers, &old_ids, &new_ids) {
        match op {
            DiffOp::Equal { old_index, len, .. } => delta.copy(&old[old_index..old_index + len]),
            DiffOp::Delete { old_index, old_len, .. } => delta.skip(&old[old_index..old_index + old_len]),
            DiffOp::Insert { new_index, new_len, .. } => delta.insert(&new[new_index..new_index + new_len]),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                delta.skip(&old[old_index..old_index + old_len]);
                delta.insert(&new[new_index..new_index + new_len]);
            }
        }
    }
    delta.0.join("\t")
}

/// Rebuilds the next text.
pub fn apply_delta(previous: &str, delta: &str) -> Result<String, DeltaError> {
    let mut rest = previous;
    let mut text = String::new();
    for token in delta.split('\t').filter(|token| !token.is_empty()) {
        let unreadable = || DeltaError::Token(token.to_owned());
        let (kind, argument) = token.split_at_checked(1).ok_or_else(unreadable)?;
        if kind == "+" {
            text.push_str(&percent_decode(argument).ok_or_else(unreadable)?);
            continue;
        }
        let count: usize = argument.parse().map_err(|_| unreadable())?;
        let (taken, left) = split_chars(rest, count).ok_or(DeltaError::TooLong)?;
        match kind {
            "=" => text.push_str(taken),
            "-" => {}
            _ => return Err(unreadable()),
        }
        rest = left;
    }
    if rest.is_empty() { Ok(text) } else { Err(DeltaError::TooShort(rest.chars().count())) }
}

#[derive(Default)]
struct Delta(Vec<String>);

impl Delta {
    fn copy(&mut self, pieces: &[&str]) {
        self.0.push(format!("={}", chars(pieces)));
    }

    fn skip(&mut self, pieces: &[&str]) {
        self.0.push(format!("-{}", chars(pieces)));
    }

    fn insert(&mut self, pieces: &[&str]) {
        let mut token = String::from("+");
        for piece in pieces {
            percent_encode(piece, &mut token);
        }
        self.0.push(token);
    }
}

fn chars(pieces: &[&str]) -> usize {
    pieces.iter().map(|piece| piece.chars().count()).sum()
}

/// Cuts JSON text after every structural character, so that equal keys and values become equal pieces.
fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive(['{', '}', '[', ']', ',', ':', '"']).collect()
}

fn intern<'a>(pieces: &[&'a str], ids: &mut HashMap<&'a str, u32>) -> Vec<u32> {
    pieces
        .iter()
        .map(|piece| {
            let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            *ids.entry(piece).or_insert(next)
        })
        .collect()
}

fn split_chars(text: &str, count: usize) -> Option<(&str, &str)> {
    if count == 0 {
        return Some(("", text));
    }
    let (at, last) = text.char_indices().nth(count - 1)?;
    Some(text.split_at(at + last.len_utf8()))
}

fn percent_encode(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_. !~'();/?:@&=+$,#*".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_round_trip(previous: &str, next: &str) {
        let delta = encode_delta(previous, next);
        assert_eq!(apply_delta(previous, &delta).as_deref(), Ok(next), "{delta}");
    }

    #[test]
    fn a_small_change_gives_a_small_delta() {
        let old = r#"{"data":{"color":"red","size":"L"}}"#;
        let new = r#"{"data":{"color":"blue","size":"L"}}"#;
        assert_eq!(encode_delta(old, new), "=18\t-4\t+blue%22\t=13");
        assert_round_trip(old, new);
    }

    #[test]
    fn counts_are_characters_not_bytes() {
        let delta = encode_delta("äöü,x", "äöü,y");
        assert_eq!(delta, "=4\t-1\t+y");
        assert_round_trip("äöü,x", "äöü,y");
    }

    #[test]
    fn spaces_and_the_documented_signs_stay_literal() {
        let delta = encode_delta("", "a b!~'();/?:@&=+$,#*%\"\t<é");
        assert_eq!(delta, "+a b!~'();/?:@&=+$,#*%25%22%09%3C%C3%A9");
        assert_round_trip("", "a b!~'();/?:@&=+$,#*%\"\t<é");
    }

    #[test]
    fn a_recorded_delta_of_the_reference_tool_applies() {
        assert_eq!(apply_delta("{\"a\":\"red\"}", "=6\t-3\t+blue\t=2").as_deref(), Ok("{\"a\":\"blue\"}"));
    }

    #[test]
    fn unreadable_tokens_are_named() {
        for token in ["x", "=", "=a", "-1x", "*3", "+%", "+%4", "+%zz", "+%ff", "ä"] {
            assert_eq!(apply_delta("abc", token), Err(DeltaError::Token(token.into())), "{token}");
        }
    }

    #[test]
    fn a_delta_must_use_up_the_text_exactly() {
        assert_eq!(apply_delta("abc", "=4"), Err(DeltaError::TooLong));
        assert_eq!(apply_delta("abc", "=1\t-1"), Err(DeltaError::TooShort(1)));
        assert_eq!(apply_delta("abc", ""), Err(DeltaError::TooShort(3)));
    }

    proptest::proptest! {
        #[test]
        fn every_delta_rebuilds_its_text(old in "[a-c\"{},:é\t%+]{0,60}", new in "[a-c\"{},:é\t%+]{0,60}") {
            assert_round_trip(&old, &new);
        }
    }
}

//! The order in which Go's yaml prints the keys of a mapping.

use std::cmp::Ordering;

/// "Natural" order: digit runs compare as numbers (`f6`, `f21`), letters come
/// after everything else, letters among themselves by code point.
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    let mut before = Vec::new();
    let (mut left, mut right) = (a.chars(), b.chars());
    loop {
        let (rest_left, rest_right) = (left.clone(), right.clone());
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) if l == r => before.push(l),
            (Some(l), Some(r)) => return compare_rests(l, r, rest_left.as_str(), rest_right.as_str(), &before),
        }
    }
}

/// Compares from the first different character, `l` and `r`, on.
fn compare_rests(l: char, r: char, left: &str, right: &str, before: &[char]) -> Ordering {
    match (l.is_alphabetic(), r.is_alphabetic()) {
        (true, true) => return l.cmp(&r),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside a number counts as a digit, not as a leading zero.
    let inside = (l == '0' || r == '0') && before.iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let (left_number, left_digits) = number(left, inside);
    let (right_number, right_digits) = number(right, inside);
    left_number.cmp(&right_number).then(left_digits.cmp(&right_digits)).then(l.cmp(&r))
}

fn number(text: &str, inside: bool) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((i64::from(inside), 0), |(number, count), digit| {
        (number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), count + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_naturally() {
        let wanted =
            ["", "-", "1", "01", "2", "10", "A", "Z", "_", "a-1", "a1", "a01", "a2", "a10", "aB", "a_", "ab", "b", "é"];
        let mut keys = wanted;
        keys.reverse();
        keys.sort_by(|a, b| compare_keys(a, b));
        for pair in keys.windows(2) {
            assert_eq!(compare_keys(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn digit_runs_compare_as_numbers() {
        assert_eq!(compare_keys("f6", "f21"), Ordering::Less);
        assert_eq!(compare_keys("f7", "float"), Ordering::Less);
        assert_eq!(compare_keys("w79", "w80"), Ordering::Less);
    }
}

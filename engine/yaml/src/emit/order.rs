//! The order in which Go's yaml prints the keys of a mapping.

use std::cmp::Ordering;

/// "Natural" order: digit runs compare as numbers (`f6`, `f21`), letters come
/// after everything else, letters among themselves by code point.
///
/// Not a total order: `01` < `10a` < `1a` < `01`. Sort with [`sort_by_key`] only;
/// the standard sorts may panic.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let mut at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(at) {
        at -= 1;
    }
    let (left, right) = (&a[at..], &b[at..]);
    match (left.chars().next(), right.chars().next()) {
        (Some(l), Some(r)) => compare_rests(l, r, left, right, &a[..at]),
        (l, r) => l.is_some().cmp(&r.is_some()),
    }
}

/// Sorts by the natural order of keys, stably, whatever the order's cycles.
pub fn sort_by_key<T: Copy>(items: &mut [T], key: fn(&T) -> &str) {
    let sorted = items.is_sorted_by(|a, b| compare_keys(key(a), key(b)).is_le());
    if sorted || items.len() < 2 {
        return;
    }
    let (left, right) = items.split_at_mut(items.len() / 2);
    sort_by_key(left, key);
    sort_by_key(right, key);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        if compare_keys(key(&right[r]), key(&left[l])).is_lt() {
            merged.push(right[r]);
            r += 1;
        } else {
            merged.push(left[l]);
            l += 1;
        }
    }
    merged.extend_from_slice(&left[l..]);
    merged.extend_from_slice(&right[r..]);
    items.copy_from_slice(&merged);
}

/// Compares from the first different character, `l` and `r`, on.
fn compare_rests(l: char, r: char, left: &str, right: &str, before: &str) -> Ordering {
    match (l.is_alphabetic(), r.is_alphabetic()) {
        (true, true) => return l.cmp(&r),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside a number counts as a digit, not as a leading zero.
    let inside =
        (l == '0' || r == '0') && before.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0');
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
        sort_by_key(&mut keys, |key| key);
        for pair in keys.windows(2) {
            assert_eq!(compare_keys(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn cycles_in_the_order_do_no_harm() {
        let mut keys: Vec<String> =
            (0..200).flat_map(|n| [format!("{n}a"), format!("0{n}"), format!("{n}0a")]).collect();
        keys.sort();
        let mut sorted: Vec<&str> = keys.iter().map(String::as_str).collect();
        sort_by_key(&mut sorted, |key| key);
        sorted.sort_unstable();
        assert_eq!(sorted, keys);
    }

    #[test]
    fn digit_runs_compare_as_numbers() {
        assert_eq!(compare_keys("f6", "f21"), Ordering::Less);
        assert_eq!(compare_keys("f7", "float"), Ordering::Less);
        assert_eq!(compare_keys("w79", "w80"), Ordering::Less);
    }
}

//! Letters and digits beyond ASCII, as Python sees them.

/// `str.capitalize`.
pub(crate) fn capitalized(text: &str) -> String {
    words(text, |_| true)
}

/// Every word's first letter in title case and the others small; `inside` tells what continues a word.
pub(crate) fn words(text: &str, inside: fn(char) -> bool) -> String {
    let mut out = String::new();
    let mut within = false;
    let chars: Vec<char> = text.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        if within {
            out.push_str(&lowered(&chars, index));
        } else {
            out.push_str(&title_case(c));
        }
        within = inside(c);
    }
    out
}

/// `str.swapcase`.
pub(super) fn swapped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let swap = |(index, c): (usize, &char)| match c {
        c if c.is_uppercase() => lowered(&chars, index),
        c if c.is_lowercase() => c.to_uppercase().collect(),
        c => c.to_string(),
    };
    chars.iter().enumerate().map(swap).collect()
}

/// `str.casefold`.
pub(super) fn folded(text: &str) -> String {
    let fold = |c: char| match c {
        '\u{131}' => c.to_string(), // has a large form that folds to another letter
        c => c.to_uppercase().flat_map(char::to_lowercase).collect(),
    };
    text.chars().map(fold).collect()
}

/// The small form of one letter; a sigma at the end of a word has its own.
fn lowered(chars: &[char], index: usize) -> String {
    let cased = |c: &&char| c.is_lowercase() || c.is_uppercase() || is_title(**c);
    let ignored = |c: &&char| matches!(**c, '\'' | '.' | ':' | '\u{b7}' | '\u{2019}' | '\u{300}'..='\u{36f}');
    if chars[index] == 'Σ' {
        let before = chars[..index].iter().rev().find(|c| !ignored(c)).is_some_and(|c| cased(&c));
        let after = chars[index + 1..].iter().find(|c| !ignored(c)).is_some_and(|c| cased(&c));
        return if before && !after { "ς" } else { "σ" }.to_owned();
    }
    chars[index].to_lowercase().collect()
}

/// Letters that are neither large nor small.
pub(super) fn is_title(c: char) -> bool {
    matches!(c, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

fn title_case(c: char) -> String {
    match c {
        'Ǆ'..='ǆ' => 'ǅ'.to_string(),
        'Ǉ'..='ǉ' => 'ǈ'.to_string(),
        'Ǌ'..='ǌ' => 'ǋ'.to_string(),
        'Ǳ'..='ǳ' => 'ǲ'.to_string(),
        c if is_title(c) => c.to_string(),
        c => {
            // A letter with several large ones, as `ß`, gets only the first of them.
            let mut large = c.to_uppercase();
            let first = large.next().unwrap_or(c);
            std::iter::once(first).chain(large.flat_map(char::to_lowercase)).collect()
        }
    }
}

/// Where the decimal digits of each script start.
const ZEROS: [u32; 42] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
];

/// The value of a decimal digit of any script.
pub(crate) fn decimal_value(c: char) -> Option<u32> {
    let code = u32::from(c);
    let index = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    let value = code - ZEROS[index];
    (value < 10).then_some(value)
}

/// `str.isdigit` of one character: decimals, small and circled digits.
pub(super) fn is_digit(c: char) -> bool {
    decimal_value(c).is_some()
        || matches!(c, '²' | '³' | '¹' | '\u{2070}' | '\u{2074}'..='\u{2079}' | '\u{2080}'..='\u{2089}'
            | '\u{2460}'..='\u{2468}' | '\u{2474}'..='\u{247c}' | '\u{2488}'..='\u{2490}' | '\u{24ea}'
            | '\u{24f5}'..='\u{24fd}' | '\u{24ff}' | '\u{2776}'..='\u{277e}' | '\u{2780}'..='\u{2788}'
            | '\u{278a}'..='\u{2792}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_change_like_in_python() {
        assert_eq!(capitalized("ßA ﬁ"), "Ssa ﬁ");
        assert_eq!(words("ΑΣΣ ΑΣ. ǆx", char::is_alphabetic), "Ασς Ας. ǅx");
        assert_eq!(swapped("ǅ ß ΑΣ"), "ǅ SS ας");
        assert_eq!(folded("ß ﬁ Σς ı"), "ss fi σσ ı");
    }

    #[test]
    fn digits_of_all_scripts_have_values() {
        assert_eq!(decimal_value('7'), Some(7));
        assert_eq!(decimal_value('٣'), Some(3));
        assert_eq!(decimal_value('a'), None);
        assert!(is_digit('²') && !is_digit('½'));
    }
}

//! The forms in which a value shows up.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Plain, base64 (both alphabets, with and without padding, also of the value as a line), percent-encoded and
/// JSON-escaped.
pub(crate) fn of(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    for bytes in [value.to_owned(), format!("{value}\n")] {
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(&bytes));
        }
    }
    let percent = percent(value);
    forms.insert(percent.replace("%20", "+"));
    forms.insert(percent.to_ascii_lowercase_escapes());
    forms.insert(percent);
    if let Ok(quoted) = serde_json::to_string(value) {
        let inner = quoted[1..quoted.len() - 1].to_owned();
        // Go writes these three as escapes.
        let go = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")];
        forms.insert(go.iter().fold(inner.clone(), |text, (plain, escape)| text.replace(plain, escape)));
        forms.insert(inner);
    }
    forms
}

fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

trait LowerEscapes {
    /// `%2F` as `%2f`; other characters stay.
    fn to_ascii_lowercase_escapes(&self) -> String;
}

impl LowerEscapes for String {
    fn to_ascii_lowercase_escapes(&self) -> String {
        let mut left = 0;
        self.chars()
            .map(|c| {
                let escaped = left > 0;
                left = if c == '%' { 2 } else { left.max(1) - 1 };
                if escaped { c.to_ascii_lowercase() } else { c }
            })
            .collect()
    }
}

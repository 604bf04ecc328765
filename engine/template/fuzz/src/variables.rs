//! Variables of a run: those of the corpus, changed by a small program.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use windlass_template::Vars;

static CORPUS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../tests/oracle/cases.json")).expect("the recorded cases are JSON")
});

/// The files of the corpus.
pub fn files() -> impl Iterator<Item = (String, String)> {
    CORPUS["files"].as_object().into_iter().flatten().map(|(name, text)| {
        (name.clone(), text.as_str().unwrap_or_default().to_owned())
    })
}

/// The templates of the corpus.
pub fn templates() -> impl Iterator<Item = String> {
    CORPUS["cases"].as_array().into_iter().flatten().filter_map(|case| case["template"].as_str().map(str::to_owned))
}

/// The names that variables can have.
pub fn names() -> Vec<String> {
    CORPUS["vars"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Three bytes change one variable: which, to what kind, of what size.
pub fn build(program: &[u8], template: &str) -> Vars {
    let mut vars = CORPUS["vars"].as_object().cloned().unwrap_or_default();
    let names = names();
    for step in program.chunks_exact(3).take(24) {
        let name = &names[usize::from(step[0]) % names.len()];
        let value = value(step[1], usize::from(step[2]), template, &vars);
        vars.insert(name.clone(), value);
    }
    Vars::new(vars)
}

fn value(kind: u8, size: usize, template: &str, vars: &Map<String, Value>) -> Value {
    match kind % 24 {
        0 => Value::Null,
        1 => json!(size % 2 == 0),
        2 => json!([i64::MIN, i64::MAX, 1 << 53, -1, 0, 255, 65_536][size % 7]),
        3 => json!(u64::MAX - (size as u64)),
        4 => json!([1e308, -0.0, 5e-324, 1e16, 1e-5, 0.1, -2.5, 1e22][size % 8]),
        5 => json!("x".repeat(size * 4096)),
        6 => json!("ß€😀\u{301}\u{200b}".repeat(size)),
        7 => json!(["\u{feff}", "\u{2028}\u{85}", "\0\u{1f}\u{7f}", "İıſK", "\u{e000}\u{10ffff}"][size % 5]),
        8 => (0..size).fold(json!([]), |inner, _| json!([inner])),
        9 => (0..size * 3).fold(json!({}), |inner, _| json!({"a": inner})),
        10 => (0..size * 64).collect(),
        11 => Value::Object((0..size * 16).map(|index| (format!("k{index}"), json!(index))).collect()),
        12 => json!(template),
        13 => json!("{{ ".repeat(size)),
        14 => json!("(".repeat(size * 16)),
        15 => json!(format!("{}: 1\n", "- ".repeat(size))),
        16 => json!("&a [*a, *a]\n- <<: *b\n? !!set {a, b}\n".repeat(1 + size % 4)),
        17 => json!("{% include 'gen1.j2' %}{{ render(s) }}{{ load_template('gen2.j2') }}"),
        18 => json!("a\n".repeat(size * 16)),
        19 => json!(["2020-02-30", "9999-12-31T23:59:59.999999Z", "-0001-01-01", "1:30:59", "0x_", "1e999"][size % 6]),
        20 => Value::Object(vars.clone()),
        21 => json!([vars.get("l"), vars.get("l"), vars.get("d"), vars.get("d")]),
        22 => json!("%(a)s %5.3d %*d {0:>9999999} {!r:^{0}} $.a..b[*]['c',1:2]"),
        _ => json!({"name": "x".repeat(size), "items": [null, size], "": {"": []}, "ü": 1}),
    }
}

//! What is written reads back as the same value, in every dialect.

use proptest::prelude::*;
use serde_json::{Map, Number, Value};
use windlass_yaml::{Dialect, Emitter, Folding, Source, parse_documents, parse_first, to_string_documents};

const DIALECTS: [Dialect; 4] = [Dialect::GoV2, Dialect::GoV3, Dialect::Yaml12, Dialect::Python];

/// Floats without fraction are integers once they are written.
fn written(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => {
                let digits = if float == 0.0 { "0".to_owned() } else { float.to_string() };
                let integer = digits.parse::<i64>().map(Number::from);
                let integer = integer.or_else(|_| digits.parse::<u64>().map(Number::from));
                Value::Number(integer.unwrap_or_else(|_| number.clone()))
            }
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, item)| (key.clone(), written(item))).collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

fn tricky_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b",
        "word",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\r",
        ":",
        ": ",
        "#",
        " #",
        "-",
        "- ",
        "?",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "~",
        "=",
        "<<",
        "0",
        "1",
        "8",
        "_",
        ".",
        "+",
        "e",
        "x",
        "o",
        "y",
        "n",
        "true",
        "null",
        "12:30",
        "2024-01-02",
        "T03:04:05",
        "Z",
        "---",
        "...",
        "é",
        "☃",
        "😀",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{0}",
        "\u{7f}",
        "\u{a0}",
        "\u{fffe}",
        "a long run of plain words that goes on and on and on for more than eighty columns",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
        any::<String>(),
        "[-+0-9.eExXob_:a-f]{1,8}",
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ Tt][0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,3})?( ?(Z|[-+][0-9]{1,2}))?)?",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        (-1_000_000_i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        tricky_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(tricky_text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_text_reads_back_as_the_same_value(value in values()) {
        for folding in [Folding::At80, Folding::Never] {
            let text = Emitter::new(folding).to_string(&value);
            let source = Source::new("written", text);
            for dialect in DIALECTS {
                let read = parse_first(&source, dialect).map_err(|error| error.to_string());
                let read = read.map(|document| document.value);
                prop_assert_eq!(read.as_ref(), Ok(&written(&value)), "{:?}\n{}", dialect, source.text);
            }
        }
    }

    #[test]
    fn documents_stay_apart(values in prop::collection::vec(values(), 0..4)) {
        let source = Source::new("written", to_string_documents(&values));
        let read = parse_documents(&source, Dialect::GoV2)?;
        let read: Vec<Value> = read.into_iter().map(|document| document.value).collect();
        let kept: Vec<Value> = values.iter().filter(|value| !value.is_null()).map(written).collect();
        prop_assert_eq!(read, kept, "{}", source.text);
    }

    #[test]
    fn writing_twice_gives_the_same_bytes(value in values()) {
        let text = Emitter::new(Folding::At80).to_string(&value);
        let again = parse_first(&Source::new("written", text.as_str()), Dialect::GoV2);
        let again = again?.value;
        prop_assert_eq!(Emitter::new(Folding::At80).to_string(&again), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), pieces in tricky_text()) {
        for text in [text, pieces] {
            for dialect in DIALECTS {
                let source = Source::new("any", text.as_str());
                if let Err(error) = parse_documents(&source, dialect) {
                    prop_assert!(error.location().span.end <= text.len());
                }
            }
        }
    }
}

//! Laws of the editor over generated files: CRLF, BOM, tabs, anchors, block scalars,
//! flow collections, templates, no final newline.

use std::fs;

use proptest::prelude::*;
use windlass_automate::Address;
use windlass_automate::set::{Elected, Elections, PlanOptions, Scope, apply, files, plan};

const NEW: &str = "9.8.7";

/// Lines of a file; `@` marks the value that must change.
const MARKED: [&str; 8] = [
    "k{n}: @1.0.0@ # {\"$imagepolicy\": \"a:b:tag\"}",
    "k{n}: '@1.0.0@'\t# {\"$imagepolicy\": \"a:b:tag\"}",
    "k{n}: \"@1.0.0@\"   ## {\"$imagepolicy\": \"a:b:tag\", \"x\": \"y\"}",
    "k{n}:\n  - @1.0.0@ # {\"$imagepolicy\": \":b:tag\"}\n  - kept",
    "k{n}: &anchor{n} @1.0.0@ #{\"$imagepolicy\":\"a:b:tag\"}",
    "k{n}: {x: 1,\n  tag: @1.0.0@, # {\"$imagepolicy\": \"a:b:tag\"}\n  y: 2}",
    "k{n}: !!str @1.0.0@ # {\"$imagepolicy\": \"a:b:tag\"}",
    "k{n}:\n    deep:\n        tag:    @latest@ # {\"$imagepolicy\": \"a:b:tag\"}",
];

const OTHER: [&str; 8] = [
    "# a comment, ünicode",
    "",
    "o{n}: |\n  tag: 1.0.0 # {\"$imagepolicy\": \"a:b:tag\"}\n  text",
    "o{n}: >-\n    folded\n\n    text   ",
    "o{n}: [a,b,   c]",
    "o{n}: {a: 1,b: 2} # note",
    "o{n}: 'quoted # no comment'",
    "o{n}: 2.0.0 # {\"$imagepolicy\": \"a:unknown:tag\"}",
];

const TEMPLATE: [&str; 3] = ["{% if x %}", "{% endif %}", "{{ include \"x\" . }}"];

fn elections() -> Elections {
    let mut elections = Elections::new("a");
    let address = Address { namespace: "a".into(), name: "b".into() };
    elections.elect(address, Elected { image: "r/b".into(), tag: NEW.into(), digest: None, version: None });
    elections
}

/// A text with `@` around the values.
fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => (0..MARKED.len()).prop_map(|at| MARKED[at]),
        3 => (0..OTHER.len()).prop_map(|at| OTHER[at]),
    ];
    let lines = prop::collection::vec(line, 1..12);
    (lines, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(lines, crlf, bom, template, end)| {
        let mut all: Vec<String> =
            lines.iter().enumerate().map(|(n, line)| line.replace("{n}", &n.to_string())).collect();
        if template {
            // Not YAML any more: only lines that tell all by themselves stay.
            all.retain(|line| !line.contains('\n') && !line.contains("&anchor"));
            all.insert(0, TEMPLATE[0].to_owned());
            all.push(TEMPLATE[1].to_owned());
            all.push(TEMPLATE[2].to_owned());
        }
        let mut text = all.join("\n");
        text.push_str(if end { "\n" } else { "" });
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        if bom { format!("\u{feff}{text}") } else { text }
    })
}

fn replaced(text: &str, value: Option<&str>) -> String {
    let parts: Vec<&str> = text.split('@').collect();
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { value.unwrap_or(part) } else { part }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_200))]

    #[test]
    fn only_the_values_change_and_once_is_enough(text in texts()) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.yaml");
        fs::write(&path, replaced(&text, None)).expect("written");
        let found = files(dir.path(), &Scope::default()).expect("files");
        let set = plan(&found, &elections(), &PlanOptions::default());
        apply(&set).expect("applied");
        let after = fs::read_to_string(&path).expect("read");
        prop_assert_eq!(&after, &replaced(&text, Some(NEW)));
        let again = plan(&found, &elections(), &PlanOptions::default());
        prop_assert_eq!(again.changes().count(), 0);
    }
}

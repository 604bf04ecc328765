//! Recorded output of the reference, read and written again: the bytes stay.
//!
//! The files are copies of recorded render results, command results and image
//! lists, with a timestamp in place of `<TIME>`.

use std::fmt::Write as _;

use windlass_yaml::{Dialect, Emitter, Folding, Source, parse_documents};

#[test]
fn recorded_output_comes_back_as_the_same_bytes() {
    let mut report = String::new();
    let mut count = 0;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-roundtrip");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("folder is there").flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("file is text");
        let source = Source::new(path.display().to_string(), text);
        let documents = parse_documents(&source, Dialect::GoV2).expect("recorded output is valid");
        let values: Vec<_> = documents.iter().map(|document| &document.value).collect();
        let folded = Emitter::new(Folding::At80).to_string_documents(values.iter().copied());
        let unfolded = Emitter::new(Folding::Never).to_string_documents(values);
        count += 1;
        if source.text != folded && source.text != unfolded {
            let _ = writeln!(report, "{}", path.display());
        }
    }
    assert!(report.is_empty(), "differ:\n{report}");
    assert!(count >= 50, "only {count} files");
}

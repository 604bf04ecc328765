//! The native build against Kustomize's own library, on kustomizations made by hand and by chance.
//!
//! `kustomize-corpus/*.jsonl` has one case a line, with the answer that `tests/oracle` recorded. A case is either
//! built natively, to the very same objects in the same order, or left to the helper. There is no third outcome.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use windlass_gohelper::GoHelper;
use windlass_kustomize::{MemoryTree, PrepareOptions, build, prepare};

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<PathBuf, String>,
    #[serde(default)]
    objects: Vec<Value>,
    #[serde(default)]
    error: String,
}

impl Case {
    fn native(&self) -> Option<Vec<Value>> {
        let tree = MemoryTree::new(self.files.iter().map(|(path, text)| (path.clone(), text.as_bytes())));
        tree.build(Path::new("item"), None).map(|found| found.built.objects)
    }
}

/// The cases by family.
fn corpus() -> BTreeMap<String, Vec<Case>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize-corpus");
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let cases = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), cases)
    };
    files.map(read).collect()
}

#[derive(Default)]
struct Count {
    cases: usize,
    /// Kustomize builds them.
    valid: usize,
    native: usize,
}

#[test]
fn native_builds_are_kustomizes() {
    let mut wrong = String::new();
    let mut total = Count::default();
    let mut table = String::new();
    for (family, cases) in corpus() {
        let mut count = Count::default();
        for case in &cases {
            count.cases += 1;
            count.valid += usize::from(case.error.is_empty());
            match case.native() {
                Some(objects) if case.error.is_empty() && objects == case.objects => count.native += 1,
                Some(objects) => wrong.push_str(&difference(case, &objects)),
                None => {}
            }
        }
        let Count { cases, valid, native } = count;
        table.push_str(&format!("{family:>14}: {cases:4} cases, {valid:4} valid, {native:4} native\n"));
        total = Count { cases: total.cases + cases, valid: total.valid + valid, native: total.native + native };
    }
    let Count { cases, valid, native } = total;
    writeln!(std::io::stderr(), "{table}{:>14}: {cases:4} cases, {valid:4} valid, {native:4} native", "all").unwrap();
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases >= 1000, "{cases} cases");
    assert!(native * 100 >= valid * 90, "of {valid} valid cases only {native} were built natively");
}

fn difference(case: &Case, objects: &[Value]) -> String {
    let Case { name, files, objects: wanted, error } = case;
    let mut text = format!("=== {name}\n");
    for (path, content) in files {
        text.push_str(&format!("--- {}\n{content}", path.display()));
    }
    if !error.is_empty() {
        text.push_str(&format!("wanted the error {error}\n"));
    }
    let count = objects.len().max(wanted.len());
    for (native, wanted) in (0..count).map(|index| (objects.get(index), wanted.get(index))) {
        if native != wanted {
            text.push_str(&format!("native {native:?}\nwanted {wanted:?}\n"));
        }
    }
    text
}

/// What native code leaves alone is built, or refused, by the helper.
#[tokio::test]
async fn the_rest_is_the_helpers() {
    let helper = GoHelper::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gohelper"));
    let corpus = corpus();
    let left: Vec<&Case> = corpus.values().flatten().filter(|case| case.native().is_none()).collect();
    assert!(!left.is_empty());
    for case in left {
        let work = tempfile::tempdir().unwrap();
        let root = work.path().canonicalize().unwrap();
        for (path, text) in &case.files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let item = root.join("item");
        let prepared = prepare(&item, &PrepareOptions::default()).unwrap();
        match build(&item, &root, &prepared, &helper).await {
            Ok(built) => assert_eq!((built.objects, ""), (case.objects.clone(), case.error.as_str()), "{}", case.name),
            Err(error) => assert_ne!(case.error, "", "{}: {error}", case.name),
        }
    }
}

//! The native build against the helper: same objects, same errors, for every folder of the corpus.
//!
//! `expect.txt` says who is expected to build the case: `native`, `helper`, or `native-error`.

use std::fs;
use std::path::{Path, PathBuf};

use windlass_gohelper::{GoHelper, KustomizeRequest};
use windlass_kustomize::{PrepareOptions, build, build_native, prepare};

fn helper() -> GoHelper {
    GoHelper::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gohelper"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Says what is wrong with a case.
async fn check(case: &Path, helper: &GoHelper) -> Result<(), String> {
    let work = tempfile::tempdir().unwrap();
    let root = work.path().canonicalize().unwrap();
    copy(case, &root);
    let item = root.join("item");
    let prepared = prepare(&item, &PrepareOptions::default()).map_err(|error| error.to_string())?;
    let request = KustomizeRequest { dir: item.clone(), root: root.clone() };
    let reference = helper.kustomize_build(request).await;
    let native = build_native(&item, &root, &prepared);
    let built = build(&item, &root, &prepared, helper).await;
    let actual = match (&native, &reference) {
        (Ok(Some(built)), Ok(output)) if built.objects == output.objects && built.warnings == output.warnings => {
            "native"
        }
        (Ok(Some(built)), _) => return Err(format!("native: {built:#?}\nhelper: {reference:#?}")),
        (Ok(None), _) => "helper",
        (Err(error), Err(wanted)) if error.to_string() == wanted.to_string() => "native-error",
        (Err(error), _) => return Err(format!("native: {error}\nhelper: {reference:#?}")),
    };
    match (built, reference) {
        (Ok(built), Ok(wanted)) if built.objects == wanted.objects => {}
        (Err(error), Err(wanted)) if error.to_string() == wanted.to_string() => {}
        (built, wanted) => return Err(format!("built: {built:#?}\nhelper: {wanted:#?}")),
    }
    let expected = fs::read_to_string(case.join("expect.txt")).unwrap();
    if actual == expected.trim() { Ok(()) } else { Err(format!("expected {}, was {actual}", expected.trim())) }
}

#[tokio::test]
async fn native_builds_equal_the_helpers() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut cases: Vec<PathBuf> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 25);
    let helper = helper();
    let mut failures = String::new();
    for case in &cases {
        if let Err(problem) = check(case, &helper).await {
            failures.push_str(&format!("=== {}\n{problem}\n", case.file_name().unwrap().display()));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

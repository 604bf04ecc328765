//! The recorded answers of Flux's setters, case by case.
//!
//! Flux writes a changed file anew; windlass changes the bytes of the values only. So a
//! file of `wanted/` replaces that of `after/`, and a file that only `after/` has must
//! not appear. `changes.json` is compared where no note says that windlass decides otherwise.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_automate::Address;
use windlass_automate::set::{Elected, Elections, PlanOptions, Scope, apply, files, plan};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/setters")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, bytes).expect("written");
    }
}

/// Files below a folder by name; links are left out.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.map(|entry| entry.expect("an entry")) {
            let path = entry.path();
            match entry.file_type().expect("a type") {
                kind if kind.is_dir() => open.push(path),
                kind if kind.is_file() => {
                    let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                    found.insert(name, fs::read(&path).expect("read"));
                }
                _ => {}
            }
        }
    }
    found
}

fn elections(input: &Value) -> Elections {
    let mut elections = Elections::new("");
    for policy in input["policies"].as_array().expect("policies") {
        let address = Address { namespace: text(policy, "namespace").into(), name: text(policy, "name").into() };
        if policy["noRef"].as_bool() == Some(true) {
            elections.none(address, "nothing was elected yet");
            continue;
        }
        let digest = Some(text(policy, "digest").to_owned()).filter(|digest| !digest.is_empty());
        let (image, tag) = (text(policy, "image").to_owned(), text(policy, "tag").to_owned());
        elections.elect(address, Elected { image, tag, digest, version: None });
    }
    elections
}

/// Cases whose note says that other values change than upstream's.
const OTHER_CHANGES: [&str; 10] = [
    "bad-image-name-fails-the-run",
    "bad-metadata",
    "block-scalars",
    "digest-field-without-digest",
    "empty-value",
    // A file with a directive, which upstream can not read, is edited too.
    "formatting",
    "list-kind",
    "marker-grammar",
    "reserved-annotations-fail-the-run",
    "unparsable-files-skipped",
];

/// What differs from the record; empty for a case that passes.
fn run(case: &Path) -> Vec<String> {
    let name = case.file_name().expect("a name").to_string_lossy().into_owned();
    let input = json(&case.join("input.json"));
    let dir = tempfile::tempdir().expect("a folder");
    copy(&case.join("before"), dir.path());
    prepare(&input, dir.path());
    let scope = Scope::Below(text(&input, "path").into());
    let recorded = json(&case.join("changes.json"));
    let found = match files(dir.path(), &scope) {
        Ok(found) => found,
        Err(error) if recorded["error"].is_string() => return confirm_missing(&error.to_string()),
        Err(error) => return vec![error.to_string()],
    };
    let elections = elections(&input);
    let set = plan(&found, &elections, &PlanOptions::default());
    if let Err(error) = apply(&set) {
        return vec![error.to_string()];
    }
    let mut problems = compare(case, &tree(dir.path()));
    check_kept(&input, dir.path(), &mut problems);
    if !OTHER_CHANGES.contains(&name.as_str()) {
        let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for change in set.changes() {
            own.entry(change.file.clone()).or_default().push(line(
                &change.object,
                &change.setter,
                &change.old,
                &change.new,
            ));
        }
        own.values_mut().for_each(|lines| lines.sort());
        let theirs = record(&recorded);
        if own != theirs {
            problems.push(format!("changes\n  own    {own:#?}\n  theirs {theirs:#?}"));
        }
    }
    let again = plan(&found, &elections, &PlanOptions::default());
    problems.extend(again.changes().map(|change| format!("the second run changes {change:?}")));
    problems
}

fn confirm_missing(error: &str) -> Vec<String> {
    if error.contains("does not exist") { Vec::new() } else { vec![error.to_owned()] }
}

fn prepare(input: &Value, dir: &Path) {
    for (link, target) in input["links"].as_object().into_iter().flatten() {
        let path = dir.join(link);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::os::unix::fs::symlink(target.as_str().expect("a target"), path).expect("linked");
    }
    for (file, mode) in input["modes"].as_object().into_iter().flatten() {
        let mode = u32::from_str_radix(mode.as_str().expect("a mode"), 8).expect("octal");
        fs::set_permissions(dir.join(file), std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("set");
    }
}

fn check_kept(input: &Value, dir: &Path, problems: &mut Vec<String>) {
    for (link, target) in input["links"].as_object().into_iter().flatten() {
        if fs::read_link(dir.join(link)).ok().as_deref() != target.as_str().map(Path::new) {
            problems.push(format!("the link {link} is gone"));
        }
    }
    for (file, mode) in input["modes"].as_object().into_iter().flatten() {
        let now = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(dir.join(file)).expect("there").permissions());
        if format!("{:04o}", now & 0o7777) != mode.as_str().unwrap_or_default() {
            problems.push(format!("the mode of {file} is {now:o}"));
        }
    }
}

fn compare(case: &Path, found: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let before = tree(&case.join("before"));
    let (after, wanted) = (tree(&case.join("after")), tree(&case.join("wanted")));
    let mut problems = Vec::new();
    for (name, bytes) in found {
        let right = wanted.get(name).or_else(|| after.get(name)).or_else(|| before.get(name));
        if right != Some(bytes) {
            let right = String::from_utf8_lossy(right.map_or(&[][..], Vec::as_slice)).into_owned();
            let own = String::from_utf8_lossy(bytes).into_owned();
            let lines: Vec<_> = own.lines().zip(right.lines()).filter(|(a, b)| a != b).collect();
            problems.push(format!("{name}: own and wanted differ in {lines:#?}"));
        }
    }
    problems.extend(before.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("{name} is gone")));
    problems
}

fn line(object: &windlass_automate::set::ObjectIdentity, setter: &str, old: &str, new: &str) -> String {
    let windlass_automate::set::ObjectIdentity { api_version, kind, namespace, name } = object;
    format!("{api_version}|{kind}|{namespace}|{name}: {setter} {old:?} -> {new:?}")
}

fn record(recorded: &Value) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in recorded["files"].as_array().into_iter().flatten() {
        for object in file["objects"].as_array().into_iter().flatten() {
            let identity = windlass_automate::set::ObjectIdentity {
                api_version: text(object, "apiVersion").into(),
                kind: text(object, "kind").into(),
                namespace: text(object, "namespace").into(),
                name: text(object, "name").into(),
            };
            for change in object["changes"].as_array().into_iter().flatten() {
                let shown = line(&identity, text(change, "setter"), text(change, "old"), text(change, "new"));
                found.entry(text(file, "file").to_owned()).or_default().push(shown);
            }
        }
    }
    // Upstream sorts by object, windlass by place.
    found.values_mut().for_each(|lines| lines.sort());
    found
}

#[test]
fn every_recorded_case_passes() {
    let mut cases: Vec<_> = fs::read_dir(golden()).expect("cases").map(|entry| entry.expect("a case").path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() >= 41, "only {} cases", cases.len());
    let mut failed = Vec::new();
    for case in &cases {
        let problems = run(case);
        if !problems.is_empty() {
            failed.push(format!("{}\n{}", case.file_name().expect("a name").to_string_lossy(), problems.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases fail\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

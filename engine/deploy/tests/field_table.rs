//! The table of fields in `docs/compatibility.md`: it has every field, and every test that it names exists.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use windlass_model::deployment::{ConflictResolution, DeploymentConfig, IgnoreForDiff, ItemConfig, ObjectMatch};
use windlass_model::project::{
    ArgDefinition, AwsConfig, LibraryConfig, ProjectConfig, ServiceAccountRef, TargetConfig,
};
use windlass_model::source::{GitFilesEntry, GitFilesVars, GitProject, GitVars, OciProject, OciReference};
use windlass_model::vars_source::{
    AwsSecretSource, AzureSecretSource, ClusterKeySource, ClusterObjectSource, GoogleSecretSource, HttpSource,
    VarsSource, VaultSource,
};
use windlass_yaml::{Dialect, Source, YamlError, YamlErrorKind, from_document, parse_first};

const TITLE: &str = "## Every field of the project format and its test";

struct Row {
    text: String,
    fields: Vec<String>,
    place: String,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn section() -> String {
    let text = fs::read_to_string(root().join("docs/compatibility.md")).unwrap();
    let (_, section) = text.split_once(TITLE).expect("the table");
    section.split("\n## ").next().unwrap_or_default().to_owned()
}

fn rows() -> Vec<Row> {
    section().lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Field ")).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    assert!(cells.len() >= 3, "{line}");
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Row { text: line.to_owned(), fields: quoted(cells[0]), place: cells[1].to_owned(), tests: quoted(cells[2]) }
}

#[test]
fn every_test_of_the_table_exists() {
    let failing = fs::read_to_string(root().join("tests/golden-failing.txt")).unwrap();
    for Row { text, tests, .. } in rows() {
        assert!(!tests.is_empty(), "no test: {text}");
        for test in tests {
            match test.strip_prefix("golden ") {
                Some(case) => {
                    assert!(root().join("tests/golden").join(case).join("steps.yaml").is_file(), "{test}: {text}");
                    assert!(failing.lines().all(|line| line != case), "{test} fails: {text}");
                }
                None => {
                    let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test}: {text}"));
                    let code = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert!(code.contains(&format!("fn {name}(")), "{test} does not exist: {text}");
                }
            }
        }
    }
}

#[test]
fn nothing_in_the_table_is_passed_over() {
    for Row { text, .. } in rows() {
        let note = text.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        assert!(!note.contains("ignored") && !note.contains("no effect"), "{text}");
    }
}

/// The fields that a type knows, as its own error lists them.
fn fields<T: DeserializeOwned>() -> Vec<String> {
    let document = parse_first(&Source::new("a", "no such field: 1\n"), Dialect::GoV2).unwrap();
    let error = from_document::<T>(&document).err().expect("an unknown field is refused");
    expected(&error)
}

fn expected(error: &YamlError) -> Vec<String> {
    match error.kind() {
        YamlErrorKind::UnknownField { expected, .. } => expected.clone(),
        other => panic!("{other:?}"),
    }
}

/// Errors of charts do not list fields, so the struct itself is read.
fn chart_fields() -> Vec<String> {
    let code = fs::read_to_string(root().join("engine/helm/src/config.rs")).unwrap();
    let (_, body) = code.split_once("struct RawConfig {").expect("the struct");
    let lines = body.split('}').next().unwrap_or_default().lines();
    let names = lines.filter_map(|line| line.trim().strip_prefix("pub(crate) ")?.split(':').next());
    names.map(|name| camel_case(name).replace("skipCrds", "skipCRDs")).collect()
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + &part[..1].to_uppercase() + &part[1..])
}

#[test]
fn every_field_of_every_configuration_file_has_a_row() {
    let rows = rows();
    let types = [
        ("top", fields::<ProjectConfig>()),
        ("target", fields::<TargetConfig>()),
        ("arg definition", fields::<ArgDefinition>()),
        ("`aws`", fields::<AwsConfig>()),
        ("`serviceAccount`", fields::<ServiceAccountRef>()),
        ("library", fields::<LibraryConfig>()),
        ("project", fields::<DeploymentConfig>()),
        ("item|include", fields::<ItemConfig>()),
        ("both object lists", fields::<ObjectMatch>()),
        ("both rule lists", fields::<IgnoreForDiff>()),
        ("both rule lists|`conflictResolution`", fields::<ConflictResolution>()),
        ("`git` of an include", fields::<GitProject>()),
        ("`oci` of an include", fields::<OciProject>()),
        ("`ref` of `oci`", fields::<OciReference>()),
        ("entry|project", fields::<VarsSource>()),
        ("`git`", fields::<GitVars>()),
        ("`gitFiles`", fields::<GitFilesVars>()),
        ("`files`", fields::<GitFilesEntry>()),
        ("`clusterConfigMap`, `clusterSecret`", fields::<ClusterKeySource>()),
        ("`clusterObject`", fields::<ClusterObjectSource>()),
        ("`http`", fields::<HttpSource>()),
        ("`awsSecretsManager`", fields::<AwsSecretSource>()),
        ("`gcpSecretManager`", fields::<GoogleSecretSource>()),
        ("`azureKeyVault`", fields::<AzureSecretSource>()),
        ("`vault`", fields::<VaultSource>()),
        ("chart", chart_fields()),
    ];
    for (places, fields) in types {
        assert!(!fields.is_empty(), "{places}");
        for field in fields {
            let here = |row: &Row| places.split('|').any(|place| row.place.contains(place));
            assert!(
                rows.iter().any(|row| here(row) && row.fields.contains(&field)),
                "`{field}` of {places} has no row"
            );
        }
    }
}

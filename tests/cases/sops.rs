//! Encrypted files in a project: decrypted where they are read, and seen nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use windlass_tests::{Answer, TestProject, files_below};

/// Part of a value of every fixture, in the forms in which it could leak.
const CANARY: [&str; 3] = ["correct horse", "Y29ycmVjdCBob3JzZ", "correct%20horse"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/sops/tests/fixtures")
}

fn fixture(path: &str) -> String {
    fs::read_to_string(fixtures().join(path)).expect("a fixture")
}

/// Vars, a manifest that is built in memory, inputs of a generator, chart values.
fn project() -> TestProject {
    let kustomization = "\
namePrefix: pre-
secretGenerator:
- name: generated
  options: {disableNameSuffixHash: true}
  files: [secret.json, cert=secret.pem, secret.ini]
  envs: [secret.env]
";
    let template = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: chart}
data: {user: {{ .Values.data.user }}, password: {{ .Values.data.password | quote }}}
";
    TestProject::from_files(&[
        ("deployment.yaml", "vars: [{file: vars.yaml}]\ndeployments: [{path: plain}, {path: gen}, {path: helm}]\n"),
        ("vars.yaml", &fixture("yaml-age/secret.yaml")),
        ("plain/secret.yaml", &fixture("yaml-encrypted-regex/secret.yaml")),
        ("plain/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ metadata.name }}'}\n"),
        ("gen/kustomization.yaml", kustomization),
        ("gen/secret.json", &fixture("json-age/secret.json")),
        ("gen/secret.pem", &fixture("bin-age/secret.pem")),
        ("gen/secret.ini", &fixture("ini-age/secret.ini")),
        ("gen/secret.env", &fixture("env-age/secret.env")),
        ("helm/helm-chart.yaml", "helmChart: {path: ../chart, releaseName: r}\n"),
        ("helm/helm-values.yaml", &fixture("yaml-age/secret.yaml")),
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n"),
        ("chart/templates/a.yaml", template),
    ])
}

fn run(project: &TestProject, key: &str, arguments: &[&str]) -> Answer {
    let mut command = project.command(arguments);
    command.env("SOPS_AGE_KEY_FILE", fixtures().join("keys").join(key)).env_remove("XDG_RUNTIME_DIR");
    Answer::from(command.output().expect("windlass runs"))
}

fn leaks(text: &[u8]) -> bool {
    CANARY.iter().any(|canary| text.windows(canary.len()).any(|window| window == canary.as_bytes()))
}

#[test]
fn every_kind_of_file_is_decrypted_where_it_is_read() {
    let project = project();
    let answer = run(&project, "age1.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    for expected in ["password: 'correct horse: battery'", "name: pre-generated", "name: app\n", "DATA_PASSWORD: "] {
        assert!(answer.stdout.contains(expected), "{expected}: {}", answer.stdout);
    }
    assert!(!answer.stdout.contains("ENC[") && !answer.stdout.contains("sops"), "{}", answer.stdout);
    assert!(!leaks(answer.stderr.as_bytes()), "{}", answer.stderr);
    assert_eq!(project.temporary_files(), [] as [&str; 0]);
}

#[test]
fn only_rendered_objects_of_a_kept_folder_have_plain_values() {
    let project = project();
    let out = project.work().join("out");
    let place = out.display().to_string();
    let answer = run(&project, "age1.txt", &["render", "--offline-kubernetes", "--render-output-dir", &place]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(!leaks(answer.stdout.as_bytes()) && !leaks(answer.stderr.as_bytes()), "{answer:?}");
    let files = files_below(&out);
    let with_plain: Vec<&String> = files
        .iter()
        .filter(|file| leaks(&fs::read(out.join(file)).expect("a file")))
        .filter(|file| !file.ends_with(".rendered.yml"))
        .collect();
    // What Helm makes of the values is an object of the item.
    assert_eq!(with_plain, ["0/helm/helm-rendered.yaml"]);
    let kept = fs::read_to_string(out.join("0/gen/secret.json")).expect("the encrypted file");
    assert!(kept.contains("ENC[AES256_GCM,"), "{kept}");
    assert!(files.iter().any(|file| file == "0/plain/.rendered.yml"), "{files:?}");
    assert_eq!(project.temporary_files(), [] as [&str; 0]);
}

#[test]
fn messages_have_no_decrypted_values() {
    let project = project();
    project.write("plain/map.yaml", "a: {{ debug_print('password ' + data.password) }}{{ data.password.nope.nope }}\n");
    let answer = run(&project, "age1.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("password *****"), "{}", answer.stderr);
    assert!(!leaks(answer.stdout.as_bytes()) && !leaks(answer.stderr.as_bytes()), "{answer:?}");
    assert_eq!(project.temporary_files(), [] as [&str; 0]);
}

#[test]
fn a_failing_build_leaves_nothing() {
    let project = project();
    project.write("gen/kustomization.yaml", "secretGenerator:\n- name: a\n  files: [secret.json, missing]\n");
    let answer = run(&project, "age1.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!(answer.code, 1, "{}", answer.stdout);
    assert!(answer.stderr.contains("missing"), "{}", answer.stderr);
    assert!(!leaks(answer.stderr.as_bytes()), "{}", answer.stderr);
    assert_eq!(project.temporary_files(), [] as [&str; 0]);
}

#[test]
fn without_a_key_the_error_names_files_keys_and_what_to_set() {
    let project = project();
    let vars = run(&project, "age3.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!((vars.code, vars.stdout.as_str()), (1, ""));
    for expected in ["failed to decrypt vars file vars.yaml: ", "no identity matches"] {
        assert!(vars.stderr.contains(expected), "{expected}: {}", vars.stderr);
    }
    let full = run(&project, "age3.txt", &["render", "--offline-kubernetes", "--print-all", "--errors", "full"]).stderr;
    assert!(full.contains("set `SOPS_AGE_KEY_FILE`"), "{full}");
    project.write("vars.yaml", "data: {password: x}\nmetadata: {name: app}\n");
    let items = run(&project, "age3.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!((items.code, items.stdout.as_str()), (1, ""));
    for file in ["plain/secret.yaml", "gen/secret.json", "gen/secret.pem", "gen/secret.env", "helm/helm-values.yaml"] {
        assert!(
            items.stderr.contains(&format!("{file}: no key of the file could be used")),
            "{file}: {}",
            items.stderr
        );
    }
}

#[test]
fn a_file_of_another_environment_needs_no_key() {
    let project = TestProject::from_files(&[
        ("deployment.yaml", "deployments: [{path: app}]\n"),
        ("app/kustomization.yaml", "resources: [map.yaml]\n"),
        ("app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("app/prod.yaml", &fixture("yaml-encrypted-regex/secret.yaml")),
    ]);
    let answer = run(&project, "age3.txt", &["render", "--offline-kubernetes", "--print-all"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(!answer.stdout.contains("ENC["), "{}", answer.stdout);
}

#[test]
fn a_changed_file_is_refused_and_one_with_templates_is_not() {
    let encrypted = fixture("yaml-encrypted-regex/secret.yaml");
    let with = |from: &str, to: &str| {
        assert!(encrypted.contains(from));
        let files = [
            ("deployment.yaml", "vars: [{values: {name: mine}}]\ndeployments: [{path: app}]\n"),
            ("app/secret.yaml", &encrypted.replacen(from, to, 1)),
        ];
        run(&TestProject::from_files(&files), "age1.txt", &["render", "--offline-kubernetes", "--print-all"])
    };
    let changed = with("name: app", "name: other");
    assert_eq!(changed.code, 1, "{}", changed.stdout);
    assert!(changed.stderr.contains("was changed after it had been encrypted"), "{}", changed.stderr);
    let templated = with("name: app", "name: '{{ name }}'");
    assert_eq!(templated.code, 0, "{}", templated.stderr);
    assert!(templated.stdout.contains("name: mine") && templated.stdout.contains("correct horse"), "{templated:?}");
    let moved = with("    user: ENC", "    usr: ENC");
    assert!(moved.code == 1 && moved.stderr.contains("`data.usr` was changed or moved"), "{moved:?}");
}

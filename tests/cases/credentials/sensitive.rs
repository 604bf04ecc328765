//! Whether values of encrypted vars files are masked: unless their source says that they are none.

use windlass_tests::{Answer, TestProject};

use super::run;

const FILE: &str = include_str!("../../../engine/sops/tests/fixtures/yaml-age/secret.yaml");
const PLAIN: &str = "correct horse: battery";

/// A run whose message quotes a decrypted value.
fn quoted(vars: &str) -> Answer {
    let project = TestProject::from_files(&[
        ("deployment.yaml", &format!("vars: [{vars}]\ndeployments: [{{path: app}}]\n")),
        ("vars.yaml", FILE),
        ("app/map.yaml", "a: {{ debug_print('password ' + data.password) }}\n"),
    ]);
    let keys = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/sops/tests/fixtures/keys/age1.txt");
    run(&project, &["render", "--offline-kubernetes"], |command| {
        command.env("SOPS_AGE_KEY_FILE", keys);
    })
}

#[test]
fn decrypted_vars_are_masked_unless_their_source_says_no() {
    for vars in ["{file: vars.yaml}", "{file: vars.yaml, sensitive: true}"] {
        let answer = quoted(vars);
        assert!(answer.stderr.contains("password *****") && !answer.stderr.contains(PLAIN), "{vars}: {answer:?}");
    }
    let shown = quoted("{file: vars.yaml, sensitive: false}");
    assert!(shown.stderr.contains(&format!("password {PLAIN}")), "{shown:?}");
}

#[test]
fn one_source_that_masks_a_value_is_enough() {
    let answer = quoted("{file: vars.yaml, sensitive: false}, {file: vars.yaml}");
    assert!(answer.stderr.contains("password *****") && !answer.stderr.contains(PLAIN), "{answer:?}");
}

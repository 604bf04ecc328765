use windlass_model::location::Source;

use super::*;

const AGE: &str = "age: [{recipient: age1x, enc: E}], lastmodified: '2026-01-02T03:04:05Z', mac: M, version: 3.9.0";

fn of(section: &str) -> Result<Metadata, SopsError> {
    let source = Source::new("a.yaml", format!("sops: {{{section}}}\n"));
    read(Format::Yaml, &crate::yaml::read(&source).ok().unwrap())
}

fn error(section: &str) -> String {
    of(section).err().unwrap().to_string()
}

#[test]
fn the_default_rule_is_the_suffix() {
    let metadata = of(AGE).ok().unwrap();
    assert_eq!(metadata.rule.encrypts(&["a", "b_unencrypted"]), Some(false));
    assert_eq!(metadata.rule.encrypts(&["a", "b"]), Some(true));
    assert_eq!(metadata.threshold, 1);
}

#[test]
fn offline_keys_come_first() {
    let section = format!("kms: [{{arn: a, enc: e}}], pgp: [{{fp: F, enc: e}}], {AGE}");
    let metadata = of(&section).ok().unwrap();
    let ranks: Vec<_> = metadata.groups[0].iter().map(MasterKey::rank).collect();
    assert_eq!(ranks, [0, 1, 2]);
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    for (section, expected) in [
        ("mac: M, lastmodified: x", "the SOPS metadata has no keys"),
        ("age: [{enc: E}], mac: M, lastmodified: x", "the SOPS metadata has a key below `age` without `recipient`"),
        ("age: [{recipient: a}], mac: M, lastmodified: x", "the SOPS metadata has a key below `age` without `enc`"),
        ("age: x, mac: M, lastmodified: x", "the SOPS metadata has a `age` that is no list"),
        ("age: [{recipient: a, enc: E}], lastmodified: x", "the SOPS metadata has no `mac`"),
        ("age: [{recipient: a, enc: E}], mac: M", "the SOPS metadata has no `lastmodified`"),
        ("key_groups: 1, mac: M, lastmodified: x", "the SOPS metadata has `key_groups` that are no list"),
    ] {
        assert_eq!(error(section), expected);
    }
}

#[test]
fn rules_exclude_each_other() {
    let two = error(&format!("{AGE}, encrypted_regex: a, encrypted_suffix: b"));
    assert_eq!(two, "the SOPS metadata has more than one rule: `encrypted_suffix`, `encrypted_regex`");
    assert!(error(&format!("{AGE}, encrypted_regex: '('")).contains("invalid regular expression in `encrypted_regex`"));
}

#[test]
fn newer_majors_are_refused() {
    for version in ["4.0.0", "x"] {
        let text = error(&AGE.replace("3.9.0", version));
        assert!(text.starts_with(&format!("the file was written by SOPS {version}, which is not supported")), "{text}");
    }
    for version in ["3.13.3", "1.18", "''"] {
        assert!(of(&AGE.replace("3.9.0", version)).is_ok());
    }
}

#[test]
fn an_unknown_kind_of_key_is_kept_for_the_error() {
    let metadata = of(&format!("quantum: [{{enc: e}}], {AGE}")).ok().unwrap();
    assert!(metadata.groups[0].iter().any(|key| key.to_string() == "quantum"));
}

#[test]
fn a_threshold_above_the_groups_is_refused() {
    let group = "{age: [{recipient: age1x, enc: E}]}";
    let groups = format!("key_groups: [{group}, {group}], lastmodified: x, mac: M");
    assert_eq!(
        error(&format!("shamir_threshold: 3, {groups}")),
        "the SOPS metadata asks for more key groups than it has"
    );
    assert_eq!(of(&groups).ok().unwrap().threshold, 2);
    assert_eq!(of(&format!("shamir_threshold: 2, {AGE}")).ok().unwrap().threshold, 1);
    assert!(error(&format!("shamir_threshold: x, {AGE}")).contains("no number"));
}

#[test]
fn dates_are_tried_as_go_writes_them() {
    assert_eq!(
        stamps("2026-01-02T03:04:05.123+00:00".into()),
        ["2026-01-02T03:04:05.123+00:00", "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z"]
    );
    assert_eq!(stamps("2026-01-02T03:04:05Z".into()), ["2026-01-02T03:04:05Z"]);
}

//! Files encrypted by the real `sops` (`tests/oracle/sops`) give what the real `sops` makes of them.

mod harness;

use harness::{Fixture, age_settings, fixtures, gpg_home, key_file};
use windlass_sops::{Integrity, KeySettings, SopsError};

#[tokio::test]
async fn every_file_decrypts_as_the_real_program_does_it() {
    let settings = age_settings(&["age1.txt"]);
    let rsa = KeySettings {
        age: windlass_sops::AgeSettings { ssh_key_file: Some(key_file("id_rsa")), ..Default::default() },
        ..KeySettings::default()
    };
    let home = gpg_home();
    let mut checked = 0;
    for fixture in fixtures() {
        let mut settings = if fixture.name.ends_with("-rsa") { rsa.clone() } else { settings.clone() };
        settings.pgp.home = home.as_ref().map(|home| home.path().to_owned());
        if fixture.needs_gpg() && home.is_none() {
            continue;
        }
        let found = fixture.decrypt(settings, Integrity::AsWritten).await;
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
        fixture.assert_plain(&found.content);
        checked += 1;
    }
    assert!(checked >= 60, "{checked} fixtures");
}

#[tokio::test]
async fn a_key_of_somebody_else_is_refused() {
    for fixture in
        fixtures().iter().filter(|fixture| fixture.name.ends_with("-age") || fixture.name.ends_with("-two-age"))
    {
        let error = fixture.decrypt(age_settings(&["age3.txt"]), Integrity::AsWritten).await.unwrap_err();
        assert!(matches!(error, SopsError::Keys(_)), "{}: {error}", fixture.name);
        let text = error.to_string();
        assert!(text.contains("  - age age1") && text.contains("no identity matches"), "{text}");
        assert!(error.hint().unwrap().contains("SOPS_AGE_KEY_FILE"));
    }
}

#[tokio::test]
async fn without_keys_every_place_is_named() {
    let error = Fixture::named("yaml-age").decrypt(KeySettings::default(), Integrity::AsWritten).await.unwrap_err();
    let text = error.to_string();
    for place in ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"] {
        assert!(text.contains(place), "{place}: {text}");
    }
}

#[tokio::test]
async fn too_few_groups_are_refused() {
    let age = || age_settings_without_ssh(&["age1.txt"]);
    for name in ["yaml-groups-2-2", "json-groups-2-3", "ini-groups-3-3"] {
        let error = Fixture::named(name).decrypt(age(), Integrity::AsWritten).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, SopsError::Keys(_)), "{name}: {text}");
        assert!(
            text.starts_with("1 of ") && text.contains("are needed") && text.contains("- group "),
            "{name}: {text}"
        );
    }
}

fn age_settings_without_ssh(files: &[&str]) -> KeySettings {
    let mut settings = age_settings(files);
    settings.age.ssh_key_file = None;
    settings
}

#[tokio::test]
async fn any_two_of_three_groups_are_enough() {
    let fixture = Fixture::named("yaml-groups-2-3");
    for keys in [&["age1.txt", "age2.txt"][..], &["age1.txt", "age2.txt", "age3.txt"]] {
        let found = fixture.decrypt(age_settings_without_ssh(keys), Integrity::AsWritten).await.unwrap();
        fixture.assert_plain(&found.content);
    }
    let mut with_ssh = age_settings(&["age2.txt"]);
    with_ssh.age.key_file = None;
    fixture.decrypt(with_ssh, Integrity::AsWritten).await.unwrap();
}

#[tokio::test]
async fn a_post_quantum_identity_says_what_to_do() {
    let settings = age_settings_without_ssh(&["age-pq.txt"]);
    let error = Fixture::named("env-age").decrypt(settings, Integrity::AsWritten).await.unwrap_err().to_string();
    assert!(error.contains("post-quantum identities (AGE-SECRET-KEY-PQ-…) can not be read yet"), "{error}");
}

#[tokio::test]
async fn a_missing_pgp_program_is_named() {
    let mut settings = KeySettings::default();
    settings.pgp.program = "no-such-gpg".into();
    let error = Fixture::named("json-pgp").decrypt(settings, Integrity::AsWritten).await.unwrap_err();
    assert!(error.to_string().contains("`no-such-gpg` can not be run"), "{error}");
    assert!(error.hint().unwrap().contains("SOPS_GPG_EXEC"));
}

#[tokio::test]
async fn an_empty_keyring_is_refused() {
    if gpg_home().is_none() {
        return;
    }
    let empty = tempfile::tempdir().unwrap();
    let mut settings = KeySettings::default();
    settings.pgp.home = Some(empty.path().to_owned());
    let error = Fixture::named("json-pgp").decrypt(settings, Integrity::AsWritten).await.unwrap_err();
    assert!(error.to_string().contains("`gpg` ended with"), "{error}");
}

#[tokio::test]
async fn secrets_are_collected_and_plain_values_are_not() {
    let found = Fixture::named("yaml-encrypted-regex").decrypt(age_settings(&["age1.txt"]), Integrity::AsWritten).await;
    let found = found.unwrap();
    let secrets: Vec<&str> = found.secrets.iter().map(|secret| secret.as_str()).collect();
    assert!(secrets.contains(&"correct horse: battery") && secrets.contains(&"12345678901"), "{secrets:?}");
    assert!(!secrets.contains(&"Secret") && !secrets.contains(&"true"), "{secrets:?}");
    assert!(!format!("{found:?}").contains("battery"));
}

//! Files that were changed after they had been encrypted are refused, wherever the change is.

mod harness;

use harness::{Fixture, age_settings};
use proptest::prelude::*;
use windlass_sops::{CipherError, Decryptor, EncryptedFile, Format, Integrity, NoKeyServices, SopsError};

/// Bytes of encrypted values, of the code over all of them, of the date it is bound to, and of the encrypted data key.
fn protected(content: &[u8]) -> Vec<usize> {
    let text = std::str::from_utf8(content).unwrap();
    let mut positions = Vec::new();
    let mut start = 0;
    let mut in_armor = false;
    for line in text.split_inclusive('\n') {
        let starts_comment = line.trim_start().starts_with(['#', ';']);
        if let (Some(from), Some(to), false) = (line.find("ENC["), line.find(']'), starts_comment) {
            positions.extend(start + from..=start + to);
        } else if let (Some(from), Some(to)) = (line.find("2026-"), line.find('Z')) {
            positions.extend(start + from..=start + to);
        } else if let (Some(from), Some(to)) = (line.find("-----BEGIN"), line.rfind("FILE-----")) {
            // All on one line; the label itself is found by the parser.
            positions.extend(start + from..start + to + "FILE-----".len());
        }
        in_armor |= line.contains("-----BEGIN");
        if in_armor && !line.contains("-----") {
            let indent = line.len() - line.trim_start().len();
            positions.extend(start + indent..start + line.trim_end().len());
        }
        in_armor &= !line.contains("-----END");
        start += line.len();
    }
    assert!(positions.len() > 500, "{}", positions.len());
    positions
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Changes one byte of each fixture; the same keys are used for all of them.
fn a_changed_byte_is_refused(names: &[&str], integrity: Integrity) {
    let fixtures: Vec<(Fixture, Vec<usize>)> = names
        .iter()
        .map(|name| Fixture::named(name))
        .map(|f| (protected(&f.content), f))
        .map(|(p, f)| (f, p))
        .collect();
    let decryptor = Decryptor::new(age_settings(&["age1.txt"]), Box::new(NoKeyServices));
    let runtime = runtime();
    let strategy = (0..fixtures.len(), any::<prop::sample::Index>(), 1_u8..=255);
    proptest!(ProptestConfig::with_cases(400), |((at, index, mask) in strategy)| {
        let (fixture, positions) = &fixtures[at];
        let position = positions[index.index(positions.len())];
        let mut content = fixture.content.clone();
        content[position] ^= mask;
        let format = Format::of_name(&fixture.file);
        let file = EncryptedFile { name: &fixture.file, format, content: &content, integrity };
        let outcome = runtime.block_on(decryptor.decrypt(file));
        prop_assert!(outcome.is_err(), "{} at {position} with {mask}", fixture.name);
    });
}

#[test]
fn a_changed_byte_of_a_file_is_refused() {
    a_changed_byte_is_refused(
        &["yaml-age", "json-age", "env-age", "ini-age", "bin-age", "yaml-encrypted-comment", "yaml-mac-only-comment"],
        Integrity::AsWritten,
    );
}

#[test]
fn a_changed_byte_of_shamirs_shares_is_refused() {
    a_changed_byte_is_refused(&["yaml-groups-2-2", "json-groups-2-2", "ini-groups-2-2"], Integrity::AsWritten);
}

#[test]
fn a_changed_byte_is_refused_in_files_with_templates_too() {
    a_changed_byte_is_refused(&["yaml-age", "json-mac-only-all", "env-age"], Integrity::Templated);
}

async fn changed(name: &str, integrity: Integrity, from: &str, to: &str) -> Result<String, SopsError> {
    let fixture = Fixture::named(name);
    let text = String::from_utf8(fixture.content.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    let found = fixture.decrypt_changed(text.as_bytes(), age_settings(&["age1.txt"]), integrity).await?;
    Ok(String::from_utf8(found.content.to_vec()).unwrap())
}

#[tokio::test]
async fn a_changed_plain_value_is_refused_unless_templates_may_have_changed_it() {
    let (from, to) = ("kind: Secret", "kind: Other");
    let error = changed("yaml-encrypted-regex", Integrity::AsWritten, from, to).await.unwrap_err();
    assert!(matches!(error, SopsError::Mac), "{error}");
    assert!(error.hint().is_some());
    let text = changed("yaml-encrypted-regex", Integrity::Templated, from, to).await.unwrap();
    assert!(text.contains("kind: Other") && text.contains("correct horse"));
    // Here the code covers the encrypted values only.
    let text = changed("yaml-mac-only-encrypted", Integrity::AsWritten, from, to).await.unwrap();
    assert!(text.contains("kind: Other"));
}

#[tokio::test]
async fn a_removed_value_is_refused() {
    let fixture = Fixture::named("yaml-mac-only-encrypted");
    let text = String::from_utf8(fixture.content.clone()).unwrap();
    let line = text.lines().find(|line| line.trim_start().starts_with("password:")).unwrap();
    for integrity in [Integrity::AsWritten, Integrity::Templated] {
        let error = changed("yaml-mac-only-encrypted", integrity, &format!("{line}\n"), "").await.unwrap_err();
        assert!(matches!(error, SopsError::Mac), "{error}");
    }
}

#[tokio::test]
async fn a_moved_value_is_refused() {
    for integrity in [Integrity::AsWritten, Integrity::Templated] {
        let error = changed("yaml-age", integrity, "    password: ENC", "    passwort: ENC").await.unwrap_err();
        let SopsError::Value { place, source } = &error else { panic!("{error}") };
        assert_eq!((place.as_str(), source), ("`data.passwort`", &CipherError::Authentication));
    }
}

#[tokio::test]
async fn a_plain_value_in_an_encrypted_place_is_refused() {
    let fixture = Fixture::named("json-age");
    let text = String::from_utf8(fixture.content.clone()).unwrap();
    let value = text.lines().find(|line| line.contains("\"user\"")).unwrap().to_owned();
    for plain in ["\t\t\"user\": \"me\",", "\t\t\"user\": 1,"] {
        let error = changed("json-age", Integrity::Templated, &value, plain).await.unwrap_err();
        assert_eq!(error.to_string(), "`data.user` is not encrypted, although the file's rules say so");
    }
}

#[tokio::test]
async fn malformed_files_are_refused() {
    let error = async |name, from: &str, to: &str| {
        changed(name, Integrity::AsWritten, from, to).await.map(|_| ()).unwrap_err().to_string()
    };
    let twice = error("yaml-age", "sops:\n", "sops:\n    mac: x\nsops:\n").await;
    assert!(twice.contains("the key `sops` stands twice"), "{twice}");
    let twice = error("json-age", "\"lastmodified\":", "\"mac\": \"x\", \"lastmodified\":").await;
    assert!(twice.contains("the key `mac` stands twice"), "{twice}");
    let twice = error("env-age", "sops_mac=", "sops_mac=x\nsops_mac=").await;
    assert!(twice.contains("`sops_mac` stands twice"), "{twice}");
    let twice = error("ini-age", "mac ", "mac = x\nmac ").await;
    assert!(twice.contains("the key `mac` stands twice"), "{twice}");
    let version = error("yaml-age", "version: 3.", "version: 4.").await;
    assert!(version.contains("SOPS 4."), "{version}");
    let kind = error("yaml-age", "    age:\n", "    quantum:\n").await;
    assert!(kind.contains("quantum: this kind of key is not supported"), "{kind}");
    let base64 = error("yaml-age", ",iv:", ",iv:*").await;
    assert!(base64.contains("has invalid base64 in `iv`"), "{base64}");
    let form = error("json-age", ",tag:", ",gat:").await;
    assert!(form.contains("is not in the form"), "{form}");
    let armor = error("yaml-age", "-----BEGIN AGE", "-----BEGIN EGA").await;
    assert!(armor.contains("no age file"), "{armor}");
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    for (from, to) in [("    user: ENC", "    usr: ENC"), ("lastmodified: \"2026", "lastmodified: \"2025")] {
        let error = changed("yaml-age", Integrity::AsWritten, from, to).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hint());
        for secret in ["admin", "correct horse", "hidden", "AGE-SECRET-KEY"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

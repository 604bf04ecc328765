//! Encrypted files whose data key is kept by a key service, or opened by a plugin of age.
//!
//! The file is one that the real `sops` wrote. Its authentication code does not cover the list of keys, so that list
//! is replaced; the store knows the file's data key below the ciphertext that stands there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_tests::servers::secret_store::SecretStore;
use windlass_tests::{Answer, TestProject};

use super::clouds::{identify, store};
use super::{assert_found, render};

const FILE: &str = include_str!("../../../engine/sops/tests/fixtures/yaml-age/secret.yaml");
/// Data key of the file.
const DATA_KEY: &str = "cLeR+1PPjLxZe3xj9ev6cKKyf6IHkhfobrfTsdllRuc=";
/// The file key in the file's one stanza of age, and the stanza.
const AGE_FILE_KEY: &str = "HYYFvSMhIj/OrMFCA9iMCQ";
const AGE_STANZA: &str = "X25519 +ndpmLndPvPCuLphfPveN6N2lZxhipBu9syZZsiHrC8";
/// What is decrypted.
const PLAIN: &str = "correct horse";
const SEALED: &str = "c2VhbGVkIGJ5IHRoZSBzZXJ2aWNl";

/// A key service: the list of keys of a file, and the name under which the store knows the ciphertext.
struct Service {
    keys: &'static str,
    name: &'static str,
    /// How errors name the key.
    title: &'static str,
    /// The service's words about a ciphertext that is not of its key.
    refusal: &'static str,
    /// A variable with a proof, and the words about a wrong one.
    proof: (&'static str, &'static str),
}

const AWS: Service = Service {
    keys: "kms:\n        - arn: arn:aws:kms:eu-west-1:123456789012:key/app\n          context: {team: web}\n          aws_profile: \"\"\n",
    name: "kms/arn:aws:kms:eu-west-1:123456789012:key/app/c2VhbGVkIGJ5IHRoZSBzZXJ2aWNl/{\"team\":\"web\"}",
    title: "AWS KMS arn:aws:kms:eu-west-1:123456789012:key/app",
    refusal: "InvalidCiphertextException",
    proof: ("AWS_SECRET_ACCESS_KEY", "InvalidSignatureException"),
};
const GOOGLE: Service = Service {
    keys: "gcp_kms:\n        - resource_id: projects/p/locations/global/keyRings/r/cryptoKeys/app\n",
    name: "p/locations/global/keyRings/r/cryptoKeys/app/c2VhbGVkIGJ5IHRoZSBzZXJ2aWNl",
    title: "GCP KMS projects/p/locations/global/keyRings/r/cryptoKeys/app",
    refusal: "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
    proof: ("GOOGLE_APPLICATION_CREDENTIALS", "credentials of GOOGLE_APPLICATION_CREDENTIALS (`s3cret-wrong`)"),
};
const AZURE: Service = Service {
    keys: "azure_kv:\n        - vault_url: https://team.vault.azure.net\n          name: app\n          version: 0f0f\n",
    name: "/keys/app/0f0f/decrypt/c2VhbGVkIGJ5IHRoZSBzZXJ2aWNl",
    title: "Azure Key Vault https://team.vault.azure.net/keys/app/0f0f",
    refusal: "BadParameter",
    proof: ("AZURE_CLIENT_SECRET", "credentials of AZURE_CLIENT_SECRET: refused with status 401"),
};
const VAULT: Service = Service {
    keys: "hc_vault:\n        - vault_address: [S]\n          engine_path: team/transit\n          key_name: app\n",
    name: "team/transit/decrypt/app/vault:v1:c2VhbGVkIGJ5IHRoZSBzZXJ2aWNl",
    title: "/v1/team/transit/keys/app",
    refusal: "cipher: message authentication failed",
    proof: ("VAULT_TOKEN", "refused with status 403: permission denied"),
};
const ALL: [&Service; 4] = [&AWS, &GOOGLE, &AZURE, &VAULT];

/// The file with another list of keys.
fn encrypted_for(keys: &str) -> String {
    let (body, metadata) = FILE.split_once("sops:\n").expect("metadata");
    let (_, rest) = metadata.split_once("    lastmodified").expect("metadata");
    format!("{body}sops:\n    {keys}    lastmodified{rest}")
}

fn project(vars: &str) -> TestProject {
    TestProject::from_files(&[
        ("deployment.yaml", "vars: [{file: vars.yaml}]\ndeployments: [{path: app}]\n"),
        ("vars.yaml", vars),
        ("app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {p: '{{ data.password }}'}\n"),
    ])
}

impl Service {
    fn ciphertext(&self) -> String {
        if self.name.starts_with("team/transit") { format!("vault:v1:{SEALED}") } else { SEALED.to_owned() }
    }

    fn project(&self, store: &SecretStore, ciphertext: &str) -> TestProject {
        let keys = self.keys.replace("[S]", &store.url());
        project(&encrypted_for(&format!(
            "{keys}          created_at: \"2026-01-01T00:00:00Z\"\n          enc: \"{ciphertext}\"\n"
        )))
    }

    /// With a store that answers `text` for the right ciphertext.
    fn run(&self, text: &str, change: impl FnOnce(&mut Command)) -> Answer {
        let store = store(&[(self.name, text)]);
        let project = self.project(&store, &self.ciphertext());
        render(&project, |command| {
            identify(command, &store, &project);
            change(command);
        })
    }

    fn assert_refused(&self, answer: &Answer, words: &[&str]) {
        assert_eq!(answer.code, 1, "{}: {}", self.title, answer.stdout);
        for words in ["failed to decrypt vars file vars.yaml: ", self.title].iter().chain(words) {
            assert!(answer.stderr.contains(words), "{words}: {}", answer.stderr);
        }
        assert_silent(answer);
    }
}

/// Neither keys nor values are in messages.
fn assert_silent(answer: &Answer) {
    for secret in ["cLeR+1PPjLx", PLAIN, AGE_FILE_KEY, "s3cret-key", "s3cret/access", "s3cret~of"] {
        assert!(!answer.stderr.contains(secret), "{}", answer.stderr);
    }
}

#[test]
fn every_key_service_opens_its_file() {
    for service in ALL {
        assert_found(&service.run(DATA_KEY, |_| ()), PLAIN);
    }
}

#[test]
fn a_ciphertext_of_another_key_is_refused_in_the_services_words() {
    for service in ALL {
        let store = store(&[]);
        let project = service.project(&store, &service.ciphertext());
        let answer = render(&project, |command| identify(command, &store, &project));
        service.assert_refused(&answer, &[service.refusal]);
    }
}

#[test]
fn a_caller_who_is_not_let_in_is_told_so() {
    for service in ALL {
        let (name, words) = service.proof;
        let answer = service.run(DATA_KEY, |command| {
            command.env(name, "s3cret-wrong");
        });
        service.assert_refused(&answer, &[words]);
    }
}

#[test]
fn answers_without_a_key_are_errors() {
    for service in ALL {
        service.assert_refused(&service.run("{}", |_| ()), &["it has no plaintext"]);
        let no_base64 = r#"{"Plaintext": "?", "plaintext": "?", "value": "?", "data": {"plaintext": "?"}}"#;
        service.assert_refused(&service.run(no_base64, |_| ()), &["it has no plaintext"]);
    }
}

#[test]
fn keys_that_are_not_the_files_are_refused() {
    for service in ALL {
        let short = service.run(&STANDARD.encode([1; 16]), |_| ());
        assert!(short.code == 1 && short.stderr.contains("a data key of 16 bytes"), "{}", short.stderr);
        let other = service.run(&STANDARD.encode([1; 32]), |_| ());
        assert!(other.code == 1 && other.stderr.contains("authentication failed"), "{}", other.stderr);
        assert_silent(&short);
        assert_silent(&other);
    }
}

#[test]
fn broken_entries_are_refused_before_anybody_is_asked() {
    for service in [&AWS, &GOOGLE, &AZURE] {
        let store = store(&[]);
        let project = service.project(&store, "no base64!");
        let answer = render(&project, |command| identify(command, &store, &project));
        service.assert_refused(&answer, &["its `enc` is no base64"]);
        assert_eq!(store.paths(), [] as [&str; 0]);
    }
    for (keys, words) in [
        ("kms:\n        - enc: YQ==\n", "has a key below `kms` without `arn`"),
        ("kms:\n        - {arn: app, enc: YQ==}\n", "the key is not named by its ARN"),
        ("gcp_kms:\n        - {resource_id: app, enc: YQ==}\n", "the key must have the form `projects/"),
        ("azure_kv:\n        - {vault_url: 'http://x', name: a/b, version: v, enc: YQ==}\n", "Azure Key Vault"),
        ("hc_vault:\n        - {vault_address: x, engine_path: ../sys, key_name: a, enc: YQ==}\n", "Vault"),
        ("kms: []\n", "has no keys"),
    ] {
        let store = store(&[]);
        let project = project(&encrypted_for(keys));
        let answer = render(&project, |command| identify(command, &store, &project));
        assert!(answer.code == 1 && answer.stderr.contains(words), "{words}: {}", answer.stderr);
        assert_eq!(store.paths(), [] as [&str; 0], "{keys}");
    }
}

/// A program that opens one stanza for one identity, as programs for keys in hardware do.
fn plugin(project: &TestProject, stanza: &str) -> String {
    let bin = project.work().join("bin");
    fs::create_dir_all(&bin).expect("a folder");
    let complaint = STANDARD.encode("touch the key within ten seconds").replace('=', "");
    let script = format!(
        r#"#!/bin/sh
[ "$1" = --age-plugin=identity-v1 ] || exit 1
identity= stanza=
while read -r line; do
    case "$line" in
    '-> add-identity '*) identity="${{line#'-> add-identity '}}" ;;
    '-> recipient-stanza 0 '*) stanza="${{line#'-> recipient-stanza 0 '}}" ;;
    '-> done') read -r line; break ;;
    esac
done
if [ "$identity" = {IDENTITY} ] && [ "$stanza" = '{stanza}' ]; then
    printf -- '-> file-key 0\n{AGE_FILE_KEY}\n'
else
    printf -- '-> error identity 0\n{complaint}\n'
fi
read -r line && read -r line
printf -- '-> done\n\n'
"#
    );
    let file = bin.join("age-plugin-foobar");
    fs::write(&file, script).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a program");
    format!("{}:/usr/bin:/bin", bin.display())
}

const IDENTITY: &str = "AGE-PLUGIN-FOOBAR-1QVHULF";

fn with_identity(project: &TestProject, path: &str) -> Answer {
    render(project, |command| {
        command.env("SOPS_AGE_KEY", IDENTITY).env("PATH", path);
    })
}

#[test]
fn a_plugin_of_age_opens_a_file() {
    let project = project(FILE);
    let path = plugin(&project, AGE_STANZA);
    assert_found(&with_identity(&project, &path), PLAIN);
}

#[test]
fn what_a_plugin_complains_about_is_told() {
    let project = project(FILE);
    let path = plugin(&project, "X25519 another");
    let answer = with_identity(&project, &path);
    assert_eq!(answer.code, 1, "{}", answer.stdout);
    for words in
        ["the plugin failed", "touch the key within ten seconds", "age1l0r5ggwyvwwx3zz695nm8fwnhmg0rclgvtu4pjjd"]
    {
        assert!(answer.stderr.contains(words), "{words}: {}", answer.stderr);
    }
    assert_silent(&answer);
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let answer = with_identity(&project(FILE), "/usr/bin:/bin");
    assert_eq!(answer.code, 1, "{}", answer.stdout);
    assert!(answer.stderr.contains("its plugin `age-plugin-foobar` is not in the `PATH`"), "{}", answer.stderr);
}

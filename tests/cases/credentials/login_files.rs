//! Logins of Docker's and Podman's files and of credential helpers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_tests::{Answer, Registry, TestProject};

use super::{PASSWORD, USER, assert_found, assert_refused, image_project, render};

/// A registry that wants a password, a project with an image of it, and a folder for helpers.
struct Case {
    registry: Registry,
    project: TestProject,
}

impl Case {
    fn new() -> Self {
        Self::of("team/web")
    }

    fn of(path: &str) -> Self {
        let registry = Registry::start_with_auth(USER, PASSWORD).expect("a registry");
        registry.push_images(path, &["1.0", "1.1"]).expect("pushed");
        let project = image_project(&format!("{}/{path}", registry.address()));
        fs::create_dir(project.work().join("bin")).expect("a folder");
        Self { registry, project }
    }

    /// A program `docker-credential-NAME`; it notes what it was asked.
    fn helper(&self, name: &str, script: &str) {
        let file = self.project.work().join("bin").join(format!("docker-credential-{name}"));
        let log = self.log().display().to_string();
        let text = format!("#!/bin/sh\nread -r server\necho \"{name} $1 $server\" >> '{log}'\n{script}\n");
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a program");
    }

    fn log(&self) -> PathBuf {
        self.project.work().join("asked")
    }

    fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().map(|line| line.replace(&self.registry.address(), "[R]")).collect()
    }

    /// With a file for Docker, where `[R]` stands for the registry.
    fn with_docker(&self, config: &Value) -> Answer {
        self.write("docker/config.json", config);
        self.run("DOCKER_CONFIG", "docker")
    }

    fn write(&self, path: &str, config: &Value) {
        let path = self.project.work().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, config.to_string().replace("[R]", &self.registry.address())).expect("a file");
    }

    /// With a variable that names a place beside the project.
    fn run(&self, variable: &str, place: &str) -> Answer {
        let (bin, place) = (self.project.work().join("bin"), self.project.work().join(place));
        render(&self.project, |command| {
            command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env(variable, place);
        })
    }
}

/// What a helper prints that knows the login.
fn knows(password: &str) -> String {
    let answer = json!({ "ServerURL": "x", "Username": USER, "Secret": password });
    format!("cat <<'END'\n{answer}\nEND")
}

fn auth(password: &str) -> Value {
    json!({ "auth": STANDARD.encode(format!("{USER}:{password}")) })
}

#[test]
fn the_store_for_all_hosts_is_asked_once_for_the_host() {
    let case = Case::new();
    case.helper("all", &format!("echo noise >&2\n{}", knows(PASSWORD)));
    let more = case.project.read("app/map.yaml").replace("team/web\") }}", "team/web\", 'semver()') }}");
    case.project.write("app/more.yaml", &more.replace("name: app", "name: more"));
    assert_found(&case.with_docker(&json!({ "credsStore": "all" })), "team/web:1.1");
    assert_eq!(case.asked(), ["all get [R]"]);
}

#[test]
fn the_helper_of_a_host_comes_before_the_store_and_the_file() {
    let case = Case::new();
    case.helper("own", &knows(PASSWORD));
    case.helper("all", &knows("s3cret-wrong"));
    let config =
        json!({ "credHelpers": { "[R]": "own" }, "credsStore": "all", "auths": { "[R]": auth("s3cret-wrong") } });
    assert_found(&case.with_docker(&config), "team/web:1.1");
    assert_eq!(case.asked(), ["own get [R]"]);
}

#[test]
fn a_helper_that_does_not_know_the_host_leaves_it_to_the_file() {
    let case = Case::new();
    case.helper("all", "echo 'credentials not found in native keychain'\nexit 1");
    let config = json!({ "credsStore": "all", "auths": { "[R]": auth(PASSWORD) } });
    assert_found(&case.with_docker(&config), "team/web:1.1");
    assert_eq!(case.asked(), ["all get [R]"]);
    let nothing = case.with_docker(&json!({ "credsStore": "all" }));
    assert_refused(&nothing, &["refused access", "nor in `docker-credential-all`", "tried anonymously"]);
}

#[test]
fn a_failing_helper_is_told_with_its_last_words() {
    let case = Case::new();
    for (script, words) in [
        ("echo first >&2\necho 'the keychain is locked' >&2\nexit 3", "(exit status: 3): the keychain is locked"),
        ("echo 'no session'\nexit 1", "(exit status: 1): no session"),
        ("echo '{\"Secret\": \"s3cret-of-helper\"}'\nexit 1", "`docker-credential-all` failed (exit status: 1), tried"),
        ("echo 'Secret: s3cret-of-helper'", "`docker-credential-all` gave no valid answer"),
        ("kill -9 $$", "`docker-credential-all` failed (signal: 9"),
    ] {
        case.helper("all", script);
        let answer = case.with_docker(&json!({ "credsStore": "all" }));
        assert_refused(&answer, &["refused access to", "config.json`", words]);
    }
}

#[test]
fn a_helper_that_is_not_there_is_named() {
    let case = Case::new();
    let absent = case.with_docker(&json!({ "credsStore": "absent" }));
    assert_refused(&absent, &["run `docker-credential-absent`: No such file or directory"]);
    let bad = case.with_docker(&json!({ "credsStore": "../evil" }));
    assert_refused(&bad, &["the helper's name is not valid"]);
    assert_eq!(case.asked(), [] as [&str; 0]);
}

#[test]
fn a_refused_helper_is_named_and_its_password_is_not_shown() {
    let case = Case::new();
    case.helper("all", &knows("s3cret-wrong"));
    let answer = case.with_docker(&json!({ "credsStore": "all" }));
    assert_refused(&answer, &["(401): tried the credentials of `docker-credential-all`"]);
}

#[test]
fn podmans_file_is_found_by_both_its_variables() {
    let case = Case::new();
    let config = json!({ "auths": { "[R]/team": auth(PASSWORD) } });
    case.write("run/containers/auth.json", &config);
    assert_found(&case.run("XDG_RUNTIME_DIR", "run"), "team/web:1.1");
    assert_found(&case.run("REGISTRY_AUTH_FILE", "run/containers/auth.json"), "team/web:1.1");
    // Docker's file, when there is one, comes before.
    case.write("home/.docker/config.json", &json!({}));
    assert_refused(
        &case.run("XDG_RUNTIME_DIR", "run"),
        &["no credentials in `", ".docker/config.json`, tried anonymously"],
    );
}

#[test]
fn the_entry_with_the_longest_prefix_is_used() {
    let case = Case::of("team/sub/web");
    let wrong = || auth("s3cret-wrong");
    let right = json!({ "auths": { "[R]": wrong(), "[R]/team": wrong(), "[R]/team/sub": auth(PASSWORD), "[R]/team/su": wrong() } });
    assert_found(&case.with_docker(&right), "team/sub/web:1.1");
    let others =
        json!({ "auths": { "[R]": auth(PASSWORD), "[R]/team": wrong(), "[R]/team/sub/web/deeper": auth(PASSWORD) } });
    let named = format!("tried the credentials of `{}/team` in `", case.registry.address());
    assert_refused(&case.with_docker(&others), &[&named]);
}

#[test]
fn a_broken_file_is_an_error_that_quotes_nothing() {
    let case = Case::new();
    let invalid = json!({ "auths": { "[R]": { "auth": "s3cret-no-base64" } } });
    let entry = format!("config.json`: the entry `{}` is not valid", case.registry.address());
    assert_refused(&case.with_docker(&invalid), &[&entry]);
    fs::write(case.project.work().join("docker/config.json"), "{\"auths\":\n{\"s3cret\" 1}}").expect("a file");
    assert_refused(&case.run("DOCKER_CONFIG", "docker"), &["not a valid configuration (line 2, column "]);
}

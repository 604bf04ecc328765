//! Who windlass is for registries, clouds and key services, through the real binary; and that nobody sees it.

#[path = "credentials/canary.rs"]
mod canary;
#[path = "credentials/clouds.rs"]
mod clouds;
#[path = "credentials/login_files.rs"]
mod login_files;
#[path = "credentials/proxies.rs"]
mod proxies;
#[path = "credentials/sensitive.rs"]
mod sensitive;
#[path = "credentials/sops_keys.rs"]
mod sops_keys;
#[path = "credentials/variables.rs"]
mod variables;

use std::process::Command;

use windlass_tests::{Answer, TestProject};

const USER: &str = "team-bot";
const PASSWORD: &str = "s3cret-registry-password";
const VARIABLES: [&str; 10] = [
    "XDG_RUNTIME_DIR",
    "REGISTRY_AUTH_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "SOPS_AGE_KEY_FILE",
    "no_proxy",
];

/// A project of one ConfigMap that shows the newest image of a repository.
fn image_project(repository: &str) -> TestProject {
    let object = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app, namespace: default}}\ndata:\n  \
         image: '{{{{ images.get_image(\"{repository}\") }}}}'\n"
    );
    TestProject::from_files(&[("deployment.yaml", "deployments: [{path: app}]\n"), ("app/map.yaml", &object)])
}

/// Renders with nothing of this machine's environment that could help.
fn render(project: &TestProject, change: impl FnOnce(&mut Command)) -> Answer {
    run(project, &["render", "--print-all", "--offline-kubernetes"], change)
}

fn run(project: &TestProject, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Answer {
    let mut command = project.command(arguments);
    VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    change(&mut command);
    Answer::from(command.output().expect("windlass runs"))
}

/// The image is there, and no password.
fn assert_found(answer: &Answer, image: &str) {
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains(image), "{image}: {}", answer.stdout);
    assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
}

/// The words of the error are there, and no password.
fn assert_refused(answer: &Answer, words: &[&str]) {
    assert_eq!(answer.code, 1, "{}\n{}", answer.stdout, answer.stderr);
    for words in words {
        assert!(answer.stderr.contains(words), "{words}: {}", answer.stderr);
    }
    assert!(!answer.stderr.contains("s3cret") && !answer.stdout.contains("s3cret"), "{answer:?}");
}

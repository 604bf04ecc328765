//! Logins and certificates for a git server with TLS: flags, variables, netrc, git's own files and helpers.

use std::fs;
use std::path::Path;
use std::process::Command;

use windlass_tests::servers::{Commit, GitServer};
use windlass_tests::{Answer, TestProject};

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: private}\n";
const RENDER: [&str; 3] = ["render", "--offline-kubernetes", "--print-all"];
const PASSWORD: &str = "s3cret-Passw0rd";

fn server() -> GitServer {
    let server = GitServer::start_private("me", PASSWORD).expect("a git server");
    let work = tempfile::tempdir().expect("a folder");
    fs::create_dir(work.path().join("item")).expect("a folder");
    fs::write(work.path().join("deployment.yaml"), "deployments:\n- path: item\n").expect("a file");
    fs::write(work.path().join("item/a.yaml"), OBJECT).expect("a file");
    server.commit("lib", Commit { from: Some(work.path()), ..Commit::default() }).expect("a commit");
    server
}

fn project(server: &GitServer) -> TestProject {
    TestProject::from_files(&[("deployment.yaml", &format!("deployments:\n- git: {}\n", server.url("lib")))])
}

fn ca(server: &GitServer) -> String {
    let file = server.authority_file().expect("a certificate");
    format!("--git-ca-file={}={}", server.address(), file.display())
}

/// Home of the runs of a project.
fn home(project: &TestProject) -> String {
    let command = project.command(&[]);
    let home = command.get_envs().find(|(name, _)| *name == "HOME").and_then(|(_, value)| value);
    home.expect("a home").to_string_lossy().into_owned()
}

fn run(project: &TestProject, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
    let mut command: Command = project.command(arguments);
    command.envs(variables.iter().copied());
    Answer::from(command.output().expect("windlass runs"))
}

fn assert_rendered(answer: &Answer) {
    assert!(answer.code == 0 && answer.stdout.contains("name: private"), "{answer:?}");
    assert!(!answer.stderr.contains(PASSWORD), "{answer:?}");
}

#[test]
fn flags_name_authority_and_login() {
    let server = server();
    let (project, ca, host) = (project(&server), ca(&server), server.address());
    let unknown = project.run(&RENDER);
    assert!(unknown.code == 1 && unknown.stderr.contains("certificate"), "{unknown:?}");
    let anonymous = project.run(&[&RENDER[..], &[&ca]].concat());
    assert!(anonymous.code == 1 && anonymous.stderr.contains("--git-username and --git-password"), "{anonymous:?}");
    let user = format!("--git-username={host}/**=me");
    let wrong = project.run(&[&RENDER[..], &[&ca, &user, &format!("--git-password={host}/**=wrong-one")]].concat());
    assert!(wrong.code == 1 && wrong.stderr.contains("check the credentials of"), "{wrong:?}");
    assert!(!wrong.stderr.contains("wrong-one"), "{wrong:?}");
    let password = format!("--git-password={host}/**={PASSWORD}");
    let ca = ca.replacen(&host, &format!("{host}/**"), 1);
    assert_rendered(&project.run(&[&RENDER[..], &[&ca, &user, &password]].concat()));
}

#[test]
fn variables_name_authority_and_login() {
    let server = server();
    let project = project(&server);
    let file = server.authority_file().expect("a certificate").display().to_string();
    let host = server.address();
    let variables = [
        ("KLUCTL_GIT_1_HOST", host.as_str()),
        ("KLUCTL_GIT_1_USERNAME", "me"),
        ("KLUCTL_GIT_1_PASSWORD", PASSWORD),
        ("KLUCTL_GIT_1_CA_BUNDLE", &file),
    ];
    assert_rendered(&run(&project, &RENDER, &variables));
}

#[test]
fn files_of_git_and_netrc_have_logins() {
    let server = server();
    let host = server.address();
    let name = host.split(':').next().expect("a name").to_owned();
    let authority = ca(&server);
    let arguments = [RENDER.as_slice(), &[authority.as_str()]].concat();
    for (file, text) in [
        (".git-credentials", format!("https://me:{PASSWORD}@{host}\n")),
        (".config/git/credentials", format!("# mine\nhttps://me:{PASSWORD}@{host}\n")),
        (".netrc", format!("machine {name}\n  login me\n  password {PASSWORD}\n")),
    ] {
        let project = project(&server);
        let path = Path::new(&home(&project)).join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        assert_rendered(&project.run(&arguments));
    }
}

#[cfg(unix)]
#[test]
fn helpers_of_git_have_logins() {
    let server = server();
    let project = project(&server);
    let helper = Path::new(&home(&project)).join("helper");
    // Answers only for the host that it was asked about.
    let script =
        format!("#!/bin/sh\ngrep -q '^host={}$' && printf 'username=me\\npassword={PASSWORD}\\n'\n", server.address());
    fs::write(&helper, script).expect("a file");
    fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
    let config = format!("[credential]\n\thelper = {}\n", helper.display());
    let settings = Path::new(&home(&project)).join("gitconfig");
    fs::write(&settings, config).expect("a file");
    let authority = ca(&server);
    let arguments = [RENDER.as_slice(), &[authority.as_str()]].concat();
    let settings = settings.display().to_string();
    assert_rendered(&run(&project, &arguments, &[("GIT_CONFIG_GLOBAL", &settings)]));
}

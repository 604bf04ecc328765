//! Includes from a real git server: credentials, local overrides, and processes that are killed at any moment.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use windlass_tests::http::{HttpServer, Response};
use windlass_tests::servers::{Commit, GitServer};
use windlass_tests::{TestProject, windlass};

const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: REV}\n";

/// Commits a library whose object is named `revision`.
fn publish(server: &GitServer, work: &Path, revision: &str) {
    let from = work.join("library");
    fs::create_dir_all(from.join("item")).expect("a folder");
    fs::write(from.join("deployment.yaml"), "deployments:\n- path: item\n").expect("a file");
    fs::write(from.join("item/a.yaml"), OBJECT.replace("REV", revision)).expect("a file");
    // Something to transfer, so that a kill has something to interrupt.
    let ballast: String = (0..20_000).map(|line| format!("{revision} {line} {}\n", line * 7919 % 104_729)).collect();
    fs::write(from.join("ballast"), ballast).expect("a file");
    server.commit("lib", Commit { from: Some(&from), ..Commit::default() }).expect("a commit");
}

fn project(url: &str) -> TestProject {
    TestProject::from_files(&[("deployment.yaml", &format!("deployments:\n- git: {url}\n"))])
}

const RENDER: [&str; 3] = ["render", "--offline-kubernetes", "--print-all"];

#[test]
fn a_login_is_sent_to_its_own_host_only_and_never_shown() {
    let project = project("PLACEHOLDER");
    let elsewhere = HttpServer::start(|request| {
        Response::text(if request.header("authorization").is_some() { 500 } else { 401 }, "")
    })
    .expect("a server");
    let target = elsewhere.address();
    let server = HttpServer::start(move |request| match request.header("authorization") {
        Some("Basic bWU6czNjcmV0") => {
            Response::text(302, "").with("Location", format!("http://{target}{}", request.target()))
        }
        _ => Response::text(401, ""),
    })
    .expect("a server");
    let host = server.address();
    project.write("deployment.yaml", &format!("deployments:\n- git: http://{host}/lib.git\n"));
    let anonymous = project.run(&RENDER);
    assert!(anonymous.stderr.contains("the server refuses access (HTTP 401); give credentials"), "{anonymous:?}");
    let (user, password) = (format!("--git-username={host}=me"), format!("--git-password={host}=s3cret"));
    let redirected = project.run(&[&RENDER[..], &[&user, &password]].concat());
    // 401 and not 500: the other host saw no login.
    assert!(redirected.code == 1 && redirected.stderr.contains("HTTP 401"), "{redirected:?}");
    assert!(!redirected.stderr.contains("s3cret"), "{redirected:?}");
}

#[test]
fn a_directory_stands_for_a_repository() {
    let project = project("https://git.example.com/Team/Lib.git");
    project.write("../local/deployment.yaml", "deployments:\n- path: item\n");
    project.write("../local/item/a.yaml", &OBJECT.replace("REV", "local"));
    let key = "--local-git-override=Git.example.com/Team/Lib.git=";
    let rendered = project.run(&[&RENDER[..], &[&format!("{key}../local")]].concat());
    assert!(rendered.code == 0 && rendered.stdout.contains("name: local"), "{rendered:?}");
    let typo = project.run(&[&RENDER[..], &[&format!("{key}../typo")]].concat());
    assert!(typo.code == 1 && typo.stderr.contains("../typo does not exist"), "{typo:?}");
}

/// Kills runs that clone and runs that update, each at another moment; the next run has to work.
#[test]
fn killed_runs_leave_a_cache_that_works() {
    let runs: u64 = std::env::var("WINDLASS_KILL_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let server = GitServer::start().expect("a git server");
    let work = tempfile::tempdir().expect("a folder");
    publish(&server, work.path(), "r0");
    let project = project(&server.url("lib"));
    let (cache, temp) = (work.path().join("cache"), work.path().join("temp"));
    let command = || {
        let mut command = Command::new(windlass::binary());
        command.args(RENDER).current_dir(project.dir()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", work.path());
        command.env("KLUCTL_CACHE_DIR", &cache).env("KLUCTL_BASE_TMP_DIR", &temp);
        command
    };
    for run in 0..runs {
        if run % 2 == 0 {
            let _ = fs::remove_dir_all(&cache);
        } else {
            publish(&server, work.path(), &format!("r{run}"));
        }
        let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
        std::thread::sleep(Duration::from_millis(run * 37 % 251));
        let _ = child.kill();
        let _ = child.wait();
        let output = command().output().expect("a run");
        let newest = if run % 2 == 0 { run.saturating_sub(1) } else { run };
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stdout.contains(&format!("name: r{newest}\n")), "{run}: {stdout}{stderr}");
        let left = |dir: &Path, is_left: fn(&str) -> bool| -> Vec<String> {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| is_left(name)).collect()
        };
        assert_eq!(left(&cache.join("git-mirrors"), |name| name.contains(".new-")), Vec::<String>::new(), "{run}");
        assert_eq!(left(&temp, |name| name.starts_with("sources-")), Vec::<String>::new(), "{run}");
    }
}

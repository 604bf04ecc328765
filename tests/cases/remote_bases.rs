//! Remote bases of kustomizations from a real git server, without the `git` executable's own credentials.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use windlass_tests::TestProject;
use windlass_tests::http::{HttpServer, Response};
use windlass_tests::servers::{Commit, GitServer};

const RENDER: [&str; 3] = ["render", "--offline-kubernetes", "--print-all"];

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

/// Commits these files to a repository.
fn publish(server: &GitServer, repository: &str, tag: Option<&str>, files: &[(&str, &str)]) {
    let from = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = from.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    server.commit(repository, Commit { from: Some(from.path()), tag, ..Commit::default() }).expect("a commit");
}

/// An item whose only resource is `entry`.
fn project(entry: &str) -> TestProject {
    TestProject::from_files(&[
        ("deployment.yaml", "deployments:\n- path: app\n"),
        ("app/kustomization.yaml", &format!("namePrefix: p-\nresources:\n- {entry}\n")),
    ])
}

fn refused(entry: &str, wanted: &[&str]) {
    let answer = project(entry).run(&RENDER);
    assert_eq!(answer.code, 1, "{answer:?}");
    for text in [&["app/kustomization.yaml:3:3: "], wanted].concat() {
        assert!(answer.stderr.contains(text), "{text}: {}", answer.stderr);
    }
}

#[test]
fn bases_of_bases_are_fetched_at_their_references() {
    let server = GitServer::start().expect("a git server");
    publish(&server, "inner", Some("v1"), &[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &map("old"))]);
    publish(&server, "inner", None, &[("a.yaml", &map("new"))]);
    let base = format!(
        "nameSuffix: -s\nresources:\n- ../b.yaml\n- {}?ref=v1\n- {}\n",
        server.url("inner"),
        server.url("inner")
    );
    publish(&server, "outer", None, &[("deep/kustomization.yaml", &base), ("b.yaml", &map("b"))]);
    let answer = project(&format!("{}//deep?ref=main&timeout=60s", server.url("outer"))).succeed(&RENDER);
    for name in ["p-b-s", "p-old-s", "p-new-s"] {
        assert!(answer.stdout.contains(&format!("name: {name}\n")), "{name}: {answer:?}");
    }
}

#[test]
fn a_private_repository_takes_the_login_of_the_command() {
    let server = GitServer::start().expect("a git server");
    publish(&server, "base", None, &[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &map("a"))]);
    let login = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("me:s3cret"));
    let inner = server.address();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::new();
    let front = HttpServer::start(move |request| {
        if request.header("authorization") != Some(login.as_str()) {
            return Response::text(401, "").with("WWW-Authenticate", "Basic realm=\"git\"");
        }
        let method = request.method.parse().expect("a method");
        let mut forwarded = client.request(method, format!("http://{inner}{}", request.target()));
        for name in ["content-type", "content-encoding", "git-protocol"] {
            if let Some(value) = request.header(name) {
                forwarded = forwarded.header(name, value);
            }
        }
        let answer = forwarded.body(request.body).send().expect("an answer");
        let kind =
            answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let body = answer.bytes().expect("a body").to_vec();
        Response { status, body, ..Response::default() }.with("Content-Type", kind)
    })
    .expect("a server");
    let host = front.address();
    let entry = format!("http://{host}/base.git");
    refused(&entry, &["the server refuses access (HTTP 401); give credentials"]);
    let (user, password) = (format!("--git-username={host}=me"), format!("--git-password={host}=s3cret"));
    let answer = project(&entry).run(&[&RENDER[..], &[&user, &password]].concat());
    assert!(answer.code == 0 && answer.stdout.contains("name: p-a\n"), "{answer:?}");
}

#[test]
fn what_a_repository_does_not_have_is_told() {
    let server = GitServer::start().expect("a git server");
    publish(&server, "base", Some("v1"), &[("kustomization.yaml", "resources: [../../x.yaml]\n")]);
    let url = server.url("base");
    refused(&format!("{url}?ref=v2"), &["has no branch, tag or full commit hash `v2`; it has `main`, `v1`"]);
    refused(&format!("{url}//nope"), &["there is no folder `nope` in the repository"]);
    refused(&format!("{url}//../x"), &["the folder `../x` leads out of the repository"]);
    let escaping = project(&url).run(&RENDER);
    let wanted = "base.git/kustomization.yaml:1:13: `../../x.yaml`: the path leads out of the repository";
    assert!(escaping.code == 1 && escaping.stderr.contains(wanted), "{escaping:?}");
}

#[test]
fn a_circle_is_told_with_its_way() {
    let server = GitServer::start().expect("a git server");
    for (from, to) in [("one", "two"), ("two", "one")] {
        let base = format!("resources:\n- {}//b\n", server.url(to));
        publish(&server, from, None, &[("b/kustomization.yaml", &base)]);
    }
    let (one, two) = (format!("{}//b", server.url("one")), format!("{}//b", server.url("two")));
    let answer = project(&one).run(&RENDER);
    let ways = [format!("{one} -> {two} -> {one}"), format!("{two} -> {one} -> {two}")];
    assert!(answer.code == 1 && ways.iter().any(|way| answer.stderr.contains(way)), "{answer:?}");
}

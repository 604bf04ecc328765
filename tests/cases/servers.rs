//! The harness itself: servers start, do their work, and end with the process that started them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windlass_tests::servers::process::Group;
use windlass_tests::servers::{Commit, LinkStyle, git};
use windlass_tests::{ControlPlane, GitServer, Options, Quirks, Registry};

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn plane_stores_objects_and_knows_its_version() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let (status, _) = plane.api("POST", MAPS, "", Some(&config_map("a"))).expect("an answer");
    assert_eq!(status, 201);
    assert!(plane.get(&format!("{MAPS}/a")).expect("an answer").is_some());
    assert!(plane.get(&format!("{MAPS}/b")).expect("an answer").is_none());
    let version = plane.get("/version").expect("an answer").expect("a version");
    assert_eq!(version["gitVersion"], "v1.35.4");
    assert_eq!(version["minor"], "35");
}

#[test]
fn requests_of_others_are_in_the_list_and_own_ones_are_not() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    plane.api("POST", MAPS, "", Some(&config_map("mine"))).expect("an answer");
    assert_eq!(plane.requests(), []);
    let authority = reqwest::Certificate::from_pem(plane.authority().as_bytes()).expect("PEM");
    let client = reqwest::blocking::Client::builder()
        .tls_certs_only([authority])
        .no_proxy()
        .user_agent("someone/1")
        .build()
        .expect("a client");
    let get = |user: &str| {
        let url = format!("{}{MAPS}?limit=5", plane.url());
        let answer = client.get(url).bearer_auth(plane.token_of(user)).send().expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!(get("admin"), 200);
    assert_eq!(get("limited"), 403);
    let seen: Vec<_> = plane.requests().into_iter().map(|r| (r.verb, r.uri, r.user, r.user_agent, r.code)).collect();
    let entry = |user: &str, code| {
        let uri = format!("{MAPS}?limit=5");
        ("list".to_owned(), uri, user.to_owned(), "someone/1".to_owned(), code)
    };
    assert_eq!(seen, [entry("admin", 200), entry("limited", 403)]);
    plane.forget_requests();
    assert_eq!(plane.requests(), []);
}

#[test]
fn deployment_becomes_ready_on_a_simulated_node() {
    let options = Options { controllers: true, kwok: true, ..Options::default() };
    let plane = ControlPlane::start(options).expect("a plane");
    plane
        .apply(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default}, \
             spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: \
             {labels: {app: web}}, spec: {containers: [{name: main, image: 'example/web:1'}]}}}}",
        )
        .expect("applied");
    let started = Instant::now();
    loop {
        let path = "/apis/apps/v1/namespaces/default/deployments/web";
        let web = plane.get(path).expect("an answer").expect("the deployment");
        if web["status"]["readyReplicas"] == 3 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{:#}", web["status"]);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The other half of [`children_end_when_their_parent_is_killed`]; does nothing on its own.
#[test]
fn parent_to_be_killed() {
    if std::env::var_os("SANDBOX_TEST_PARENT").is_none() {
        return;
    }
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let registry = Registry::start().expect("a registry");
    let stdout = std::io::stdout();
    use std::io::Write as _;
    writeln!(stdout.lock(), "\nfolder={}", plane.folder().display()).expect("stdout");
    std::thread::sleep(Duration::from_secs(600));
    drop(registry);
}

#[test]
fn children_end_when_their_parent_is_killed() {
    let mut parent = Command::new(std::env::current_exe().expect("this program"))
        .args(["parent_to_be_killed", "--exact", "--nocapture"])
        .env("SANDBOX_TEST_PARENT", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parent");
    let lines = BufReader::new(parent.stdout.take().expect("a pipe")).lines();
    let folder = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("folder=").map(str::to_owned))
        .expect("the folder of the plane");
    assert!(processes_with(&folder) >= 3, "supervisor, etcd and kube-apiserver run");
    parent.kill().expect("SIGKILL");
    parent.wait().expect("its end");
    let started = Instant::now();
    while processes_with(&folder) > 0 || Path::new(&folder).exists() {
        assert!(started.elapsed() < Duration::from_secs(30), "something is left of {folder}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Number of processes that have the text in their arguments.
fn processes_with(text: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|arguments| String::from_utf8_lossy(arguments).contains(text))
        .count()
}

#[test]
fn dropped_plane_leaves_nothing() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let folder = plane.folder().to_owned();
    assert!(processes_with(&folder.display().to_string()) >= 3);
    drop(plane);
    assert_eq!(processes_with(&folder.display().to_string()), 0);
    assert!(!folder.exists());
}

#[test]
fn children_end_when_their_supervisor_is_killed() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let folder = plane.folder().to_owned();
    let supervisor = plane.processes().supervisor_pid().to_string();
    let killed = Command::new("kill").args(["-9", &supervisor]).status().expect("kill");
    assert!(killed.success());
    // Ends the wait for the supervisor, and nothing else: there is nobody to clean up any more.
    drop(plane);
    let started = Instant::now();
    while processes_with(&folder.display().to_string()) > 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "a server survived");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn killed_server_is_noticed() {
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    assert!(!plane.processes().has_ended("kube-apiserver"));
    plane.processes().signal("kube-apiserver", "KILL").expect("sent");
    plane.processes().wait_ended("kube-apiserver");
    assert!(plane.api("GET", "/readyz", "", None).is_err());
}

#[test]
fn failing_server_shows_its_log() {
    let group = Group::start().expect("a group");
    let script = "echo cannot work; exit 3";
    let arguments = ["-c".to_owned(), script.to_owned()];
    group.spawn("broken", Path::new("/bin/sh"), &arguments).ok();
    let error =
        group.wait_ready("broken", Duration::from_secs(10), || false).expect_err("an ended server is not ready");
    assert!(error.to_string().contains("cannot work"), "{error}");
    let missing = group.spawn("missing", Path::new("/no/such/program"), &[]);
    assert!(missing.expect_err("an error").to_string().contains("no such file"));
}

fn tags(registry: &Registry, query: &str) -> (u16, Value, Option<String>) {
    let url = format!("http://{}/v2/team/web/tags/list{query}", registry.address());
    let answer = reqwest::blocking::get(url).expect("an answer");
    let link = answer.headers().get("link").map(|link| link.to_str().expect("text").to_owned());
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().expect("a body")).unwrap_or_default(), link)
}

fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[test]
fn registry_lists_pushed_tags_and_logs_requests() {
    install_tls();
    let registry = Registry::start().expect("a registry");
    registry.push_images("team/web", &["1.0", "1.1"]).expect("pushed");
    assert_eq!(registry.requests(), [], "pushing is not logged");
    assert_eq!(tags(&registry, "?n=7").1["tags"], json!(["1.0", "1.1"]));
    let log = registry.requests();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].path.as_str(), log[0].query.as_str()), ("/v2/team/web/tags/list", "n=7"));
    assert!(!log[0].authorized);
}

#[test]
fn quirks_page_refuse_and_end() {
    install_tls();
    let registry = Registry::start().expect("a registry");
    registry.push_images("team/web", &["1", "2", "3"]).expect("pushed");
    registry.set_quirks(Quirks {
        too_many_requests: 1,
        server_errors: Some((1, 503)),
        page_size: Some(2),
        links: LinkStyle::Opaque,
        ..Quirks::default()
    });
    assert_eq!(tags(&registry, "").0, 429);
    assert_eq!(tags(&registry, "").0, 503);
    let (status, page, link) = tags(&registry, "");
    assert_eq!((status, &page["tags"]), (200, &json!(["1", "2"])));
    assert_eq!(link.as_deref(), Some("</v2/team/web/tags/list?token=at-2>; rel=\"next\""));
    let (_, page, link) = tags(&registry, "?token=at-2");
    assert_eq!((&page["tags"], link), (&json!(["3"]), None));
}

#[test]
fn cut_body_is_an_error_for_the_client() {
    install_tls();
    let registry = Registry::start().expect("a registry");
    registry.push_image("team/web", "1").expect("pushed");
    registry.set_quirks(Quirks { cut_after: Some(5), ..Quirks::default() });
    let url = format!("http://{}/v2/team/web/tags/list", registry.address());
    let answer = reqwest::blocking::get(url).expect("a head");
    assert!(answer.text().is_err());
}

#[test]
fn registry_with_auth_wants_the_password() {
    install_tls();
    let registry = Registry::start_with_auth("user", "secret").expect("a registry");
    registry.push_image("team/web", "1.0").expect("pushed");
    let url = format!("http://{}/v2/team/web/tags/list", registry.address());
    let status = |password: Option<&str>| {
        let request = reqwest::blocking::Client::new().get(&url);
        let request = match password {
            Some(password) => request.basic_auth("user", Some(password)),
            None => request,
        };
        request.send().expect("an answer").status().as_u16()
    };
    assert_eq!(status(None), 401);
    assert_eq!(status(Some("wrong")), 401);
    assert_eq!(status(Some("secret")), 200);
    let authorized: Vec<_> = registry.requests().iter().map(|r| r.authorized).collect();
    assert_eq!(authorized, [false, true, true]);
}

#[test]
fn many_tags_are_pushed_quickly_enough_to_list_them() {
    install_tls();
    let registry = Registry::start().expect("a registry");
    let names: Vec<_> = (0..500).map(|n| format!("v{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    registry.push_images("team/web", &names).expect("pushed");
    assert_eq!(tags(&registry, "").1["tags"].as_array().map(Vec::len), Some(500));
}

#[test]
fn git_server_serves_clones_and_refuses_pushes_until_allowed() {
    let server = GitServer::start().expect("a server");
    let content = tempfile::tempdir().expect("a folder");
    std::fs::write(content.path().join("file"), "text\n").expect("written");
    server
        .commit("repo", Commit { from: Some(content.path()), tag: Some("v1"), ..Commit::default() })
        .expect("committed");
    let clone = tempfile::tempdir().expect("a folder");
    git(clone.path(), &["clone", "-q", "-b", "v1", &server.url("repo"), "."]).expect("cloned");
    assert_eq!(std::fs::read_to_string(clone.path().join("file")).expect("read"), "text\n");
    git(clone.path(), &["commit", "-q", "--allow-empty", "-m", "x"]).expect("committed");
    let push = ["push", "-q", "origin", "HEAD:refs/heads/other"];
    assert!(git(clone.path(), &push).is_err());
    server.allow_push("repo").expect("configured");
    git(clone.path(), &push).expect("pushed");
}

fn sandbox(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_windlass-sandbox")).args(arguments).output().expect("a run")
}

#[test]
fn sandbox_command_starts_pushes_and_stops() {
    install_tls();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state").display().to_string();
    let started = sandbox(&["start", "--registry", "--state", &state]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let again = sandbox(&["start", "--state", &state]);
    assert!(!again.status.success(), "a second start is refused");
    let text = std::fs::read_to_string(format!("{state}/env")).expect("the variables");
    let value = |name: &str| {
        let start = format!("export {name}='");
        let line = text.lines().find_map(|line| line.strip_prefix(&start)).expect("a variable");
        line.trim_end_matches('\'').to_owned()
    };
    let (kubeconfig, registry) = (value("KUBECONFIG"), value("REGISTRY"));
    assert!(sandbox(&["push", "--registry", &registry, "web", "1", "2"]).status.success());
    let listed = reqwest::blocking::get(format!("http://{registry}/v2/web/tags/list"));
    assert!(listed.expect("an answer").text().expect("a body").contains(r#"["1","2"]"#));
    assert!(sandbox(&["stop", "--state", &state]).status.success());
    assert!(!Path::new(&kubeconfig).exists(), "the servers' folder is gone");
    assert!(sandbox(&["stop", "--state", &state]).status.success(), "stopping twice is no error");
}

#[test]
fn sandbox_command_passes_environment_and_exit_code_of_a_command() {
    let script = "test -f \"$KUBECONFIG\" && \"$KUBECTL\" get ns default >/dev/null && exit 7";
    assert_eq!(sandbox(&["run", "--", "sh", "-c", script]).status.code(), Some(7));
}

#[test]
fn assets_take_the_place_of_built_servers() {
    let assets = tempfile::tempdir().expect("a folder");
    let program = assets.path().join("kube-apiserver");
    std::fs::write(&program, "").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_windlass-sandbox"))
        .arg("build")
        .env("KUBEBUILDER_ASSETS", assets.path())
        .output()
        .expect("a run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.lines().any(|line| Path::new(line) == program), "{text}");
    // What the assets do not have is built.
    assert!(text.lines().any(|line| line.ends_with("/etcd")), "{text}");
}

//! Pulling from repositories over HTTP: what is there, what is not, and what must not be believed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use windlass_charts::{
    ArchiveLimits, ChartPorts, ChartRepositories, Charts, Place, PullReport, RepositoryCredentials, pull,
};
use windlass_model::event::{Event, Events};
use windlass_registry::FakeRegistry;
use windlass_sources::FakeSources;
use wiremock::matchers::{basic_auth, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Events for Lines {
    fn emit(&self, event: Event) {
        let line = match event {
            Event::Item { item, text } => format!("{item}: {text}"),
            Event::Info { text } | Event::Warning { text } | Event::Error { text } => text,
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

fn packed(version: &str, content: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in
        [("c/Chart.yaml", format!("name: c\nversion: {version}\n")), ("c/values.yaml", content.to_owned())]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct World {
    dir: tempfile::TempDir,
    server: MockServer,
    credentials: Vec<RepositoryCredentials>,
}

impl World {
    async fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), server: MockServer::start().await, credentials: Vec::new() }
    }

    fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    fn chart_file(&self, folder: &str, version: &str) {
        let dir = self.project().join(folder);
        fs::create_dir_all(&dir).unwrap();
        let uri = self.server.uri();
        let text = format!("helmChart: {{repo: '{uri}', chartName: c, chartVersion: '{version}', releaseName: r}}\n");
        fs::write(dir.join("helm-chart.yaml"), text).unwrap();
    }

    async fn serve(&self, file: &str, body: impl Into<Vec<u8>>) {
        let answer = ResponseTemplate::new(200).set_body_bytes(body.into());
        Mock::given(path(file)).respond_with(answer).mount(&self.server).await;
    }

    async fn serve_index(&self, entries: &[(&str, &str, &str)]) {
        let lines: String = entries
            .iter()
            .map(|(version, url, digest)| format!("  - {{version: {version}, urls: ['{url}'], digest: '{digest}'}}\n"))
            .collect();
        self.serve("/index.yaml", format!("apiVersion: v1\nentries:\n  c:\n{lines}")).await;
    }

    async fn pull(&self) -> (PullReport, Vec<String>) {
        let charts = Charts::new(ChartPorts {
            repositories: Arc::new(ChartRepositories::new(self.credentials.clone(), "test")),
            registry: Arc::new(FakeRegistry::default()),
            artifacts: Arc::new(FakeRegistry::default()),
            sources: Arc::new(FakeSources::default()),
            cache: self.dir.path().join("cache"),
            limits: ArchiveLimits::default(),
        });
        let lines = Lines::default();
        let report = pull(&self.project(), &charts, &lines).await.unwrap();
        let uri = self.server.uri();
        let lines = lines.0.into_inner().unwrap().iter().map(|line| line.replace(&uri, "URI")).collect();
        (report, lines)
    }

    /// The last line of a pull in which one chart fails.
    async fn failure(&self) -> String {
        let (report, lines) = self.pull().await;
        assert_eq!(report.failed, 1, "{lines:?}");
        lines.last().unwrap().clone()
    }

    fn pulled(&self, version: &str) -> PathBuf {
        let port = self.server.address().port();
        self.project().join(format!(".helm-charts/http_{port}_127.0.0.1/c/{version}"))
    }
}

fn no_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(!name.starts_with('.'), "{name} was left");
    }
}

#[tokio::test]
async fn charts_are_pulled_replaced_and_removed() {
    let world = World::new().await;
    let (one, two) = (packed("1.0.0", "a: 1\n"), packed("2.0.0", "a: 2\n"));
    world.serve_index(&[("1.0.0", "one.tgz", &digest(&one)), ("2.0.0", "/x/two.tgz", "")]).await;
    world.serve("/one.tgz", one).await;
    world.serve("/x/two.tgz", two).await;
    world.chart_file("a", "1.0.0");
    world.chart_file("b", "2.0.0");
    let (report, lines) = world.pull().await;
    assert_eq!(report, PullReport { pulled: 2, failed: 0 });
    assert_eq!(lines, ["c: Pulling Chart with version 1.0.0", "c: Pulling Chart with version 2.0.0"]);
    // Whatever someone did to it is undone.
    fs::write(world.pulled("1.0.0").join("stray"), "").unwrap();
    fs::remove_dir_all(world.project().join("b")).unwrap();
    let (_, lines) = world.pull().await;
    assert_eq!(lines, ["c: Pulling Chart with version 1.0.0", "Removing unused Chart with version 2.0.0"]);
    assert!(!world.pulled("1.0.0").join("stray").exists() && !world.pulled("2.0.0").exists());
    assert_eq!(fs::read(world.pulled("1.0.0").join("values.yaml")).unwrap(), b"a: 1\n");
    no_leftovers(&world.project().join(".helm-charts"));
}

#[tokio::test]
async fn a_version_that_changed_in_its_repository_is_told() {
    let world = World::new().await;
    world.serve_index(&[("1.0.0", "one.tgz", "")]).await;
    world.serve("/one.tgz", packed("1.0.0", "a: 1\n")).await;
    world.chart_file("a", "1.0.0");
    world.pull().await;
    fs::remove_dir_all(world.dir.path().join("cache")).unwrap();
    world.server.reset().await;
    world.serve_index(&[("1.0.0", "one.tgz", "")]).await;
    world.serve("/one.tgz", packed("1.0.0", "a: 2\n")).await;
    let (_, lines) = world.pull().await;
    assert!(lines[1].starts_with("c: version 1.0.0 has changed in its repository: it was sha256:"), "{lines:?}");
}

#[tokio::test]
async fn one_missing_version_keeps_everything_that_was_there() {
    let world = World::new().await;
    world.serve_index(&[("1.0.0", "one.tgz", "")]).await;
    world.serve("/one.tgz", packed("1.0.0", "a: 1\n")).await;
    world.chart_file("a", "1.0.0");
    world.pull().await;
    world.chart_file("a", "9.9.9");
    assert_eq!(world.failure().await, "c: chart \"c\" version \"9.9.9\" not found in URI repository");
    assert!(world.pulled("1.0.0").join("Chart.yaml").is_file());
}

#[tokio::test]
async fn an_archive_with_another_digest_is_refused() {
    let world = World::new().await;
    world.serve_index(&[("1.0.0", "one.tgz", &"0".repeat(64))]).await;
    world.serve("/one.tgz", packed("1.0.0", "a: 1\n")).await;
    world.chart_file("a", "1.0.0");
    let text = world.failure().await;
    assert!(text.starts_with("c: checksum mismatch of URI/one.tgz: the index says sha256:000"), "{text}");
    assert!(!world.pulled("1.0.0").exists());
}

#[tokio::test]
async fn what_is_no_repository_or_no_chart_is_refused() {
    for (index, archive, wanted) in [
        ("<html>", None, "looks like \"URI\" is not a valid chart repository or cannot be reached: no API version"),
        ("apiVersion: v1\nentries: {c: [", None, "looks like \"URI\" is not a valid chart repository"),
        ("apiVersion: v1\nentries: {}", None, "chart \"c\" version \"1.0.0\" not found in URI repository"),
        (
            "apiVersion: v1\nentries: {c: [{version: 1.0.0}]}",
            None,
            "chart \"c\" version \"1.0.0\" has no downloadable URLs",
        ),
        ("apiVersion: v1\nentries: {c: [{version: 1.0.0, urls: ['ftp://x/y']}]}", None, "invalid address `ftp://x/y`"),
        (
            "apiVersion: v1\nentries: {c: [{version: 1.0.0, urls: [gone.tgz]}]}",
            None,
            "failed to fetch URI/gone.tgz : 404",
        ),
        (ONE, Some(b"<html>".to_vec()), "chart \"c\" version \"1.0.0\": the chart is no packaged chart"),
        (
            ONE,
            Some(packed("1.0.1", "")),
            "chart \"c\": version \"1.0.0\" was asked for, but its Chart.yaml says \"1.0.1\"",
        ),
    ] {
        let world = World::new().await;
        world.chart_file("a", "1.0.0");
        world.serve("/index.yaml", index).await;
        if let Some(archive) = archive {
            world.serve("/one.tgz", archive).await;
        }
        let text = world.failure().await;
        assert!(text.strip_prefix("c: ").unwrap().starts_with(wanted), "{text}");
        assert!(!world.pulled("1.0.0").exists());
    }
}

const ONE: &str = "apiVersion: v1\nentries: {c: [{version: 1.0.0, urls: [one.tgz]}]}";

#[tokio::test]
async fn a_server_without_an_index_or_without_tls_is_told() {
    let world = World::new().await;
    world.chart_file("a", "1.0.0");
    assert_eq!(world.failure().await, "c: failed to fetch URI/index.yaml : 404 Not Found");
    let file = world.project().join("a/helm-chart.yaml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("http:", "https:")).unwrap();
    let text = world.failure().await;
    assert!(text.starts_with("c: get https://127.0.0.1:"), "{text}");
}

fn login(world: &World, password: &str) -> RepositoryCredentials {
    RepositoryCredentials {
        place: Place::Host { host: world.server.address().to_string(), path: String::new() },
        username: Some("me".into()),
        password: Some(password.to_owned().into()),
        origin: "a test".into(),
        ..RepositoryCredentials::default()
    }
}

#[tokio::test]
async fn a_login_is_sent_where_it_belongs_and_nowhere_else() {
    let other = MockServer::start().await;
    let body = packed("1.0.0", "");
    Mock::given(path("/one.tgz")).respond_with(ResponseTemplate::new(200).set_body_bytes(body)).mount(&other).await;
    let mut world = World::new().await;
    let url = format!("{}/one.tgz", other.uri());
    let index = format!("apiVersion: v1\nentries: {{c: [{{version: 1.0.0, urls: ['{url}']}}]}}");
    Mock::given(path("/index.yaml"))
        .and(basic_auth("me", "pw"))
        .respond_with(ResponseTemplate::new(200).set_body_string(index))
        .mount(&world.server)
        .await;
    Mock::given(path("/index.yaml")).respond_with(ResponseTemplate::new(401)).mount(&world.server).await;
    world.chart_file("a", "1.0.0");
    let none = world.failure().await;
    assert!(none.ends_with("401 Unauthorized (no credentials are known for it)"), "{none}");
    world.credentials = vec![login(&world, "wrong-secret")];
    let wrong = world.failure().await;
    assert!(wrong.ends_with("401 Unauthorized (the server does not accept the credentials)"), "{wrong}");
    assert!(!wrong.contains("wrong-secret"));
    world.credentials = vec![login(&world, "pw")];
    assert_eq!(world.pull().await.0, PullReport { pulled: 1, failed: 0 });
    let has_login = |request: &Request| request.headers.contains_key("authorization");
    assert!(other.received_requests().await.unwrap().iter().all(|request| !has_login(request)));
    // Unless the user wants it.
    fs::remove_dir_all(world.dir.path().join("cache")).unwrap();
    world.credentials[0].pass_credentials_all = true;
    world.pull().await;
    assert!(other.received_requests().await.unwrap().iter().any(has_login));
}

#[tokio::test]
async fn credentials_with_unusable_files_are_refused() {
    let mut world = World::new().await;
    world.chart_file("a", "1.0.0");
    let missing = world.dir.path().join("missing.pem");
    let cases = [
        RepositoryCredentials { ca_file: Some(missing.clone()), ..login(&world, "x") },
        RepositoryCredentials { cert_file: Some(missing.clone()), ..login(&world, "x") },
        RepositoryCredentials { cert_file: Some(missing.clone()), key_file: Some(missing), ..login(&world, "x") },
    ];
    for (credentials, wanted) in cases.into_iter().zip(["read `", "needs both certificate and key", "read `"]) {
        world.credentials = vec![credentials];
        let text = world.failure().await;
        assert!(text.contains("(a test): ") && text.contains(wanted), "{text}");
    }
}

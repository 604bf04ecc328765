//! Projects in registries: `oci push`, includes of what it made, and artifacts that nobody has to trust.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use windlass_model::event::Silent;
use windlass_model::source::{OciReference, OciSource, OciUrl};
use windlass_registry::{Artifacts, OciRegistry, Proxy, RegistryCredentials, RegistrySettings, Repository, TlsOptions};
use windlass_sources::{FetchedSources, SourceSettings, Sources as _, UnpackLimits};
use windlass_tests::servers::git;
use windlass_tests::{Answer, Registry, TestProject};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const RENDER: [&str; 3] = ["render", "--offline-kubernetes", "--print-all"];

/// The harness blocks, so only the client's own work runs on a runtime.
fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    RUNTIME.block_on(work)
}

fn client() -> OciRegistry {
    let tls = TlsOptions { plain_http: Some(true), ..TlsOptions::default() };
    let entry = RegistryCredentials { origin: "test".into(), host: "*".into(), tls, ..RegistryCredentials::default() };
    OciRegistry::new(RegistrySettings { credentials: vec![entry], proxy: Proxy::None, ..RegistrySettings::default() })
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

/// A repository with a library of one object; its commit is clean.
fn library(name: &str) -> TestProject {
    let project = TestProject::from_files(&[
        ("deployment.yaml", "deployments:\n- path: item\n"),
        ("item/a.yaml", &map(name)),
        ("nested/.kluctl-library.yaml", "args:\n- name: suffix\n"),
        ("nested/deployment.yaml", "deployments:\n- path: ../shared\n"),
        ("shared/b.yaml", &map("shared-{{ args.suffix }}")),
        (".gitignore", "ignored\n"),
        ("ignored/secret", "not to be pushed"),
    ]);
    commit(&project);
    project
}

fn commit(project: &TestProject) {
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "first"]] {
        git(&project.dir(), arguments).expect("git");
    }
}

fn push(project: &TestProject, url: &str, more: &[&str]) -> Answer {
    project.run(&[&["oci", "push", "--url", url, "--output", "json"], more].concat())
}

/// Pushes, which must succeed; answers the digest.
fn pushed(project: &TestProject, url: &str, more: &[&str]) -> String {
    let answer = push(project, url, more);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{answer:?}");
    let document: Value = serde_json::from_str(&answer.stdout).expect("a document");
    document["digest"].as_str().expect("a digest").to_owned()
}

fn consumer(oci: &str) -> TestProject {
    TestProject::from_files(&[("deployment.yaml", &format!("deployments:\n- oci: {oci}\n"))])
}

fn assert_rendered(answer: &Answer, name: &str) {
    assert!(answer.code == 0 && answer.stdout.contains(&format!("name: {name}\n")), "{answer:?}");
}

#[test]
fn a_pushed_project_is_included_by_tag_and_by_digest() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    let first = pushed(&library("one"), &format!("{url}:v1"), &[]);
    pushed(&library("two"), &format!("{url}:v1"), &[]);
    pushed(&library("newest"), &url, &[]);
    for (reference, name) in [
        ("{tag: v1}".to_owned(), "two"),
        (format!("{{digest: '{first}'}}"), "one"),
        (format!("{{tag: v1, digest: '{first}'}}"), "one"),
        ("{}".to_owned(), "newest"),
    ] {
        let project = consumer(&format!("{{url: '{url}', ref: {reference}}}"));
        assert_rendered(&project.run(&RENDER), name);
    }
}

#[test]
fn sub_directories_libraries_and_paths_of_the_artifact_work() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    pushed(&library("one"), &url, &[]);
    let project = consumer(&format!("{{url: '{url}', subDir: nested}}\n  args: {{suffix: x}}"));
    assert_rendered(&project.run(&RENDER), "shared-x");
    let missing = consumer(&format!("{{url: '{url}', subDir: nope}}")).run(&RENDER);
    let expected = format!("{url}:latest: nope does not exist or is not a directory");
    assert!(missing.code == 1 && missing.stderr.contains(&expected), "{missing:?}");
    let outside = consumer(&format!("{{url: '{url}', subDir: ../..}}")).run(&RENDER);
    assert!(outside.code == 1 && outside.stderr.contains("../.."), "{outside:?}");
}

#[test]
fn mistakes_in_an_artifact_are_told_with_its_name() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    let project = TestProject::from_files(&[
        ("deployment.yaml", "deployments:\n- path: item\n- pth: x\n"),
        ("tpl/deployment.yaml", "deployments:\n- path: {{ nope }}\n"),
    ]);
    commit(&project);
    pushed(&project, &format!("{url}:v1"), &[]);
    let wrong = consumer(&format!("{{url: '{url}', ref: {{tag: v1}}}}")).run(&RENDER);
    assert!(wrong.stderr.contains(&format!("{url}:v1: deployment.yaml:3:3")), "{wrong:?}");
    let template = consumer(&format!("{{url: '{url}', ref: {{tag: v1}}, subDir: tpl}}")).run(&RENDER);
    assert!(template.stderr.contains(&format!("{url}:v1: tpl/deployment.yaml\", line 2")), "{template:?}");
    for answer in [wrong, template] {
        assert!(answer.code == 1 && !answer.stderr.contains("oci-"), "no temporary path: {answer:?}");
    }
}

#[test]
fn what_is_cached_is_not_fetched_again() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    let digest = pushed(&library("one"), &format!("{url}:v1"), &[]);
    let project = consumer(&format!("{{url: '{url}', ref: {{tag: v1}}}}"));
    assert_rendered(&project.run(&RENDER), "one");
    let seen = |project: &TestProject| {
        registry.forget_requests();
        assert_rendered(&project.run(&RENDER), "one");
        let requests = registry.requests().into_iter().filter(|request| request.path != "/v2/");
        requests.map(|request| format!("{} {}", request.method, request.path)).collect::<Vec<_>>()
    };
    assert_eq!(seen(&project), ["GET /v2/team/lib/manifests/v1"]);
    project.write("deployment.yaml", &format!("deployments:\n- oci: {{url: '{url}', ref: {{digest: '{digest}'}}}}\n"));
    assert_eq!(seen(&project), Vec::<String>::new());
}

#[test]
fn a_damaged_cache_is_filled_again() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    pushed(&library("one"), &url, &[]);
    let project = consumer(&format!("{{url: '{url}'}}"));
    assert_rendered(&project.run(&RENDER), "one");
    let cache = project.work().join("cache/oci");
    let files: Vec<_> = std::fs::read_dir(&cache).expect("a cache").flatten().collect();
    assert_eq!(files.len(), 2);
    files.iter().for_each(|file| std::fs::write(file.path(), "damaged").expect("a file"));
    assert_rendered(&project.run(&RENDER), "one");
}

#[test]
fn a_directory_stands_for_an_artifact() {
    let project = consumer("{url: 'oci://reg.example/Team/lib', subDir: sub}");
    project.write("../local/sub/deployment.yaml", "deployments:\n- path: item\n");
    project.write("../local/sub/item/a.yaml", &map("local"));
    for flag in ["--local-oci-override=reg.example/Team/lib=../local", "--local-oci-group-override=reg.example=.."] {
        let single = flag.contains("Team");
        if !single {
            project.write("../Team/lib/sub/deployment.yaml", "deployments:\n- path: item\n");
            project.write("../Team/lib/sub/item/a.yaml", &map("local"));
        }
        let flag = if single { flag.to_owned() } else { "--local-oci-group-override=reg.example/Team=../Team".into() };
        let rendered = project.run(&[&RENDER[..], &[&flag]].concat());
        assert_rendered(&rendered, "local");
        assert!(rendered.stderr.contains("Overriding oci repo oci://reg.example/Team/lib with local"), "{rendered:?}");
    }
    let typo = project.run(&[&RENDER[..], &["--local-oci-override=reg.example/Team/lib=../typo"]].concat());
    assert!(typo.code == 1 && typo.stderr.contains("../typo does not exist"), "{typo:?}");
}

#[test]
fn tokens_are_fetched_to_push_and_to_include() {
    let registry = Registry::start_with_tokens("me", "s3cret").expect("a registry");
    let host = registry.address();
    let url = format!("oci://{host}/team/lib");
    let ca = format!("--registry-ca-file={host}={}", registry.authority_file().expect("a certificate").display());
    let (user, password) = (format!("--registry-username={host}=me"), format!("--registry-password={host}=s3cret"));
    let login = [ca.as_str(), &user, &password];
    pushed(&library("one"), &url, &login);
    let project = consumer(&format!("{{url: '{url}'}}"));
    assert_rendered(&project.run(&[&RENDER[..], &login].concat()), "one");
    let wrong = format!("--registry-password={host}=not-this-0ne");
    for answer in [
        project.run(&[&RENDER[..], &[&ca, &user, &wrong], &["--git-cache-update-interval=1h"]].concat()),
        push(&library("two"), &url, &[&ca, &user, &wrong]),
        push(&library("two"), &url, &[&ca]),
    ] {
        assert!(answer.code == 1 && answer.stderr.contains(&host), "{answer:?}");
        assert!(!answer.stderr.contains("not-this-0ne") && !answer.stderr.contains("s3cret"), "{answer:?}");
    }
}

#[test]
fn a_pushed_artifact_is_what_flux_reads() {
    let registry = Registry::start().expect("a registry");
    let library = library("one");
    git(&library.dir(), &["remote", "add", "origin", "https://me:t0ken@git.example.com/team/lib.git"]).expect("git");
    let url = format!("oci://{}/team/lib", registry.address());
    let digest = pushed(&library, &url, &["--annotation", "a=b=c", "--annotation", "io.kluctl.image.git_info=mine"]);
    let (client, repository) = (client(), repository(&registry));
    let document = wait(client.manifest_document(&repository, "latest")).expect("a manifest");
    assert_eq!((document.digest.as_str(), document.media_type.as_str()), (digest.as_str(), MANIFEST));
    let manifest: Value = serde_json::from_slice(&document.bytes).expect("a manifest");
    assert_eq!(manifest["config"]["mediaType"], CONFIG);
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(manifest["layers"][0]["mediaType"], LAYER);
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["a"], "b=c");
    assert_eq!(annotations["org.opencontainers.image.source"], "https://git.example.com/team/lib.git");
    let revision = annotations["org.opencontainers.image.revision"].as_str().expect("a commit");
    assert_eq!(revision.len(), 40);
    assert!(annotations["org.opencontainers.image.created"].as_str().is_some_and(|time| time.ends_with('Z')));
    let info: Value =
        serde_json::from_str(annotations["io.kluctl.image.git_info"].as_str().expect("a text")).expect("JSON");
    let expected = json!({
        "url": "https://git.example.com/team/lib.git", "ref": {"branch": "main"}, "subDir": "", "commit": revision,
        "dirty": false,
    });
    assert_eq!(info, expected);
    // What image tools compare: the digest of the archive before compression.
    let layer = blob(&client, &repository, &manifest["layers"][0]);
    let config: Value = serde_json::from_slice(&blob(&client, &repository, &manifest["config"])).expect("JSON");
    assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(1));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&layer[..]));
    let names: Vec<String> = archive
        .entries()
        .expect("an archive")
        .map(|entry| entry.expect("an entry").path().expect("a path").display().to_string())
        .collect();
    assert!(names.contains(&"item/a.yaml".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("ignored") || name.starts_with(".git/")), "{names:?}");
    // The same files again: the registry has the layer already.
    registry.forget_requests();
    pushed(&library, &url, &[]);
    let again = wait(client.manifest_document(&repository, "latest")).expect("a manifest");
    let again: Value = serde_json::from_slice(&again.bytes).expect("a manifest");
    assert_eq!(again["layers"], manifest["layers"]);
    assert!(!registry.requests().iter().any(|request| request.method == "POST"), "{:?}", registry.requests());
}

#[test]
fn a_push_of_a_sub_directory_holds_only_that() {
    let registry = Registry::start().expect("a registry");
    let library = library("one");
    library.write("shared/b.yaml", "changed: true\n");
    let url = format!("oci://{}/team/lib", registry.address());
    pushed(&library, &url, &["--project-dir", "nested"]);
    let (client, repository) = (client(), repository(&registry));
    let document = wait(client.manifest_document(&repository, "latest")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&document.bytes).expect("a manifest");
    let info = manifest["annotations"]["io.kluctl.image.git_info"].as_str().expect("a text");
    assert!(info.contains(r#""subDir":"nested""#) && info.contains(r#""dirty":true"#), "{info}");
    let layer = blob(&client, &repository, &manifest["layers"][0]);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&layer[..]));
    let names = archive.entries().expect("an archive").map(|entry| entry.expect("an entry").path_bytes().into_owned());
    assert_eq!(names.collect::<Vec<_>>(), [b".kluctl-library.yaml".to_vec(), b"deployment.yaml".to_vec()]);
}

#[test]
fn a_push_that_cannot_be_done_says_why() {
    let registry = Registry::start_with_auth("me", "s3cret").expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    let plain = TestProject::from_files(&[("deployment.yaml", "")]);
    let no_repository = push(&plain, &url, &[]);
    assert!(no_repository.code == 1 && no_repository.stderr.contains("could not detect git repository root"));
    let anonymous = push(&library("one"), &url, &[]);
    assert!(anonymous.code == 1 && anonymous.stderr.contains("KLUCTL_REGISTRY_<n>_USERNAME"), "{anonymous:?}");
    assert_eq!(anonymous.stdout, "");
    let nobody = push(&library("one"), "oci://127.0.0.1:1/team/lib", &["--timeout", "20s"]);
    assert!(nobody.code == 1 && nobody.stderr.contains("127.0.0.1:1"), "{nobody:?}");
}

#[test]
fn artifacts_that_are_missing_are_told() {
    let registry = Registry::start().expect("a registry");
    let url = format!("oci://{}/team/lib", registry.address());
    pushed(&library("one"), &url, &[]);
    for reference in ["{tag: v9}".to_owned(), format!("{{digest: 'sha256:{}'}}", "0".repeat(64))] {
        let answer = consumer(&format!("{{url: '{url}', ref: {reference}}}")).run(&RENDER);
        assert!(answer.code == 1 && answer.stderr.contains("team/lib"), "{answer:?}");
    }
    let scheme = consumer("{url: 'https://reg.example/a'}").run(&RENDER);
    assert!(scheme.code == 1 && scheme.stderr.contains("unsupported scheme https, must be oci://"), "{scheme:?}");
}

fn repository(registry: &Registry) -> Repository {
    Repository::parse(&format!("{}/team/lib", registry.address())).expect("a repository")
}

fn blob(client: &OciRegistry, repository: &Repository, descriptor: &Value) -> Vec<u8> {
    let mut content = Vec::new();
    let digest = descriptor["digest"].as_str().expect("a digest");
    let size = wait(client.fetch_blob(repository, digest, 1 << 20, &mut content)).expect("a blob");
    assert_eq!(descriptor["size"], size);
    content
}

/// One entry of an archive that no archiver would write.
fn entry(path: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
        header.set_link_name("../outside").expect("a link");
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn packed(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    entries.iter().for_each(|entry| std::io::Write::write_all(&mut encoder, entry).expect("an entry"));
    std::io::Write::write_all(&mut encoder, &[0; 1024]).expect("an end");
    encoder.finish().expect("an archive")
}

/// Pushes a layer as `kluctl oci push` would.
fn push_layer(registry: &Registry, layer: Vec<u8>) {
    let (client, repository) = (client(), repository(registry));
    let layer = wait(client.push_blob(&repository, Bytes::from(layer))).expect("pushed");
    let config = wait(client.push_blob(&repository, Bytes::from_static(b"{}"))).expect("pushed");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size}],
    });
    wait(client.push_manifest(&repository, "latest", MANIFEST, Bytes::from(manifest.to_string()))).expect("pushed");
}

const LIMITS: UnpackLimits = UnpackLimits { packed: 64 << 10, total: 1 << 20, entries: 50, depth: 8 };

/// Fetches the artifact with small limits; the error, after nothing was seen outside of the folders of the run.
fn refusal(registry: &Registry) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = SourceSettings {
        git: windlass_git::GitSettings::default(),
        oci_cache_dir: folder.path().join("cache"),
        limits: LIMITS,
        overrides: Vec::new(),
        work_base: folder.path().join("work"),
    };
    let sources = FetchedSources::new(settings, Arc::new(client()), Arc::new(Silent));
    let url = OciUrl::parse(&format!("oci://{}/team/lib", registry.address())).expect("a url");
    let outcome = wait(sources.oci(&OciSource { url, reference: OciReference::default() }));
    let error = outcome.expect_err("must be refused").to_string();
    drop(sources);
    let left = |dir: &Path| std::fs::read_dir(dir).map_or(0, |entries| entries.flatten().count());
    assert_eq!(left(&folder.path().join("work")), 0, "nothing is left: {error}");
    error
}

/// Bytes that do not compress: a xorshift sequence.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4]
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn hostile_archives_are_refused() {
    let registry = Registry::start().expect("a registry");
    let regular = tar::EntryType::Regular;
    let many: Vec<_> = (0..51).map(|index| entry(&format!("f{index}"), regular, b"")).collect();
    let deep = format!("{}f", "d/".repeat(9));
    let noise = noise(200_000);
    let half = packed(&[entry("half", regular, &noise[..5000])]);
    for (layer, reason) in [
        (packed(&[entry("../escaped", regular, b"x")]), "the path leads out of the archive"),
        (packed(&[entry("/escaped", regular, b"x")]), "the path leads out of the archive"),
        (packed(&[entry("link", tar::EntryType::Link, b"")]), "neither a file nor a directory"),
        (packed(&[entry("pipe", tar::EntryType::Fifo, b"")]), "neither a file nor a directory"),
        (packed(&[entry("bomb", regular, &vec![0; 2 << 20])]), "more than 1048576 bytes"),
        (packed(&many), "more than 50 entries"),
        (packed(&[entry(&deep, regular, b"")]), "nested directories"),
        (packed(&[entry("noise", regular, &noise)]), "65536"),
        (b"plain text".to_vec(), "the first layer is no gzip archive"),
        (half[..half.len() / 2].to_vec(), "unpack"),
    ] {
        push_layer(&registry, layer);
        let error = refusal(&registry);
        assert!(error.contains(reason), "`{reason}` is not in: {error}");
        assert!(error.contains("team/lib"), "{error}");
    }
}

#[test]
fn links_of_an_archive_are_left_out() {
    let registry = Registry::start().expect("a registry");
    let regular = tar::EntryType::Regular;
    push_layer(
        &registry,
        packed(&[
            entry("item", tar::EntryType::Symlink, b""),
            entry("item/a.yaml", regular, map("real").as_bytes()),
            entry("deployment.yaml", regular, b"deployments:\n- path: item\n"),
        ]),
    );
    let project = consumer(&format!("{{url: 'oci://{}/team/lib'}}", registry.address()));
    project.write("../outside/a.yaml", &map("outside"));
    assert_rendered(&project.run(&RENDER), "real");
}

#[test]
fn an_index_is_no_project() {
    let registry = Registry::start().expect("a registry");
    registry.push_index("team/lib", "latest", &[("linux/amd64", "2024-01-01T00:00:00Z")]).expect("pushed");
    let error = refusal(&registry);
    assert!(error.contains("it has no layer; an artifact made by `kluctl oci push`"), "{error}");
}

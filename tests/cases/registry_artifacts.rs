//! Artifacts against real registries: what is pushed comes back, and nothing else is taken for it.

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::json;
use tokio::runtime::Runtime;
use windlass_registry::{
    Artifacts, Login, Manifest, OciRegistry, Proxy, Registry as _, RegistryCredentials, RegistryError,
    RegistrySettings, Repository,
};
use windlass_tests::{Quirks, Registry};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The harness blocks, so only the client's own work runs on a runtime.
fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    RUNTIME.block_on(work)
}

fn client(login: Option<(&str, &str)>) -> OciRegistry {
    let login = login.map(|(user, password)| Login::Basic { username: user.into(), password: password.into() });
    let entry =
        RegistryCredentials { origin: "test".into(), host: "*".into(), login, ..RegistryCredentials::default() };
    OciRegistry::new(RegistrySettings { credentials: vec![entry], proxy: Proxy::None, ..RegistrySettings::default() })
}

fn repository(registry: &Registry) -> Repository {
    Repository::parse(&format!("{}/charts/web", registry.address())).expect("a repository")
}

/// Pushes a chart of one layer; answers the digests of manifest and layer.
fn push(client: &OciRegistry, repository: &Repository) -> (String, String) {
    let layer = wait(client.push_blob(repository, Bytes::from_static(b"a chart"))).expect("pushed");
    let config = wait(client.push_blob(repository, Bytes::from_static(b"{}"))).expect("pushed");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER, "digest": layer.digest, "size": layer.size}],
    });
    let document = Bytes::from(manifest.to_string());
    let digest = wait(client.push_manifest(repository, "1.0.0", MANIFEST, document)).expect("pushed");
    (digest, layer.digest)
}

fn round_trip(registry: &Registry, login: Option<(&str, &str)>) {
    let (client, repository) = (client(login), repository(registry));
    let (digest, layer) = push(&client, &repository);
    let by_tag = wait(client.manifest_document(&repository, "1.0.0")).expect("a document");
    let by_digest = wait(client.manifest_document(&repository, &digest)).expect("a document");
    assert_eq!(by_tag, by_digest);
    assert_eq!((by_tag.digest.as_str(), by_tag.media_type.as_str()), (digest.as_str(), MANIFEST));
    let head = wait(client.manifest(&repository, "1.0.0")).expect("a digest");
    assert_eq!(head, Manifest { digest, media_type: Some(MANIFEST.to_owned()) });
    let mut content = Vec::new();
    assert_eq!(wait(client.fetch_blob(&repository, &layer, 7, &mut content)), Ok(7));
    assert_eq!(content, b"a chart");
    let too_large = wait(client.fetch_blob(&repository, &layer, 6, &mut content));
    assert!(matches!(too_large, Err(RegistryError::TooLarge { limit: 6, .. })), "{too_large:?}");
}

#[test]
fn artifacts_come_back_from_the_memory_registry() {
    round_trip(&Registry::start().expect("a registry"), None);
}

#[test]
fn artifacts_come_back_from_the_distribution_registry_with_a_password() {
    let registry = Registry::start_with_auth("user", "secret").expect("a registry");
    round_trip(&registry, Some(("user", "secret")));
    let refused = wait(client(Some(("user", "wrong"))).push_blob(&repository(&registry), Bytes::from_static(b"x")));
    assert!(matches!(refused, Err(RegistryError::Unauthorized { status: 401, .. })), "{refused:?}");
}

#[test]
fn a_blob_that_is_there_is_not_uploaded_again() {
    let registry = Registry::start().expect("a registry");
    let (client, repository) = (client(None), repository(&registry));
    push(&client, &repository);
    registry.forget_requests();
    push(&client, &repository);
    let methods: Vec<_> = registry.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "PUT"]);
}

#[test]
fn a_download_that_breaks_off_starts_again_and_one_that_always_does_fails() {
    let registry = Registry::start().expect("a registry");
    let (client, repository) = (client(None), repository(&registry));
    let (_, layer) = push(&client, &repository);
    let mut content = b"left over".to_vec();
    let only = "/blobs/".to_owned();
    registry.set_quirks(Quirks { only: only.clone(), server_errors: Some((1, 502)), ..Quirks::default() });
    assert_eq!(wait(client.fetch_blob(&repository, &layer, 100, &mut content)), Ok(7));
    assert_eq!(content, b"a chart");
    registry.set_quirks(Quirks { only, cut_after: Some(3), ..Quirks::default() });
    let broken = wait(client.fetch_blob(&repository, &layer, 100, &mut content));
    assert!(matches!(broken, Err(RegistryError::Connect { .. })), "{broken:?}");
}

#[test]
fn what_is_missing_is_told() {
    let registry = Registry::start().expect("a registry");
    let (client, repository) = (client(None), repository(&registry));
    push(&client, &repository);
    let absent = format!("sha256:{}", "0".repeat(64));
    for reference in ["2.0.0", absent.as_str()] {
        let missing = wait(client.manifest_document(&repository, reference));
        assert!(matches!(missing, Err(RegistryError::ManifestNotFound { .. })), "{missing:?}");
    }
    let mut content = Vec::new();
    let missing = wait(client.fetch_blob(&repository, &absent, 10, &mut content));
    assert!(matches!(missing, Err(RegistryError::ManifestNotFound { .. })), "{missing:?}");
    let refused = wait(client.fetch_blob(&repository, "1.0.0", 10, &mut content));
    assert!(matches!(refused, Err(RegistryError::UnknownDigest { .. })), "{refused:?}");
}

//! What goes over the wire, and what comes of the answers, against a server that plays the API.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use windlass_cluster::kube::{ConnectError, ConnectOptions, KubeCluster};
use windlass_cluster::kubeconfig::{KubeconfigSources, choose_context};
use windlass_cluster::{
    Cluster, ClusterError, DeleteOptions, DryRun, ListRequest, Patch, Propagation, Scope, WriteOptions, cluster_id,
};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use wiremock::matchers::{header, header_exists, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

struct Server {
    api: MockServer,
    dir: tempfile::TempDir,
}

impl Server {
    /// Answers version and aggregated discovery with ConfigMaps and namespaces.
    async fn start() -> Self {
        let server = Self::silent().await;
        server.answer("/version", json!({"gitVersion": "v1.35.4", "major": "1", "minor": "35"})).await;
        server.discovery().await;
        server
    }

    async fn silent() -> Self {
        Self { api: MockServer::start().await, dir: tempfile::tempdir().unwrap() }
    }

    async fn discovery(&self) {
        let resource = |name: &str, kind: &str, scope: &str| {
            json!({"resource": name, "responseKind": {"kind": kind}, "scope": scope,
                "verbs": ["list", "get"], "subresources": []})
        };
        let core = json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [{"version": "v1",
            "resources": [resource("configmaps", "ConfigMap", "Namespaced"), resource("namespaces", "Namespace", "Cluster")]}]}]});
        let groups = json!({"kind": "APIGroupDiscoveryList", "items": []});
        for (place, tag) in [("/api", "\"one\""), ("/apis", "\"two\"")] {
            Mock::given(path(place))
                .and(header("if-none-match", tag))
                .respond_with(ResponseTemplate::new(304))
                .with_priority(1)
                .mount(&self.api)
                .await;
        }
        for (place, tag, body) in [("/api", "\"one\"", core), ("/apis", "\"two\"", groups)] {
            let answer = ResponseTemplate::new(200).insert_header("etag", tag).set_body_json(body);
            Mock::given(path(place)).respond_with(answer).mount(&self.api).await;
        }
    }

    async fn answer(&self, place: &str, body: Value) {
        Mock::given(path(place)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&self.api).await;
    }

    async fn refuse(&self, verb: &str, code: u16, message: &str) {
        let body = json!({"kind": "Status", "message": message, "reason": "X", "code": code});
        let answer = ResponseTemplate::new(code).set_body_json(body);
        Mock::given(method(verb)).and(path(CONFIG_MAP)).respond_with(answer).mount(&self.api).await;
    }

    async fn connect(&self) -> Result<KubeCluster, ConnectError> {
        connect(&self.api.uri(), self.dir.path()).await
    }

    async fn connected(&self) -> KubeCluster {
        self.connect().await.unwrap()
    }

    /// `METHOD PATH?QUERY` of all requests for one place.
    async fn seen(&self, place: &str) -> Vec<wiremock::Request> {
        let all = self.api.received_requests().await.unwrap();
        all.into_iter().filter(|request| request.url.path() == place).collect()
    }
}

async fn connect(server: &str, dir: &Path) -> Result<KubeCluster, ConnectError> {
    let file = dir.join("kubeconfig");
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: held\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: held, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{token: t0p-secret}}}}]\n"
    );
    std::fs::write(&file, config).unwrap();
    let sources = KubeconfigSources { explicit: Some(file), ..KubeconfigSources::default() };
    let chosen = choose_context(&sources, None).unwrap().unwrap();
    KubeCluster::connect(chosen, ConnectOptions { cache_dir: Some(dir.to_owned()) }).await
}

const CONFIG_MAP: &str = "/api/v1/namespaces/default/configmaps/a";
const CONFIG_MAPS: &str = "/api/v1/configmaps";

fn config_map() -> Object {
    Object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}))
}

fn gvk() -> Gvk {
    Gvk::from_api_version("v1", "ConfigMap")
}

fn dry_run() -> WriteOptions<'static> {
    WriteOptions::deployment(DryRun::All)
}

#[tokio::test]
async fn connecting_reads_version_and_discovery() {
    let server = Server::start().await;
    let cluster = server.connected().await;
    assert_eq!((cluster.context(), cluster.server_version().git_version.as_str()), ("held", "v1.35.4"));
    assert_eq!(cluster.discovery().scope(&gvk()), Some(Scope::Namespaced));
    assert_eq!(server.seen("/version").await[0].headers["authorization"], "Bearer t0p-secret");
}

#[tokio::test]
async fn the_next_connection_only_asks_whether_discovery_changed() {
    let server = Server::start().await;
    server.connected().await;
    let cluster = server.connected().await;
    assert!(cluster.discovery().resource(&gvk()).is_some());
    let requests = server.seen("/api").await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].headers["if-none-match"], "\"one\"");
}

#[tokio::test]
async fn a_server_without_aggregation_is_asked_group_by_group() {
    let server = Server::silent().await;
    server.answer("/version", json!({"gitVersion": "v1.20.0"})).await;
    server.answer("/api", json!({"kind": "APIVersions", "versions": ["v1"]})).await;
    let group =
        |name: &str| json!({"name": name, "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}});
    server.answer("/apis", json!({"kind": "APIGroupList", "groups": [group("apps"), group("down")]})).await;
    let resources = |name: &str, kind: &str| {
        json!({"resources": [{"name": name, "kind": kind, "namespaced": true, "verbs": ["list"]},
            {"name": format!("{name}/status"), "kind": kind, "namespaced": true}]})
    };
    server.answer("/api/v1", resources("pods", "Pod")).await;
    server.answer("/apis/apps/v1", resources("deployments", "Deployment")).await;
    // Group `down` answers 404: its server is away, and the others still count.
    let cluster = server.connected().await;
    let kinds: Vec<_> = cluster.discovery().preferred().iter().map(|resource| resource.kind.clone()).collect();
    assert_eq!(kinds, ["Pod", "Deployment"]);
    let deployment = Gvk::from_api_version("apps/v1", "Deployment");
    assert_eq!(cluster.discovery().resource(&deployment).unwrap().subresources, ["status"]);
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_its_context() {
    let dir = tempfile::tempdir().unwrap();
    let error = connect("http://127.0.0.1:1", dir.path()).await.err().unwrap().to_string();
    let start = "connect to cluster at `http://127.0.0.1:1` (context `held`): GET /version: ";
    assert!(error.starts_with(start), "{error}");
    assert!(error.to_lowercase().contains("connection refused"), "{error}");
}

#[tokio::test]
async fn refused_credentials_are_fatal_and_stay_secret() {
    let server = Server::silent().await;
    let body = json!({"kind": "Status", "message": "Unauthorized", "reason": "Unauthorized"});
    Mock::given(path("/version")).respond_with(ResponseTemplate::new(401).set_body_json(body)).mount(&server.api).await;
    server.discovery().await;
    let error = server.connect().await.err().unwrap();
    assert!(error.to_string().ends_with("(context `held`): Unauthorized"), "{error}");
    assert!(!format!("{error:?}").contains("t0p-secret"));
}

#[tokio::test]
async fn missing_certificates_are_a_credentials_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: held\n\
        clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', certificate-authority: missing.crt}}]\n\
        contexts: [{name: held, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n";
    std::fs::write(&file, text).unwrap();
    let sources = KubeconfigSources { explicit: Some(file), ..KubeconfigSources::default() };
    let chosen = choose_context(&sources, None).unwrap().unwrap();
    let error = KubeCluster::connect(chosen, ConnectOptions::default()).await.err().unwrap();
    assert!(matches!(error, ConnectError::Credentials { .. }), "{error}");
    assert!(error.to_string().contains("missing.crt"), "{error}");
}

#[tokio::test]
async fn a_failing_credential_plugin_is_a_credentials_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kubeconfig");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: held\n\
        clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        contexts: [{name: held, context: {cluster: c, user: u}}]\n\
        users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, \
        interactiveMode: Never}}}]\n";
    std::fs::write(&file, text).unwrap();
    let sources = KubeconfigSources { explicit: Some(file), ..KubeconfigSources::default() };
    let chosen = choose_context(&sources, None).unwrap().unwrap();
    let error = KubeCluster::connect(chosen, ConnectOptions::default()).await.err().unwrap();
    assert!(error.to_string().starts_with("prepare credentials of context `held`: "), "{error}");
}

#[tokio::test]
async fn apply_sends_manager_force_and_dry_run_and_returns_warnings() {
    let server = Server::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("warning", "299 - \"unknown field\"")
        .set_body_json(json!({"kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}}));
    Mock::given(method("PATCH"))
        .and(path(CONFIG_MAP))
        .and(query_param("fieldManager", "kluctl"))
        .and(query_param("force", "false"))
        .and(query_param("dryRun", "All"))
        .and(header("content-type", "application/apply-patch+yaml"))
        .respond_with(answer)
        .mount(&server.api)
        .await;
    let applied = server.connected().await.apply(&config_map(), dry_run()).await.unwrap();
    assert_eq!(applied.warnings, ["unknown field"]);
    assert_eq!(applied.value.0["metadata"]["uid"], "u");
    let sent: Value = server.seen(CONFIG_MAP).await[0].body_json().unwrap();
    assert_eq!(sent, config_map().0);
}

#[tokio::test]
async fn a_field_conflict_carries_its_causes() {
    let server = Server::start().await;
    let body = json!({"kind": "Status", "message": "Apply failed with 1 conflict", "reason": "Conflict", "details":
        {"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"robot\"", "field": ".data.a"}]}});
    Mock::given(method("PATCH")).respond_with(ResponseTemplate::new(409).set_body_json(body)).mount(&server.api).await;
    let error = server.connected().await.apply(&config_map(), dry_run()).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(error.failure().unwrap().causes[0].field, ".data.a");
    assert_eq!(error.failure().unwrap().request.to_string(), format!("PATCH {CONFIG_MAP}"));
}

#[tokio::test]
async fn delete_sends_its_options() {
    let server = Server::start().await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&server.api)
        .await;
    let options = DeleteOptions { propagation: Propagation::Foreground, dry_run: DryRun::All, uid: Some("u") };
    server.connected().await.delete(&config_map().object_ref(), options).await.unwrap();
    let sent: Value = server.seen(CONFIG_MAP).await[0].body_json().unwrap();
    assert_eq!(
        sent,
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground",
        "dryRun": ["All"], "preconditions": {"uid": "u"}})
    );
}

#[tokio::test]
async fn a_deletion_tells_the_uid_of_what_goes() {
    for body in
        [json!({"kind": "Status", "details": {"uid": "u"}}), json!({"kind": "ConfigMap", "metadata": {"uid": "u"}})]
    {
        let server = Server::start().await;
        Mock::given(method("DELETE"))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&server.api)
            .await;
        let deletion = server.connected().await.delete(&config_map().object_ref(), DeleteOptions::default()).await;
        assert_eq!(deletion.unwrap().value.uid.as_deref(), Some("u"));
    }
}

#[tokio::test]
async fn errors_keep_the_words_of_the_server() {
    let server = Server::start().await;
    server.refuse("GET", 403, "configmaps \"a\" is forbidden").await;
    server.refuse("PUT", 422, "ConfigMap \"a\" is invalid").await;
    server.refuse("DELETE", 404, "configmaps \"a\" not found").await;
    let cluster = server.connected().await;
    let reference = config_map().object_ref();
    let error = cluster.get(&reference).await.unwrap_err();
    assert!(error.is_forbidden() && error.to_string() == "configmaps \"a\" is forbidden");
    let error = cluster.replace(&config_map(), dry_run()).await.unwrap_err();
    assert_eq!(error.to_string(), "ConfigMap \"a\" is invalid");
    assert!(cluster.delete(&reference, DeleteOptions::default()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_path_that_is_not_served_is_an_unknown_kind() {
    let server = Server::start().await;
    let cluster = server.connected().await;
    // The mock server answers 404 without a `Status`, as an API server does for the path of a removed kind.
    let error = cluster.get(&config_map().object_ref()).await.unwrap_err();
    assert!(error.is_unknown_kind(), "{error}");
    let other = ObjectRef::new(&Gvk::from_api_version("example.org/v1", "Gizmo"), "default", "a");
    let error = cluster.get(&other).await.unwrap_err();
    assert_eq!(error.to_string(), "no matches for kind \"Gizmo\" in version \"example.org/v1\"");
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_reported_with_its_request() {
    let server = Server::start().await;
    let answer = ResponseTemplate::new(200).set_body_string("<html>");
    Mock::given(path(CONFIG_MAP)).respond_with(answer).mount(&server.api).await;
    let error = server.connected().await.get(&config_map().object_ref()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Decode { .. }));
    assert!(error.to_string().starts_with(&format!("GET {CONFIG_MAP}: unreadable answer: ")), "{error}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let server = Server::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0");
    Mock::given(path(CONFIG_MAP)).respond_with(busy).up_to_n_times(3).with_priority(1).mount(&server.api).await;
    server.answer(CONFIG_MAP, config_map().0).await;
    server.connected().await.get(&config_map().object_ref()).await.unwrap();
    assert_eq!(server.seen(CONFIG_MAP).await.len(), 4);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_an_error_in_the_end() {
    let server = Server::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "0").set_body_string("overloaded");
    Mock::given(path(CONFIG_MAP)).respond_with(busy).mount(&server.api).await;
    let error = server.connected().await.get(&config_map().object_ref()).await.unwrap_err();
    assert_eq!(error.to_string(), "the server answered 503 Service Unavailable: overloaded");
}

#[tokio::test]
async fn an_internal_error_is_final() {
    let server = Server::start().await;
    server.refuse("PATCH", 500, "broken").await;
    let cluster = server.connected().await;
    assert_eq!(cluster.apply(&config_map(), dry_run()).await.unwrap_err().to_string(), "broken");
    assert_eq!(server.seen(CONFIG_MAP).await.len(), 1);
}

fn page(names: &[&str], next: &str) -> ResponseTemplate {
    let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"name": name, "namespace": "default"}})).collect();
    ResponseTemplate::new(200).set_body_json(json!({"metadata": {"continue": next}, "items": items}))
}

#[tokio::test]
async fn a_list_follows_all_pages_and_names_its_items_kind() {
    let server = Server::start().await;
    let base = || Mock::given(path(CONFIG_MAPS)).and(query_param("labelSelector", "a=b c"));
    base().and(query_param_is_missing("continue")).respond_with(page(&["a"], "t1")).mount(&server.api).await;
    base().and(query_param("continue", "t1")).respond_with(page(&["b"], "t2")).mount(&server.api).await;
    base().and(query_param("continue", "t2")).respond_with(page(&["c"], "")).mount(&server.api).await;
    let list = server.connected().await.list(&ListRequest::all(gvk()).with_label("a", "b c")).await.unwrap().value;
    let shown: Vec<_> = list.iter().map(|object| object.object_ref().to_string()).collect();
    assert_eq!(shown, ["default/ConfigMap/a", "default/ConfigMap/b", "default/ConfigMap/c"]);
}

#[tokio::test]
async fn an_expired_page_token_starts_over_without_pages() {
    let server = Server::start().await;
    let base = || Mock::given(path(CONFIG_MAPS));
    let expired = json!({"kind": "Status", "message": "too old", "reason": "Expired"});
    base()
        .and(query_param("continue", "t1"))
        .respond_with(ResponseTemplate::new(410).set_body_json(expired))
        .mount(&server.api)
        .await;
    base().and(query_param("limit", "500")).respond_with(page(&["a"], "t1")).mount(&server.api).await;
    base().and(query_param_is_missing("limit")).respond_with(page(&["a", "b"], "")).mount(&server.api).await;
    assert_eq!(server.connected().await.list(&ListRequest::all(gvk())).await.unwrap().value.len(), 2);
}

#[tokio::test]
async fn a_list_that_does_not_advance_is_an_error() {
    let server = Server::start().await;
    Mock::given(path(CONFIG_MAPS)).respond_with(page(&["a"], "same")).mount(&server.api).await;
    let error = server.connected().await.list(&ListRequest::all(gvk())).await.unwrap_err();
    assert!(error.to_string().contains("the same continue token came twice"), "{error}");
}

#[tokio::test]
async fn a_list_that_breaks_off_gives_no_part_of_it() {
    let server = Server::start().await;
    let base = || Mock::given(path(CONFIG_MAPS));
    let denied = json!({"kind": "Status", "message": "denied", "reason": "Forbidden"});
    let denied = ResponseTemplate::new(403).set_body_json(denied);
    base().and(query_param("continue", "t1")).respond_with(denied).mount(&server.api).await;
    base().respond_with(page(&["a"], "t1")).mount(&server.api).await;
    assert!(server.connected().await.list(&ListRequest::all(gvk())).await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn metadata_lists_ask_for_metadata() {
    let server = Server::start().await;
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    Mock::given(path("/api/v1/namespaces/n/configmaps"))
        .and(header("accept", accept))
        .respond_with(page(&["a"], ""))
        .mount(&server.api)
        .await;
    let request = ListRequest::all(gvk()).in_namespace("n").metadata_only();
    assert_eq!(server.connected().await.list(&request).await.unwrap().value[0].kind(), "ConfigMap");
}

#[tokio::test]
async fn patches_have_their_content_types() {
    let server = Server::start().await;
    for kind in ["application/merge-patch+json", "application/json-patch+json"] {
        Mock::given(method("PATCH"))
            .and(header("content-type", kind))
            .respond_with(ResponseTemplate::new(200).set_body_json(config_map().0))
            .expect(1)
            .mount(&server.api)
            .await;
    }
    let cluster = server.connected().await;
    let reference = config_map().object_ref();
    cluster.patch(&reference, &Patch::Merge(json!({})), dry_run()).await.unwrap();
    cluster.patch(&reference, &Patch::Json(json!([])), dry_run()).await.unwrap();
}

#[tokio::test]
async fn parallel_refreshes_become_one() {
    let server = Server::start().await;
    let cluster = Arc::new(server.connected().await);
    let before = server.seen("/apis").await.len();
    let refreshes = (0..10).map(|_| cluster.refresh_discovery());
    futures::future::try_join_all(refreshes).await.unwrap();
    assert_eq!(server.seen("/apis").await.len() - before, 1);
}

#[tokio::test]
async fn the_cluster_id_is_the_uid_of_kube_system() {
    let server = Server::start().await;
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "the-id"}});
    Mock::given(path("/api/v1/namespaces/kube-system"))
        .and(header_exists("authorization"))
        .respond_with(ResponseTemplate::new(200).set_body_json(namespace))
        .mount(&server.api)
        .await;
    assert_eq!(cluster_id(&server.connected().await).await.unwrap(), "the-id");
}

/// Forwards connections to the API, and drops the first `broken` requests for objects without an answer.
async fn dropping_proxy(server: &Server, broken: usize) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = *server.api.address();
    let left = Arc::new(std::sync::atomic::AtomicUsize::new(broken));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, target, left.clone()));
        }
    });
    format!("http://{address}")
}

async fn forward(
    mut client: tokio::net::TcpStream,
    target: std::net::SocketAddr,
    left: Arc<std::sync::atomic::AtomicUsize>,
) {
    use std::sync::atomic::Ordering::SeqCst;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut upstream = tokio::net::TcpStream::connect(target).await.unwrap();
    let (mut from_client, mut from_server) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(length) if length > 0 => {
                    let is_object = String::from_utf8_lossy(&from_client[..length]).contains(CONFIG_MAP);
                    if is_object && left.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok() {
                        return;
                    }
                    upstream.write_all(&from_client[..length]).await.unwrap();
                }
                _ => return,
            },
            read = upstream.read(&mut from_server) => match read {
                Ok(length) if length > 0 => client.write_all(&from_server[..length]).await.unwrap(),
                _ => return,
            },
        }
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_where_that_changes_nothing() {
    let server = Server::start().await;
    server.answer(CONFIG_MAP, config_map().0).await;
    let cluster = connect(&dropping_proxy(&server, 2).await, server.dir.path()).await.unwrap();
    cluster.apply(&config_map(), dry_run()).await.unwrap();
}

#[tokio::test]
async fn a_replace_is_not_repeated_after_a_broken_connection() {
    let server = Server::start().await;
    server.answer(CONFIG_MAP, config_map().0).await;
    let cluster = connect(&dropping_proxy(&server, 1).await, server.dir.path()).await.unwrap();
    let error = cluster.replace(&config_map(), dry_run()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Transport { .. }), "{error}");
    assert!(server.seen(CONFIG_MAP).await.is_empty());
}

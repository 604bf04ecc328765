use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::result::{CommandInfo, DeploymentError, ResultObject};

use super::*;
use crate::naming::secret_name;

const NAMESPACE: &str = "kluctl-results";

fn settings(keep: usize) -> StoreSettings {
    StoreSettings { keep_command_results: keep, keep_validate_results: keep, ..Default::default() }
}

async fn store(cluster: &Arc<FakeCluster>, settings: StoreSettings) -> ResultStore {
    let cluster: Arc<dyn Cluster> = cluster.clone();
    match ResultStore::open(cluster, settings).await.unwrap() {
        Opened::Ready(store) => store,
        Opened::NotPermitted => panic!("not permitted"),
    }
}

fn target(name: &str) -> TargetKey {
    TargetKey { target_name: name.into(), cluster_id: "1".into(), discriminator: "d".into() }
}

fn result(id: &str, second: u32) -> CommandResult {
    CommandResult {
        id: id.into(),
        target_key: target("dev"),
        command: CommandInfo {
            command: "deploy".into(),
            start_time: Some(format!("2024-05-01T10:00:{second:02}Z")),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn validation(id: &str) -> ValidateResult {
    ValidateResult { id: id.into(), target_key: target("dev"), ready: true, ..Default::default() }
}

fn secret(id: &str) -> ObjectRef {
    let project = ProjectKey::default();
    secret_ref(NAMESPACE, &secret_name(ResultKind::Command, &project, id).unwrap())
}

fn namespace() -> ObjectRef {
    namespace_ref(NAMESPACE)
}

fn kube_system() -> ObjectRef {
    namespace_ref("kube-system")
}

fn namespaces() -> ObjectRef {
    ObjectRef { name: String::new(), ..namespace() }
}

fn secrets() -> ObjectRef {
    secret_ref(NAMESPACE, "")
}

fn lines(written: &Written) -> Vec<String> {
    written.notes.iter().map(Note::to_string).collect()
}

async fn ids(store: &ResultStore) -> Vec<String> {
    let summaries = store.list_summaries(&ProjectKey::default(), Reach::Namespace).await.unwrap();
    summaries.into_iter().map(|summary| summary.id).collect()
}

fn sorted_requests(cluster: &FakeCluster) -> Vec<String> {
    let mut requests = cluster.requests();
    requests.sort();
    requests
}

#[tokio::test]
async fn the_first_result_creates_its_namespace() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    cluster.clear_requests();
    let written = store.write_command_result(&result("a", 1)).await.unwrap();
    assert_eq!(written, Written { secret: secret("a"), notes: Vec::new() });
    let wanted = [
        "Apply Namespace/kluctl-results",
        "Apply kluctl-results/Secret/cr-a",
        "Apply kluctl-results/Secret/cr-a",
        "List kluctl-results/Secret",
    ];
    assert_eq!(sorted_requests(&cluster), wanted);
    let object = cluster.object(&secret("a")).unwrap();
    assert_eq!(object.0["metadata"]["managedFields"][0]["manager"], "kluctl-results");
    assert!(object.0.get("type").is_none());
}

#[tokio::test]
async fn opening_reads_the_cluster_id_and_writes_nothing() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    assert_eq!(cluster.requests(), ["Get Namespace/kube-system"]);
    assert!(store.cluster_id().starts_with("uid-"));
}

#[tokio::test]
async fn without_permission_the_store_does_not_open() {
    let cluster = Arc::new(FakeCluster::new());
    cluster.fail_with(Verb::Get, &kube_system(), 403, "forbidden");
    cluster.fail_with(Verb::List, &namespaces(), 403, "forbidden");
    let opened = ResultStore::open(cluster, settings(5)).await.unwrap();
    assert!(matches!(opened, Opened::NotPermitted));
}

#[tokio::test]
async fn listing_namespaces_is_permission_enough() {
    let cluster = Arc::new(FakeCluster::new());
    cluster.fail_with(Verb::Get, &kube_system(), 403, "forbidden");
    store(&cluster, settings(5)).await;
}

#[tokio::test]
async fn other_failures_of_opening_are_errors() {
    for (code, message) in [(401, "Unauthorized"), (500, "broken"), (404, "namespaces \"kube-system\" not found")] {
        let cluster = Arc::new(FakeCluster::new());
        cluster.fail_with(Verb::Get, &kube_system(), code, message);
        let error = ResultStore::open(cluster, settings(5)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("determine the cluster id: {message}"));
        assert_eq!(error.is_permission(), code == 401);
    }
    let settings = StoreSettings { namespace: String::new(), ..settings(5) };
    let error = ResultStore::open(Arc::new(FakeCluster::new()), settings).await.unwrap_err();
    assert!(matches!(error, StoreError::NoNamespace));
}

#[tokio::test]
async fn what_is_written_reads_back_in_full() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    let object = |color: &str| {
        Some(Object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"c": color}})))
    };
    let object_ref = ObjectRef::new(&Gvk::from_api_version("v1", "ConfigMap"), "", "x");
    let mut stored = result("a", 1);
    stored.objects =
        vec![ResultObject { object_ref, rendered: object("red"), applied: object("blue"), ..Default::default() }];
    stored.errors = vec![DeploymentError::general("late")];
    store.write_command_result(&stored).await.unwrap();
    store.write_command_result(&result("b", 2)).await.unwrap();
    for reach in [Reach::Namespace, Reach::Cluster] {
        assert_eq!(store.read("a", reach).await.unwrap(), stored);
    }
    let summaries = store.list_summaries(&ProjectKey::default(), Reach::Cluster).await.unwrap();
    assert_eq!(summaries, [result("b", 2).summary(), stored.summary()]);
}

#[tokio::test]
async fn results_of_other_namespaces_need_the_wider_reach() {
    let cluster = Arc::new(FakeCluster::new());
    let elsewhere = StoreSettings { namespace: "other".into(), ..settings(5) };
    store(&cluster, elsewhere).await.write_command_result(&result("a", 1)).await.unwrap();
    let store = store(&cluster, settings(5)).await;
    assert!(store.read("a", Reach::Namespace).await.is_err());
    assert!(store.read("a", Reach::Cluster).await.is_ok());
    assert_eq!(ids(&store).await, [""; 0]);
}

#[tokio::test]
async fn an_unknown_id_is_not_found() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    store.write_validate_result(&validation("a")).await.unwrap();
    for id in ["b", "a", "", "a,kluctl.io/result=true"] {
        let error = store.read(id, Reach::Cluster).await.unwrap_err();
        assert_eq!(error.to_string(), format!("command result with id {id} not found"));
    }
    assert_eq!(store.read_validate("b", Reach::Cluster).await.unwrap(), None);
}

#[tokio::test]
async fn old_results_go_and_are_named() {
    let cluster = Arc::new(FakeCluster::new());
    let all = store(&cluster, settings(9)).await;
    for (id, second) in [("a", 1), ("b", 2), ("c", 3)] {
        all.write_command_result(&result(id, second)).await.unwrap();
    }
    let one = store(&cluster, settings(1)).await;
    let written = one.write_command_result(&result("d", 4)).await.unwrap();
    let wanted = ["c", "b", "a"].map(|id| format!("Deleted old command result {id}"));
    assert_eq!(lines(&written), wanted);
    assert_eq!(written.events().next(), Some(windlass_model::event::Event::Info { text: wanted[0].clone() }));
    assert_eq!(ids(&one).await, ["d"]);
}

#[tokio::test]
async fn a_run_within_the_same_second_keeps_the_last_one() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(1)).await;
    store.write_command_result(&result("a", 1)).await.unwrap();
    store.write_command_result(&result("b", 1)).await.unwrap();
    assert_eq!(ids(&store).await, ["b"]);
}

#[tokio::test]
async fn other_targets_and_namespaces_stay() {
    let cluster = Arc::new(FakeCluster::new());
    let mut prod = result("prod", 1);
    prod.target_key = target("prod");
    let store_here = store(&cluster, settings(1)).await;
    store_here.write_command_result(&prod).await.unwrap();
    let elsewhere = StoreSettings { namespace: "other".into(), ..settings(1) };
    store(&cluster, elsewhere).await.write_command_result(&result("other", 1)).await.unwrap();
    let written = store_here.write_command_result(&result("a", 2)).await.unwrap();
    assert_eq!(lines(&written), [""; 0]);
    assert_eq!(ids(&store_here).await, ["a", "prod"]);
    assert!(store_here.read("other", Reach::Cluster).await.is_ok());
}

#[tokio::test]
async fn validate_results_have_a_count_of_their_own() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, StoreSettings { keep_validate_results: 1, ..settings(5) }).await;
    store.write_command_result(&result("c", 1)).await.unwrap();
    store.write_validate_result(&validation("a")).await.unwrap();
    let written = store.write_validate_result(&validation("b")).await.unwrap();
    assert_eq!(lines(&written), ["Deleted old validate result a"]);
    let left = store.list_validate_summaries(&ProjectKey::default(), Reach::Namespace).await.unwrap();
    assert_eq!(left, [validation("b").summary()]);
    assert_eq!(store.read_validate("b", Reach::Namespace).await.unwrap(), Some(validation("b")));
    assert_eq!(ids(&store).await, ["c"]);
}

#[tokio::test]
async fn a_list_that_is_not_permitted_is_ignored_and_any_other_failure_is_a_warning() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(0)).await;
    cluster.fail_with(Verb::List, &secrets(), 403, "forbidden");
    assert_eq!(lines(&store.write_command_result(&result("a", 1)).await.unwrap()), [""; 0]);
    cluster.fail_with(Verb::List, &secrets(), 500, "broken");
    let written = store.write_command_result(&result("b", 2)).await.unwrap();
    assert_eq!(lines(&written), ["Failed to look for old command results: broken"]);
    assert!(cluster.object(&secret("a")).is_some() && cluster.object(&secret("b")).is_some());
}

#[tokio::test]
async fn a_failed_deletion_is_a_warning_and_the_others_go_on() {
    let cluster = Arc::new(FakeCluster::new());
    let all = store(&cluster, settings(9)).await;
    for (id, second) in [("a", 1), ("b", 2), ("c", 3)] {
        all.write_command_result(&result(id, second)).await.unwrap();
    }
    cluster.fail_with(Verb::Delete, &secret("c"), 403, "not yours");
    cluster.fail_with(Verb::Delete, &secret("b"), 404, "gone");
    let written = store(&cluster, settings(1)).await.write_command_result(&result("d", 4)).await.unwrap();
    assert_eq!(lines(&written), ["Failed to delete old command result c: not yours", "Deleted old command result a"]);
    assert!(matches!(written.events().next(), Some(windlass_model::event::Event::Warning { .. })));
}

#[tokio::test]
async fn a_namespace_that_someone_else_creates_at_the_same_time_is_fine() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    cluster.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
    cluster.fail_with(Verb::Apply, &secret("a"), 404, "namespaces \"kluctl-results\" not found");
    cluster.fail_with(Verb::Apply, &namespace(), 409, "already exists");
    store.write_command_result(&result("a", 1)).await.unwrap();
    assert!(cluster.object(&secret("a")).is_some());
}

#[tokio::test]
async fn an_existing_namespace_is_left_alone() {
    let cluster = Arc::new(FakeCluster::new());
    cluster.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
    let store = store(&cluster, settings(5)).await;
    cluster.clear_requests();
    store.write_command_result(&result("a", 1)).await.unwrap();
    // Two requests at the same time are all that a stored result costs.
    assert_eq!(sorted_requests(&cluster), ["Apply kluctl-results/Secret/cr-a", "List kluctl-results/Secret"]);
}

#[tokio::test]
async fn what_the_server_refuses_is_the_error_as_the_server_puts_it() {
    let writing = "secrets \"cr-a\" is forbidden: User \"limited\" cannot patch resource \"secrets\"";
    for (verb, object, message) in
        [(Verb::Apply, namespace(), "namespaces is forbidden"), (Verb::Apply, secret("a"), writing)]
    {
        let cluster = Arc::new(FakeCluster::new());
        let store = store(&cluster, settings(5)).await;
        cluster.fail_with(verb, &object, 403, message);
        let error = store.write_command_result(&result("a", 1)).await.unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.is_permission());
        assert_eq!(cluster.object(&secret("a")), None);
    }
}

#[tokio::test]
async fn a_result_that_does_not_fit_is_refused_before_anything_is_written() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    cluster.clear_requests();
    let mut large = result("a", 1);
    large.command.args.insert("big".into(), "x".repeat(300_000).into());
    assert!(matches!(store.write_command_result(&large).await, Err(StoreError::TooLarge { .. })));
    let nameless = store.write_validate_result(&validation("")).await;
    assert!(matches!(nameless, Err(StoreError::Id { kind: ResultKind::Validate, .. })));
    assert_eq!(cluster.requests(), [""; 0]);
}

#[tokio::test]
async fn fields_of_another_manager_are_not_taken() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(5)).await;
    store.write_command_result(&result("a", 1)).await.unwrap();
    cluster.put_as(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cr-a", "namespace": NAMESPACE},
            "data": {"reducedResult": "theirs"}}),
        "someone",
    );
    let error = store.write_command_result(&result("a", 1)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Write { secret, source } if secret == "cr-a" && source.is_conflict()),
        "{error}"
    );
}

#[tokio::test]
async fn warnings_of_the_server_are_passed_on() {
    let cluster = Arc::new(FakeCluster::new());
    cluster.warn(&secret("a"), "old API");
    let written = store(&cluster, settings(5)).await.write_command_result(&result("a", 1)).await.unwrap();
    assert_eq!(written.notes, [Note::Server("old API".into())]);
}

#[tokio::test]
async fn a_labelled_secret_without_summary_disturbs_nobody() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(1)).await;
    store.write_command_result(&result("a", 1)).await.unwrap();
    let stray = cluster.put(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stray",
        "namespace": NAMESPACE, "labels": {"kluctl.io/result": "true", "kluctl.io/command-result-id": "stray"}}}));
    store.write_command_result(&result("b", 2)).await.unwrap();
    assert_eq!(ids(&store).await, ["b"]);
    assert!(cluster.object(&stray).is_some());
    let error = store.read("stray", Reach::Namespace).await.unwrap_err();
    assert_eq!(error.to_string(), "Secret `kluctl-results/stray` has no `reducedResult`");
}

#[tokio::test]
async fn failed_lists_are_errors_of_reading() {
    let cluster = Arc::new(FakeCluster::new());
    let store = store(&cluster, settings(1)).await;
    cluster.fail_with(Verb::List, &secrets(), 403, "forbidden");
    let error = store.list_summaries(&ProjectKey::default(), Reach::Namespace).await.unwrap_err();
    assert_eq!(error.to_string(), "list stored results: forbidden");
    cluster.fail_with(Verb::List, &secret_ref("", ""), 500, "broken");
    assert!(matches!(store.read("a", Reach::Cluster).await, Err(StoreError::List(_))));
}

#[tokio::test]
async fn debug_output_shows_settings_only() {
    let cluster = Arc::new(FakeCluster::new());
    let shown = format!("{:?}", store(&cluster, settings(1)).await);
    assert!(shown.starts_with("ResultStore { settings: StoreSettings { namespace: \"kluctl-results\""), "{shown}");
}

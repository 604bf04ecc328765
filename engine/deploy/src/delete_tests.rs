use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::object_ref::Gvk;

use super::*;

fn live(version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name,
        "managedFields": [{"manager": "kluctl", "operation": "Apply"}]}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn config_map(name: &str) -> Value {
    live("v1", "ConfigMap", "default", name)
}

fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let mut place = &mut object;
    for key in pointer.split('>') {
        place = &mut place[key];
    }
    *place = value;
    object
}

fn found(objects: Vec<Value>, excluded: &[ObjectRef], inclusion: &Inclusion) -> Vec<String> {
    let remote: RemoteState = objects.into_iter().map(Object).collect();
    let discovery = FakeCluster::new().discovery();
    let excluded = excluded.iter().cloned().collect();
    candidates(&remote, &excluded, inclusion, &discovery).iter().map(ToString::to_string).collect()
}

fn is_candidate(object: Value) -> bool {
    !found(vec![object], &[], &Inclusion::default()).is_empty()
}

#[test]
fn only_managed_objects_are_candidates() {
    assert!(is_candidate(config_map("a")));
    let foreign = with(config_map("a"), "metadata>managedFields", json!([{"manager": "kluctl-results"}]));
    assert!(!is_candidate(foreign.clone()));
    let owned = with(config_map("a"), "metadata>ownerReferences", json!([{"name": "x"}]));
    assert!(!is_candidate(owned));
    assert!(is_candidate(with(foreign, "metadata>annotations", json!({FORCE_MANAGED: "true"}))));
}

#[test]
fn protected_objects_are_no_candidates() {
    for (key, value, expected) in [
        (SKIP_DELETE, "true", false),
        (SKIP_DELETE, "false", true),
        (SKIP_DELETE, "odd", true),
        (RESOURCE_POLICY, "keep", false),
        (RESOURCE_POLICY, "other", true),
        (SKIP_DELETE_IF_TAGS, "true", true),
    ] {
        let object = with(config_map("a"), "metadata>annotations", json!({key: value}));
        assert_eq!(is_candidate(object), expected, "{key}: {value}");
    }
}

#[test]
fn tags_in_use_protect_marked_objects() {
    let object = with(config_map("a"), "metadata>annotations", json!({SKIP_DELETE_IF_TAGS: "true"}));
    let inclusion = Inclusion { exclude_tags: ["x".to_owned()].into(), ..Inclusion::default() };
    assert!(found(vec![object], &[], &inclusion).is_empty());
    assert_eq!(found(vec![config_map("a")], &[], &inclusion).len(), 1);
}

#[test]
fn an_unserved_kind_is_no_candidate() {
    assert!(!is_candidate(live("example.org/v1", "Gizmo", "default", "g")));
}

#[test]
fn exclusion_ignores_version_and_way_of_writing_the_namespace() {
    let hpa = |version: &str| live(version, "HorizontalPodAutoscaler", "default", "h");
    let excluded = Object(hpa("autoscaling/v1")).object_ref();
    assert!(found(vec![hpa("autoscaling/v2")], &[excluded], &Inclusion::default()).is_empty());
    let bare = ObjectRef::new(&Gvk::from_api_version("v1", "ConfigMap"), "", "a");
    assert!(found(vec![config_map("a")], &[bare], &Inclusion::default()).is_empty());
    let role = live("rbac.authorization.k8s.io/v1", "ClusterRole", "", "r");
    let odd = ObjectRef::new(&Gvk::from_api_version("rbac.authorization.k8s.io/v1", "ClusterRole"), "n", "r");
    assert!(found(vec![role], &[odd], &Inclusion::default()).is_empty());
}

#[test]
fn candidates_come_in_four_passes() {
    let objects = vec![
        config_map("b"),
        live("apps/v1", "Deployment", "default", "web"),
        live("v1", "Namespace", "", "n"),
        config_map("a"),
    ];
    let wanted = ["Namespace/n", "default/Deployment/web", "default/ConfigMap/a", "default/ConfigMap/b"];
    assert_eq!(found(objects, &[], &Inclusion::default()), wanted);
}

fn request() -> DeleteRequest {
    DeleteRequest { dry_run: DryRun::No, wait: true, stop: StopSignal::never() }
}

async fn run(cluster: &FakeCluster, objects: &[ObjectRef], request: &DeleteRequest) -> (Deleted, Problems) {
    let problems = Problems::new();
    let deleted = delete(objects, &RemoteState::default(), cluster, request, &problems).await;
    (deleted, problems)
}

#[tokio::test]
async fn objects_inside_a_deleted_namespace_go_with_it() {
    let cluster = FakeCluster::new();
    let namespace = cluster.put(live("v1", "Namespace", "", "n"));
    let inside = cluster.put(live("v1", "ConfigMap", "n", "a"));
    let outside = cluster.put(config_map("b"));
    cluster.clear_requests();
    let (deleted, problems) = run(&cluster, &[namespace.clone(), inside.clone(), outside.clone()], &request()).await;
    assert_eq!(deleted.objects, BTreeSet::from([namespace, outside]));
    assert_eq!(deleted.with_namespace, BTreeSet::from([inside]));
    assert!(!problems.has_errors());
    assert!(!cluster.requests().contains(&"Delete n/ConfigMap/a".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_waits_until_the_object_is_gone() {
    let cluster = FakeCluster::new();
    let object = cluster.put(config_map("a"));
    cluster.linger(&object, 3);
    let (deleted, _) = run(&cluster, std::slice::from_ref(&object), &request()).await;
    assert!(deleted.objects.contains(&object) && cluster.object(&object).is_none());
}

#[tokio::test]
async fn missing_objects_count_as_deleted_and_refusals_are_errors() {
    let cluster = FakeCluster::new();
    let missing = Object(config_map("missing")).object_ref();
    let refused = cluster.put(config_map("refused"));
    cluster.fail_with(Verb::Delete, &refused, 403, "not you");
    let (deleted, problems) = run(&cluster, &[missing.clone(), refused.clone()], &request()).await;
    assert_eq!(deleted.objects, BTreeSet::from([missing]));
    assert_eq!((problems.errors()[0].object_ref.clone(), problems.errors()[0].message.as_str()), (refused, "not you"));
}

#[tokio::test]
async fn a_dry_run_deletes_nothing() {
    let cluster = FakeCluster::new();
    let object = cluster.put(config_map("a"));
    let request = DeleteRequest { dry_run: DryRun::All, ..request() };
    let (deleted, _) = run(&cluster, std::slice::from_ref(&object), &request).await;
    assert!(deleted.objects.contains(&object) && cluster.object(&object).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_is_named_when_the_command_ends_first() {
    let cluster = FakeCluster::new();
    let object = cluster.put(with(config_map("a"), "metadata>finalizers", json!(["example.org/hold"])));
    cluster.linger(&object, usize::MAX);
    let request = DeleteRequest { stop: StopSignal::after(Duration::from_secs(3)), ..request() };
    let (deleted, problems) = run(&cluster, std::slice::from_ref(&object), &request).await;
    assert!(deleted.objects.is_empty());
    let wanted = "failed waiting for deletion of default/ConfigMap/a: the command was stopped while finalizers hold it: \
        example.org/hold";
    assert_eq!(problems.errors()[0].message, wanted);
}

#[tokio::test(start_paused = true)]
async fn an_object_created_again_at_once_counts_as_gone() {
    let cluster = FakeCluster::new();
    let object = cluster.put(config_map("a"));
    cluster.linger(&object, usize::MAX);
    cluster.becomes(&object, vec![json!({}), json!({"metadata": {"uid": "newer"}})]);
    let gone = delete_object(&object, Target::ByName, &cluster, &request(), &Problems::new()).await;
    assert_eq!(gone.unwrap(), Gone::Deleted);
    assert!(cluster.object(&object).is_some());
}

#[tokio::test]
async fn an_object_created_after_the_look_at_the_cluster_stays() {
    let cluster = FakeCluster::new();
    let object = cluster.put(config_map("a"));
    let mut seen = cluster.object(&object).unwrap();
    seen.0["metadata"]["uid"] = "older".into();
    let problems = Problems::new();
    let deleted =
        delete(std::slice::from_ref(&object), &[seen].into_iter().collect(), &cluster, &request(), &problems).await;
    assert!(deleted.objects.is_empty() && cluster.object(&object).is_some());
    assert_eq!(problems.errors()[0].message, "the UID does not match");
}

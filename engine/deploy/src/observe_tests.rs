use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::event::Silent;

use super::*;

fn labelled(version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace,
        "labels": {DISCRIMINATOR_LABEL: "d"}}})
}

fn config_map(name: &str) -> Value {
    labelled("v1", "ConfigMap", "default", name)
}

fn reference(object: &Value) -> ObjectRef {
    Object(object.clone()).object_ref()
}

fn list_of(version: &str, kind: &str, namespace: &str) -> ObjectRef {
    ObjectRef::new(&Gvk::from_api_version(version, kind), namespace, "")
}

async fn look(cluster: &FakeCluster, local: &[ObjectRef], kinds: ListedKinds) -> (RemoteState, Problems) {
    let local = local.iter().cloned().collect();
    let problems = Problems::new();
    let request = ObserveRequest { discriminator: Lookup::ByDiscriminator("d"), local: &local, kinds };
    (observe(request, Some(cluster), &Silent, &problems).await, problems)
}

fn warnings(problems: &Problems) -> Vec<String> {
    problems.warnings().into_iter().map(|warning| warning.message).collect()
}

#[tokio::test]
async fn orphans_of_kinds_that_the_project_does_not_use_are_found_whole() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    let mut role = labelled("rbac.authorization.k8s.io/v1", "Role", "default", "old");
    role["rules"] = json!([{"verbs": ["get"]}]);
    let orphan = cluster.put(role);
    let (state, problems) = look(&cluster, &[local], ListedKinds::All).await;
    assert_eq!(state.get(&orphan).unwrap().0["rules"], json!([{"verbs": ["get"]}]));
    assert!(!problems.has_errors() && !problems.has_warnings());
}

#[tokio::test]
async fn objects_with_a_copied_label_are_not_read() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    let copy = cluster.put_as(labelled("v1", "Pod", "default", "copy"), "kube-controller-manager");
    let (state, _) = look(&cluster, &[local], ListedKinds::All).await;
    assert!(state.get(&copy).is_none());
    assert!(!cluster.requests().iter().any(|request| request == "Get default/Pod/copy"));
}

#[tokio::test]
async fn only_used_kinds_are_listed_when_asked() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    look(&cluster, &[local], ListedKinds::Used).await;
    assert_eq!(cluster.requests(), ["List ConfigMap"]);
}

#[tokio::test]
async fn unlabelled_local_objects_are_read_by_reference() {
    let cluster = FakeCluster::new();
    let mut plain = config_map("plain");
    plain["metadata"]["labels"] = json!({});
    let plain = cluster.put(plain);
    let missing = reference(&config_map("missing"));
    let (state, problems) = look(&cluster, &[plain.clone(), missing.clone()], ListedKinds::Used).await;
    assert!(state.get(&plain).is_some() && state.get(&missing).is_none());
    assert!(!problems.has_errors());
}

#[tokio::test]
async fn an_old_version_is_listed_beside_the_preferred_one() {
    let cluster = FakeCluster::new();
    let old = cluster.put(labelled("autoscaling/v1", "HorizontalPodAutoscaler", "default", "h"));
    let (state, _) = look(&cluster, std::slice::from_ref(&old), ListedKinds::Used).await;
    assert!(state.get(&old).is_some());
    assert!(!cluster.requests().iter().any(|request| request.starts_with("Get ")));
}

#[tokio::test]
async fn an_empty_discriminator_reads_by_reference_only() {
    let cluster = FakeCluster::new();
    let local = BTreeSet::from([cluster.put(config_map("a"))]);
    let request = ObserveRequest { discriminator: Lookup::ByDiscriminator(""), local: &local, kinds: ListedKinds::All };
    let state = observe(request, Some(&cluster), &Silent, &Problems::new()).await;
    assert_eq!((state.iter().count(), cluster.requests().len()), (1, 1));
}

#[tokio::test]
async fn forbidden_lists_fall_back_to_namespaces() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    cluster.fail_with(Verb::List, &list_of("v1", "ConfigMap", ""), 403, "forbidden");
    let (state, problems) = look(&cluster, std::slice::from_ref(&local), ListedKinds::Used).await;
    assert!(state.get(&local).is_some());
    assert_eq!(warnings(&problems), [LABEL_PERMISSION, REVERTED]);
}

#[tokio::test]
async fn forbidden_everywhere_warns_about_known_objects_too() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    for namespace in ["", "default"] {
        cluster.fail_with(Verb::List, &list_of("v1", "ConfigMap", namespace), 403, "forbidden");
    }
    cluster.fail_with(Verb::Get, &local, 403, "forbidden");
    let (state, problems) = look(&cluster, &[local], ListedKinds::Used).await;
    assert!(state.is_empty() && !problems.has_errors());
    assert_eq!(warnings(&problems), [KNOWN_PERMISSION, LABEL_PERMISSION]);
}

#[tokio::test]
async fn another_list_error_is_a_warning_of_the_kind_and_a_get_error_one_of_the_object() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    cluster.fail_with(Verb::List, &list_of("v1", "ConfigMap", ""), 500, "broken");
    cluster.fail_with(Verb::Get, &local, 500, "broken too");
    let (_, problems) = look(&cluster, std::slice::from_ref(&local), ListedKinds::Used).await;
    let warning = &problems.warnings()[0];
    assert_eq!((warning.object_ref.to_string(), warning.message.as_str()), ("ConfigMap".to_owned(), "broken"));
    assert_eq!(problems.errors()[0].object_ref, local);
}

#[tokio::test]
async fn an_unknown_kind_does_not_exist() {
    let gizmo = ObjectRef::new(&Gvk::from_api_version("example.org/v1", "Gizmo"), "default", "g");
    let (state, problems) = look(&FakeCluster::new(), &[gizmo], ListedKinds::All).await;
    assert!(state.is_empty() && !problems.has_errors());
}

#[tokio::test]
async fn without_a_cluster_nothing_is_there() {
    let local = BTreeSet::from([reference(&config_map("a"))]);
    let request =
        ObserveRequest { discriminator: Lookup::ByDiscriminator("d"), local: &local, kinds: ListedKinds::All };
    let problems = Problems::new();
    assert!(observe(request, None, &Silent, &problems).await.is_empty() && !problems.has_errors());
}

fn many() -> Vec<ObjectRef> {
    (0..MANY).map(|index| reference(&config_map(&format!("c{index}")))).collect()
}

#[tokio::test]
async fn many_missing_objects_cost_one_list_of_names() {
    let cluster = FakeCluster::new();
    let mut plain = config_map("c3");
    plain["metadata"]["labels"] = json!({});
    let plain = cluster.put(plain);
    cluster.clear_requests();
    let (state, problems) = look(&cluster, &many(), ListedKinds::Used).await;
    assert_eq!(cluster.requests(), ["List ConfigMap", "List default/ConfigMap", "Get default/ConfigMap/c3"]);
    assert!(state.get(&plain).is_some() && !problems.has_errors());
}

#[tokio::test]
async fn many_objects_that_can_not_be_listed_are_read() {
    let cluster = FakeCluster::new();
    cluster.fail_with(Verb::List, &list_of("v1", "ConfigMap", "default"), 403, "forbidden");
    let (_, problems) = look(&cluster, &many(), ListedKinds::Used).await;
    assert_eq!(cluster.requests().iter().filter(|request| request.starts_with("Get ")).count(), MANY);
    assert!(!problems.has_errors() && !problems.has_warnings());
}

#[tokio::test]
async fn lists_that_failed_forbid_deleting() {
    let cluster = FakeCluster::new();
    let local = cluster.put(config_map("a"));
    let (state, _) = look(&cluster, std::slice::from_ref(&local), ListedKinds::All).await;
    assert_eq!(crate::prune::refusal(&state), None);
    cluster.fail_with(Verb::List, &list_of("v1", "ConfigMap", ""), 403, "forbidden");
    cluster.fail_with(Verb::List, &list_of("apps/v1", "Deployment", ""), 500, "broken");
    let (state, _) = look(&cluster, &[local], ListedKinds::All).await;
    let reason = crate::prune::refusal(&state).unwrap();
    assert!(reason.starts_with("nothing was deleted") && reason.contains("ConfigMap, Deployment.apps."), "{reason}");
}

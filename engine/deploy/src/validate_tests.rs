use std::sync::Arc;

use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::event::Silent;

use super::*;
use crate::collect::PinnedItem;

fn object(annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "default", "annotations": annotations}})
}

async fn check(cluster: &FakeCluster, local: Value) -> (Validation, Vec<String>, Vec<String>) {
    let item = PinnedItem { objects: vec![Arc::new(Object(local))], ..PinnedItem::default() };
    let problems = Problems::new();
    let objects = PinnedObjects { items: vec![item] };
    let validation = validate(&objects, "d", Some(cluster), &Silent, &problems).await;
    let texts = |list: Vec<windlass_model::result::DeploymentError>| list.into_iter().map(|m| m.message).collect();
    (validation, texts(problems.errors()), texts(problems.warnings()))
}

#[tokio::test]
async fn a_live_object_is_valid_and_reports_its_annotations() {
    let cluster = FakeCluster::new();
    cluster.put(object(json!({"validate-result.kluctl.io/url": "https://x"})));
    let (validation, errors, _) = check(&cluster, object(json!({}))).await;
    assert!(validation.ready && errors.is_empty());
    assert_eq!(validation.results[0].message, "https://x");
}

#[tokio::test]
async fn a_missing_object_makes_the_deployment_unready() {
    let (validation, errors, _) = check(&FakeCluster::new(), object(json!({}))).await;
    assert_eq!((validation.ready, errors), (false, vec![NOT_FOUND.to_owned()]));
}

#[tokio::test]
async fn an_object_that_is_not_ready_is_an_error() {
    let cluster = FakeCluster::new();
    cluster.put(object(json!({"kluctl.io/is-ready": "false"})));
    let (validation, errors, _) = check(&cluster, object(json!({}))).await;
    assert!(!validation.ready);
    assert_eq!(errors, ["kluctl.io/is-ready annotation is set to false"]);
}

#[tokio::test]
async fn an_object_to_delete_must_be_gone() {
    let cluster = FakeCluster::new();
    let marked = object(json!({"kluctl.io/delete": "true"}));
    assert!(check(&cluster, marked.clone()).await.0.ready);
    cluster.put(object(json!({})));
    assert_eq!(check(&cluster, marked).await.1, [STILL_EXISTS]);
}

#[tokio::test]
async fn a_hook_that_is_deleted_after_success_is_not_expected() {
    let hook = |policy: &str| object(json!({"kluctl.io/hook": "pre-deploy", "kluctl.io/hook-delete-policy": policy}));
    assert!(check(&FakeCluster::new(), hook("hook-succeeded")).await.0.ready);
    assert!(!check(&FakeCluster::new(), hook("hook-failed")).await.0.ready);
}

#[tokio::test]
async fn hook_annotations_without_meaning_are_reported() {
    let cluster = FakeCluster::new();
    cluster.put(object(json!({})));
    let (validation, errors, warnings) =
        check(&cluster, object(json!({"helm.sh/hook": "crd-install", "kluctl.io/hook-wait": "maybe"}))).await;
    assert!(validation.ready);
    assert_eq!(errors, ["failed to parse annotation kluctl.io/hook-wait=maybe as bool"]);
    assert_eq!(warnings, ["unsupported helm.sh/hook 'crd-install'"]);
}

fn gizmo() -> Value {
    json!({"apiVersion": "example.org/v1", "kind": "Gizmo", "metadata": {"name": "g", "namespace": "default"}})
}

async fn with_definition(schema: Value) -> (FakeCluster, ObjectRef) {
    let cluster = FakeCluster::new();
    let definition = cluster.put(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.example.org"}, "spec": {"group": "example.org", "scope": "Namespaced",
        "names": {"kind": "Gizmo", "plural": "gizmos"}, "versions": [{"name": "v1", "served": true, "schema": schema}]}}));
    windlass_cluster::Cluster::refresh_discovery(&cluster).await.unwrap();
    cluster.put(gizmo());
    (cluster, definition)
}

#[tokio::test]
async fn the_schema_tells_whether_a_status_is_expected() {
    let (cluster, _) = with_definition(json!({"openAPIV3Schema": {"properties": {"spec": {}}}})).await;
    assert!(check(&cluster, gizmo()).await.0.ready);
    let (cluster, _) = with_definition(json!({})).await;
    let (_, errors, _) = check(&cluster, gizmo()).await;
    assert_eq!(errors, ["CRD gizmos.example.org has no schema for version v1"]);
}

#[tokio::test]
async fn without_permission_the_sub_resource_decides_or_nobody() {
    let (cluster, definition) = with_definition(json!({})).await;
    cluster.fail_with(Verb::Get, &definition, 403, "forbidden");
    assert!(check(&cluster, gizmo()).await.0.ready, "no sub-resource, no status");
    cluster.fail_with(Verb::Get, &definition, 403, "forbidden");
    cluster.fail_with(Verb::Get, &Object(gizmo()).object_ref(), 403, "forbidden");
    let problems = Problems::new();
    let expectations = StatusExpectations::new(&cluster);
    let live = Object(gizmo());
    assert_eq!(expectations.of(&live).await, windlass_readiness::StatusExpectation::Undecided);
    assert!(!problems.has_errors());
}

#[tokio::test]
async fn without_a_cluster_everything_is_missing() {
    let item = PinnedItem { objects: vec![Arc::new(Object(object(json!({}))))], ..PinnedItem::default() };
    let problems = Problems::new();
    let validation = validate(&PinnedObjects { items: vec![item] }, "d", None, &Silent, &problems).await;
    assert!(!validation.ready && problems.errors()[0].message == NOT_FOUND);
}

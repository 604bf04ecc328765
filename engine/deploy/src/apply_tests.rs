//! Whole runs against the fake cluster.

use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::deployment::{ConflictAction, ConflictResolution, ObjectMatch, OneOrMany};
use windlass_model::event::Silent;

use super::*;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, observe};
use crate::prune::local_refs;

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"},
        "data": {"a": "1"}})
}

fn namespaced(name: &str, namespace: &str) -> Value {
    let mut object = config_map(name);
    object["metadata"]["namespace"] = namespace.into();
    object
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gizmos.example.org"},
        "spec": {"group": "example.org", "scope": "Namespaced", "names": {"kind": "Gizmo", "plural": "gizmos"},
            "versions": [{"name": "v1", "served": true}]},
        "status": {"conditions": [{"type": "Established", "status": "True"}]}})
}

fn gizmo() -> Value {
    json!({"apiVersion": "example.org/v1", "kind": "Gizmo", "metadata": {"name": "one", "namespace": "default"}})
}

fn annotated(mut object: Value, annotations: &[(&str, &str)]) -> Value {
    for (key, value) in annotations {
        object["metadata"]["annotations"][*key] = (*value).into();
    }
    object
}

fn item(objects: Vec<Value>) -> PinnedItem {
    let objects = objects.into_iter().map(|object| Arc::new(Object(object))).collect();
    PinnedItem { dir: "app".into(), has_path: true, objects, ..PinnedItem::default() }
}

fn reference(object: &Value) -> ObjectRef {
    Object(object.clone()).object_ref()
}

struct Outcome {
    state: AppliedState,
    errors: Vec<String>,
    warnings: Vec<String>,
    requests: Vec<String>,
}

async fn run(cluster: &FakeCluster, items: Vec<PinnedItem>, options: ApplyOptions) -> Outcome {
    let objects = PinnedObjects { items };
    let problems = Problems::new();
    let local = local_refs(&objects);
    let request = ObserveRequest { discriminator: Lookup::ByReferenceOnly, local: &local, kinds: ListedKinds::All };
    let remote = observe(request, Some(cluster), &Silent, &problems).await;
    cluster.clear_requests();
    let state = apply(&objects, &remote, Some(cluster), &options, &Silent, &problems).await;
    let texts = |messages: Vec<windlass_model::result::DeploymentError>| {
        messages.into_iter().map(|m| format!("{}: {}", m.object_ref, m.message)).collect()
    };
    Outcome {
        state,
        errors: texts(problems.errors()),
        warnings: texts(problems.warnings()),
        requests: cluster.requests(),
    }
}

fn real() -> ApplyOptions {
    ApplyOptions::new(ApplyMode::Real)
}

fn waiting() -> ApplyOptions {
    ApplyOptions { readiness: ReadinessWait::UpTo(Duration::from_secs(5)), ..real() }
}

fn dry() -> ApplyOptions {
    ApplyOptions::new(ApplyMode::DryRun)
}

#[tokio::test]
async fn without_a_cluster_nothing_is_applied() {
    let problems = Problems::new();
    let objects = PinnedObjects { items: vec![item(vec![config_map("a")])] };
    let state = apply(&objects, &RemoteState::default(), None, &real(), &Silent, &problems).await;
    assert_eq!(state, AppliedState::default());
    assert_eq!(problems.errors()[0].message, APPLY_NEEDS_CLUSTER);
}

#[tokio::test]
async fn new_and_existing_objects_are_told_apart() {
    let cluster = FakeCluster::new();
    cluster.put(config_map("old"));
    let outcome = run(&cluster, vec![item(vec![config_map("old"), config_map("new")])], real()).await;
    assert!(outcome.errors.is_empty());
    assert_eq!(outcome.state.applied.len(), 2);
    assert_eq!(outcome.state.new, BTreeSet::from([reference(&config_map("new"))]));
}

#[tokio::test]
async fn a_failed_object_does_not_stop_the_others() {
    let cluster = FakeCluster::new();
    cluster.fail_with(Verb::Apply, &reference(&config_map("a")), 422, "ConfigMap \"a\" is invalid");
    let outcome = run(&cluster, vec![item(vec![config_map("a"), config_map("b")])], real()).await;
    let wanted = "default/ConfigMap/a: failed to patch default/ConfigMap/a: ConfigMap \"a\" is invalid";
    assert_eq!(outcome.errors, [wanted]);
    assert_eq!(outcome.state.applied.len(), 1);
}

#[tokio::test]
async fn abort_on_error_sends_nothing_after_the_first_error() {
    let cluster = FakeCluster::new();
    cluster.fail_with(Verb::Apply, &reference(&config_map("a")), 422, "invalid");
    let items = vec![
        item(vec![config_map("a"), config_map("b")]),
        PinnedItem { barrier: true, ..item(vec![]) },
        item(vec![config_map("c")]),
    ];
    let outcome = run(&cluster, items, ApplyOptions { abort_on_error: true, ..real() }).await;
    assert_eq!(outcome.requests, ["Apply default/ConfigMap/a"]);
}

#[tokio::test]
async fn a_stopped_run_sends_nothing_more() {
    let cluster = FakeCluster::new();
    let options = real();
    options.stop.stop();
    let outcome = run(&cluster, vec![item(vec![config_map("a")])], options).await;
    assert!(outcome.requests.is_empty() && outcome.state.applied.is_empty());
    assert_eq!(outcome.errors, [format!(": {STOPPED}")], "an unfinished run is no success");
}

#[tokio::test]
async fn namespaces_and_definitions_come_before_what_needs_them() {
    let cluster = FakeCluster::new();
    let items = vec![item(vec![namespaced("a", "fresh"), gizmo()]), item(vec![namespace("fresh"), definition()])];
    let outcome = run(&cluster, items, real()).await;
    assert_eq!(outcome.errors, Vec::<String>::new());
    assert_eq!(outcome.state.new.len(), 4);
}

#[tokio::test]
async fn accounts_come_before_pods() {
    let cluster = FakeCluster::new();
    let of_kind =
        |kind: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": "default"}});
    let outcome = run(&cluster, vec![item(vec![of_kind("Pod"), of_kind("ServiceAccount")])], real()).await;
    assert_eq!(outcome.requests, ["Apply default/ServiceAccount/a", "Apply default/Pod/a"]);
}

#[tokio::test]
async fn an_object_of_two_items_ends_as_the_later_one_has_it() {
    let cluster = FakeCluster::new();
    let items = vec![item(vec![with_data("first")]), item(vec![with_data("second")])];
    let outcome = run(&cluster, items, real()).await;
    assert_eq!(outcome.requests, ["Apply default/ConfigMap/a"]);
    assert_eq!(cluster.object(&reference(&with_data(""))).unwrap().0["data"]["a"], "second");
    let barrier = PinnedItem { barrier: true, ..item(vec![with_data("first")]) };
    let outcome = run(&cluster, vec![barrier, item(vec![with_data("second")])], real()).await;
    assert_eq!(outcome.requests.len(), 2, "across a barrier both count");
}

#[tokio::test]
async fn nothing_passes_a_barrier_early() {
    let cluster = FakeCluster::new();
    let barrier = PinnedItem { barrier: true, ..item(vec![config_map("a")]) };
    let outcome = run(&cluster, vec![barrier, item(vec![namespace("later")])], real()).await;
    assert_eq!(outcome.requests, ["Apply default/ConfigMap/a", "Apply Namespace/later"]);
}

#[tokio::test]
async fn a_preview_simulates_fresh_namespaces_and_kinds() {
    let cluster = FakeCluster::new();
    let items = vec![item(vec![namespace("fresh"), definition(), namespaced("a", "fresh"), gizmo()])];
    let outcome = run(&cluster, items, dry()).await;
    assert_eq!(outcome.errors, Vec::<String>::new());
    let applied = &outcome.state.applied[&reference(&namespaced("a", "fresh"))];
    assert_eq!((applied.name(), applied.namespace()), ("a", "fresh"));
    assert_eq!(outcome.warnings.len(), 1);
    assert!(outcome.warnings[0].contains("the underyling custom resource definition for default/Gizmo/one has not"));
    assert!(cluster.object(&reference(&definition())).is_none());
}

#[tokio::test]
async fn a_preview_in_a_namespace_that_nobody_creates_fails() {
    let outcome = run(&FakeCluster::new(), vec![item(vec![namespaced("a", "nowhere")])], dry()).await;
    let wanted = "nowhere/ConfigMap/a: failed to patch nowhere/ConfigMap/a: namespaces \"nowhere\" not found";
    assert_eq!(outcome.errors, [wanted]);
}

#[tokio::test]
async fn an_unknown_kind_is_reported_in_both_modes() {
    for options in [dry(), real()] {
        let outcome = run(&FakeCluster::new(), vec![item(vec![gizmo()])], options).await;
        let wanted = "default/Gizmo/one: failed to patch default/Gizmo/one: no matches for kind \"Gizmo\" in version \"example.org/v1\"";
        assert_eq!(outcome.errors, [wanted]);
    }
}

#[tokio::test]
async fn a_known_version_is_not_applied_again() {
    let cluster = FakeCluster::new();
    let live = cluster.put(config_map("a"));
    let version = cluster.object(&live).unwrap().resource_version().to_owned();
    let mut options = dry();
    options.skip_versions.insert(live.clone(), version);
    let outcome = run(&cluster, vec![item(vec![config_map("a")])], options).await;
    assert!(outcome.requests.is_empty() && outcome.state.applied.contains_key(&live));
}

#[tokio::test]
async fn api_warnings_belong_to_their_object() {
    let cluster = FakeCluster::new();
    cluster.warn(&reference(&config_map("a")), "deprecated");
    let outcome = run(&cluster, vec![item(vec![config_map("a")])], real()).await;
    assert_eq!(outcome.warnings, ["default/ConfigMap/a: deprecated"]);
}

fn with_data(value: &str) -> Value {
    let mut object = config_map("a");
    object["data"]["a"] = value.into();
    object
}

#[tokio::test]
async fn a_lost_field_keeps_its_value_and_warns() {
    let cluster = FakeCluster::new();
    let live = cluster.put_as(with_data("theirs"), "robot");
    let outcome = run(&cluster, vec![item(vec![with_data("ours")])], real()).await;
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "theirs");
    let wanted =
        "default/ConfigMap/a: conflict with \"robot\". Not updating field '.data.a' as we lost field ownership";
    assert_eq!((outcome.warnings, outcome.errors), (vec![wanted.to_owned()], vec![]));
    assert_eq!(outcome.requests[1], "Apply default/ConfigMap/a (force)");
}

fn rule(action: ConflictAction) -> ConflictResolution {
    ConflictResolution { field_path: OneOrMany::One("data.a".into()), action: Some(action), ..Default::default() }
}

#[tokio::test]
async fn the_innermost_rule_decides_a_conflict() {
    let cluster = FakeCluster::new();
    let live = cluster.put_as(with_data("theirs"), "robot");
    let rules = Arc::new([rule(ConflictAction::ForceApply), rule(ConflictAction::Ignore)]);
    let item = PinnedItem { conflict_resolution: rules, ..item(vec![with_data("ours")]) };
    let outcome = run(&cluster, vec![item], real()).await;
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "ours");
    assert!(outcome.warnings.is_empty());
}

#[tokio::test]
async fn force_apply_overwrites_without_asking() {
    let cluster = FakeCluster::new();
    let live = cluster.put_as(with_data("theirs"), "robot");
    run(&cluster, vec![item(vec![with_data("ours")])], ApplyOptions { force_apply: true, ..real() }).await;
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "ours");
}

#[tokio::test]
async fn a_broken_conflict_rule_sends_nothing() {
    let cluster = FakeCluster::new();
    cluster.put_as(with_data("theirs"), "robot");
    let rules = Arc::new([ConflictResolution { action: None, ..rule(ConflictAction::Ignore) }]);
    let item = PinnedItem { conflict_resolution: rules, ..item(vec![with_data("ours")]) };
    let outcome = run(&cluster, vec![item], real()).await;
    assert_eq!((outcome.errors.len(), outcome.requests.len()), (1, 1));
}

#[tokio::test]
async fn replace_on_error_sends_the_live_resource_version() {
    let cluster = FakeCluster::new();
    let live = cluster.put(with_data("old"));
    cluster.fail_with(Verb::Apply, &live, 422, "immutable");
    let options = ApplyOptions { on_error: OnError::Replace, ..real() };
    let outcome = run(&cluster, vec![item(vec![with_data("ours")])], options).await;
    assert_eq!(outcome.errors, Vec::<String>::new());
    let wanted = "default/ConfigMap/a: patching default/ConfigMap/a failed, retrying with replace instead of patch";
    assert_eq!(outcome.warnings, [wanted]);
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "ours");
}

#[tokio::test]
async fn a_failed_replace_tells_its_own_error() {
    let cluster = FakeCluster::new();
    let live = cluster.put(with_data("old"));
    cluster.fail_with(Verb::Apply, &live, 422, "immutable");
    cluster.fail_with(Verb::Replace, &live, 422, "still immutable");
    let options = ApplyOptions { on_error: OnError::Replace, ..real() };
    let outcome = run(&cluster, vec![item(vec![with_data("ours")])], options).await;
    assert_eq!(outcome.errors, ["default/ConfigMap/a: still immutable"]);
}

async fn recreate(cluster: &FakeCluster, local: Value, mode: ApplyMode) -> Outcome {
    let live = reference(&local);
    cluster.fail_with(Verb::Apply, &live, 422, "immutable");
    cluster.fail_with(Verb::Replace, &live, 422, "immutable");
    let options = ApplyOptions { on_error: OnError::Recreate, ..ApplyOptions::new(mode) };
    run(cluster, vec![item(vec![local])], options).await
}

#[tokio::test]
async fn recreating_deletes_and_applies_again() {
    let cluster = FakeCluster::new();
    let live = cluster.put(with_data("old"));
    cluster.linger(&live, 2);
    let outcome = recreate(&cluster, with_data("ours"), ApplyMode::Real).await;
    assert_eq!((outcome.errors.len(), outcome.warnings.len()), (0, 2));
    assert!(outcome.state.deleted.contains(&live));
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "ours");
}

#[tokio::test]
async fn a_simulated_recreation_shows_the_local_object() {
    let cluster = FakeCluster::new();
    let live = cluster.put(with_data("old"));
    let outcome = recreate(&cluster, with_data("ours"), ApplyMode::DryRun).await;
    assert_eq!(outcome.state.applied[&live].0, with_data("ours"));
    assert_eq!(cluster.object(&live).unwrap().0["data"]["a"], "old");
}

#[tokio::test]
async fn an_object_that_vanished_is_applied_nevertheless() {
    let cluster = FakeCluster::new();
    let live = cluster.put(with_data("old"));
    cluster.fail_with(Verb::Delete, &live, 404, "not found");
    let outcome = recreate(&cluster, with_data("ours"), ApplyMode::Real).await;
    assert!(outcome.errors.is_empty() && outcome.state.applied.contains_key(&live));
}

#[tokio::test]
async fn skip_delete_forbids_recreation() {
    let cluster = FakeCluster::new();
    let kept = annotated(with_data("old"), &[("kluctl.io/skip-delete", "true")]);
    let live = cluster.put(kept);
    let outcome = recreate(&cluster, with_data("ours"), ApplyMode::Real).await;
    assert_eq!(outcome.errors, ["default/ConfigMap/a: immutable"]);
    assert!(cluster.object(&live).is_some());
}

#[tokio::test]
async fn marked_objects_and_named_ones_are_deleted_first() {
    let cluster = FakeCluster::new();
    let (marked, named) = (cluster.put(config_map("marked")), cluster.put(config_map("named")));
    let match_named = ObjectMatch {
        kind: Some("ConfigMap".into()),
        name: "named".into(),
        namespace: Some("default".into()),
        group: None,
    };
    let objects = vec![annotated(config_map("marked"), &[("kluctl.io/delete", "true")]), config_map("a")];
    let item = PinnedItem { delete_objects: vec![match_named], wait_readiness: true, ..item(objects) };
    let outcome = run(&cluster, vec![item], waiting()).await;
    assert_eq!(outcome.errors, Vec::<String>::new());
    assert_eq!(outcome.state.deleted, BTreeSet::from([marked, named]));
    assert_eq!(outcome.state.applied.len(), 1);
}

#[tokio::test]
async fn a_match_without_kind_on_the_server_is_an_error_in_a_preview_too() {
    let wanted = ObjectMatch {
        group: Some("example.com".into()),
        kind: Some("Gadget".into()),
        name: "x".into(),
        namespace: Some("n".into()),
    };
    let delete = PinnedItem { delete_objects: vec![wanted.clone()], ..PinnedItem::default() };
    let wait = PinnedItem { wait_readiness_objects: vec![wanted], ..PinnedItem::default() };
    for item in [delete, wait] {
        let outcome = run(&FakeCluster::new(), vec![item], dry()).await;
        let wanted = ": failed to wait for readiness of n/x. resource with group/kind Gadget.example.com not found";
        assert_eq!(outcome.errors, [wanted]);
    }
}

fn hook(name: &str, annotations: &[(&str, &str)]) -> Value {
    annotated(config_map(name), annotations)
}

#[tokio::test]
async fn hooks_run_by_weight_around_the_objects() {
    let cluster = FakeCluster::new();
    let objects = vec![
        hook("post", &[("kluctl.io/hook", "post-deploy")]),
        hook("second", &[("kluctl.io/hook", "pre-deploy"), ("kluctl.io/hook-weight", "2")]),
        hook("upgrade", &[("kluctl.io/hook", "pre-deploy-upgrade")]),
        hook("first", &[("kluctl.io/hook", "pre-deploy"), ("kluctl.io/hook-weight", "1")]),
        config_map("a"),
    ];
    let outcome = run(&cluster, vec![item(objects)], real()).await;
    let applied: Vec<_> = outcome.requests.iter().filter_map(|r| r.strip_prefix("Apply default/ConfigMap/")).collect();
    assert_eq!(applied, ["first", "second", "a", "post"]);
    assert_eq!((outcome.state.hooks.len(), outcome.state.new.len(), outcome.state.deleted.len()), (3, 1, 0));
}

#[tokio::test]
async fn a_hook_that_succeeded_is_deleted() {
    let cluster = FakeCluster::new();
    let policies = [("kluctl.io/hook", "pre-deploy"), ("kluctl.io/hook-delete-policy", "hook-succeeded")];
    let outcome = run(&cluster, vec![item(vec![hook("h", &policies)])], waiting()).await;
    let wanted = ["Apply default/ConfigMap/h", "Get default/ConfigMap/h", "Delete default/ConfigMap/h"];
    assert_eq!(outcome.requests[..3], wanted);
    assert!(outcome.state.deleted.is_empty());
}

#[tokio::test]
async fn a_failed_hook_neither_stops_the_item_nor_stays() {
    let cluster = FakeCluster::new();
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "default"}});
    job = annotated(job, &[("kluctl.io/hook", "pre-deploy"), ("kluctl.io/hook-delete-policy", "hook-failed")]);
    let failed = json!({"status": {"conditions": [{"type": "Failed", "status": "True", "message": "went wrong"}]}});
    let reference = reference(&job);
    cluster.becomes(&reference, vec![]);
    let objects = vec![job, config_map("a")];
    let items = PinnedObjects { items: vec![item(objects)] };
    let problems = Problems::new();
    cluster.becomes(&reference, vec![failed]);
    let state = apply(&items, &RemoteState::default(), Some(&cluster), &waiting(), &Silent, &problems).await;
    assert_eq!(problems.errors()[0].message, "went wrong");
    assert_eq!(state.applied.len(), 2);
    assert!(cluster.object(&reference).is_none());
}

#[tokio::test]
async fn a_recreated_hook_is_simulated_under_another_name() {
    let cluster = FakeCluster::new();
    let local = hook("h", &[("kluctl.io/hook", "pre-deploy")]);
    let live = cluster.put_as(with_name(with_data("theirs"), "h"), "robot");
    let outcome = run(&cluster, vec![item(vec![local])], dry()).await;
    assert_eq!(outcome.errors, Vec::<String>::new());
    assert_eq!(outcome.requests[0], "Delete default/ConfigMap/h (dry-run)");
    assert!(outcome.requests[1].starts_with("Apply default/ConfigMap/h-"), "{:?}", outcome.requests);
    assert_eq!(outcome.state.applied[&live].name(), "h");
}

fn with_name(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = name.into();
    object
}

#[tokio::test]
async fn invalid_hook_annotations_are_errors_of_any_object() {
    let local = annotated(config_map("a"), &[("kluctl.io/hook-weight", "heavy")]);
    let outcome = run(&FakeCluster::new(), vec![item(vec![local])], real()).await;
    assert_eq!(outcome.errors.len(), 1);
    assert_eq!(outcome.state.applied.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_failed_to_apply_is_not_waited_for() {
    let cluster = FakeCluster::new();
    cluster.fail_with(Verb::Apply, &reference(&config_map("a")), 422, "invalid");
    let item = PinnedItem { wait_readiness: true, ..item(vec![config_map("a"), config_map("b")]) };
    let outcome = run(&cluster, vec![item], waiting()).await;
    assert_eq!(outcome.errors.len(), 1);
    assert!(outcome.requests.contains(&"Get default/ConfigMap/b".to_owned()));
    assert!(!outcome.requests.contains(&"Get default/ConfigMap/a".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_starting_gets_time() {
    let cluster = FakeCluster::new();
    let down = "Internal error occurred: failed calling webhook \"w\": connection refused";
    for _ in 0..3 {
        cluster.fail_with(Verb::Apply, &reference(&config_map("a")), 500, down);
    }
    let outcome = run(&cluster, vec![item(vec![config_map("a")])], real()).await;
    assert!(outcome.errors.is_empty());
    cluster.fail_with(Verb::Apply, &reference(&config_map("a")), 500, down);
    let outcome = run(&cluster, vec![item(vec![config_map("a")])], dry()).await;
    assert_eq!(outcome.errors.len(), 1, "a preview does not wait");
}

#[tokio::test]
async fn two_runs_give_the_same_outcome() {
    let objects = || (0..40).map(|i| config_map(&format!("c{i}"))).collect::<Vec<_>>();
    let (one, two) = (FakeCluster::new(), FakeCluster::new());
    let one = run(&one, vec![item(objects()), item(objects())], dry()).await;
    let two = run(&two, vec![item(objects()), item(objects())], dry()).await;
    assert_eq!((one.state, one.errors, one.warnings), (two.state, two.errors, two.warnings));
}

/// Names tell the batch that an object belongs to.
fn layout(items: &[(usize, bool)]) -> Vec<PinnedItem> {
    let mut batch = 0;
    let mut built = Vec::new();
    for (index, (objects, barrier)) in items.iter().enumerate() {
        let objects = (0..*objects).map(|n| match n % 3 {
            0 => config_map(&format!("b{batch}-i{index}-{n}")),
            1 => namespace(&format!("b{batch}-i{index}-{n}")),
            _ => hook(&format!("b{batch}-i{index}-{n}"), &[("kluctl.io/hook", "post-deploy")]),
        });
        built.push(PinnedItem { barrier: *barrier, ..item(objects.collect()) });
        batch += usize::from(*barrier);
    }
    built
}

fn batch_of(request: &str) -> Option<usize> {
    request.strip_prefix("Apply ")?.rsplit('/').next()?.strip_prefix('b')?.split('-').next()?.parse().ok()
}

proptest::proptest! {
    #[test]
    fn no_object_is_applied_before_its_barrier(
        items in proptest::collection::vec((0_usize..6, proptest::bool::ANY), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let outcome = runtime.block_on(run(&FakeCluster::new(), layout(&items), real()));
        let batches: Vec<_> = outcome.requests.iter().filter_map(|request| batch_of(request)).collect();
        proptest::prop_assert!(batches.is_sorted(), "{:?}", outcome.requests);
        let all: usize = items.iter().map(|(objects, _)| objects).sum();
        proptest::prop_assert_eq!(batches.len(), all);
    }
}

#[test]
fn a_result_names_only_the_flags_that_were_given() {
    let flags = |on_error: OnError| (on_error.is_replace_given(), on_error.recreates());
    assert_eq!(flags(OnError::Report), (false, false));
    assert_eq!(flags(OnError::Replace), (true, false));
    assert_eq!(flags(OnError::Recreate), (false, true));
    assert_eq!(flags(OnError::ReplaceOrRecreate), (true, true));
}

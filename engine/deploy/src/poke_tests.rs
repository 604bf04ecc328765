use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_images::placeholder::ImageCall;

use super::*;

fn deployment(image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"template": {"spec": {
            "containers": [{"name": "main", "image": image}, {"name": "side", "image": "side:1"}],
            "initContainers": [{"name": "init", "image": "init:1"}]}}}})
}

/// The project's object with these images at these places.
fn seen(places: &[(&str, &str)]) -> ImagePlaces {
    let mut rendered = deployment("main:1");
    for (pointer, image) in places {
        *rendered.pointer_mut(pointer).unwrap() = ImageCall::new(image).encode().into();
    }
    let found = placeholder::find(&rendered).occurrences;
    let results: Vec<_> = found.iter().map(|occurrence| Some(occurrence.call.image.clone())).collect();
    let mut resolved = rendered.clone();
    placeholder::replace(&mut resolved, &found, &results);
    let object = Object(rendered.clone()).object_ref();
    ImagePlaces { object, rendered: Object(rendered), resolved: Object(resolved), found }
}

const MAIN: &str = "/spec/template/spec/containers/0/image";
const INIT: &str = "/spec/template/spec/initContainers/0/image";

async fn run(cluster: &FakeCluster, images: &[ImagePlaces], live: Option<Value>) -> (AppliedState, Problems) {
    let problems = Problems::new();
    let remote: RemoteState = live.into_iter().map(Object).collect();
    let local = BTreeSet::from([Object(deployment("")).object_ref()]);
    let options = PokeOptions { dry_run: DryRun::No, stop: StopSignal::never() };
    let state = poke_images(images, &local, &remote, Some(cluster), &options, &problems).await;
    (state, problems)
}

fn image(state: &AppliedState, list: &str, index: usize) -> String {
    let object = state.applied.values().next().unwrap();
    object.0["spec"]["template"]["spec"][list][index]["image"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_the_named_containers_change() {
    let cluster = FakeCluster::new();
    let live = cluster.put(deployment("main:1"));
    let live = cluster.object(&live).unwrap().0;
    let (state, problems) = run(&cluster, &[seen(&[(MAIN, "main:2"), (INIT, "init:2")])], Some(live)).await;
    assert!(!problems.has_errors());
    let images = [image(&state, "containers", 0), image(&state, "containers", 1), image(&state, "initContainers", 0)];
    assert_eq!(images, ["main:2", "side:1", "init:2"]);
}

#[tokio::test]
async fn an_unchanged_object_causes_no_request() {
    let cluster = FakeCluster::new();
    let live = cluster.put(deployment("main:1"));
    let live = cluster.object(&live).unwrap().0;
    let (state, _) = run(&cluster, &[seen(&[(MAIN, "main:1")])], Some(live)).await;
    assert!(cluster.requests().is_empty() && state.applied.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_by_others_is_read_again() {
    let cluster = FakeCluster::new();
    let live = cluster.put(deployment("main:1"));
    let stale = cluster.object(&live).unwrap().0;
    let mut newer = deployment("main:1");
    newer["spec"]["replicas"] = json!(3);
    cluster.put(newer);
    let (state, problems) = run(&cluster, &[seen(&[(MAIN, "main:2")])], Some(stale)).await;
    assert!(!problems.has_errors());
    assert_eq!(state.applied.values().next().unwrap().0["spec"]["replicas"], 3);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_disappears_meanwhile_is_skipped_with_a_warning() {
    let cluster = FakeCluster::new();
    let live = cluster.put(deployment("main:1"));
    let stale = cluster.object(&live).unwrap().0;
    cluster.fail_with(Verb::Replace, &live, 409, "modified");
    cluster.remove(&live);
    let (state, problems) = run(&cluster, &[seen(&[(MAIN, "main:2")])], Some(stale)).await;
    assert!(state.applied.is_empty() && !problems.has_errors());
    assert_eq!(problems.warnings()[0].message, NO_REMOTE);
}

#[tokio::test]
async fn objects_that_are_missing_locally_or_live_are_reported() {
    let cluster = FakeCluster::new();
    let (_, problems) = run(&cluster, &[seen(&[(MAIN, "main:2")])], None).await;
    assert_eq!(problems.warnings()[0].message, NO_REMOTE);
    let mut unknown = seen(&[(MAIN, "main:2")]);
    unknown.object.name = "other".into();
    let (_, problems) = run(&cluster, &[unknown], None).await;
    assert_eq!(problems.errors()[0].message, NO_LOCAL);
}

#[tokio::test]
async fn a_refused_replace_is_an_error_of_the_object() {
    let cluster = FakeCluster::new();
    let live = cluster.put(deployment("main:1"));
    cluster.fail_with(Verb::Replace, &live, 422, "invalid");
    let object = cluster.object(&live).unwrap().0;
    let (_, problems) = run(&cluster, &[seen(&[(MAIN, "main:2")])], Some(object)).await;
    assert_eq!(problems.errors()[0].message, "invalid");
}

#[tokio::test]
async fn images_change_wherever_they_stand() {
    let cluster = FakeCluster::new();
    let with_version = |text: &str| {
        let mut object = deployment("main:1");
        object["metadata"]["annotations"] = json!({"version": text});
        object
    };
    let live = cluster.put(with_version("runs main:1 now"));
    let live = cluster.object(&live).unwrap().0;
    let rendered = with_version(&format!("runs {} now", ImageCall::new("main:2").encode()));
    let places = ImagePlaces {
        found: placeholder::find(&rendered).occurrences,
        rendered: Object(rendered),
        resolved: Object(with_version("runs main:2 now")),
        ..seen(&[])
    };
    let (state, problems) = run(&cluster, &[places], Some(live)).await;
    assert!(!problems.has_errors());
    let object = state.applied.values().next().unwrap();
    assert_eq!(object.annotation("version"), Some("runs main:2 now"));
    assert_eq!(image(&state, "containers", 0), "main:1");
}

#[tokio::test]
async fn a_field_that_is_not_there_is_told() {
    let cluster = FakeCluster::new();
    let mut other = deployment("main:1");
    other["spec"]["template"]["spec"]["containers"][0]["name"] = "renamed".into();
    let live = cluster.put(other);
    let live = cluster.object(&live).unwrap().0;
    let (state, problems) = run(&cluster, &[seen(&[(MAIN, "main:2")])], Some(live)).await;
    assert_eq!(state.applied.len(), 1);
    let warning = &problems.warnings()[0].message;
    assert!(warning.starts_with("field spec.template.spec.containers[0].image of the remote object"), "{warning}");
}

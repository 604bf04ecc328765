use std::sync::Mutex;

use serde_json::json;
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_images::fixed::FixedImage;
use windlass_images::placeholder::ImageCall;
use windlass_model::deployment::ItemConfig;
use windlass_model::event::Event;
use windlass_model::object::Object;
use windlass_model::object_ref::Gvk;
use windlass_registry::{FakeRegistry, Manifest, Platform, RegistryError, Repository, TagList, Timestamp};
use windlass_template::Vars;

use super::*;
use crate::collect::{LocalItem, Scopes};
use crate::source_tree::SourceTree;
use crate::tree::{Inherited, ItemNode};

struct Namespaced;

impl Scopes for Namespaced {
    fn is_namespaced(&self, _: &Gvk) -> Option<bool> {
        Some(true)
    }
}

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Events for Warnings {
    fn emit(&self, event: Event) {
        if let Event::Warning { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

/// One Deployment; each container is named by its index.
struct Case {
    containers: Vec<String>,
    vars: Value,
    fixed: Vec<&'static str>,
    target: Value,
    options: ImageOptions,
    mode: ImageMode,
}

fn case(calls: &[(&str, Option<&str>)]) -> Case {
    let call = |(image, filter): &(&str, Option<&str>)| {
        ImageCall { latest_version: filter.map(str::to_owned), ..ImageCall::new(image) }.encode()
    };
    Case {
        containers: calls.iter().map(call).collect(),
        vars: json!({}),
        fixed: Vec::new(),
        target: json!([]),
        options: ImageOptions::default(),
        mode: ImageMode::Normal,
    }
}

fn deployment(images: &[String]) -> Value {
    let container = |(index, image): (usize, &String)| json!({"name": index.to_string(), "image": image});
    let containers: Vec<_> = images.iter().enumerate().map(container).collect();
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": containers}}}})
}

fn item(case: &Case) -> LocalItem {
    let node = ItemNode {
        config: ItemConfig::default(),
        source: Arc::new(SourceTree { id: 0, root: "/p".into() }),
        dir: Some("/p/app".into()),
        source_dir: Some("app".into()),
        project_dir: Some("app".into()),
        render_dir: None,
        vars: Vars::new(case.vars.as_object().cloned().unwrap_or_default()),
        tags: Vec::new(),
        inherited: Arc::new(Inherited::default()),
        position: None,
    };
    let objects = vec![Object(deployment(&case.containers))];
    LocalItem { node: Arc::new(node), barrier: false, wait_readiness: false, objects }
}

struct Outcome {
    images: Vec<String>,
    found: ResolvedImages,
    warnings: Vec<String>,
}

async fn run(case: Case, registry: &dyn Registry, cluster: Option<&FakeCluster>) -> Result<Outcome, ImagesError> {
    let local = LocalObjects { items: vec![item(&case)] };
    let Case { fixed, target, mut options, mode, .. } = case;
    options.fixed.extend(fixed.into_iter().map(|text| FixedImage::from_flag(text).unwrap()));
    let target = TargetConfig { images: target.as_array().cloned().unwrap_or_default(), ..TargetConfig::default() };
    let scopes = RenderedScopes::new(&local, &Namespaced);
    let policies = ProjectPolicies::default();
    let request = ImageRequest { options: &options, target: &target, policies: &policies, mode, scopes: &scopes };
    let events = Warnings::default();
    let cluster = cluster.map(|cluster| cluster as &dyn Cluster);
    let (local, found) = resolve(local, request, registry, cluster, &events).await?;
    let containers = local.items[0].objects[0].0["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let images = containers.iter().map(|container| container["image"].as_str().unwrap().to_owned()).collect();
    Ok(Outcome { images, found, warnings: events.0.into_inner().unwrap() })
}

async fn images(case: Case, registry: &FakeRegistry, cluster: Option<&FakeCluster>) -> Vec<String> {
    run(case, registry, cluster).await.unwrap().images
}

async fn error(case: Case, registry: &FakeRegistry, cluster: Option<&FakeCluster>) -> String {
    run(case, registry, cluster).await.err().unwrap().to_string()
}

fn registry() -> FakeRegistry {
    FakeRegistry::empty().with("r.io/aa", &["1.0", "2.0"]).with("r.io/bb", &["7"])
}

fn running(image: &str) -> FakeCluster {
    let cluster = FakeCluster::new();
    let mut live = deployment(&[image.to_owned()]);
    live["metadata"]["namespace"] = "default".into();
    cluster.put(live);
    cluster
}

#[tokio::test]
async fn fixed_then_deployed_then_registry() {
    let fixed = || Case { fixed: vec!["r.io/aa=f"], ..case(&[("r.io/aa", None)]) };
    let (nobody, live) = (FakeRegistry::empty(), running("r.io/aa:live"));
    assert_eq!(images(fixed(), &nobody, Some(&live)).await, ["f"]);
    assert!(live.requests().iter().all(|request| !request.starts_with("get ")), "{:?}", live.requests());
    assert_eq!(images(case(&[("r.io/aa", None)]), &nobody, Some(&live)).await, ["r.io/aa:live"]);
    assert!(nobody.asked().is_empty());
    assert_eq!(images(case(&[("r.io/aa", None)]), &registry(), None).await, ["r.io/aa:2.0"]);
}

#[tokio::test]
async fn an_update_beats_everything_and_has_no_fallback() {
    let update = || ImageOptions { update: true, ..ImageOptions::default() };
    let newest = Case { fixed: vec!["r.io/aa=f"], options: update(), ..case(&[("r.io/aa", None)]) };
    assert_eq!(images(newest, &registry(), Some(&running("r.io/aa:live"))).await, ["r.io/aa:2.0"]);
    let failing = Case { fixed: vec!["r.io/xx=f"], options: update(), ..case(&[("r.io/xx", None)]) };
    let text = error(failing, &registry(), Some(&running("r.io/xx:live"))).await;
    assert!(text.contains("failed to find fixed image for r.io/xx: registry: repository `r.io/xx` does not"), "{text}");
}

#[tokio::test]
async fn a_repository_is_asked_once_for_all_its_images() {
    let registry = registry();
    let calls = [("r.io/aa", None), ("r.io/aa", Some("regex(\"1.*\")")), ("r.io/bb", None), ("r.io/aa", None)];
    assert_eq!(images(case(&calls), &registry, None).await, ["r.io/aa:2.0", "r.io/aa:1.0", "r.io/bb:7", "r.io/aa:2.0"]);
    let mut asked = registry.asked();
    asked.sort();
    assert_eq!(asked, ["tags r.io/aa", "tags r.io/bb"]);
}

#[tokio::test]
async fn all_failures_of_an_item_are_told_with_what_was_tried() {
    let calls = [("r.io/xx", None), ("r.io/aa", Some("number()")), ("r.io/aa", None)];
    let text = error(Case { fixed: vec!["other=f"], ..case(&calls) }, &registry(), None).await;
    let tried = "fixed: the 1 entry does not match; deployed: offline; registry: ";
    for part in [
        "postprocessing kustomize objects for /p/app failed: 2 errors occurred:",
        &format!("failed to find fixed image for r.io/xx: {tried}repository `r.io/xx` does not exist"),
        &format!("failed to find fixed image for r.io/aa: {tried}no tag matched latest_version: number()"),
        "(default/Deployment/web, field spec.template.spec.containers[0].image)",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn without_registry_and_cluster_only_fixed_images_count() {
    let options = ImageOptions { offline: true, ..ImageOptions::default() };
    let registry = registry();
    let text = error(Case { options, ..case(&[("r.io/aa", None)]) }, &registry, None).await;
    assert!(text.contains("failed to find fixed image for r.io/aa: fixed: no entries; deployed: offline; "), "{text}");
    assert!(text.contains("registry: registry lookups are disabled"), "{text}");
    assert!(registry.asked().is_empty());
}

#[tokio::test]
async fn a_live_object_that_cannot_be_read_matters_only_when_it_decides() {
    let cluster = running("r.io/aa:live");
    let object = cluster.put({
        let mut live = deployment(&["r.io/aa:live".to_owned()]);
        live["metadata"]["namespace"] = "default".into();
        live
    });
    cluster.fail_with(Verb::Get, &object, 403, "forbidden");
    let fixed = Case { fixed: vec!["r.io/aa=f"], ..case(&[("r.io/aa", None)]) };
    assert_eq!(images(fixed, &registry(), Some(&cluster)).await, ["f"]);
    let text = error(case(&[("r.io/aa", None)]), &registry(), Some(&cluster)).await;
    assert!(text.contains("get the deployed image of default/Deployment/web"), "{text}");
}

#[tokio::test]
async fn the_variable_is_read_only_when_an_image_needs_it() {
    let broken = || Case { vars: json!({"images": 5}), ..case(&[("r.io/aa", None), ("r.io/bb", None)]) };
    let answered = Case { fixed: vec!["r.io/aa=f", "r.io/bb=g"], ..broken() };
    assert_eq!(images(answered, &registry(), None).await, ["f", "g"]);
    let update = ImageOptions { update: true, ..ImageOptions::default() };
    assert_eq!(images(Case { options: update, ..broken() }, &registry(), None).await, ["r.io/aa:2.0", "r.io/bb:7"]);
    let registry = registry();
    let text = error(Case { fixed: vec!["r.io/aa=f"], ..broken() }, &registry, None).await;
    assert!(text.contains("failed: 1 error occurred:"), "{text}");
    assert!(text.contains("failed to parse fixed images from vars: nested value is not a slice"), "{text}");
    assert!(registry.asked().is_empty(), "an unreadable list is no reason to look further");
}

#[tokio::test]
async fn removal_reads_no_variable_and_asks_nobody() {
    let (registry, cluster) = (registry(), running("r.io/aa:live"));
    let removal = Case { vars: json!({"images": 5}), mode: ImageMode::Identities, ..case(&[("r.io/aa", None)]) };
    assert_eq!(images(removal, &registry, Some(&cluster)).await, ["r.io/aa"]);
    assert!(registry.asked().is_empty());
}

#[tokio::test]
async fn target_images_lose_against_flags() {
    let target = json!([{"image": "r.io/aa", "resultImage": "t"}, {"image": "r.io/bb", "resultImage": "t"}]);
    let both = Case { target, fixed: vec!["r.io/aa=f"], ..case(&[("r.io/aa", None), ("r.io/bb", None)]) };
    assert_eq!(images(both, &FakeRegistry::empty(), None).await, ["f", "t"]);
    let broken = Case { target: json!([{"image": "a"}]), ..case(&[("a", None)]) };
    assert!(error(broken, &FakeRegistry::empty(), None).await.contains("'required' tag"));
}

#[tokio::test]
async fn a_list_keeps_what_could_be_found() {
    let list = Case { mode: ImageMode::ListSimple, ..case(&[("r.io/aa", None), ("r.io/xx", None)]) };
    let found = run(list, &registry(), None).await.unwrap().found;
    assert_eq!(found.decisions.iter().map(|d| d.result_image.as_str()).collect::<Vec<_>>(), ["r.io/aa:2.0"]);
    assert_eq!(found.unresolved.len(), 1);
}

fn registry_images(outcome: &Outcome) -> Vec<Option<&str>> {
    outcome.found.decisions.iter().map(|decision| decision.registry_image.as_deref()).collect()
}

#[tokio::test]
async fn a_full_list_tells_the_newest_image_where_it_says_something() {
    let calls = [("r.io/aa", None), ("r.io/bb", None), ("r.io/bb", Some("number()"))];
    let list = Case { mode: ImageMode::List, fixed: vec!["r.io/bb=f"], ..case(&calls) };
    let outcome = run(list, &registry(), Some(&running("r.io/aa:1.0"))).await.unwrap();
    assert_eq!(outcome.images, ["r.io/aa:1.0", "f", "f"]);
    assert_eq!(registry_images(&outcome), [Some("r.io/aa:2.0"), None, Some("r.io/bb:7")]);
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
}

#[tokio::test]
async fn a_list_of_fixed_images_asks_nobody() {
    let registry = registry();
    let list = Case { mode: ImageMode::List, fixed: vec!["r.io/aa=f"], ..case(&[("r.io/aa", None)]) };
    let outcome = run(list, &registry, None).await.unwrap();
    assert!(registry.asked().is_empty() && outcome.warnings.is_empty());
}

#[tokio::test]
async fn information_that_fails_is_a_warning() {
    let list = Case { mode: ImageMode::List, fixed: vec!["r.io/xx=f"], ..case(&[("r.io/xx", Some("semver()"))]) };
    let outcome = run(list, &registry(), None).await.unwrap();
    assert!(outcome.found.unresolved.is_empty());
    assert_eq!(registry_images(&outcome), [None]);
    assert_eq!(outcome.warnings.len(), 1);
    assert!(outcome.warnings[0].starts_with("r.io/xx: the newest image is not known: "), "{:?}", outcome.warnings);
}

/// Never answers.
struct Silence;

#[async_trait::async_trait]
impl Registry for Silence {
    async fn list_tags(&self, _: &Repository) -> Result<Arc<TagList>, RegistryError> {
        std::future::pending().await
    }

    async fn manifest(&self, _: &Repository, _: &str) -> Result<Manifest, RegistryError> {
        std::future::pending().await
    }

    async fn created(&self, _: &Repository, _: &str, _: Option<&Platform>) -> Result<Option<Timestamp>, RegistryError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn information_is_not_waited_for_long() {
    let calls: Vec<(String, Option<&str>)> =
        (0..100).map(|index| (format!("r.io/{index}x"), Some("semver()"))).collect();
    let calls: Vec<_> = calls.iter().map(|(image, filter)| (image.as_str(), *filter)).collect();
    let target = calls.iter().map(|(image, _)| json!({"image": image, "resultImage": "f"})).collect();
    let list = Case { mode: ImageMode::List, target, ..case(&calls) };
    let start = tokio::time::Instant::now();
    let outcome = run(list, &Silence, None).await.unwrap();
    assert_eq!((outcome.images.len(), outcome.warnings.len()), (100, 100));
    assert!(start.elapsed() < std::time::Duration::from_secs(6), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_newest_build_is_asked_tag_by_tag() {
    let registry = FakeRegistry::empty()
        .with("r.io/aa", &["dev-x", "dev-y", "main"])
        .created_at("r.io/aa", "dev-x", "2024-02-01T00:00:00Z")
        .created_at("r.io/aa", "dev-y", "2024-01-01T00:00:00Z");
    let filter = "prefix('dev-', suffix=newest_build())";
    let calls = [("r.io/aa", Some(filter)), ("r.io/aa", Some(filter))];
    assert_eq!(images(case(&calls), &registry, None).await, ["r.io/aa:dev-x", "r.io/aa:dev-x"]);
    let asked = registry.asked();
    assert_eq!(asked.iter().filter(|text| text.starts_with("created ")).count(), 2, "{asked:?}");
}

#[tokio::test]
async fn without_any_build_time_nothing_is_chosen() {
    let registry = FakeRegistry::empty().with("r.io/aa", &["x"]);
    let text = error(case(&[("r.io/aa", Some("newest_build()"))]), &registry, None).await;
    assert!(text.contains("no tag matched latest_version: newest_build()"), "{text}");
}

#[tokio::test]
async fn too_many_tags_are_not_looked_at_one_by_one() {
    let tags: Vec<String> = (0..2001).map(|n| n.to_string()).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let registry = FakeRegistry::empty().with("r.io/aa", &tags);
    let text = error(case(&[("r.io/aa", Some("newest_build()"))]), &registry, None).await;
    assert!(text.contains("2001 tags would have to be looked at one by one"), "{text}");
    assert_eq!(registry.asked().len(), 1);
}

#[tokio::test]
async fn a_policy_that_does_not_exist_is_an_error() {
    let text = error(case(&[("r.io/aa", Some("policy('web')"))]), &registry(), None).await;
    assert!(text.contains("no policy `web`: the project defines none under imageAutomation.policies"), "{text}");
}

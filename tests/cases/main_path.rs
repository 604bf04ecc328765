//! The path of the quickstart, against a real API server with controllers and a real registry.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use windlass_model::result::CommandResult;
use windlass_tests::{Answer, ControlPlane, Options, Registry, TestProject, yaml};

const SERVICES: [&str; 3] = ["api", "web", "worker"];
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop-dev/deployments";

/// The example project with its servers.
struct Shop {
    plane: ControlPlane,
    registry: Registry,
    project: TestProject,
}

impl Shop {
    fn start() -> Self {
        let plane = ControlPlane::start(Options { controllers: true, kwok: true, ..Options::default() });
        let plane = plane.expect("a plane");
        let registry = Registry::start().expect("a registry");
        let project = TestProject::from_example("shop").on(&plane);
        let shop = Self { plane, registry, project };
        shop.push("1.0.0");
        shop
    }

    fn push(&self, tag: &str) {
        for service in SERVICES {
            self.registry.push_image(&format!("shop/{service}"), tag).expect("pushed");
        }
    }

    fn image(&self, service: &str, tag: &str) -> String {
        format!("{}/shop/{service}:{tag}", self.registry.address())
    }

    fn arguments<'a>(&self, command: &'a str, registry: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&[command, "-t", "dev", "-a", registry], more].concat()
    }

    /// Runs a command on the target, which must succeed.
    fn run(&self, command: &str, more: &[&str]) -> Answer {
        let registry = format!("registry={}", self.registry.address());
        self.project.succeed(&self.arguments(command, &registry, more))
    }

    /// Like [`Self::run`], with a result in YAML.
    fn result(&self, command: &str, more: &[&str]) -> Value {
        let answer = self.run(command, &[more, &["-o", "yaml"]].concat());
        yaml::load(&answer.stdout).expect("a document")
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let list = self.plane.get(path).expect("an answer").expect("a list");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Everything that the project has deployed, without what controllers write.
    fn deployed(&self) -> BTreeMap<String, Value> {
        const KINDS: [&str; 4] = [
            "/api/v1/namespaces",
            "/api/v1/namespaces/shop-dev/configmaps",
            "/api/v1/namespaces/shop-dev/services",
            DEPLOYMENTS,
        ];
        let mut objects = BTreeMap::new();
        for kind in KINDS {
            for object in self.list(&format!("{kind}?labelSelector=kluctl.io/discriminator=shop-dev")) {
                let name = object["metadata"]["name"].as_str().expect("a name");
                objects.insert(format!("{kind}/{name}"), without_status(object.clone()));
            }
        }
        objects
    }

    /// Image per Deployment.
    fn images(&self) -> BTreeMap<String, String> {
        let image = |object: &Value| object["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        self.list(DEPLOYMENTS).iter().map(|object| (text(&object["metadata"]["name"]), text(&image(object)))).collect()
    }

    /// What [`Self::images`] is to answer.
    fn expected(&self, tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(service, tag)| ((*service).to_owned(), self.image(service, tag))).collect()
    }

    /// Waits until controllers have nothing left to write.
    fn wait_settled(&self) {
        let started = Instant::now();
        while !self.list(DEPLOYMENTS).iter().all(is_settled) {
            assert!(started.elapsed() < Duration::from_secs(60), "Deployments do not become ready");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The object as its writer left it: controllers only write the status.
fn without_status(mut object: Value) -> Value {
    let is_deployment = object["spec"]["replicas"].is_number();
    let fields = object.as_object_mut().expect("an object");
    fields.remove("status");
    if is_deployment {
        let metadata = fields["metadata"].as_object_mut().expect("metadata");
        metadata.remove("resourceVersion");
        // The number of the current ReplicaSet.
        metadata["annotations"].as_object_mut().expect("annotations").remove("deployment.kubernetes.io/revision");
        let writers = metadata["managedFields"].as_array_mut().expect("managed fields");
        writers.retain(|writer| writer["manager"] == "kluctl");
    }
    object
}

fn is_settled(deployment: &Value) -> bool {
    let conditions = deployment["status"]["conditions"].as_array();
    let rolled_out = conditions.into_iter().flatten().any(|condition| condition["reason"] == "NewReplicaSetAvailable");
    let status = &deployment["status"];
    rolled_out
        && status["observedGeneration"] == deployment["metadata"]["generation"]
        && status["replicas"] == deployment["spec"]["replicas"]
        && status["updatedReplicas"] == deployment["spec"]["replicas"]
        && status["readyReplicas"] == deployment["spec"]["replicas"]
        && status["terminatingReplicas"].as_u64().unwrap_or_default() == 0
}

#[test]
fn shop_is_deployed_updated_pinned_rolled_back_and_pruned() {
    let shop = Shop::start();
    images_come_from_the_registry(&shop);
    a_diff_writes_nothing(&shop);
    shop.run("deploy", &["--yes"]);
    shop.run("validate", &["--wait", "60s", "--sleep", "100ms"]);
    assert_eq!(shop.images(), shop.expected(&[("api", "1.0.0"), ("web", "1.0.0"), ("worker", "1.0.0")]));
    a_second_deployment_changes_nothing(&shop);
    newer_tags_do_not_show(&shop);
    one_service_is_updated(&shop);
    let pinned = shop.project.work().join("pinned.yaml").display().to_string();
    shop.run("list-images", &["-o", &pinned]);
    a_fixed_image_wins_over_the_deployed_one_but_not_over_an_update(&shop);
    shop.run("deploy", &["--yes", "-u"]);
    assert_eq!(shop.images(), shop.expected(&[("api", "1.1.0"), ("web", "1.1.0"), ("worker", "1.1.0")]));
    shop.run("deploy", &["--yes", "--fixed-images-file", &pinned]);
    assert_eq!(shop.images(), shop.expected(&[("api", "1.0.0"), ("web", "1.1.0"), ("worker", "1.0.0")]));
    what_the_project_dropped_is_pruned(&shop);
}

fn images_come_from_the_registry(shop: &Shop) {
    let answer = shop.run("list-images", &["--simple"]);
    let images = yaml::load(&answer.stdout).expect("a document");
    let found: Vec<_> = images["images"].as_array().expect("a list").iter().map(|i| i["resultImage"].clone()).collect();
    assert_eq!(found, SERVICES.map(|service| Value::from(shop.image(service, "1.0.0"))));
    assert!(!shop.registry.requests().is_empty());
}

fn a_diff_writes_nothing(shop: &Shop) {
    shop.plane.forget_requests();
    let answer = shop.run("diff", &["--short-output"]);
    for name in ["Namespace/shop-dev", "shop-dev/ConfigMap/settings", "shop-dev/Deployment/web"] {
        assert!(answer.stdout.contains(name), "{name} is new:\n{}", answer.stdout);
    }
    let requests = shop.plane.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| !request.writes()), "{requests:#?}");
    assert!(shop.deployed().is_empty());
}

fn a_second_deployment_changes_nothing(shop: &Shop) {
    let before = shop.deployed();
    assert_eq!(before.len(), 8, "a Namespace, a ConfigMap, three Deployments with Services");
    shop.registry.forget_requests();
    let result = shop.result("deploy", &["--yes"]);
    assert_eq!(shop.registry.requests(), []);
    let objects = result["compactedObjects"].as_array().expect("objects");
    assert_eq!(objects.len(), before.len());
    for object in objects {
        for key in ["changes", "new", "deleted", "orphan"] {
            assert!(object.get(key).is_none(), "{key}: {object:#}");
        }
    }
    assert_eq!(result.get("errors"), None);
    assert_eq!(shop.deployed(), before);
}

fn newer_tags_do_not_show(shop: &Shop) {
    shop.push("1.1.0");
    shop.registry.forget_requests();
    assert_eq!(shop.run("diff", &[]).stdout, "");
    assert_eq!(shop.registry.requests(), []);
}

fn one_service_is_updated(shop: &Shop) {
    let before = shop.deployed();
    shop.run("deploy", &["--yes", "-u", "-I", "web"]);
    let after = shop.deployed();
    let changed: Vec<_> = after.iter().filter(|(name, object)| before.get(*name) != Some(object)).collect();
    let names: Vec<_> = changed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [format!("{DEPLOYMENTS}/web")]);
    assert_eq!(after.len(), before.len());
    assert_eq!(shop.images(), shop.expected(&[("api", "1.0.0"), ("web", "1.1.0"), ("worker", "1.0.0")]));
}

fn a_fixed_image_wins_over_the_deployed_one_but_not_over_an_update(shop: &Shop) {
    let fixed = shop.project.work().join("fixed.yaml");
    let image = format!("{}/shop/api", shop.registry.address());
    fs::write(&fixed, format!("images:\n- image: {image}\n  resultImage: {image}:0.9.0\n")).expect("a file");
    let fixed = fixed.display().to_string();
    shop.run("deploy", &["--yes", "--fixed-images-file", &fixed]);
    assert_eq!(shop.images(), shop.expected(&[("api", "0.9.0"), ("web", "1.1.0"), ("worker", "1.0.0")]));
    shop.run("deploy", &["--yes", "--fixed-images-file", &fixed, "-u", "-I", "api"]);
    assert_eq!(shop.images(), shop.expected(&[("api", "1.1.0"), ("web", "1.1.0"), ("worker", "1.0.0")]));
}

fn what_the_project_dropped_is_pruned(shop: &Shop) {
    let kept = shop.project.read("services/deployment.yaml").replace("  - path: worker\n", "");
    shop.project.write("services/deployment.yaml", &kept);
    let before = shop.deployed();
    shop.run("prune", &["--yes"]);
    let after = shop.deployed();
    let gone: Vec<_> = before.keys().filter(|name| !after.contains_key(*name)).map(String::as_str).collect();
    assert_eq!(gone, ["/api/v1/namespaces/shop-dev/services/worker", &format!("{DEPLOYMENTS}/worker")]);
    assert!(after.iter().all(|(name, object)| before.get(name) == Some(object)));
}

#[test]
fn identical_runs_print_identical_bytes() {
    let shop = Shop::start();
    shop.run("deploy", &["--yes"]);
    shop.wait_settled();
    // Something to show: a change, a new object, an orphan.
    shop.project.write("vars.yaml", "namespace: shop-dev\nlog:\n  level: debug\n");
    shop.project.write(
        "settings/more.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: more, namespace: shop-dev}}\n",
    );
    let kept = shop.project.read("services/deployment.yaml").replace("  - path: worker\n", "");
    shop.project.write("services/deployment.yaml", &kept);
    let registry = format!("registry={}", shop.registry.address());
    let on_target: [&[&str]; 12] = [
        &["render", "--print-all"],
        &["render", "--render-output-dir", "../rendered"],
        &["list-images"],
        &["list-images", "--simple"],
        &["diff"],
        &["diff", "--short-output"],
        &["diff", "-o", "yaml"],
        &["validate"],
        &["validate", "-o", "yaml"],
        &["deploy", "--dry-run"],
        &["deploy", "--dry-run", "-o", "yaml"],
        &["prune", "--dry-run", "-o", "yaml"],
    ];
    for command in on_target {
        same_twice(&shop, &shop.arguments(command[0], &registry, &command[1..]));
    }
    same_twice(&shop, &["list-targets"]);
}

fn same_twice(shop: &Shop, arguments: &[&str]) {
    let run = || {
        let Answer { code, stdout, stderr } = shop.project.run(arguments);
        (code, without_ids(&expanded(&stdout)), stderr)
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second, "windlass {arguments:?}");
    assert!(
        !first.1.is_empty() || arguments.contains(&"--render-output-dir") || arguments[0] == "validate",
        "{first:?}"
    );
}

/// A result with whole objects in place of the differences between them: a difference may begin inside a time.
fn expanded(text: &str) -> String {
    let result = yaml::load(text).ok().filter(|document| document.get("compactedObjects").is_some());
    match result.map(CommandResult::from_value) {
        Some(result) => serde_json::to_string_pretty(&result.expect("a result")).expect("JSON"),
        None => text.to_owned(),
    }
}

/// A result without what is different in every run: its own id and times, and what the server makes up for an
/// object that it would create.
fn without_ids(text: &str) -> String {
    let made_up = ["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "\\d{4}-\\d\\d-\\d\\dT[0-9:]*Z"];
    made_up.iter().fold(text.to_owned(), |text, pattern| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, "ID").into_owned()
    })
}

//! `image explain` and the selections beyond kluctl's, against a real registry.

use serde_json::Value;
use windlass_tests::{Registry, TestProject};

const TAGS: [&str; 6] = ["1.0.0", "1.2.0", "1.10.0", "2.0.0", "main-1700000000", "latest"];

fn project(registry: &Registry, filter: &str) -> TestProject {
    let image = format!("{}/shop/web", registry.address());
    let config = format!(
        "imageAutomation:\n  repositories:\n  - name: web\n    image: {image}\n  policies:\n  - name: web\n    repository: web\n    \
         select: {{semver: {{range: 1.x}}}}\n  - name: preview\n    repository: web\n    filter: {{pattern: ^main-}}\n    select: {{timestamp: {{}}}}\n"
    );
    let workload = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: shop}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        \
         image: '{{{{ images.get_image(\"{image}\", {filter}) }}}}'\n"
    );
    TestProject::from_files(&[
        (".kluctl.yaml", &config),
        ("deployment.yaml", "deployments: [{path: web}]\n"),
        ("web/deployment.yaml", &workload),
    ])
}

fn registry() -> Registry {
    let registry = Registry::start().expect("a registry");
    registry.push_images("shop/web", &TAGS).expect("pushed");
    registry
}

const OFFLINE: &str = "--offline-kubernetes";

fn listed(project: &TestProject) -> String {
    let answer = project.succeed(&["list-images", OFFLINE, "--simple"]);
    answer.stdout.lines().find_map(|line| line.trim().strip_prefix("resultImage: ")).expect("a result").to_owned()
}

#[test]
fn a_policy_of_the_project_chooses_in_templates() {
    let registry = registry();
    let image = |tag: &str| format!("{}/shop/web:{tag}", registry.address());
    for (filter, tag) in [
        ("version.policy(\"web\")", "1.10.0"),
        ("policy=\"preview\"", "main-1700000000"),
        ("version.semver(range=\">=1.0 <1.5\")", "1.2.0"),
        ("version.alphabetical()", "main-1700000000"),
        ("version.natural()", "main-1700000000"),
        ("\"prefix('1.', suffix=natural())\"", "1.10.0"),
    ] {
        assert_eq!(listed(&project(&registry, filter)), image(tag), "{filter}");
    }
}

#[test]
fn the_newest_build_is_read_from_the_images() {
    let registry = Registry::start().expect("a registry");
    for (tag, created) in [("a", "2024-01-01T00:00:00Z"), ("b", "2024-03-01T00:00:00Z"), ("c", "2024-02-01T00:00:00Z")]
    {
        registry.push_image_created("shop/web", tag, created).expect("pushed");
    }
    let project = project(&registry, "version.newest_build()");
    assert_eq!(listed(&project), format!("{}/shop/web:b", registry.address()));
}

#[test]
fn every_image_of_a_target_is_explained() {
    let registry = registry();
    let project = project(&registry, "version.policy(\"web\")");
    let answer = project.succeed(&["image", "explain", OFFLINE]);
    let text = answer.stdout.replace(&registry.address(), "[R]");
    assert_eq!(
        text,
        "[R]/shop/web\n  object    shop/Deployment/web, field spec.template.spec.containers[0].image\n  result    [R]/shop/web:1.10.0\n  \
         because   the registry's best tag is 1.10.0\n  rule      policy(\"web\")\n  tags\n    1.10.0           chosen\n    \
         1.2.0            outranked by 1.10.0\n    1.0.0            outranked by 1.10.0\n    2.0.0            outside of semver(range=\"1.x\", loose=True)\n    \
         latest           not a version\n    main-1700000000  not a version\n"
    );
    let fixed = format!("{}/shop/web=pinned", registry.address());
    let answer = project.succeed(&["image", "explain", OFFLINE, "-F", &fixed, "-o", "json"]);
    let found: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!(found["images"][0]["source"]["kind"], "fixed");
    assert_eq!(found["images"][0]["result"], "pinned");
    assert_eq!(found["images"][0]["tags"]["chosen"], "1.10.0");
}

#[test]
fn a_policy_needs_no_target_and_flags_need_no_project() {
    let registry = registry();
    let project = project(&registry, "policy=\"web\"");
    let answer = project.succeed(&["image", "explain", "preview", "--tag", "latest"]);
    let text = answer.stdout.replace(&registry.address(), "[R]");
    assert_eq!(
        text,
        "policy preview: [R]/shop/web\n  rule      timestamp(unit=\"auto\")\n  tags\n    latest  does not match `^main-`\n"
    );
    let image = format!("{}/shop/web", registry.address());
    let empty = TestProject::from_files(&[]);
    let answer = empty.succeed(&["image", "explain", &image, "--semver", "<2", "--exclude", "10"]);
    assert!(answer.stdout.contains("    1.2.0            chosen\n"), "{}", answer.stdout);
    assert!(answer.stdout.contains("    1.10.0           excluded by `10`\n"), "{}", answer.stdout);
}

#[test]
fn what_can_not_be_explained_is_an_error() {
    let registry = registry();
    let good = project(&registry, "policy=\"web\"");
    let image = format!("{}/shop/web", registry.address());
    for (arguments, wanted) in [
        (vec!["image", "explain", "nope", OFFLINE], "no policy or image `nope`; the target asks for "),
        (vec!["image", "explain", "web", "--tag", "9"], "no repository has the tag `9`"),
        (vec!["image", "explain", &image, "--semver", ">=9"], "no tag matched semver(range=\">=9\")"),
        (vec!["image", "explain", "a", "b"], "unexpected argument \"b\""),
        (vec!["image", "explain", "-o", "xml"], "invalid format: xml"),
        (vec!["image", "explain", "--semver", "1"], "--semver needs an image"),
        (vec!["image", "explain", "r/a:1", "--semver", "1"], "r/a:1: "),
    ] {
        let answer = good.run(&arguments);
        assert_ne!(answer.code, 0, "{arguments:?}");
        assert!(answer.stderr.contains(wanted), "{arguments:?}: {}", answer.stderr);
    }
    let unknown = project(&registry, "policy=\"nope\"").run(&["list-images", OFFLINE]);
    assert!(unknown.stderr.contains("no policy `nope`; the project has preview, web"), "{}", unknown.stderr);
}

#[test]
fn a_broken_policy_names_file_and_line() {
    for (section, wanted) in [
        ("policies: [{name: a}]", ".kluctl.yaml:2:14: imageAutomation.policies[0]: exactly one of"),
        (
            "policies:\n  - name: a\n    image: r\n    select: {semver: {range: 1x}}",
            ".kluctl.yaml:5:22: imageAutomation",
        ),
        ("polices: []", ".kluctl.yaml:2:3: "),
    ] {
        let project = TestProject::from_files(&[
            (".kluctl.yaml", &format!("imageAutomation:\n  {section}\n")),
            ("deployment.yaml", "deployments: []\n"),
        ]);
        let answer = project.run(&["render", OFFLINE]);
        assert_ne!(answer.code, 0, "{section}");
        assert!(answer.stderr.contains(wanted), "{section}: {}", answer.stderr);
    }
}

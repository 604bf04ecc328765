//! `image tags|scan|policy|markers|update` against a real registry.

use serde_json::Value;
use windlass_tests::{Registry, TestProject};

fn registry() -> Registry {
    let registry = Registry::start().expect("a registry");
    registry.push_images("shop/web", &["1.0.0", "1.2.0", "2.0.0-rc.1", "latest"]).expect("pushed");
    registry
}

/// A native policy, a file that is no YAML, and one with comments, CRLF and no final newline.
fn project(registry: &Registry, extra: &str) -> TestProject {
    let image = format!("{}/shop/web", registry.address());
    let config = format!(
        "imageAutomation:\n  namespace: shop\n  policies:\n  - name: web\n    image: {image}\n    select: {{semver: {{range: 1.x}}}}\n{extra}"
    );
    let manifest = format!("# kept\r\nimage:   '{image}:1.0.0'   # {{\"$imagepolicy\": \"shop:web\"}}\r\nlast: x");
    TestProject::from_files(&[
        (".kluctl.yaml", &config),
        ("apps/web.yaml", &manifest),
        ("apps/values.yaml", "{% if x %}\ntag: 1.0.0 # {\"$imagepolicy\": \":web:tag\"}\n{% endif %}\n"),
        ("apps/other.yaml", "tag: 1.0.0\n"),
    ])
}

fn read(project: &TestProject, file: &str) -> String {
    project.read(file)
}

#[test]
fn an_update_writes_exactly_the_values() {
    let registry = registry();
    let project = project(&registry, "");
    let hidden = |text: &str| text.replace(&registry.address(), "[R]");
    let plan = project.succeed(&["image", "update"]);
    assert_eq!(
        hidden(&plan.stdout),
        "apps/values.yaml:2  shop:web:tag  1.0.0 -> 1.2.0  (minor)\n\
         apps/web.yaml:2  shop:web  [R]/shop/web:1.0.0 -> [R]/shop/web:1.2.0  (minor)\n\
         2 values in 2 files are outdated; --write sets them\n"
    );
    assert!(read(&project, "apps/values.yaml").contains("1.0.0"), "a plan writes nothing");
    let diff = project.succeed(&["image", "update", "--diff", "--dry-run"]);
    assert!(diff.stdout.contains("-tag: 1.0.0 #") && diff.stdout.contains("+tag: 1.2.0 #"), "{}", diff.stdout);
    assert_eq!(project.run(&["image", "update", "--check"]).code, 2);
    let written = project.succeed(&["image", "update", "--write", "-o", "json"]);
    let result: Value = serde_json::from_str(&written.stdout).expect("JSON");
    assert_eq!((&result["policies"][0]["status"], &result["changes"][0]["kind"]), (&"updated".into(), &"minor".into()));
    assert_eq!(
        hidden(&read(&project, "apps/web.yaml")),
        "# kept\r\nimage:   '[R]/shop/web:1.2.0'   # {\"$imagepolicy\": \"shop:web\"}\r\nlast: x"
    );
    assert_eq!(
        read(&project, "apps/values.yaml"),
        "{% if x %}\ntag: 1.2.0 # {\"$imagepolicy\": \":web:tag\"}\n{% endif %}\n"
    );
    let again = project.succeed(&["image", "update", "--write"]);
    assert_eq!(again.stdout, "nothing to update\n");
    assert_eq!(project.run(&["image", "update", "--check"]).code, 0);
}

#[test]
fn policies_are_listed_and_feed_deploys() {
    let registry = registry();
    let project = project(&registry, "");
    let image = format!("{}/shop/web", registry.address());
    let fixed = project.succeed(&["image", "policy", "-o", "fixed-images"]).stdout;
    assert_eq!(fixed, format!("images:\n- image: {image}\n  resultImage: {image}:1.2.0\n"));
    let text = project.succeed(&["image", "policy", "web", "-A"]).stdout;
    assert!(text.contains("True") && text.contains("resolved to 1.2.0"), "{text}");
    assert!(project.succeed(&["image", "scan"]).stdout.contains("  4\n"));
    assert_eq!(
        project.succeed(&["image", "tags", &image, "--filter", r"^\d", "--limit", "2"]).stdout,
        "1.0.0\n1.2.0\n"
    );
}

#[test]
fn flux_resources_choose_in_plain_files() {
    let registry = registry();
    let image = format!("{}/shop/web", registry.address());
    let flux = format!(
        "apiVersion: image.toolkit.fluxcd.io/v1beta1\nkind: ImageRepository\nmetadata: {{name: web, namespace: flux}}\nspec: {{image: {image}, interval: 5m}}\n---\n\
         apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {{name: web, namespace: flux}}\nspec:\n  imageRepositoryRef: {{name: web}}\n  policy: {{semver: {{range: '>=1.0.0-0'}}}}\n---\n\
         apiVersion: image.toolkit.fluxcd.io/v1alpha1\nkind: ImageUpdateAutomation\nmetadata: {{name: all, namespace: flux}}\nspec: {{interval: 1h, update: {{path: ./apps}}}}\n"
    );
    let marked = "tag: 1.0.0 # {\"$imagepolicy\": \"flux:web:tag\"}\n";
    let project =
        TestProject::from_files(&[("flux/all.yaml", &flux), ("apps/a.yaml", marked), ("outside.yaml", marked)]);
    let done = project.succeed(&["image", "update", "flux:all", "--write"]);
    assert!(done.stdout.contains("apps/a.yaml:1"), "{}", done.stdout);
    assert!(read(&project, "apps/a.yaml").starts_with("tag: 2.0.0-rc.1 #"));
    assert_eq!(read(&project, "outside.yaml"), marked);
}

#[test]
fn markers_tell_their_state() {
    let registry = registry();
    let project = project(&registry, "");
    project.write(
        "bad.yaml",
        "a: 1 # {\"$imagepolicy\": \"shop:wep\"}\nb: 1 # {\"$imagepolicy\": \"shop:web:tga\"}\nc: 1 # {\"$imagepolicy\": 1}\nd: [1] # {\"$imagepolicy\": \"shop:web\"}\ne: 1.2.0 # {\"$imagepolicy\": \"shop:web:tag\"}\n",
    );
    let answer = project.succeed(&["image", "markers", "bad.yaml", "-o", "json"]);
    let found: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    let states: Vec<_> =
        found["markers"].as_array().expect("a list").iter().map(|m| m["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["unknown-policy", "unknown-field", "malformed", "unsupported-position", "current"]);
    assert_eq!(found["markers"][0]["reason"], "no policy `shop:wep`, did you mean `shop:web`?");
    let strict = project.run(&["image", "markers", "--strict"]);
    assert_eq!(strict.code, 1);
    assert!(strict.stderr.contains("4 of 7 markers are neither current nor outdated"), "{}", strict.stderr);
}

#[test]
fn one_failing_repository_does_not_stop_the_others() {
    let registry = registry();
    let extra = format!("  - name: gone\n    image: {}/shop/gone\n", registry.address());
    let project = project(&registry, &extra);
    let answer = project.run(&["image", "update", "--write"]);
    assert_eq!(answer.code, 3, "{}", answer.stderr);
    assert!(read(&project, "apps/values.yaml").contains("1.2.0"));
    assert!(answer.stderr.contains("policy shop:gone: "), "{}", answer.stderr);
    assert_eq!(project.run(&["image", "update", "--write", "--allow-partial"]).code, 0);
}

#[test]
fn what_can_not_be_used_is_an_error_with_its_place() {
    let registry = registry();
    for (extra, wanted) in [
        ("  - name: web\n    image: r/a\n", ".kluctl.yaml:7:11: policy `shop:web` is defined twice, before at "),
        ("  - {name: b, image: r/a, minimumAge: soon}\n", ".kluctl.yaml:7:39: `soon` is no time"),
        ("  - {name: b, image: 'r/a:1'}\n", "must not have a tag or digest"),
        ("  updates: [{name: u, pathes: {}}]\n", "unknown field \"pathes\", did you mean \"paths\"?"),
        ("  include: [nope/*.yaml]\n", "`nope/*.yaml` names no file"),
    ] {
        let answer = project(&registry, extra).run(&["image", "update", "--write"]);
        assert_eq!(answer.code, 1, "{extra}");
        assert!(answer.stderr.contains(wanted), "{extra}: {}", answer.stderr);
    }
    let good = project(&registry, "");
    for (arguments, wanted) in [
        (vec!["image", "update", "nope"], "no update `nope`; none is configured"),
        (vec!["image", "policy", "wep"], "no policy `wep`, did you mean `shop:web`?"),
        (vec!["image", "update", "--commit"], "--commit is not available yet"),
        (vec!["image", "update", "--path", "nope"], "path `nope` does not exist"),
        (vec!["image", "update", "--resources", "nope"], "`nope` names no file"),
        (vec!["image", "tags"], "image tags needs an image"),
    ] {
        let answer = good.run(&arguments);
        assert_eq!(answer.code, 1, "{arguments:?}");
        assert!(answer.stderr.contains(wanted), "{arguments:?}: {}", answer.stderr);
    }
}

//! Rows of spec 02 C2 that need a registry but no cluster: places, precedence, lists, requests.

use std::fmt::Write as _;

use serde_json::Value;
use windlass_tests::{Answer, Registry, TestProject, yaml};

const OFFLINE: &str = "--offline-kubernetes";

/// `[R]` in every file stands for the registry's address.
fn project(registry: &Registry, files: &[(&str, &str)]) -> TestProject {
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.replace("[R]", &registry.address()))).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    TestProject::from_files(&files)
}

fn registry() -> Registry {
    let registry = Registry::start().expect("a registry");
    registry.push_images("aa", &["1.0", "1.1", "7", "main-3"]).expect("pushed");
    registry.push_images("bb", &["2.0"]).expect("pushed");
    registry
}

fn plain(registry: &Registry, text: &str) -> String {
    text.replace(&registry.address(), "[R]")
}

fn objects(project: &TestProject) -> Vec<Value> {
    let answer = project.succeed(&["render", OFFLINE, "--print-all"]);
    yaml::load_all(&answer.stdout).expect("documents")
}

const PLACES: &str = r#"
apiVersion: batch/v1
kind: CronJob
metadata: {name: c, annotations: {image: '{{ images.get_image("[R]/aa") }}'}}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: init, image: '{{ images.get_image("[R]/aa", "number()") }}'}]
          containers: [{name: main, image: '{{ images.get_image("[R]/aa") }}', args: ['--image={{ images.get_image("[R]/bb") }}']}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data:
  text: 'first {{ images.get_image("[R]/aa") }} then {{ images.get_image("[R]/bb") }}{{ images.get_image("[R]/bb") }}!'
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: t}
spec: {nested: [{deep: ['{{ images.get_image("[R]/bb") }}']}], other: '{{ from_vars }}'}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: x, image: '{{ images.get_image("[R]/bb") }}'}]}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {image: '{{ images.get_image("[R]/bb") | b64encode }}'}
"#;

#[test]
fn placeholders_are_replaced_wherever_they_stand() {
    let registry = registry();
    let project = project(
        &registry,
        &[
            ("deployment.yaml", "vars: [{file: vars.yaml}]\ndeployments: [{path: all}]\n"),
            ("vars.yaml", "from_vars: '{{ images.get_image(\"[R]/aa\") }}'\n"),
            ("all/all.yaml", PLACES),
        ],
    );
    let found = objects(&project);
    let texts: Vec<String> = found.iter().map(|object| plain(&registry, &object.to_string())).collect();
    let has = |part: &str| assert!(texts.iter().any(|text| text.contains(part)), "{part} in {texts:#?}");
    has(r#""annotations":{"image":"[R]/aa:7""#);
    has(r#""initContainers":[{"image":"[R]/aa:7","name":"init"}]"#);
    has(r#""args":["--image=[R]/bb:2.0"]"#);
    has(r#""text":"first [R]/aa:7 then [R]/bb:2.0[R]/bb:2.0!""#);
    has(r#""nested":[{"deep":["[R]/bb:2.0"]}],"other":"[R]/aa:7""#);
    has(r#""containers":[{"image":"[R]/bb:2.0","name":"x"}]"#);
    let secret = found.iter().find(|object| object["kind"] == "Secret").expect("the Secret");
    let bytes =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, secret["data"]["image"].as_str().expect("text"));
    assert_eq!(plain(&registry, &String::from_utf8(bytes.expect("base64")).expect("text")), "[R]/bb:2.0");
    assert!(texts.iter().all(|text| !text.contains("XXXXX")), "{texts:#?}");
}

#[test]
fn a_repository_is_listed_once_and_never_when_it_is_not_needed() {
    let registry = registry();
    let mut text = String::new();
    for index in 0..30 {
        let filter = ["", ", 'number()'", ", \"prefix('main-')\""][index % 3];
        writeln!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}}}\ndata: {{a: '{{{{ images.get_image(\"[R]/aa\"{filter}) }}}}', b: '{{{{ images.get_image(\"[R]/bb\") }}}}'}}"
        )
        .expect("text");
    }
    let text = text.replace("'number()'", "\"number()\"").replace("\"prefix('main-')\"", "version.prefix(\"main-\")");
    let project = project(&registry, &[("deployment.yaml", "deployments: [{path: x}]\n"), ("x/x.yaml", &text)]);
    registry.forget_requests();
    project.succeed(&["render", OFFLINE, "--print-all"]);
    let mut asked: Vec<String> = registry.requests().iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    asked.retain(|line| !line.ends_with(" /v2/"));
    asked.sort();
    assert_eq!(asked, ["GET /v2/aa/tags/list", "GET /v2/bb/tags/list"]);
    registry.forget_requests();
    let fixed = [format!("{}/aa=x", registry.address()), format!("{}/bb=y", registry.address())];
    project.succeed(&["render", OFFLINE, "--print-all", "-F", &fixed[0], "-F", &fixed[1]]);
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
}

const WORKLOAD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: ns}\nspec: {template: {spec: {containers: [{name: app, image: '{{ images.get_image(\"[R]/aa\") }}'}]}}}\n";

/// One workload; the sources of fixed images come from the case.
fn one(registry: &Registry, target: &str, root_vars: &str, item_vars: &str) -> TestProject {
    let config = format!("targets: [{{name: t, images: [{target}]}}]\n");
    let root = format!("vars: [{root_vars}]\ndeployments: [{{path: x, vars: [{item_vars}]}}]\n");
    project(registry, &[(".kluctl.yaml", &config), ("deployment.yaml", &root), ("x/x.yaml", WORKLOAD)])
}

fn result(registry: &Registry, project: &TestProject, more: &[&str]) -> String {
    let more: Vec<String> = more.iter().map(|text| text.replace("[R]", &registry.address())).collect();
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let answer = project.succeed(&[&["list-images", "-t", "t", OFFLINE, "--simple"], more.as_slice()].concat());
    let list = yaml::load(&answer.stdout).expect("a list");
    plain(registry, list["images"][0]["resultImage"].as_str().expect("a result"))
}

#[test]
fn sources_of_fixed_images_have_an_order_in_both_directions() {
    let registry = registry();
    let entry = |result: &str| format!("{{image: '[R]/aa', resultImage: {result}}}");
    let vars = |result: &str| format!("{{values: {{images: [{}]}}}}", entry(result));
    let all = one(&registry, &entry("target"), &vars("root"), &vars("item"));
    all.write("fixed.yaml", &format!("images: [{}]\n", entry("file")).replace("[R]", &registry.address()));
    let file = ["--fixed-images-file", "fixed.yaml"];
    assert_eq!(result(&registry, &all, &["-F", "[R]/aa=flag", file[0], file[1]]), "flag");
    assert_eq!(result(&registry, &all, &[file[0], file[1], "-F", "[R]/aa=flag"]), "flag");
    assert_eq!(result(&registry, &all, &["-F", "[R]/aa=first", "-F", "[R]/aa=last"]), "last");
    assert_eq!(result(&registry, &all, &file), "file");
    assert_eq!(result(&registry, &all, &[]), "target");
    assert_eq!(result(&registry, &all, &["-u"]), "[R]/aa:7");
    let vars_only = one(&registry, "", &vars("root"), &vars("item"));
    assert_eq!(result(&registry, &vars_only, &[]), "item");
    let root_only = one(&registry, "", &vars("root"), "");
    assert_eq!(result(&registry, &root_only, &[]), "root");
    // The item's list replaces the root's; it is not added to it.
    let other = one(&registry, "", &vars("root"), "{values: {images: [{image: other, resultImage: x}]}}");
    assert_eq!(result(&registry, &other, &[]), "[R]/aa:7");
    let kept = one(&registry, "", &vars("root"), "{values: {images: []}, noOverride: true}");
    assert_eq!(result(&registry, &kept, &[]), "root");
}

#[test]
fn criteria_of_entries_select() {
    let registry = registry();
    let project = one(&registry, "", "", "");
    for (entries, wanted) in [
        ("{image: '[R]/aa', namespace: ns, resultImage: r}", "r"),
        ("{image: '[R]/aa', namespace: default, resultImage: r}", "[R]/aa:7"),
        ("{image: '[R]/aa', namespace: '', resultImage: r}", "[R]/aa:7"),
        ("{image: '[R]/aa', deployment: Deployment/web, container: app, resultImage: r}", "r"),
        ("{image: '[R]/aa', deployment: deployment/web, resultImage: r}", "[R]/aa:7"),
        ("{deployment: web, resultImage: r}", "r"),
        ("{imageRegex: 'a$', resultImage: 'x@sha256:00'}", "x@sha256:00"),
        ("{imageRegex: '^a', resultImage: r}", "[R]/aa:7"),
        ("{image: '[R]/aa', container: app, resultImage: specific}, {image: '[R]/aa', resultImage: late}", "late"),
        ("{image: '[R]/aa', resultImage: r, registryImage: x, versionFilter: y, kustomizeDir: z}", "r"),
    ] {
        let entries = entries.replace("[R]", &registry.address());
        project.write("fixed.yaml", &format!("images: [{entries}]\n"));
        assert_eq!(result(&registry, &project, &["--fixed-images-file", "fixed.yaml"]), wanted, "{entries}");
    }
    for (flag, wanted) in [
        ("[R]/aa:ns:Deployment/web:app=r", "r"),
        ("[R]/aa::web=r", "r"),
        ("[R]/aa:other=r", "[R]/aa:7"),
        ("[R]/aa=x=y", "x=y"),
    ] {
        assert_eq!(result(&registry, &project, &["-F", flag]), wanted, "{flag}");
    }
}

#[test]
fn bad_fixed_images_are_refused_with_their_place() {
    let registry = registry();
    let project = one(&registry, "", "", "");
    for (text, wanted) in [
        ("images: [{image: a, imageRegex: b, resultImage: c}]", "fixed.yaml:1:10: images[0]"),
        ("images:\n- image: a\n", "fixed.yaml:2:3: images[0]"),
        ("images: [{image: a, resultImage: b, tag: c}]", "unknown field \"tag\""),
        ("images: [{imageRegex: '(', resultImage: b}]", "missing closing )"),
        ("images: {a: b}", "cannot unmarshal"),
        ("imgs: []", "unknown field \"imgs\""),
        ("images: [", "fixed.yaml:1:"),
    ] {
        project.write("fixed.yaml", text);
        let answer = project.run(&["list-images", "-t", "t", OFFLINE, "--fixed-images-file", "fixed.yaml"]);
        assert!(answer.code != 0 && answer.stderr.contains(wanted), "{text}: {}", answer.stderr);
    }
    for flag in ["a", "a:b:c:d:e=f"] {
        let answer = project.run(&["list-images", "-t", "t", OFFLINE, "-F", flag]);
        assert!(answer.code != 0 && answer.stderr.contains("fixed"), "{flag}: {}", answer.stderr);
    }
    let not_a_list = one(&registry, "", "{values: {images: 5}}", "").run(&["list-images", "-t", "t", OFFLINE]);
    assert!(not_a_list.stderr.contains("failed to parse fixed images from vars: nested value is not a slice"));
}

fn fails(project: &TestProject, arguments: &[&str], wanted: &str) -> Answer {
    let answer = project.run(arguments);
    assert!(answer.code != 0 && answer.stderr.contains(wanted), "{arguments:?}: {}", answer.stderr);
    answer
}

#[test]
fn a_list_that_misses_an_image_is_printed_and_fails() {
    let registry = registry();
    let missing = WORKLOAD.replace("[R]/aa", "[R]/none").replace("name: web", "name: lost");
    let text = format!("{WORKLOAD}---\n{missing}");
    let project = project(&registry, &[("deployment.yaml", "deployments: [{path: x}]\n"), ("x/x.yaml", &text)]);
    let answer = fails(&project, &["list-images", OFFLINE], "failed to find fixed image for ");
    assert!(
        answer.stderr.contains("ns/Deployment/lost, field spec.template.spec.containers[0].image"),
        "{}",
        answer.stderr
    );
    assert!(plain(&registry, &answer.stdout).contains("resultImage: '[R]/aa:7'") || answer.stdout.contains("/aa:7"));
    let answer = fails(&project, &["list-images", OFFLINE, "--offline-images"], "registry lookups are disabled");
    assert_eq!(answer.stdout, "{}\n");
    fails(&project, &["render", OFFLINE, "-u", "--offline-images"], "registry lookups are disabled");
}

#[test]
fn a_written_list_gives_the_same_result() {
    let registry = registry();
    let project = project(&registry, &[("deployment.yaml", "deployments: [{path: x}]\n"), ("x/x.yaml", PLACES)]);
    project.write("x/x.yaml", &PLACES.replace("{{ from_vars }}", "y").replace("[R]", &registry.address()));
    let before = objects(&project);
    for form in [&[][..], &["--simple"]] {
        let arguments = [&["list-images", OFFLINE, "-o", "one.yaml", "-o", "two.yaml"], form].concat();
        assert_eq!(project.succeed(&arguments).stdout, "");
        assert_eq!(project.read("one.yaml"), project.read("two.yaml"));
        // New tags do not matter any more.
        registry.push_images("aa", &["99"]).expect("pushed");
        let arguments = ["render", OFFLINE, "--print-all", "--offline-images", "--fixed-images-file", "one.yaml"];
        if form.is_empty() {
            let answer = project.succeed(&arguments);
            assert_eq!(yaml::load_all(&answer.stdout).expect("documents"), before);
        }
    }
}

#[test]
fn an_image_with_a_tag_is_refused_by_the_registry_step() {
    let registry = registry();
    let text = WORKLOAD.replace("[R]/aa", "[R]/aa:1.0");
    let project = project(&registry, &[("deployment.yaml", "deployments: [{path: x}]\n"), ("x/x.yaml", &text)]);
    fails(&project, &["list-images", OFFLINE], "failed to find fixed image for ");
}

#[test]
fn a_project_without_images_lists_nothing() {
    let project = TestProject::from_files(&[("deployment.yaml", "deployments: []\n")]);
    assert_eq!(project.succeed(&["list-images", OFFLINE]).stdout, "{}\n");
}

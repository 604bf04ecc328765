//! Projects from text to objects, without a cluster: what loads, and what is refused with which words.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use windlass_cluster::Cluster;
use windlass_deploy::images::ImageMode;
use windlass_deploy::inclusion::Inclusion;
use windlass_deploy::load::LoadRequest;
use windlass_deploy::target::TargetRequest;
use windlass_deploy::{
    ConnectFailure, Connection, Connector, ImageOptions, NoStores, Ports, Prepared, RenderOutput, Repository, Request,
    prepare,
};
use windlass_kustomize::GoHelper;
use windlass_model::event::Silent;
use windlass_model::result::GitInfo;
use windlass_registry::FakeRegistry;
use windlass_sources::{FakeSources, Sources};
use windlass_template::{DebugSink, GitHistory};

struct Offline;

#[async_trait]
impl Connector for Offline {
    async fn connect(&self, _context: Option<&str>) -> Result<Option<Arc<dyn Cluster>>, ConnectFailure> {
        Ok(None)
    }
}

impl Repository for Offline {
    fn info(&self, _root: &Path, _sub_dir: &str) -> Result<GitInfo, ConnectFailure> {
        Ok(GitInfo::default())
    }

    fn key(&self, _url: &str) -> Option<String> {
        None
    }

    fn history(&self) -> Option<Arc<dyn GitHistory>> {
        None
    }
}

impl DebugSink for Offline {
    fn message(&self, _text: &str) {}
}

/// Files of a project, the target, the caller's args.
struct Case<'a> {
    files: &'a [(&'a str, &'a str)],
    target: Option<&'a str>,
    args: Value,
    inclusion: Inclusion,
}

impl<'a> Case<'a> {
    fn new(files: &'a [(&'a str, &'a str)]) -> Self {
        Self { files, target: None, args: json!({}), inclusion: Inclusion::default() }
    }

    fn target(self, name: &'a str) -> Self {
        Self { target: Some(name), ..self }
    }

    fn args(self, args: Value) -> Self {
        Self { args, ..self }
    }

    fn include_tag(mut self, tag: &str) -> Self {
        self.inclusion.include_tags.insert(tag.into());
        self
    }

    /// The objects, or the error with the project's folder as `[P]`.
    fn run(&self) -> Result<Vec<Value>, String> {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().canonicalize().unwrap().join("project");
        std::fs::create_dir_all(project.join(".git")).unwrap();
        for (name, text) in self.files {
            let path = project.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let outcome = self.prepare(&project, &folder.path().join("out"));
        let objects = |prepared: Prepared| prepared.objects.objects().map(|object| object.0.clone()).collect();
        outcome.map(objects).map_err(|error| error.replace(&project.display().to_string(), "[P]"))
    }

    fn prepare(&self, project: &Path, output: &Path) -> Result<Prepared, String> {
        let request = Request {
            load: LoadRequest {
                project_dir: project.into(),
                config_file: None,
                external_args: self.args.as_object().cloned().unwrap_or_else(Map::new),
            },
            target: TargetRequest { name: self.target.map(str::to_owned), ..TargetRequest::default() },
            inclusion: self.inclusion.clone(),
            images: ImageOptions::default(),
            output: RenderOutput::Temporary(output.into()),
            connection: Connection::Offline,
            kubernetes_version: None,
            results: windlass_deploy::ResultOptions::default(),
        };
        let libs = project.join("../libs");
        let sources: Arc<dyn Sources> = Arc::new(
            FakeSources::default()
                .with_git("https://h/lib.git", libs.join("lib"))
                .with_git_ref("https://h/lib.git", "refs/tags/v1", libs.join("lib-v1"))
                .with_oci("oci://h/lib", libs.join("oci")),
        );
        let (registry, helper) = (FakeRegistry::empty(), GoHelper::new(output.join("helper")));
        let (environment, debug): (_, Arc<dyn DebugSink>) = (BTreeMap::new(), Arc::new(Offline));
        let ports = Ports {
            connector: &Offline,
            registry: &registry,
            sources: &sources,
            helper: &helper,
            charts: None,
            repository: &Offline,
            environment: &environment,
            stores: &NoStores,
            web: &NoStores,
            keys: &NoStores,
            secrets: &Arc::default(),
            debug: &debug,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(prepare(&request, ImageMode::Normal, ports, &Silent)).map_err(|error| error.to_string())
    }
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  v: \"{{ v | default('none') }}\"\n";
const ITEM: &str = "deployments:\n- path: item\n";

#[test]
fn objects_get_labels_tags_and_their_directory() {
    let config = "discriminator: d-{{ target.name }}\ntargets:\n- name: dev\n";
    let deployment = "commonLabels: {team: a}\ntags: [all]\ndeployments:\n- path: item\n";
    let case = [(".kluctl.yaml", config), ("deployment.yaml", deployment), ("item/a.yaml", MAP)];
    let objects = Case::new(&case).target("dev").run().unwrap();
    let labels =
        json!({"team": "a", "kluctl.io/discriminator": "d-dev", "kluctl.io/tag-0": "all", "kluctl.io/tag-1": "item"});
    assert_eq!(objects[0]["metadata"]["labels"], labels);
    assert_eq!(objects[0]["metadata"]["annotations"], json!({"kluctl.io/deployment-item-dir": "item"}));
}

#[test]
fn variables_come_from_projects_includes_and_items() {
    let root = "vars:\n- values: {v: root, w: root}\ndeployments:\n- include: sub\n  vars:\n  - values: {v: include}\n";
    let sub = "vars:\n- values: {x: '{{ v }}'}\ndeployments:\n- path: item\n  vars:\n  - values: {v: '{{ x }}-{{ w }}-item'}\n";
    let sub = &sub
        .replace("'{{ v }}'", "'{% raw %}{{ v }}{% endraw %}'")
        .replace("'{{ x }}-{{ w }}-item'", "'{% raw %}{{ x }}-{{ w }}-item{% endraw %}'");
    let case = [("deployment.yaml", root), ("sub/deployment.yaml", sub), ("sub/item/a.yaml", MAP)];
    assert_eq!(Case::new(&case).run().unwrap()[0]["data"]["v"], "include-root-item");
}

#[test]
fn args_of_the_caller_win_over_target_and_default() {
    let config = "args:\n- name: a.b\n  default: 1\n- name: c\n  default: 1\ntargets:\n- name: t\n  args: {c: 2}\n";
    let map = MAP.replace("{{ v | default('none') }}", "{{ args.a.b }}{{ args.c }}");
    let case = [(".kluctl.yaml", config), ("deployment.yaml", ITEM), ("item/a.yaml", &map)];
    assert_eq!(Case::new(&case).target("t").run().unwrap()[0]["data"]["v"], "12");
    assert_eq!(Case::new(&case).target("t").args(json!({"c": 3})).run().unwrap()[0]["data"]["v"], "13");
}

#[test]
fn a_library_sees_its_own_args_only() {
    let root = "vars:\n- values: {v: root}\ndeployments:\n- include: lib\n  args: {num: 5}\n";
    let library = "args:\n- name: num\n- name: more\n  default: 7\n";
    let map = MAP.replace("{{ v |", "{{ args.num }}{{ args.more }}{{ v |");
    let case = [
        ("deployment.yaml", root),
        ("lib/.kluctl-library.yaml", library),
        ("lib/deployment.yaml", ITEM),
        ("lib/item/a.yaml", &map),
    ];
    assert_eq!(Case::new(&case).run().unwrap()[0]["data"]["v"], "57none");
}

#[test]
fn tags_select_items_and_conditions_remove_them() {
    let deployment = "deployments:\n- path: one\n- path: two\n  when: 1 == 2\n- path: three\n  tags: [x]\n";
    let named = |name: &str| MAP.replace("name: a", &format!("name: {name}"));
    let (one, two, three) = (named("one"), named("two"), named("three"));
    let case = [
        ("deployment.yaml", deployment),
        ("one/a.yaml", one.as_str()),
        ("two/a.yaml", two.as_str()),
        ("three/a.yaml", three.as_str()),
    ];
    let names = |objects: Vec<Value>| -> Vec<String> {
        objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(Case::new(&case).run().unwrap()), ["one", "three"]);
    assert_eq!(names(Case::new(&case).include_tag("x").run().unwrap()), ["three"]);
}

#[test]
fn a_root_without_deployment_is_one_item() {
    assert_eq!(Case::new(&[("a.yaml", MAP)]).run().unwrap().len(), 1);
}

const ENCRYPTED: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  k: ENC[AES256_GCM,data:x]\n\
                         sops:\n  mac: ENC[AES256_GCM,data:y]\n";

#[test]
fn ciphertext_never_becomes_an_object() {
    let item = ("deployment.yaml", ITEM);
    let vars = ("deployment.yaml", "vars:\n- file: v.yaml\ndeployments: []\n");
    let generator = "secretGenerator:\n- name: a\n  envs: [a.env]\n";
    let chart = "helmChart:\n  path: ../chart\n  releaseName: r\n";
    for (files, name) in [
        (&[item, ("item/a.yaml", ENCRYPTED)][..], "item/a.yaml"),
        (&[item, ("item/kustomization.yaml", generator), ("item/a.env", "K=ENC\nsops_mac=ENC\n")], "item/a.env"),
        (&[item, ("item/helm-chart.yaml", chart), ("item/helm-values.yaml", ENCRYPTED)], "item/helm-values.yaml"),
        (&[vars, ("v.yaml", ENCRYPTED)], "v.yaml"),
    ] {
        let error = Case::new(files).run().expect_err("must be refused");
        assert!(error.contains("decrypt") && error.contains(name), "{error}");
    }
    let about_sops = MAP.replace("name: a\n", "name: a\n  annotations: {about: sops}\n");
    assert!(Case::new(&[item, ("item/a.yaml", &about_sops)]).run().is_ok());
}

/// What is refused, and a part of the error that tells where and what to do.
#[test]
fn mistakes_are_told_with_their_place() {
    const BAD_TARGET: &str = "targets:\n- name: a\n  contxt: x\n";
    const REQUIRED: &str = "args:\n- name: must\ntargets:\n- name: t\n";
    let cases: Vec<(Case<'_>, &[&str])> = vec![
        (Case::new(&[(".kluctl.yaml", "targets: [\n")]), &["unmarshalling [P]/.kluctl.yaml failed", ".kluctl.yaml:"]),
        (Case::new(&[(".kluctl.yaml", BAD_TARGET)]), &[".kluctl.yaml:3:3", "\"contxt\"", "did you mean \"context\"?"]),
        (Case::new(&[(".kluctl.yaml", "targets: 5\n")]), &[".kluctl.yaml:1:10", "expected"]),
        (Case::new(&[(".kluctl.yaml", "args: []\nargs: []\n")]), &[".kluctl.yaml:2:1", "key \"args\" already set"]),
        (Case::new(&[(".kluctl.yaml", "targets: [{name: a}]\n")]), &["a target must be explicitly selected"]),
        (
            Case::new(&[(".kluctl.yaml", "targets: [{name: a}]\n")]).target("b"),
            &["target b not existent in kluctl project config"],
        ),
        (Case::new(&[(".kluctl.yaml", REQUIRED)]).target("t"), &["target t not existent"]),
        (Case::new(&[(".kluctl.yaml", "args:\n- name: must\n")]), &["required argument must not set"]),
        (
            Case::new(&[("deployment.yaml", "deploymnts: []\n")]),
            &["deployment.yaml:1:1", "did you mean \"deployments\"?"],
        ),
        (Case::new(&[("deployment.yaml", "when: a\n")]), &["the root deployment project can not contain 'when'"]),
        (
            Case::new(&[("deployment.yaml", "deployments:\n- path: gone\n")]),
            &["deployment directory does not exist: gone"],
        ),
        (
            Case::new(&[("deployment.yaml", "deployments:\n- path: ../../x\n")]),
            &["`../../x` leaves the source directory"],
        ),
        (Case::new(&[("deployment.yaml", "deployments:\n- include: gone\n")]), &["[P]/gone does not exist"]),
        (
            Case::new(&[("deployment.yaml", "deployments:\n- include: sub\n"), ("sub/a.yaml", MAP)]),
            &["[P]/sub/deployment.yml not found"],
        ),
        (Case::new(&[("deployment.yaml", "deployments:\n- include: .\n")]), &["included 10 times inside of itself"]),
        (Case::new(&[("deployment.yaml", "deployments:\n- path: a\n  include: b\n")]), &["only one of path, include"]),
        (
            Case::new(&[("deployment.yaml", "vars:\n- file: gone.yaml\n")]),
            &["absolute path of gone.yaml could not be resolved"],
        ),
        (
            Case::new(&[("deployment.yaml", ITEM), ("item/a.yaml", "a: {{ nope }}\n")]),
            &["File \"[P]/item/a.yaml\", line 1", "'nope' is undefined"],
        ),
        (
            Case::new(&[
                ("deployment.yaml", ITEM),
                ("item/a.yaml", "{% include 'b.j2' %}\n"),
                ("b.j2", "\n{{ nope }}"),
            ]),
            &["b.j2\", line 2", "'nope' is undefined"],
        ),
        (
            Case::new(&[
                ("deployment.yaml", ITEM),
                ("item/a.yaml", "{{ images.get_image('reg.example/a') }}"),
                ("x", ""),
            ])
            .args(json!({})),
            &["building kustomize objects"],
        ),
    ];
    for (case, wanted) in &cases {
        let error = case.run().expect_err("must be refused");
        for part in *wanted {
            assert!(error.contains(part), "`{part}` is not in:\n{error}");
        }
    }
}

#[test]
fn two_runs_give_the_same_objects() {
    let case = [("deployment.yaml", ITEM), ("item/a.yaml", MAP)];
    assert_eq!(Case::new(&case).run().unwrap(), Case::new(&case).run().unwrap());
}

const LIB: &str = "deployments:\n- path: item\n";

#[test]
fn git_and_oci_includes_are_projects_of_their_own() {
    let deployment = "vars:\n- values: {v: root}\ndeployments:\n- git: https://h/lib.git\n\
                      - git: {url: 'https://h/lib.git', ref: {tag: v1}, subDir: sub}\n- oci: {url: 'oci://h/lib'}\n";
    let lib = |name: &str| MAP.replace("name: a", &format!("name: {name}"));
    let (first, second, third) = (lib("main"), lib("tag"), lib("oci"));
    let case = [
        ("deployment.yaml", deployment),
        ("../libs/lib/deployment.yaml", LIB),
        ("../libs/lib/item/a.yaml", &first),
        ("../libs/lib-v1/sub/deployment.yaml", LIB),
        ("../libs/lib-v1/sub/item/a.yaml", &second),
        ("../libs/oci/deployment.yaml", LIB),
        ("../libs/oci/item/a.yaml", &third),
    ];
    let objects = Case::new(&case).run().unwrap();
    let facts: Vec<_> = objects
        .iter()
        .map(|object| {
            let meta = &object["metadata"];
            let dir = &meta["annotations"]["kluctl.io/deployment-item-dir"];
            (meta["name"].as_str().unwrap(), object["data"]["v"].as_str().unwrap(), dir.as_str().unwrap())
        })
        .collect();
    assert_eq!(facts, [("main", "root", "item"), ("tag", "root", "sub/item"), ("oci", "root", "item")]);
}

#[test]
fn libraries_of_other_repositories_see_their_args_only() {
    let deployment = "vars:\n- values: {v: hidden}\ndeployments:\n- git: https://h/lib.git\n  args: {size: 2}\n";
    let map = MAP.replace("v: \"", "size: \"{{ args.size }}\"\n  v: \"");
    let case = [
        ("deployment.yaml", deployment),
        ("../libs/lib/.kluctl-library.yaml", "args:\n- name: size\n"),
        ("../libs/lib/deployment.yaml", LIB),
        ("../libs/lib/item/a.yaml", &map),
    ];
    let objects = Case::new(&case).run().unwrap();
    assert_eq!(objects[0]["data"], json!({"size": "2", "v": "none"}));
}

#[test]
fn templates_of_an_include_do_not_see_the_parents_files() {
    let deployment = "deployments:\n- git: https://h/lib.git\n";
    let case = [
        ("deployment.yaml", deployment),
        ("shared.j2", "secret of the parent"),
        ("../libs/lib/deployment.yaml", LIB),
        ("../libs/lib/item/a.yaml", "{% include 'shared.j2' %}"),
    ];
    let error = Case::new(&case).run().unwrap_err();
    assert!(error.contains("shared.j2") && !error.contains("secret of the parent"), "{error}");
}

#[test]
fn git_includes_that_cannot_be_used_say_why() {
    let error = |git: &str| {
        let deployment = format!("deployments:\n- git: {git}\n");
        Case::new(&[("deployment.yaml", &deployment), ("../libs/lib/x", "")]).run().unwrap_err()
    };
    let text = error("{url: 'https://h/lib.git', ref: {branch: nope}}");
    assert_eq!(text, "failed to load includes for [P]: ref {nope  } not found");
    for (git, reason) in [
        ("file:///x", "file:// protocol is not supported: file:///x"),
        ("{subDir: x}", "file:// protocol is not supported: "),
        ("{url: 'https://h/a', ref: {}}", "either branch, tag or commit must be set"),
        ("{url: 'https://h/a', ref: {tag: a, branch: b}}", "only one of the ref fields can be set"),
        ("{url: 'https://h/a', ref: main}", "a map with branch, tag or commit"),
        ("{url: 'https://h/a', nope: 1}", "nope"),
        ("[a]", "a git url, or a map"),
    ] {
        let text = error(git);
        assert!(text.contains(reason) && text.contains("deployment.yaml:2:"), "{git}: {text}");
    }
    let text = error("{url: 'https://h/a', subDir: 'a:b'}");
    assert!(text.contains("failed on the ''a:b' is not valid git subdirectory path' tag"), "{text}");
    let text = error("{url: 'https://h/lib.git', subDir: ../..}");
    assert!(text.contains("path `../..` leaves the source directory"), "{text}");
    assert!(error("{url: 'https://h/lib.git', subDir: nope}").ends_with("nope does not exist or is not a directory"));
}

#[test]
fn cycles_of_includes_are_told_with_their_chain() {
    let case = [
        ("deployment.yaml", "deployments:\n- git: https://h/lib.git\n"),
        ("../libs/lib/deployment.yaml", "deployments:\n- include: sub\n"),
        ("../libs/lib/sub/deployment.yaml", "deployments:\n- git: https://h/lib.git\n"),
    ];
    let error = Case::new(&case).run().unwrap_err();
    let chain =
        "do the projects include each other? https://h/lib.git//. -> https://h/lib.git//sub -> https://h/lib.git//.";
    assert!(error.ends_with(chain), "{error}");
    let own = Case::new(&[("deployment.yaml", "deployments:\n- include: .\n")]).run().unwrap_err();
    assert!(own.ends_with("do the projects include each other? . -> ."), "{own}");
}

#[test]
fn deep_includes_need_no_deep_stack_and_have_a_limit() {
    let nested = |depth: usize| {
        let dirs: Vec<String> = (0..=depth).map(|level| "d/".repeat(level)).collect();
        let mut files: Vec<(String, &str)> =
            dirs[..depth].iter().map(|dir| (format!("{dir}deployment.yaml"), "deployments:\n- include: d\n")).collect();
        files.push((format!("{}deployment.yaml", dirs[depth]), ITEM));
        files.push((format!("{}item/a.yaml", dirs[depth]), MAP));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let case = Case::new(&files);
        // A quarter of what test threads have.
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        std::thread::scope(|scope| {
            let run = thread.spawn_scoped(scope, || case.run().map(|objects| objects.len())).unwrap();
            run.join().unwrap()
        })
    };
    assert_eq!(nested(64), Ok(1));
    let error = nested(65).unwrap_err();
    assert!(error.contains("includes are nested more than 64 deep"), "{error}");
}

#[test]
fn vars_come_from_files_of_other_repositories() {
    let deployment = "vars:\n- git: {url: 'https://h/lib.git', path: vars/a.yaml}\n\
                      - git: {url: 'https://h/lib.git', path: nope.yaml}\n  ignoreMissing: true\n\
                      - git: {url: 'https://h/lib.git', ref: {tag: v1}, path: a.yaml}\n  targetPath: old\n\
                      deployments:\n- path: item\n";
    let map = MAP.replace("v: \"", "old: \"{{ old.v }}\"\n  v: \"");
    let case = [
        ("deployment.yaml", deployment),
        ("item/a.yaml", &map),
        ("../libs/lib/vars/a.yaml", "v: '{{ 1 + 1 }}'\n"),
        ("../libs/lib-v1/a.yaml", "v: 1\n"),
    ];
    assert_eq!(Case::new(&case).run().unwrap()[0]["data"], json!({"old": "1", "v": "2"}));
}

#[test]
fn vars_of_other_repositories_that_cannot_be_read_say_why() {
    let error = |git: &str| {
        let deployment = format!("vars:\n- git: {git}\n  ignoreMissing: true\n");
        Case::new(&[("deployment.yaml", &deployment), ("../libs/lib/a.yaml", "- 1\n"), ("../libs/x.yaml", "a: 1\n")])
            .run()
            .unwrap_err()
    };
    assert!(error("{url: 'https://h/none.git', path: a.yaml}").ends_with("not found"));
    assert!(error("{url: 'file:///x', path: a.yaml}").ends_with("file:// protocol is not supported: file:///x"));
    assert!(error("{url: 'https://h/lib.git', path: ../x.yaml}").contains("leaves the source directory"));
    assert!(error("{url: 'https://h/lib.git', path: a.yaml}").contains("failed to load vars from a.yaml"));
    assert!(error("{url: 'https://h/lib.git'}").contains("VarsSource.Git.Path"));
    assert!(error("https://h/lib.git").contains("deployment.yaml:2:"));
}

#[test]
fn files_of_matching_references_are_listed() {
    let deployment = "vars:\n- gitFiles:\n    url: https://h/lib.git\n    ref: {tag: 'v.*'}\n    files:\n\
                      \u{20}   - {glob: 'x/*.yaml', parseYaml: true, render: true}\n    - {glob: '**'}\n  targetPath: g\n\
                      deployments:\n- path: item\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: {{ g | to_json | to_json }} }\n";
    let case = [
        ("deployment.yaml", deployment),
        ("item/a.yaml", map),
        ("../libs/lib-v1/x/a.yaml", "a: '{{ 1 + 1 }}'\n"),
        ("../libs/lib-v1/.git/config", "inner"),
        ("../libs/lib-v1/b", "text"),
    ];
    let objects = Case::new(&case).run().unwrap();
    let value: Value = serde_json::from_str(objects[0]["data"]["v"].as_str().unwrap()).unwrap();
    let b = json!({"file": {"glob": "**"}, "path": "b", "size": 4, "content": "text"});
    let a = json!({
        "file": {"glob": "x/*.yaml", "parseYaml": true, "render": true},
        "path": "x/a.yaml", "size": 17, "content": "a: '2'", "parsed": {"a": "2"},
    });
    assert_eq!(
        value,
        json!([{
            "ref": {"tag": "v1"}, "refStr": "refs/tags/v1", "files": [b, a],
            "filesByPath": {"b": b, "x/a.yaml": a}, "filesTree": {"b": b, "x": {"a.yaml": a}},
        }])
    );
}

#[test]
fn wrong_git_files_say_why() {
    let error = |rest: &str| {
        let deployment = format!("vars:\n- targetPath: g\n  gitFiles: {{url: 'https://h/lib.git', {rest}}}\n");
        Case::new(&[("deployment.yaml", &deployment), ("../libs/lib/a.yaml", "a: [\n")]).run().unwrap_err()
    };
    assert!(error("files: [{glob: '{a'}]").ends_with("invalid glob '{a': a `{` is not closed"));
    assert!(error("ref: {branch: '('}, files: []").contains("invalid regular expression '(' in ref"));
    assert!(error("ref: {commit: abc}, files: []").ends_with("commit abc not found"));
    assert!(error("files: [{glob: 'a.yaml', parseYaml: true}]").contains("a.yaml:"));
    assert!(error("files: [{render: true}]").contains("VarsSource.GitFiles.Files.Glob"));
}

#[test]
fn aliases_that_grow_without_end_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let case = [("deployment.yaml", "vars:\n- file: bomb.yaml\n"), ("bomb.yaml", bomb.as_str())];
    let error = Case::new(&case).run().unwrap_err();
    assert!(error.contains("bomb.yaml:") && error.contains("alias"), "{error}");
}

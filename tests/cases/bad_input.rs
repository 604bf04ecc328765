//! Input and surroundings that cannot work: exit code 1, one error that says where and what to do, nothing applied.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windlass_tests::servers::ApiRequest;
use windlass_tests::{Answer, ControlPlane, Options, Registry, TestProject};

static PLANE: LazyLock<ControlPlane> = LazyLock::new(|| ControlPlane::start(Options::default()).expect("a plane"));

const CONFIG: &str = r#"discriminator: "NAME-{{ target.name }}"
args:
  - name: size
    default: 1
targets:
  - name: dev
  - name: prod
"#;
const DEPLOYMENT: &str = "deployments:\n  - path: first\n  - path: app\n";

/// A project that works, but for what a test adds.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, String)>,
    kubeconfig: PathBuf,
}

impl Case {
    /// The objects' names begin with `name`, which tells the requests of the tests apart.
    fn new(name: &'static str) -> Self {
        let object = |of: &str| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-{of}\n  namespace: default\n")
        };
        let files = vec![
            (".kluctl.yaml", CONFIG.replace("NAME", name)),
            ("deployment.yaml", DEPLOYMENT.to_owned()),
            ("first/object.yaml", object("first")),
            ("app/object.yaml", object("app")),
        ];
        Self { name, files, kubeconfig: PLANE.kubeconfig() }
    }

    fn with(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.retain(|(known, _)| *known != path);
        self.files.push((path, text.into()));
        self
    }

    fn without(mut self, path: &str) -> Self {
        self.files.retain(|(known, _)| *known != path);
        self
    }

    fn with_image(self, image: &str, filter: &str) -> Self {
        let data = format!("data:\n  image: {{{{ images.get_image(\"{image}\"{filter}) }}}}\n");
        let object = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: image\n  namespace: default\n{data}");
        self.with("app/image.yaml", object)
    }

    fn with_kubeconfig(self, kubeconfig: PathBuf) -> Self {
        Self { kubeconfig, ..self }
    }

    fn project(&self) -> TestProject {
        let files: Vec<_> = self.files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        TestProject::from_files(&files).with_kubeconfig(self.kubeconfig.clone())
    }

    /// Deploys target `dev`, which must fail; `says` are facts of the one error, `next` is the hint of its full form.
    fn fails(&self, says: &[&str], next: &str) {
        self.fails_with(&["-t", "dev"], says, next);
    }

    fn fails_with(&self, arguments: &[&str], says: &[&str], next: &str) {
        let arguments = [&["deploy", "--yes", "-o", "yaml=../result.yaml"], arguments].concat();
        let project = self.project();
        let answer = project.run(&arguments);
        let Answer { code, stdout, stderr } = &answer;
        assert_eq!(*code, 1, "{}: {stderr}", self.name);
        assert_eq!(stdout, "", "{}: data that is no result", self.name);
        for fact in says {
            assert_eq!(stderr.matches(fact).count(), 1, "{}: `{fact}` once in\n{stderr}", self.name);
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert_eq!(project.temporary_files(), [""; 0], "{}", self.name);
        assert!(!project.work().join("result.yaml").exists(), "{}", self.name);
        let full = project.run(&[&arguments[..], &["--errors", "full"]].concat()).stderr;
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // The report breaks its lines.
        assert!(words(&full).replace("│ ", "").contains(&words(next)), "{}: `{next}` in\n{full}", self.name);
        assert_eq!(self.writes(), [], "{}", self.name);
    }

    /// The requests that changed objects of this project.
    fn writes(&self) -> Vec<ApiRequest> {
        let own = format!("/{}-", self.name);
        let is_own = |request: &ApiRequest| request.writes() && request.code < 300 && request.uri.contains(&own);
        PLANE.requests().into_iter().filter(is_own).collect()
    }
}

/// The admin's kubeconfig with one field changed.
fn kubeconfig(name: &str, pointer: &str, value: &str) -> PathBuf {
    let text = fs::read_to_string(PLANE.kubeconfig()).expect("a kubeconfig");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    *config.pointer_mut(pointer).expect("the field") = value.into();
    let path = PLANE.folder().join(format!("kubeconfig-{name}.json"));
    fs::write(&path, config.to_string()).expect("a kubeconfig");
    path
}

/// `127.0.0.1:PORT` where nobody listens.
fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string()
}

#[test]
fn missing_project_files_are_told() {
    let case = Case::new("no-project").without(".kluctl.yaml").without("deployment.yaml");
    case.fails(&["target dev not existent"], "--project-dir");
    case.fails_with(&["--project-dir", "nowhere"], &["nowhere does not exist"], "--project-dir");
    let case = Case::new("no-item").with("deployment.yaml", "deployments:\n  - path: first\n  - path: gone\n");
    case.fails(&["deployment directory does not exist: gone"], "gone");
}

#[test]
fn malformed_project_files_are_told_with_their_position() {
    let case = Case::new("yaml-config").with(".kluctl.yaml", "targets:\n  - name: dev\n   context: x\n");
    case.fails(&[".kluctl.yaml:3:4: "], ".kluctl.yaml:3");
    let case = Case::new("unknown-field").with(".kluctl.yaml", "targets:\n  - name: dev\n    contxt: x\n");
    case.fails(&[".kluctl.yaml:3:5: unknown field \"contxt\", did you mean \"context\"?"], ".kluctl.yaml:3:5");
    let case = Case::new("unknown-item-field").with("deployment.yaml", "deployments:\n  - path: first\n  - pth: app\n");
    case.fails(&["deployment.yaml:3:5: unknown field \"pth\", did you mean \"path\"?"], "deployment.yaml:3:5");
}

#[test]
fn an_unknown_target_lists_those_that_exist() {
    Case::new("target").fails_with(&["-t", "prd"], &["target prd not existent"], "the project has: dev, prod");
    Case::new("no-target").fails_with(&[], &["a target must be explicitly selected"], "the project has: dev, prod");
}

/// Arguments that nobody declares are accepted, because projects depend on it; those that are missing are not.
#[test]
fn a_missing_argument_is_named() {
    let config = CONFIG.replace("NAME", "arg").replace("  - name: size\n    default: 1\n", "  - name: size\n");
    let case = Case::new("arg").with(".kluctl.yaml", config);
    case.fails(&["load target dev: required argument size not set", "target dev not existent"], "the warnings above");
    let case = Case::new("arg-without-targets").with(".kluctl.yaml", "args:\n  - name: size\n");
    case.fails_with(&[], &["required argument size not set"], "required argument size not set");
}

#[test]
fn template_errors_have_the_line_of_the_file_that_holds_them() {
    let case = Case::new("syntax").with("app/x.yaml", "a: 1\n{% include 'lib.j2' %}\n");
    case.with("lib.j2", "b: 2\n{% for x in %}\n").fails(&["lib.j2\", line 2", "TemplateSyntaxError"], "lib.j2:2");
    let case = Case::new("undefined").with("app/x.yaml", "kind: ConfigMap\nname: {{ args.sise }}\n");
    case.fails(&["app/x.yaml\", line 2", "has no attribute 'sise'"], "app/x.yaml:2");
    let case = Case::new("undefined-hint").with("app/x.yaml", "name: {{ nothing }}\n");
    case.fails(&["'nothing' is undefined"], "define it in `vars` or `args`");
    let case = Case::new("no-template").with("app/x.yaml", "{% include 'gone.j2' %}\n");
    case.fails(&["template gone.j2 not found"], "names are looked up from the folder of the item");
}

#[test]
fn manifests_that_are_no_objects_are_named() {
    let case = Case::new("yaml").with("app/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [a\n");
    case.fails(&["/app failed", "line 3", "File: x.yaml"], "x.yaml");
    let next = "needs `apiVersion`, `kind` and `metadata.name`";
    let case = Case::new("no-kind").with("app/x.yaml", "apiVersion: v1\nmetadata:\n  name: a\n");
    case.fails(&["/app failed", "'x.yaml': missing kind in object"], next);
    let case = Case::new("no-name").with("app/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n");
    case.fails(&["/app failed", "'x.yaml': missing metadata.name in object"], next);
}

#[test]
fn images_that_cannot_be_found_say_what_was_tried() {
    let open = Registry::start().expect("a registry");
    open.push_image("web", "1.0.0").expect("pushed");
    let next = "`--fixed-images-file`";
    let image = format!("{}/web", open.address());
    let case = Case::new("no-match").with_image(&image, ", version.regex('v.*')");
    case.fails(&["ConfigMap/image, field data.image", "no tag matched"], next);
    let case = Case::new("no-repository").with_image(&format!("{}/gone", open.address()), "");
    case.fails(&["/gone` does not exist"], next);
    let closed = closed_port();
    let case = Case::new("no-registry").with_image(&format!("{closed}/web"), "");
    case.fails(&[&format!("connect to registry `{closed}`")], next);
    let locked = Registry::start_with_auth("me", "secret").expect("a registry");
    locked.push_image("web", "1.0.0").expect("pushed");
    let case = Case::new("no-login").with_image(&format!("{}/web", locked.address()), "");
    case.fails(&["no credentials are configured", "KLUCTL_REGISTRY_<n>_USERNAME"], next);
}

#[test]
fn a_cluster_that_does_not_answer_or_refuses_is_told() {
    let server = format!("https://{}", closed_port());
    let case = Case::new("no-cluster");
    let case = case.with_kubeconfig(kubeconfig("closed", "/clusters/0/cluster/server", &server));
    case.fails(&[&format!("connect to cluster at `{server}` (context `held`)")], "check that the cluster runs");
    let case = Case::new("expired").with_kubeconfig(kubeconfig("expired", "/users/0/user/token", "old"));
    case.fails(&["(context `held`): Unauthorized"], "log in again");
    let case = Case::new("no-kubeconfig").with_kubeconfig(PathBuf::from("/nowhere"));
    case.fails(&["can not apply objects without a Kubernetes API client"], "No valid KUBECONFIG provided");
}

#[test]
fn accounts_without_permission_change_nothing_and_are_told() {
    let case = Case::new("limited").with_kubeconfig(PLANE.kubeconfig_of("limited"));
    let project = case.project();
    for (command, fact) in [
        (&["deploy", "-t", "dev", "--yes"][..], "cannot patch resource \"configmaps\""),
        (&["diff", "-t", "dev"], "cannot patch resource \"configmaps\""),
        (&["prune", "-t", "dev", "--yes"], "nothing was deleted, because these kinds could not be listed: ConfigMap,"),
        (&["delete", "-t", "dev", "--yes"], "nothing was deleted, because these kinds could not be listed: ConfigMap,"),
        (&["validate", "-t", "dev"], "object not found"),
    ] {
        let answer = project.run(command);
        assert_eq!(answer.code, 1, "{command:?}: {answer:?}");
        assert!(answer.stdout.contains(fact), "{command:?}: {answer:?}");
        assert_eq!(project.temporary_files(), [""; 0]);
    }
    assert_eq!(case.writes(), []);
}

/// The first item waits for a Deployment that nobody makes ready.
#[test]
fn an_interrupted_deployment_is_finished_by_the_same_command() {
    let gate = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "gate", "namespace": "default", "annotations": {"kluctl.io/wait-readiness": "true"}},
        "spec": {"selector": {"matchLabels": {"app": "gate"}}, "template": {
            "metadata": {"labels": {"app": "gate"}}, "spec": {"containers": [{"name": "gate", "image": "gate:1"}]},
        }},
    });
    let deployment = "deployments:\n  - path: gate\n  - barrier: true\n  - path: first\n  - path: app\n";
    let case = Case::new("interrupted").with("deployment.yaml", deployment).with("gate/gate.yaml", gate.to_string());
    let project = case.project();
    let arguments = ["deploy", "-t", "dev", "--yes"];
    let mut command = project.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("windlass runs");
    wait_until(|| PLANE.get(GATE).expect("an answer").is_some());
    let answer = interrupt(child);
    assert_eq!(answer.code, 130, "{answer:?}");
    assert!(answer.stderr.ends_with("interrupted\n"), "{answer:?}");
    assert_eq!(project.temporary_files(), [""; 0]);
    assert_eq!(case.writes(), []);
    make_ready();
    project.succeed(&arguments);
    assert_eq!(case.writes().len(), 2);
    let answer = project.succeed(&["diff", "-t", "dev"]);
    assert_eq!(answer.stdout, "", "nothing is left to do");
}

const GATE: &str = "/apis/apps/v1/namespaces/default/deployments/gate";

/// What the controllers would write.
fn make_ready() {
    let gate = PLANE.get(GATE).expect("an answer").expect("the Deployment");
    let status = json!({"status": {
        "observedGeneration": gate["metadata"]["generation"],
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
    }});
    let (code, answer) = PLANE
        .api("PATCH", &format!("{GATE}/status"), "application/merge-patch+json", Some(&status))
        .expect("an answer");
    assert_eq!(code, 200, "{answer}");
}

fn wait_until(mut is_done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_done() {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: Child) -> Answer {
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .expect("a signal");
    Answer::from(child.wait_with_output().expect("its end"))
}

/// The full form tells who included, imported and called what failed.
#[test]
fn the_way_to_a_template_error_is_shown() {
    let project = TestProject::from_files(&[
        ("deployment.yaml", "deployments: [{path: app}]\n"),
        ("app/app.yaml", "a: 1\n{% include './part.yaml' %}\n"),
        ("app/part.yaml", "{% from './lib.yaml' import show %}\nb: {{ show() }}\n"),
        ("app/lib.yaml", "{% macro show() %}\n{{ nothing }}{% endmacro %}\n"),
    ]);
    let answer = project.run(&["render", "--offline-kubernetes", "--errors", "full"]);
    assert_ne!(answer.code, 0);
    for wanted in ["app/part.yaml:2:", "app/app.yaml:2:", "lib.yaml:2:4"] {
        assert!(answer.stderr.contains(wanted), "{wanted} in\n{}", answer.stderr);
    }
}

//! Credentials and decrypted values are in nothing that a run prints, keeps or stores, whether it succeeds or is refused.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::json;
use windlass_tests::http::{HttpServer, Request, Response};
use windlass_tests::servers::secret_store::{SecretStore, VAULT_TOKEN};
use windlass_tests::servers::{Commit, GitServer};
use windlass_tests::{Answer, ControlPlane, Options, Registry, TestProject, files_below};

use super::clouds::store;
use super::{PASSWORD, USER, run};

const GIT_PASSWORD: &str = "s3cret-git-password";
const WRONG: &str = "s3cret-wrong-for-everybody";
const PLAIN: &str = "correct horse: battery";
const FILE: &str = include_str!("../../../engine/sops/tests/fixtures/yaml-age/secret.yaml");

/// Everything that wants a credential.
struct World {
    plane: ControlPlane,
    registry: Registry,
    _library: GitServer,
    git: HttpServer,
    _store: SecretStore,
    project: TestProject,
}

/// Which credential is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Registry,
    Git,
    Vault,
    Sops,
    Cluster,
}

impl World {
    fn new() -> Self {
        let plane = ControlPlane::start(Options::default()).expect("a plane");
        let registry = Registry::start_with_auth(USER, PASSWORD).expect("a registry");
        registry.push_images("team/web", &["1.0", "1.1"]).expect("pushed");
        let store = store(&[("secret/data/app", r#"{"v": "s3cret-of-the-store"}"#)]);
        let project = TestProject::from_files(&[]);
        let (library, git) = git_server(&project);
        let vars =
            format!("vars:\n- vault: {{address: '{}', path: secret/data/app}}\n- file: vars.yaml\n", store.url());
        let items = format!("deployments:\n- path: app\n- git: http://{}/lib.git\n", git.address());
        project.write("deployment.yaml", &format!("{vars}{items}"));
        project.write("vars.yaml", FILE);
        project.write(".kluctl.yaml", "discriminator: canary\ntargets: [{name: t}]\n");
        let image = format!("{{{{ images.get_image(\"{}/team/web\") }}}}", registry.address());
        let objects = [
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app, namespace: default}}\ndata: {{image: '{image}', p: 'x {{{{ data.password }}}} y'}}\n"),
            "apiVersion: v1\nkind: Secret\nmetadata: {name: app, namespace: default}\nstringData: {p: '{{ data.password }}', v: '{{ v }}'}\n".to_owned(),
        ];
        project.write("app/all.yaml", &objects.join("---\n"));
        Self { plane, registry, _library: library, git, _store: store, project }
    }

    fn run(&self, arguments: &[&str], fault: Fault) -> Answer {
        let given = |of: Fault, right: &str| if fault == of { WRONG.to_owned() } else { right.to_owned() };
        run(&self.project, arguments, |command| {
            self.log_in(command, given(Fault::Registry, PASSWORD), given(Fault::Git, GIT_PASSWORD));
            let key = if fault == Fault::Sops { "age3.txt" } else { "age1.txt" };
            let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/sops/tests/fixtures/keys");
            command.env("SOPS_AGE_KEY_FILE", keys.join(key));
            command.env("VAULT_TOKEN", given(Fault::Vault, VAULT_TOKEN));
            command.env("KUBECONFIG", self.kubeconfig(&given(Fault::Cluster, &self.plane.token_of("admin"))));
        })
    }

    fn log_in(&self, command: &mut Command, registry: String, git: String) {
        command
            .env("KLUCTL_REGISTRY_1_HOST", self.registry.address())
            .env("KLUCTL_REGISTRY_1_USERNAME", USER)
            .env("KLUCTL_REGISTRY_1_PASSWORD", registry)
            .env("KLUCTL_GIT_1_HOST", self.git.address())
            .env("KLUCTL_GIT_1_USERNAME", USER)
            .env("KLUCTL_GIT_1_PASSWORD", git);
    }

    fn kubeconfig(&self, token: &str) -> PathBuf {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": self.plane.url(), "certificate-authority-data": STANDARD.encode(self.plane.authority()),
            }}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": token}}],
        });
        let file = self.project.work().join("kubeconfig");
        fs::write(&file, config.to_string()).expect("a file");
        file
    }

    /// What must never be seen, in every form in which it is sent somewhere.
    fn canaries(&self) -> Vec<String> {
        let cluster = self.plane.token_of("admin");
        let secrets = [PASSWORD, GIT_PASSWORD, VAULT_TOKEN, WRONG, &cluster, PLAIN, "s3cret-of-the-store"];
        let forms = |secret: &&str| {
            let login = STANDARD.encode(format!("{USER}:{secret}"));
            let encoded = STANDARD.encode(secret);
            [(*secret).to_owned(), encoded.trim_end_matches('=').to_owned(), login]
        };
        secrets.iter().flat_map(forms).collect()
    }

    fn assert_none(&self, place: &str, text: &[u8]) {
        for canary in self.canaries() {
            let found = text.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} in {place}: {}", String::from_utf8_lossy(text));
        }
    }

    /// The folders for the cache, temporary files and the user's own.
    fn assert_folders(&self, after: &str) {
        for folder in ["cache", "t", "home"] {
            let folder = self.project.work().join(folder);
            for file in files_below(&folder) {
                let text = fs::read(folder.join(&file)).expect("a file");
                self.assert_none(&format!("{file} after {after}"), &text);
                self.assert_none(&format!("{file} after {after}, unpacked"), &unpacked(&text));
            }
        }
        assert_eq!(self.project.temporary_files(), [] as [&str; 0], "{after}");
    }

    /// The results that the cluster keeps; answers how many parts they have.
    fn assert_results(&self) -> usize {
        let list = self.plane.get("/api/v1/namespaces/kluctl-results/secrets").expect("an answer").expect("a list");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let parts = items.iter().flat_map(|item| item["data"].as_object().cloned().unwrap_or_default());
        let mut count = 0;
        for (name, value) in parts {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
            self.assert_none(&name, &bytes);
            self.assert_none(&format!("{name}, unpacked"), &unpacked(&bytes));
            count += 1;
        }
        items.iter().for_each(|item| self.assert_none("a result's metadata", item["metadata"].to_string().as_bytes()));
        count
    }
}

/// The content of a gzip stream; nothing when it is none.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let _ = GzDecoder::new(bytes).read_to_end(&mut text);
    text
}

/// A git server that wants a login, and says what it got to those whom it refuses.
fn git_server(project: &TestProject) -> (GitServer, HttpServer) {
    let server = GitServer::start().expect("a git server");
    let from = project.work().join("library");
    fs::create_dir_all(from.join("item")).expect("a folder");
    fs::write(from.join("deployment.yaml"), "deployments: [{path: item}]\n").expect("a file");
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lib, namespace: default}\n";
    fs::write(from.join("item/a.yaml"), object).expect("a file");
    server.commit("lib", Commit { from: Some(&from), ..Commit::default() }).expect("a commit");
    let (upstream, wanted) = (server.address(), format!("Basic {}", STANDARD.encode(format!("{USER}:{GIT_PASSWORD}"))));
    let client = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let front = HttpServer::start(move |request| match request.header("authorization") {
        Some(login) if login == wanted => forwarded(&client, &upstream, &request),
        login => Response::text(401, format!("refused {login:?}")).with("WWW-Authenticate", "Basic realm=\"git\""),
    });
    (server, front.expect("a server"))
}

fn forwarded(client: &reqwest::blocking::Client, upstream: &str, request: &Request) -> Response {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).expect("a method");
    let mut call = client.request(method, format!("http://{upstream}{}", request.target())).body(request.body.clone());
    for name in ["content-type", "git-protocol", "accept", "content-encoding"] {
        if let Some(value) = request.header(name) {
            call = call.header(name, value);
        }
    }
    let answer = call.send().expect("an answer");
    let kind =
        answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let status = answer.status().as_u16();
    Response { body: answer.bytes().expect("a body").to_vec(), ..Response::text(status, "") }.with("Content-Type", kind)
}

const COMMANDS: [&[&str]; 3] =
    [&["list-images"], &["render", "--render-output-dir", "../out"], &["diff", "-o", "text", "-o", "yaml"]];

fn with_debug<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [command, &["-t", "t", "--debug"]].concat()
}

#[test]
fn nothing_shows_a_credential() {
    let world = World::new();
    for command in COMMANDS {
        let answer = world.run(&with_debug(command), Fault::None);
        assert_eq!(answer.code, 0, "{command:?}: {}", answer.stderr);
        world.assert_none(&format!("stdout of {command:?}"), answer.stdout.as_bytes());
        world.assert_none(&format!("stderr of {command:?}"), answer.stderr.as_bytes());
        world.assert_folders(command[0]);
    }
    let deployed = world.run(&with_debug(&["deploy", "--yes", "-o", "text", "-o", "yaml"]), Fault::None);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    world.assert_none("stdout of deploy", deployed.stdout.as_bytes());
    world.assert_none("stderr of deploy", deployed.stderr.as_bytes());
    world.assert_folders("deploy");
    assert!(world.assert_results() > 0);
    let secret = world.plane.get("/api/v1/namespaces/default/secrets/app").expect("an answer").expect("an object");
    assert_eq!(secret["data"]["p"], STANDARD.encode(PLAIN), "the cluster has the value itself");
    let rendered = world.run(&["render", "-t", "t", "--print-all"], Fault::None);
    assert!(rendered.stdout.contains(PLAIN), "what is rendered is whole");
}

#[test]
fn nothing_shows_a_refused_credential() {
    let world = World::new();
    let logins = [
        (Fault::Registry, "refused access to"),
        (Fault::Git, "HTTP 401"),
        (Fault::Vault, "refused with status 403: permission denied"),
        (Fault::Sops, "failed to decrypt vars file vars.yaml"),
        (Fault::Cluster, "Unauthorized"),
    ];
    for (fault, words) in logins {
        for command in COMMANDS {
            let answer = world.run(&with_debug(command), fault);
            assert_eq!(answer.code, 1, "{fault:?} {command:?}: {}", answer.stderr);
            assert!(answer.stderr.contains(words), "{fault:?} {command:?}: {}", answer.stderr);
            world.assert_none(&format!("stdout of {command:?}"), answer.stdout.as_bytes());
            world.assert_none(&format!("stderr of {command:?}"), answer.stderr.as_bytes());
            world.assert_folders(command[0]);
        }
    }
}

/// Servers sometimes tell what they got.
#[test]
fn logins_that_a_registry_sends_back_are_masked() {
    let echo = HttpServer::start(|request| match request.header("authorization") {
        Some(login) => {
            let words =
                format!("can not read {login} {}", login.split(' ').next_back().map(decoded).unwrap_or_default());
            let errors = json!({ "errors": [{ "code": "UNSUPPORTED", "message": words }] });
            Response::text(400, errors.to_string()).with("Content-Type", "application/json")
        }
        None => Response::text(401, "").with("WWW-Authenticate", "Basic realm=\"echo\""),
    })
    .expect("a server");
    // So that the password begins in the middle of a group of base64.
    let user = "bot";
    let login = STANDARD.encode(format!("{user}:{PASSWORD}"));
    let project = super::image_project(&format!("{}/team/web", echo.address()));
    let docker = project.work().join("docker");
    fs::create_dir(&docker).expect("a folder");
    let config = json!({ "auths": { echo.address(): { "auth": login } } });
    fs::write(docker.join("config.json"), config.to_string()).expect("a file");
    let of_file: [(&str, String); 1] = [("DOCKER_CONFIG", docker.display().to_string())];
    let of_variables = [
        ("KLUCTL_REGISTRY_1_HOST", echo.address()),
        ("KLUCTL_REGISTRY_1_USERNAME", user.to_owned()),
        ("KLUCTL_REGISTRY_1_PASSWORD", PASSWORD.to_owned()),
    ];
    for variables in [&of_file[..], &of_variables[..]] {
        let answer = super::render(&project, |command| {
            command.envs(variables.iter().map(|(name, value)| (*name, value)));
        });
        assert_eq!(answer.code, 1, "{}", answer.stdout);
        assert!(answer.stderr.contains("can not read Basic *****"), "{}", answer.stderr);
        assert!(!answer.stderr.contains(PASSWORD) && !answer.stderr.contains(&login), "{}", answer.stderr);
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default()
}

//! Fields of the project format that need a server: artifacts of registries, charts that are pulled while rendering,
//! and what a stored result tells about secret variables.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use windlass_registry::{OciRegistry, Proxy, Registry as _, RegistrySettings, Repository};
use windlass_tests::{Answer, ChartServer, ControlPlane, Options, Registry, TestProject};

const OFFLINE: [&str; 3] = ["render", "--print-all", "--offline-kubernetes"];

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

/// A folder that is a chart and a deployment project in one: `helm push` and `oci push` make the same kind of artifact.
fn packed_project(parent: &Path, version: &str) -> PathBuf {
    let folder = parent.join(format!("lib-{version}"));
    fs::create_dir_all(folder.join("item")).expect("a folder");
    fs::create_dir_all(folder.join("templates")).expect("a folder");
    let files = [
        ("Chart.yaml", format!("apiVersion: v2\nname: lib\nversion: {version}\n")),
        ("deployment.yaml", "deployments:\n- path: item\n".to_owned()),
        ("item/map.yaml", map(&format!("v-{}", version.replace('.', "-")))),
        ("templates/map.yaml", map(&format!("chart-{}", version.replace('.', "-")))),
    ];
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).expect("a file"));
    folder
}

fn digest(registry: &Registry, tag: &str) -> String {
    let client = OciRegistry::new(RegistrySettings { proxy: Proxy::None, ..RegistrySettings::default() });
    let repository = Repository::parse(&format!("{}/team/lib", registry.address())).expect("a repository");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(client.manifest(&repository, tag)).expect("a manifest").digest
}

/// Renders a project with one include, of these fields.
fn included(registry: &Registry, rest: &str) -> Answer {
    let url = format!("oci://{}/team/lib", registry.address());
    let deployment = format!("deployments:\n- oci: {{url: '{url}'{rest}}}\n");
    TestProject::from_files(&[(".kluctl.yaml", "{}"), ("deployment.yaml", &deployment)]).run(&OFFLINE)
}

#[test]
fn an_artifact_is_included_by_tag_digest_and_directory() {
    let registry = Registry::start().expect("a registry");
    let work = tempfile::tempdir().expect("a folder");
    for version in ["1.0.0", "2.0.0"] {
        registry.push_chart("team/lib", &packed_project(work.path(), version)).expect("pushed");
    }
    let (one, two) = (digest(&registry, "1.0.0"), digest(&registry, "2.0.0"));
    for (rest, wanted) in [
        (", subDir: lib, ref: {tag: 1.0.0}".to_owned(), "v-1-0-0"),
        (", subDir: lib, ref: {tag: 2.0.0}".to_owned(), "v-2-0-0"),
        (format!(", subDir: lib, ref: {{digest: '{one}'}}"), "v-1-0-0"),
        (format!(", subDir: lib, ref: {{tag: 1.0.0, digest: '{two}'}}"), "v-2-0-0"),
    ] {
        let answer = included(&registry, &rest);
        assert_eq!(answer.code, 0, "{rest}: {}", answer.stderr);
        assert!(answer.stdout.contains(&format!("name: {wanted}\n")), "{rest}: {}", answer.stdout);
        assert!(answer.stdout.contains("deployment-item-dir: lib/item\n"), "{}", answer.stdout);
    }
    for (rest, words) in [
        (", subDir: lib", "latest"),
        (", subDir: lib, ref: {tag: 3.0.0}", "3.0.0"),
        (", ref: {tag: 1.0.0}, subDir: none", "does not exist"),
        (", ref: {tag: 1.0.0}, subDir: ../..", "leaves the source directory"),
        (", ref: {tag: 1.0.0}, subDir: 'a:b'", "'a:b' is not valid oci subdirectory path"),
        (", ref: {tag: 1.0.0}", "deployment.yml not found"),
    ] {
        let answer = included(&registry, rest);
        assert!(answer.code == 1 && answer.stderr.contains(words), "{rest}: {}", answer.stderr);
    }
}

#[test]
fn a_chart_is_pulled_while_rendering_when_it_says_so() {
    let server = ChartServer::start().expect("a server");
    let work = tempfile::tempdir().expect("a folder");
    server.add(&packed_project(work.path(), "1.0.0")).expect("listed");
    let render = |skip: &str| {
        let chart = format!(
            "helmChart:\n  repo: {}\n  chartName: lib\n  chartVersion: 1.0.0\n  releaseName: r\n  skipPrePull: {skip}\n",
            server.url()
        );
        let deployment = "deployments:\n- path: app\n";
        TestProject::from_files(&[
            ("deployment.yaml", deployment),
            (".kluctl.yaml", "{}"),
            ("app/helm-chart.yaml", &chart),
        ])
        .run(&OFFLINE)
    };
    let answer = render("true");
    assert!(answer.code == 0 && answer.stdout.contains("name: chart-1-0-0\n"), "{}\n{}", answer.stdout, answer.stderr);
    let answer = render("false");
    assert!(answer.code == 1 && answer.stderr.contains("chart"), "{}", answer.stderr);
}

/// Everything that the cluster keeps about results, unpacked.
fn stored(plane: &ControlPlane) -> String {
    let list = plane.get("/api/v1/namespaces/kluctl-results/secrets").expect("an answer").expect("a list");
    let mut text = list.to_string();
    for secret in list["items"].as_array().expect("items") {
        for value in secret["data"].as_object().into_iter().flat_map(|data| data.values()) {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
            match GzDecoder::new(bytes.as_slice()).read_to_string(&mut text) {
                Ok(_) => {}
                Err(_) => text.push_str(&String::from_utf8_lossy(&bytes)),
            }
        }
    }
    text
}

/// The same variable with every way to say how secret it is; the object that shows it is a plain ConfigMap.
#[test]
fn a_stored_result_has_no_value_of_a_sensitive_variable() {
    const SECRET: &str = "correct/horse+battery";
    let plane = ControlPlane::start(Options::default()).expect("a plane");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vars", "namespace": "default"},
        "stringData": {"k": json!({"v": SECRET}).to_string()},
    });
    plane.apply(&secret.to_string()).expect("applied");
    let from_cluster = json!({"clusterSecret": {"name": "vars", "namespace": "default", "key": "k"}});
    let inline = json!({"values": {"v": SECRET}});
    let with = |mut entry: Value, sensitive: bool| {
        entry["sensitive"] = sensitive.into();
        entry
    };
    for (name, entry, is_hidden) in [
        ("by-kind", from_cluster.clone(), true),
        ("marked", with(inline.clone(), true), true),
        ("plain", inline, false),
        ("unmarked", with(from_cluster, false), false),
    ] {
        let deployment = json!({"vars": [entry], "deployments": [{"path": "app"}]}).to_string();
        let object = format!(
            "{}  namespace: default\ndata:\n  v: 'url={{{{ v }}}}'\n  e: '{{{{ v | b64encode }}}}'\n",
            map(name)
        );
        let config = format!("discriminator: {name}\n");
        let files = [(".kluctl.yaml", config.as_str()), ("deployment.yaml", &deployment), ("app/map.yaml", &object)];
        let answer = TestProject::from_files(&files).on(&plane).succeed(&["deploy", "--yes", "-o", "yaml"]);
        let place = format!("/api/v1/namespaces/default/configmaps/{name}");
        let live = plane.get(&place).expect("an answer").expect("an object");
        assert_eq!(live["data"]["v"], format!("url={SECRET}"), "what is deployed is whole");
        let kept = stored(&plane);
        assert!(kept.contains(&format!("\"{name}\"")), "the result is stored");
        let encoded = STANDARD.encode(SECRET);
        for form in [SECRET, encoded.as_str()] {
            let shown = format!("{}{}{kept}", answer.stdout, answer.stderr);
            assert_eq!(!shown.contains(form), is_hidden, "{name}: {form}");
        }
        assert_eq!(kept.contains("url=*****"), is_hidden, "{name}");
        let path = "/api/v1/namespaces/kluctl-results/secrets";
        plane.api("DELETE", path, "", None).expect("deleted");
    }
}

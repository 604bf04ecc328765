//! Charts of many shapes, rendered as Helm itself renders them (`oracle/charts` wrote the answers).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_gohelper::{GoHelper, HelmCapabilities, HelmRequest, HelperError};

struct Case {
    name: String,
    request: HelmRequest,
    wanted: Value,
    _dir: tempfile::TempDir,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts")
}

fn load(path: &Path) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let settings: Value = serde_json::from_str(head).unwrap();
    let mut values = String::new();
    for part in format!("\n{rest}").split("\n-- ").skip(1) {
        let (name, content) = part.split_once(" --\n").unwrap();
        let mut content = content.to_owned();
        if !content.is_empty() && !content.ends_with('\n') {
            content.push('\n');
        }
        let name = match name.strip_suffix(";crlf") {
            Some(plain) => {
                content = content.replace('\n', "\r\n");
                plain
            }
            None => name,
        };
        if name == "values" {
            values = content;
            continue;
        }
        let file = dir.path().join("chart").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    let list = |field: &str| serde_json::from_value(settings[field].clone()).ok();
    let wanted = fs::read(path.with_extension("json")).expect("an answer of the oracle");
    Case {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        request: HelmRequest {
            chart_dir: dir.path().join("chart"),
            release_name: "rel".to_owned(),
            namespace: settings["namespace"].as_str().unwrap().to_owned(),
            values,
            values_name: "helm-values.yaml".to_owned(),
            capabilities: HelmCapabilities {
                kube_version: settings["kubeVersion"].as_str().map(str::to_owned),
                api_versions: list("apiVersions"),
            },
            skip_crds: settings["skipCRDs"] == true,
        },
        wanted: serde_json::from_slice(&wanted).unwrap(),
        _dir: dir,
    }
}

async fn difference(helper: &GoHelper, case: &Case) -> Option<String> {
    let got = match helper.helm_template(case.request.clone()).await {
        Ok(output) if output.objects.is_empty() => serde_json::json!({}),
        Ok(output) => serde_json::json!({ "objects": output.objects }),
        Err(HelperError::Build { message }) => serde_json::json!({ "error": message }),
        Err(error) => serde_json::json!({ "unexpected": error.to_string() }),
    };
    (got != case.wanted).then(|| format!("{}\n  wanted {}\n  got    {got}\n", case.name, case.wanted))
}

#[tokio::test]
async fn charts_render_as_helm_renders_them() {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert!(paths.len() >= 45, "{} cases", paths.len());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gohelper");
    let helper = GoHelper::new(cache);
    let cases: Vec<Case> = paths.iter().map(|path| load(path)).collect();
    // All at once, as a project with many charts does it.
    let outcomes = futures::future::join_all(cases.iter().map(|case| difference(&helper, case))).await;
    let mut text = String::new();
    for difference in outcomes.into_iter().flatten() {
        let _ = writeln!(text, "{difference}");
    }
    assert!(text.is_empty(), "{text}");
    let errors = cases.iter().filter(|case| case.wanted.get("error").is_some()).count();
    assert!(errors >= 12, "{errors} cases with errors");
}

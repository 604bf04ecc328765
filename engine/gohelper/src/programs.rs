//! [`GoHelper`] over installed programs, for builds without the feature `bundled-go`.
//!
//! The versions are then the user's, and so may be the output. Two more differences: files outside of the
//! kustomization's folder can not be loaded, as the program can not be confined to a source root in any other way;
//! and API versions are added to Helm's own list instead of replacing it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use windlass_yaml::{Dialect, DuplicateKeys, ReadOptions, Source, parse_documents};

use crate::{HelmRequest, HelperError, HelperVersion, KustomizeRequest, Lookup, Output};

/// Gives access to Helm and Kustomize. Cheap to create and to clone.
#[derive(Debug, Clone)]
pub struct GoHelper {
    folders: Arc<[PathBuf]>,
}

/// What a program printed.
struct Printed {
    stdout: String,
    stderr: String,
}

impl GoHelper {
    /// A helper that finds no program yet; the cache folder is not needed in this build.
    #[must_use]
    pub fn new(_cache_dir: PathBuf) -> Self {
        Self { folders: Arc::new([]) }
    }

    /// Names the folders in which `helm` and `kustomize` are looked for, in order.
    #[must_use]
    pub fn with_search_path(self, folders: Vec<PathBuf>) -> Self {
        Self { folders: folders.into() }
    }

    /// Builds a kustomization.
    pub async fn kustomize_build(&self, request: KustomizeRequest) -> Result<Output, HelperError> {
        let KustomizeRequest { dir, root: _ } = request;
        let arguments = [OsStr::new("build"), dir.as_os_str()];
        let printed = self.run("kustomize", &arguments, "").await?;
        decode("kustomize", &printed, ReadOptions::new(Dialect::GoV3))
    }

    /// Renders a chart.
    pub async fn helm_template(&self, request: HelmRequest) -> Result<Output, HelperError> {
        let printed = self.run("helm", &helm_arguments(&request), &request.values).await?;
        // Of equal keys in a chart's output the last one counts.
        let options = ReadOptions::new(Dialect::GoV2).duplicate_keys(DuplicateKeys::LastWins);
        decode("helm", &printed, options)
    }

    /// Renders a chart. The program has no way to ask back, so its `lookup` finds nothing.
    pub async fn helm_template_live(&self, request: HelmRequest, _lookup: &dyn Lookup) -> Result<Output, HelperError> {
        self.helm_template(request).await
    }

    /// The versions of the programs.
    pub async fn version(&self) -> Result<HelperVersion, HelperError> {
        let helm = self.run("helm", &["version", "--short"], "").await?.stdout;
        let kustomize = self.run("kustomize", &["version"], "").await?.stdout;
        Ok(HelperVersion { helm: helm.trim().to_owned(), kustomize: kustomize.trim().to_owned(), go: String::new() })
    }

    async fn run<A: AsRef<OsStr>>(
        &self,
        program: &'static str,
        arguments: &[A],
        stdin: &str,
    ) -> Result<Printed, HelperError> {
        let path = self.find(program)?;
        let started = |source| HelperError::Start { path: path.clone(), source };
        let mut child = Command::new(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(started)?;
        if let Some(mut pipe) = child.stdin.take() {
            // A program that does not read its input is no problem of ours.
            let _ = pipe.write_all(stdin.as_bytes()).await;
        }
        let output = child.wait_with_output().await.map_err(started)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let printed = Printed { stdout: text(output.stdout), stderr: text(output.stderr) };
        if output.status.success() {
            return Ok(printed);
        }
        let message = printed.stderr.trim();
        Err(HelperError::Build { message: message.strip_prefix("Error: ").unwrap_or(message).to_owned() })
    }

    fn find(&self, program: &'static str) -> Result<PathBuf, HelperError> {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        self.folders
            .iter()
            .map(|folder| folder.join(&name))
            .find(|path| path.is_file())
            .ok_or(HelperError::ProgramMissing { program })
    }
}

/// The values come on stdin, as they may hold secrets.
fn helm_arguments(request: &HelmRequest) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        vec!["template".into(), request.release_name.as_str().into(), request.chart_dir.as_os_str().into()];
    arguments.extend(["--namespace".into(), request.namespace.as_str().into()]);
    arguments.extend(["--values".into(), "-".into(), "--skip-tests".into()]);
    arguments.push(if request.skip_crds { "--skip-crds" } else { "--include-crds" }.into());
    if let Some(version) = &request.capabilities.kube_version {
        arguments.extend(["--kube-version".into(), version.into()]);
    }
    for version in request.capabilities.api_versions.iter().flatten() {
        arguments.extend(["--api-versions".into(), version.into()]);
    }
    arguments
}

fn decode(program: &str, printed: &Printed, options: ReadOptions) -> Result<Output, HelperError> {
    let source = Source::new(format!("output of {program}"), printed.stdout.as_str());
    let documents =
        parse_documents(&source, options).map_err(|error| HelperError::Protocol { message: error.to_string() })?;
    let objects: Vec<Value> = documents.into_iter().map(|document| document.value).collect();
    if let Some(other) = objects.iter().find(|object| !object.is_object()) {
        return Err(HelperError::Protocol {
            message: format!("`{program}` printed `{other}` where an object is needed"),
        });
    }
    let warnings = printed.stderr.lines().map(str::to_owned).collect();
    Ok(Output { objects, warnings })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::HelmCapabilities;

    fn with_program(name: &str, script: &str) -> (tempfile::TempDir, GoHelper) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let helper = GoHelper::new(PathBuf::new()).with_search_path(vec!["/nowhere".into(), dir.path().to_owned()]);
        (dir, helper)
    }

    fn kustomization() -> KustomizeRequest {
        KustomizeRequest { dir: "some/dir".into(), root: "some".into() }
    }

    /// Another test's child may hold the script open for writing for a moment.
    async fn build(helper: &GoHelper) -> Result<Output, HelperError> {
        loop {
            match helper.kustomize_build(kustomization()).await {
                Err(HelperError::Start { source, .. }) if source.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                other => return other,
            }
        }
    }

    #[tokio::test]
    async fn a_missing_program_is_said_to_be_missing() {
        let helper = GoHelper::new(PathBuf::new()).with_search_path(vec!["/nowhere".into()]);
        let error = helper.kustomize_build(kustomization()).await.unwrap_err();
        assert!(matches!(error, HelperError::ProgramMissing { program: "kustomize" }));
        assert!(error.to_string().starts_with("`kustomize` was not found in PATH"), "{error}");
    }

    #[tokio::test]
    async fn objects_are_read_from_stdout_and_warnings_from_stderr() {
        let (_dir, helper) =
            with_program("kustomize", "echo \"kind: $1\"; echo ---; echo \"kind: $2\"; echo careful >&2");
        let output = build(&helper).await.unwrap();
        assert_eq!(output.objects, [serde_json::json!({"kind": "build"}), serde_json::json!({"kind": "some/dir"})]);
        assert_eq!(output.warnings, ["careful"]);
    }

    #[tokio::test]
    async fn a_failure_has_the_programs_words() {
        let (_dir, helper) = with_program("kustomize", "echo 'Error: no good' >&2; exit 1");
        assert_eq!(build(&helper).await.unwrap_err().to_string(), "no good");
    }

    #[tokio::test]
    async fn output_that_is_no_object_is_refused() {
        let (_dir, helper) = with_program("kustomize", "echo '- 1'");
        assert!(matches!(build(&helper).await, Err(HelperError::Protocol { .. })));
    }

    #[test]
    fn the_chart_is_described_by_arguments_without_its_values() {
        let request = HelmRequest {
            chart_dir: Path::new("dir").to_owned(),
            release_name: "rel".to_owned(),
            namespace: "ns".to_owned(),
            values: "secret: x".to_owned(),
            values_name: "values.yaml".to_owned(),
            capabilities: HelmCapabilities {
                kube_version: Some("1.30".to_owned()),
                api_versions: Some(vec!["a/v1".to_owned()]),
            },
            skip_crds: true,
        };
        assert_eq!(
            helm_arguments(&request).join(OsStr::new(" ")),
            "template rel dir --namespace ns --values - --skip-tests --skip-crds --kube-version 1.30 --api-versions a/v1"
        );
    }
}

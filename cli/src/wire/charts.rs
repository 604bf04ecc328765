//! Charts: credentials of flags, environment and Helm's own file; the commands that pull and update.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use windlass_charts::{
    ArchiveLimits, ChartPorts, ChartRepositories, Charts, Choice, Place, RepositoryCredentials, UpdateOptions,
    WorkTreeError, pull, update,
};
use windlass_deploy::config_file::{find_library_config, find_project_config};
use windlass_registry::OciRegistry;
use windlass_sources::Sources;
use windlass_yaml::{Dialect, parse_first};

use super::{failure, folders, project_dir, registry, sources};
use crate::app::App;
use crate::diagnostics::Failure;
use crate::env_vars::Environment;
use crate::progress::Progress;
use crate::settings::{CredentialEntry, Credentials, HelmSettings, ProjectSettings};

const AGENT: &str = concat!("windlass/", env!("CARGO_PKG_VERSION"));

/// These commands have no flag for it.
const GIT_INTERVAL: Duration = Duration::from_secs(60);

/// Decides about one update.
pub(crate) type Answer = Box<dyn Fn(&Choice) -> bool + Send + Sync>;

/// `helm-pull`; the answer is how many charts failed.
pub(crate) async fn helm_pull(app: &App, settings: &HelmSettings) -> Result<usize, Failure> {
    let project = project_root("helm-pull", settings)?;
    let progress = Arc::new(Progress::new(app.printer.clone()));
    let charts = open_alone(app, settings, &progress)?;
    let report = pull(&project, &charts, &*progress).await;
    progress.clear();
    Ok(report.map_err(failure)?.failed)
}

/// `helm-update`; the answer is how many charts failed.
pub(crate) async fn helm_update(app: &App, settings: &HelmSettings, ask: Answer) -> Result<usize, Failure> {
    let project = project_root("helm-update", settings)?;
    let no_repository = || Failure::Output { text: "could not detect git repository root".to_owned() };
    let work_tree = windlass_git::WorkTree::around(&project).map(LocalWorkTree).ok_or_else(no_repository)?;
    let progress = Arc::new(Progress::new(app.printer.clone()));
    let charts = open_alone(app, settings, &progress)?;
    let options = UpdateOptions {
        upgrade: settings.upgrade,
        commit: settings.commit,
        ask: settings.interactive.then_some(&*ask),
    };
    let failed = update(&project, &charts, &work_tree, options, &*progress).await;
    progress.clear();
    failed.map_err(failure)
}

/// Both commands work on whole projects or libraries.
fn project_root(command: &str, settings: &HelmSettings) -> Result<PathBuf, Failure> {
    let dir = project_dir(&settings.project)?;
    if find_project_config(&dir).or_else(|| find_library_config(&dir)).is_some() {
        return Ok(dir);
    }
    let text = format!(
        "{command} can only be used on the root of a Kluctl project that must have a .kluctl.yaml or \
         .kluctl-library.yaml file"
    );
    Err(Failure::Output { text })
}

/// For the commands that do nothing else.
fn open_alone(app: &App, settings: &HelmSettings, progress: &Arc<Progress>) -> Result<Charts, Failure> {
    let environment = &app.environment;
    app.printer.hide(settings.credentials.secrets());
    let registry = registry::open(&settings.credentials, environment, &app.printer)?;
    let project = ProjectSettings { git_cache_update_interval: GIT_INTERVAL, ..settings.project.clone() };
    let sources = sources::open(&project, &settings.credentials, environment, registry.clone(), progress.clone());
    Ok(open(&settings.credentials, environment, registry, sources))
}

/// Fetches charts; asks nobody yet.
pub(super) fn open(
    credentials: &Credentials,
    environment: &Environment,
    registry: Arc<OciRegistry>,
    sources: Arc<dyn Sources>,
) -> Charts {
    Charts::new(ChartPorts {
        repositories: Arc::new(ChartRepositories::new(repositories(credentials, environment), AGENT)),
        registry: registry.clone(),
        artifacts: registry,
        sources,
        cache: folders::cache_dir(environment).join("helm-charts"),
        limits: ArchiveLimits::default(),
    })
}

/// Flags and environment, then Helm's own file.
fn repositories(credentials: &Credentials, environment: &Environment) -> Vec<RepositoryCredentials> {
    let skip_by_default = environment
        .setting("HELM_DEFAULT_INSECURE_SKIP_TLS_VERIFY")
        .and_then(windlass_model::object::parse_go_bool)
        .unwrap_or(false);
    let given = credentials.helm.iter().map(|given| entry(given, skip_by_default));
    given.chain(helms_own(environment)).collect()
}

fn entry(entry: &CredentialEntry, skip_by_default: bool) -> RepositoryCredentials {
    let path = |name: &str| entry.field(name).map(PathBuf::from);
    let from_variables = entry.origin.starts_with("environment");
    let skip = match entry.field("insecure-skip-tls-verify") {
        Some(_) => entry.switch("insecure-skip-tls-verify"),
        None => from_variables && skip_by_default,
    };
    RepositoryCredentials {
        place: Place::Host { host: entry.host.clone(), path: entry.path.clone() },
        username: entry.field("username").map(str::to_owned),
        password: entry.field("password").map(|text| text.to_owned().into()),
        cert_file: path("cert"),
        key_file: path("key"),
        ca_file: path("ca"),
        insecure_skip_tls_verify: skip,
        pass_credentials_all: entry.switch("pass-credentials-all"),
        origin: entry.origin.clone(),
    }
}

/// `repositories.yaml`; a missing or broken file has no entries.
fn helms_own(environment: &Environment) -> Vec<RepositoryCredentials> {
    let Some(file) = repositories_file(environment) else { return Vec::new() };
    let Ok(text) = std::fs::read_to_string(&file) else { return Vec::new() };
    let source = windlass_yaml::Source::new(file.display().to_string(), text);
    let Ok(document) = parse_first(&source, Dialect::GoV2) else { return Vec::new() };
    let entries = document.value.get("repositories").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| own_entry(entry, &file)).collect()
}

fn own_entry(entry: &Value, file: &Path) -> Option<RepositoryCredentials> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let switch = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
    Some(RepositoryCredentials {
        place: Place::Repository(text("url")?),
        username: text("username"),
        password: text("password").map(Into::into),
        cert_file: text("certFile").map(PathBuf::from),
        key_file: text("keyFile").map(PathBuf::from),
        ca_file: text("caFile").map(PathBuf::from),
        insecure_skip_tls_verify: switch("insecure_skip_tls_verify"),
        pass_credentials_all: switch("pass_credentials_all"),
        origin: format!("`{}`", file.display()),
    })
}

fn repositories_file(environment: &Environment) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let of_system = || {
        let of_xdg = set("XDG_CONFIG_HOME").map(|dir| dir.join("helm"));
        let own = if cfg!(target_os = "macos") { "Library/Preferences/helm" } else { ".config/helm" };
        of_xdg.or_else(|| environment.home().map(|home| home.join(own)))
    };
    set("HELM_REPOSITORY_CONFIG")
        .or_else(|| set("HELM_CONFIG_HOME").or_else(of_system).map(|dir| dir.join("repositories.yaml")))
}

/// The work tree around the project.
struct LocalWorkTree(windlass_git::WorkTree);

impl windlass_charts::WorkTree for LocalWorkTree {
    fn changes(&self) -> Result<Vec<(PathBuf, bool)>, WorkTreeError> {
        let changes = self.0.changes().map_err(refused)?;
        Ok(changes.into_iter().map(|change| (change.path, change.untracked)).collect())
    }

    fn check_author(&self) -> Result<(), WorkTreeError> {
        self.0.check_author().map_err(refused)
    }

    fn commit(&self, paths: &[PathBuf], message: &str) -> Result<(), WorkTreeError> {
        self.0.commit(paths, message).map_err(refused)
    }
}

fn refused(error: windlass_git::WorkTreeError) -> WorkTreeError {
    WorkTreeError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helm_entry(fields: &[(&'static str, &str)], origin: &str) -> CredentialEntry {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        CredentialEntry { host: "h".into(), path: String::new(), fields, origin: origin.into() }
    }

    #[test]
    fn the_default_for_tls_is_for_variables_only() {
        assert!(!entry(&helm_entry(&[], "flag"), true).insecure_skip_tls_verify);
        assert!(entry(&helm_entry(&[], "environment variables `X`"), true).insecure_skip_tls_verify);
        let given = helm_entry(&[("insecure-skip-tls-verify", "false")], "environment variables `X`");
        assert!(!entry(&given, true).insecure_skip_tls_verify);
    }

    #[test]
    fn helms_own_file_has_its_place() {
        let of = |pairs: &[(&str, &str)]| repositories_file(&Environment::of(pairs));
        assert_eq!(of(&[("HELM_REPOSITORY_CONFIG", "f"), ("HELM_CONFIG_HOME", "d")]), Some("f".into()));
        assert_eq!(of(&[("HELM_CONFIG_HOME", "d"), ("HOME", "h")]), Some("d/repositories.yaml".into()));
        assert_eq!(of(&[("XDG_CONFIG_HOME", "x")]), Some("x/helm/repositories.yaml".into()));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn entries_of_helms_own_file_are_read_and_broken_files_ignored() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("repositories.yaml");
        let text = file.display().to_string();
        let read = |content: &str| {
            std::fs::write(&file, content).expect("write");
            helms_own(&Environment::of(&[("HELM_REPOSITORY_CONFIG", &text)]))
        };
        let entries = read(
            "repositories:\n- {name: a, url: 'https://a', username: u, pass_credentials_all: true}\n- {name: b}\n",
        );
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].place, Place::Repository("https://a".into()));
        assert!(entries[0].pass_credentials_all);
        assert!(read("repositories: [").is_empty());
        assert!(read("repositories: 5").is_empty());
    }
}

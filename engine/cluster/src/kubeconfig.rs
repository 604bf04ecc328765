//! Finds the server and the credentials: kubeconfig files, context, in-cluster account
//! (spec 03 section 1.1).
//!
//! Nothing here looks at the environment: the caller hands over paths and addresses.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};

/// What is said when a run goes on without a cluster.
pub const NO_KUBECONFIG_WARNING: &str = "No valid KUBECONFIG provided, which means the Kubernetes client is not \
    available. Depending on your deployment project, this might cause follow-up errors.";

/// Where kubeconfig comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeconfigSources {
    /// The only file to use (`--kubeconfig`); it must exist.
    pub explicit: Option<PathBuf>,
    /// Otherwise these files (the parts of `KUBECONFIG`, or `~/.kube/config`), merged; missing ones are skipped.
    pub paths: Vec<PathBuf>,
    /// The service account, when running inside a cluster.
    pub in_cluster: Option<InCluster>,
}

/// The service account that a pod finds mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InCluster {
    /// `KUBERNETES_SERVICE_HOST`.
    pub host: String,
    /// `KUBERNETES_SERVICE_PORT`.
    pub port: String,
    /// Folder with `token` and `ca.crt`.
    pub account_dir: PathBuf,
}

impl InCluster {
    /// Folder where Kubernetes mounts the account.
    pub const ACCOUNT_DIR: &'static str = "/var/run/secrets/kubernetes.io/serviceaccount";

    fn is_usable(&self) -> bool {
        !self.host.is_empty() && !self.port.is_empty() && self.account_dir.join("token").is_file()
    }
}

/// Why no server could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// A file cannot be read or parsed.
    #[error("error loading config file \"{}\": {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Files cannot be merged.
    #[error("merge kubeconfig `{}`: {message}", path.display())]
    Merge {
        /// The file that does not fit to the ones before it.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The wanted context is in none of the files.
    #[error("context \"{name}\" does not exist")]
    NoSuchContext {
        /// Its name.
        name: String,
        /// The contexts that exist, sorted.
        known: Vec<String>,
    },
    /// Files have contexts, but none is current and none was asked for.
    #[error("no context was given, and the kubeconfig has no current-context")]
    NoCurrentContext {
        /// The contexts that exist, sorted.
        known: Vec<String>,
    },
}

/// The server chosen, not yet connected.
#[derive(Debug, Clone)]
pub struct ChosenContext {
    /// Its real name; empty inside a cluster.
    pub name: String,
    pub(crate) kubeconfig: Kubeconfig,
    pub(crate) context_key: String,
}

/// Reads the files and chooses the context. `None`: there is no kubeconfig, nobody asked
/// for a context and this is no pod; the caller warns with [`NO_KUBECONFIG_WARNING`] and goes on.
pub fn choose_context(
    sources: &KubeconfigSources,
    requested: Option<&str>,
) -> Result<Option<ChosenContext>, KubeconfigError> {
    let merged = read_all(sources)?;
    let requested = requested.filter(|name| !name.is_empty());
    if is_empty(&merged) && requested.is_none() {
        return Ok(sources.in_cluster.as_ref().filter(|account| account.is_usable()).map(in_cluster));
    }
    let known = || {
        let mut names: Vec<_> = merged.contexts.iter().map(|context| context.name.clone()).collect();
        names.sort();
        names
    };
    let current = merged.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(name) = requested.or(current) else {
        return Err(KubeconfigError::NoCurrentContext { known: known() });
    };
    if !merged.contexts.iter().any(|context| context.name == name) {
        return Err(KubeconfigError::NoSuchContext { name: name.into(), known: known() });
    }
    let name = name.to_owned();
    Ok(Some(ChosenContext { context_key: name.clone(), name, kubeconfig: merged }))
}

fn read_all(sources: &KubeconfigSources) -> Result<Kubeconfig, KubeconfigError> {
    if let Some(path) = &sources.explicit {
        return read(path);
    }
    let mut merged = Kubeconfig::default();
    for path in sources.paths.iter().filter(|path| path.exists()) {
        let next = read(path)?;
        merged = merged
            .merge(next)
            .map_err(|error| KubeconfigError::Merge { path: path.clone(), message: error.to_string() })?;
    }
    Ok(merged)
}

fn read(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    // An absolute path, because relative file names inside are resolved against its folder.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Kubeconfig::read_from(absolute)
        .map_err(|error| KubeconfigError::Unreadable { path: path.to_owned(), message: reason(&error) })
}

fn reason(error: &kube::config::KubeconfigError) -> String {
    let text = match error {
        kube::config::KubeconfigError::ReadConfig(source, _) => source.to_string(),
        kube::config::KubeconfigError::Parse(source) => source.to_string(),
        other => other.to_string(),
    };
    // The lines that follow show the file, and with it perhaps credentials.
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

fn is_empty(config: &Kubeconfig) -> bool {
    config.clusters.is_empty()
        && config.contexts.is_empty()
        && config.auth_infos.is_empty()
        && config.current_context.as_deref().unwrap_or_default().is_empty()
}

fn in_cluster(account: &InCluster) -> ChosenContext {
    const KEY: &str = "in-cluster";
    let host = if account.host.contains(':') { format!("[{}]", account.host) } else { account.host.clone() };
    let file = |name: &str| account.account_dir.join(name).to_string_lossy().into_owned();
    let cluster = Cluster {
        server: Some(format!("https://{host}:{}", account.port)),
        certificate_authority: Some(file("ca.crt")),
        ..Cluster::default()
    };
    let user = AuthInfo { token_file: Some(file("token")), ..AuthInfo::default() };
    let context = Context { cluster: KEY.into(), user: Some(KEY.into()), ..Context::default() };
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster { name: KEY.into(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: KEY.into(), auth_info: Some(user), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: KEY.into(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(KEY.into()),
        ..Kubeconfig::default()
    };
    ChosenContext { name: String::new(), kubeconfig, context_key: KEY.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn config(context: &str, current: Option<&str>) -> String {
        let current = current.map(|name| format!("current-context: {name}\n")).unwrap_or_default();
        format!(
            "apiVersion: v1\nkind: Config\n{current}clusters:\n- name: c\n  cluster: {{server: 'https://{context}:1'}}\n\
             contexts:\n- name: {context}\n  context: {{cluster: c, user: u}}\nusers:\n- name: u\n  user: {{}}\n"
        )
    }

    #[test]
    fn the_first_file_sets_the_current_context() {
        let dir = tempfile::tempdir().unwrap();
        let a = write(&dir, "a", &config("one", Some("one")));
        let b = write(&dir, "b", &config("two", Some("two")));
        let sources = KubeconfigSources { paths: vec![dir.path().join("missing"), a, b], ..Default::default() };
        assert_eq!(choose_context(&sources, None).unwrap().unwrap().name, "one");
        assert_eq!(choose_context(&sources, Some("two")).unwrap().unwrap().name, "two");
    }

    #[test]
    fn nothing_configured_and_nothing_requested_is_offline() {
        assert!(choose_context(&KubeconfigSources::default(), None).unwrap().is_none());
    }

    #[test]
    fn a_requested_context_without_kubeconfig_does_not_exist() {
        let error = choose_context(&KubeconfigSources::default(), Some("held")).unwrap_err();
        assert_eq!(error.to_string(), "context \"held\" does not exist");
    }

    #[test]
    fn an_unknown_context_lists_the_known_ones() {
        let dir = tempfile::tempdir().unwrap();
        let sources =
            KubeconfigSources { explicit: Some(write(&dir, "a", &config("one", None))), ..Default::default() };
        match choose_context(&sources, Some("two")).unwrap_err() {
            KubeconfigError::NoSuchContext { name, known } => assert_eq!((name.as_str(), known.len()), ("two", 1)),
            other => panic!("{other}"),
        }
        assert!(matches!(choose_context(&sources, None), Err(KubeconfigError::NoCurrentContext { .. })));
    }

    #[test]
    fn an_explicit_file_must_exist_and_parse() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().join("missing"), write(&dir, "bad", "clusters: [")] {
            let sources = KubeconfigSources { explicit: Some(path.clone()), ..Default::default() };
            let error = choose_context(&sources, None).unwrap_err();
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }

    #[test]
    fn an_unparsable_file_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = write(&dir, "bad", "users:\n- name: a\n  user: {token: hidden-token\n");
        let sources = KubeconfigSources { explicit: Some(path.clone()), ..Default::default() };
        let text = choose_context(&sources, None).unwrap_err().to_string();
        assert!(text.starts_with(&format!("error loading config file \"{}\": line ", path.display())), "{text}");
        assert!(!text.contains("hidden") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_pod_without_kubeconfig_uses_its_account() {
        let dir = tempfile::tempdir().unwrap();
        let account = InCluster { host: "fd00::1".into(), port: "443".into(), account_dir: dir.path().into() };
        let sources = KubeconfigSources { in_cluster: Some(account), ..Default::default() };
        assert!(choose_context(&sources, None).unwrap().is_none(), "no token, no account");
        write(&dir, "token", "t");
        let chosen = choose_context(&sources, None).unwrap().unwrap();
        assert_eq!(chosen.name, "");
        let server = chosen.kubeconfig.clusters[0].cluster.as_ref().unwrap().server.clone();
        assert_eq!(server.as_deref(), Some("https://[fd00::1]:443"));
    }
}

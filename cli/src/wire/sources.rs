//! Git servers and registries as sources of includes, with the credentials of flags, environment and git itself.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use windlass_git::{CheckoutLimits, GitCredentials, GitSettings, SshSettings};
use windlass_model::event::Events;
use windlass_model::source::{SourceKey, SourceKind};
use windlass_registry::Artifacts;
use windlass_sources::{FetchedSources, SourceOverride, SourceSettings, Sources, UnpackLimits};

use super::folders;
use crate::env_vars::Environment;
use crate::settings::{CredentialEntry, Credentials, LocalOverride, OverrideKind, ProjectSettings};

/// Sources; asks nobody yet.
pub(super) fn open(
    project: &ProjectSettings,
    credentials: &Credentials,
    environment: &Environment,
    registry: Arc<dyn Artifacts>,
    events: Arc<dyn Events>,
) -> Arc<dyn Sources> {
    let cache = folders::cache_dir(environment);
    let settings = SourceSettings {
        git: git(project, credentials, environment),
        oci_cache_dir: cache.join("oci"),
        limits: UnpackLimits::default(),
        overrides: project.overrides.iter().map(local_override).collect(),
        work_base: folders::temporary_base(environment),
    };
    Arc::new(FetchedSources::new(settings, registry, events))
}

fn git(project: &ProjectSettings, credentials: &Credentials, environment: &Environment) -> GitSettings {
    let set = |name: &str| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = environment.home();
    let config = set("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        home.as_ref().map(|home| home.join(".git-credentials")),
        config.as_ref().map(|config| config.join(".git-credentials")),
        config.as_ref().map(|config| config.join("git").join("credentials")),
    ];
    GitSettings {
        cache_dir: folders::cache_dir(environment),
        update_interval: project.git_cache_update_interval,
        credentials: credentials.git.iter().map(entry).collect(),
        credential_files: files.into_iter().flatten().collect(),
        netrc: set("NETRC").or_else(|| home.as_ref().map(|home| home.join(".netrc"))),
        credential_helpers: true,
        ssh: ssh(environment),
        user_agent: format!("git/windlass-{}", env!("CARGO_PKG_VERSION")),
        limits: CheckoutLimits::default(),
    }
}

fn ssh(environment: &Environment) -> SshSettings {
    let known_hosts = environment.get("SSH_KNOWN_HOSTS").map(std::env::split_paths);
    let accept = environment.setting("SSH_DISABLE_STRICT_HOST_KEY_CHECKING");
    SshSettings {
        program: environment.setting("SSH_PROGRAM").map(PathBuf::from).unwrap_or_default(),
        known_hosts: known_hosts.into_iter().flatten().filter(|path| !path.as_os_str().is_empty()).collect(),
        accept_any_host: accept.and_then(windlass_model::object::parse_go_bool).unwrap_or(false),
        interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
    }
}

fn entry(entry: &CredentialEntry) -> GitCredentials {
    let path = |name: &str| entry.field(name).map(PathBuf::from);
    GitCredentials {
        origin: entry.origin.clone(),
        host: entry.host.clone(),
        path: Some(entry.path.clone()).filter(|path| !path.is_empty()),
        username: entry.field("username").map(str::to_owned),
        password: entry.field("password").map(|text| text.to_owned().into()),
        ssh_key: path("ssh-key"),
        known_hosts: path("known-hosts"),
        ca: path("ca"),
    }
}

fn local_override(given: &LocalOverride) -> SourceOverride {
    let LocalOverride { kind, is_group, repository, dir } = given;
    let kind = match kind {
        OverrideKind::Git => SourceKind::Git,
        OverrideKind::Oci => SourceKind::Oci,
    };
    let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
    SourceOverride { key: SourceKey::new(kind, host, path), is_group: *is_group, dir: dir.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_git_are_found_by_home_and_configuration() {
        let environment = Environment::of(&[("HOME", "h"), ("XDG_CONFIG_HOME", "c"), ("SSH_KNOWN_HOSTS", "a:b")]);
        let project = ProjectSettings {
            dir: None,
            config: None,
            timeout: None,
            git_cache_update_interval: std::time::Duration::ZERO,
            overrides: Vec::new(),
        };
        let settings = git(&project, &Credentials::default(), &environment);
        assert_eq!(
            settings.credential_files,
            ["h/.git-credentials", "c/.git-credentials", "c/git/credentials"].map(PathBuf::from)
        );
        assert_eq!(settings.netrc, Some("h/.netrc".into()));
        assert_eq!(settings.ssh.known_hosts, ["a", "b"].map(PathBuf::from));
        assert!(!settings.ssh.accept_any_host);
        let any = Environment::of(&[("KLUCTL_SSH_DISABLE_STRICT_HOST_KEY_CHECKING", "true")]);
        assert!(ssh(&any).accept_any_host);
    }

    #[test]
    fn override_keys_are_brought_to_normal_form() {
        let given = |kind, repository: &str| LocalOverride {
            kind,
            is_group: false,
            repository: repository.to_owned(),
            dir: "d".into(),
        };
        let key = |given: LocalOverride| local_override(&given).key.to_string();
        assert_eq!(key(given(OverrideKind::Git, "Git.example.com/Team/Lib.git")), "git://git.example.com/team/lib");
        assert_eq!(key(given(OverrideKind::Oci, "reg.example/Team/Lib.git/")), "oci://reg.example/Team/Lib.git");
    }
}

//! Which project, which target, which cluster.

use std::path::PathBuf;
use std::time::Duration;

use super::args::TemplateArgs;
use super::layers::Layers;
use super::source::{SettingError, Sourced};

/// What is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectSettings {
    pub(crate) dir: Option<Sourced<PathBuf>>,
    pub(crate) config: Option<Sourced<PathBuf>>,
    /// Limit for the whole command; `None` is no limit.
    pub(crate) timeout: Option<Duration>,
    pub(crate) git_cache_update_interval: Duration,
    pub(crate) overrides: Vec<LocalOverride>,
}

impl ProjectSettings {
    pub(crate) fn read(layers: &Layers) -> Result<Self, SettingError> {
        Ok(Self {
            dir: layers.path("project-dir"),
            config: layers.path("project-config"),
            timeout: Some(layers.duration("timeout").value).filter(|limit| !limit.is_zero()),
            git_cache_update_interval: layers.duration("git-cache-update-interval").value,
            overrides: LocalOverride::read_all(layers)?,
        })
    }
}

/// What a local override stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverrideKind {
    Git,
    Oci,
}

/// Use a local directory in place of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalOverride {
    pub(crate) kind: OverrideKind,
    /// Everything below the path is replaced.
    pub(crate) is_group: bool,
    /// `<host>[:port]/<path>`.
    pub(crate) repository: String,
    pub(crate) dir: PathBuf,
}

impl LocalOverride {
    fn read_all(layers: &Layers) -> Result<Vec<Self>, SettingError> {
        use OverrideKind::{Git, Oci};
        let flags = [
            ("local-git-override", Git, false),
            ("local-git-group-override", Git, true),
            ("local-oci-override", Oci, false),
            ("local-oci-group-override", Oci, true),
        ];
        let mut overrides = Vec::new();
        for (flag, kind, is_group) in flags {
            for text in layers.list(flag) {
                overrides.push(Self::read(flag, kind, is_group, &text)?);
            }
        }
        Ok(overrides)
    }

    fn read(flag: &str, kind: OverrideKind, is_group: bool, text: &Sourced<String>) -> Result<Self, SettingError> {
        let fail = |reason: &str| {
            SettingError::new(format!("invalid --{flag} argument '{}': {reason}", text.value), &text.source)
                .with_hint(format!("write `--{flag} <host>[:port]/<path>=<directory>`"))
        };
        let (given, dir) = text.value.split_once('=').ok_or_else(|| fail("there is no `=`"))?;
        let bad_key = |reason: &str| {
            SettingError::new(format!("invalid --{flag}: invalid repo key: {given}"), &text.source)
                .with_hint(format!("{reason}; write `--{flag} <host>[:port]/<path>=<directory>`"))
        };
        let (kind, key) = match (given.strip_prefix("git://"), given.strip_prefix("oci://")) {
            (Some(key), _) => (OverrideKind::Git, key),
            (_, Some(key)) => (OverrideKind::Oci, key),
            _ => (kind, given),
        };
        let (host, path) = key.split_once('/').ok_or_else(|| bad_key("the repository has no path"))?;
        let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        let of_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if name.is_empty() || !name.chars().all(of_name) {
            return Err(bad_key("the host is not a name or an IPv4 address"));
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(bad_key("the port is not a number"));
        }
        if path.is_empty() {
            return Err(bad_key("the repository has no path"));
        }
        if dir.is_empty() {
            return Err(fail("the directory is missing"));
        }
        Ok(Self { kind, is_group, repository: key.to_owned(), dir: PathBuf::from(dir) })
    }
}

/// Which cluster, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionSettings {
    pub(crate) kubeconfig: Option<Sourced<PathBuf>>,
    pub(crate) context: Option<Sourced<String>>,
    /// Never contact a cluster.
    pub(crate) offline: bool,
    /// Version told to Helm.
    pub(crate) kubernetes_version: Option<Sourced<String>>,
}

impl ConnectionSettings {
    pub(crate) fn read(layers: &Layers) -> Self {
        Self {
            kubeconfig: layers.path("kubeconfig"),
            context: set_text(layers, "context"),
            offline: layers.switch("offline-kubernetes"),
            kubernetes_version: set_text(layers, "kubernetes-version"),
        }
    }
}

/// Which target, with which arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TargetSettings {
    pub(crate) target: Option<Sourced<String>>,
    pub(crate) name_override: Option<Sourced<String>>,
    /// Replaces the target's.
    pub(crate) discriminator: Option<Sourced<String>>,
    pub(crate) args: TemplateArgs,
}

impl TargetSettings {
    pub(crate) fn read(layers: &Layers) -> Result<Self, SettingError> {
        Ok(Self {
            target: set_text(layers, "target"),
            name_override: set_text(layers, "target-name-override"),
            discriminator: set_text(layers, "discriminator"),
            args: TemplateArgs::read(layers)?,
        })
    }
}

/// An empty text is as good as none.
fn set_text(layers: &Layers, name: &str) -> Option<Sourced<String>> {
    layers.text(name).filter(|text| !text.value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(line: &[&str]) -> Result<ProjectSettings, SettingError> {
        ProjectSettings::read(&layers(line, &[], "").expect("layers"))
    }

    #[test]
    fn a_timeout_of_zero_is_no_limit() {
        assert_eq!(read(&["render"]).expect("settings").timeout, Some(Duration::from_secs(600)));
        assert_eq!(read(&["render", "--timeout", "0"]).expect("settings").timeout, None);
    }

    #[test]
    fn the_scheme_of_an_override_beats_the_flag() {
        let settings = read(&["render", "--local-git-group-override", "oci://reg.example:5000/a/b=../local=dir"]);
        assert_eq!(
            settings.expect("settings").overrides,
            [LocalOverride {
                kind: OverrideKind::Oci,
                is_group: true,
                repository: "reg.example:5000/a/b".into(),
                dir: "../local=dir".into(),
            }]
        );
    }

    #[test]
    fn malformed_overrides_are_refused() {
        for (value, reason) in [
            ("host/path", " argument 'host/path': there is no `=`"),
            ("host=dir", ": invalid repo key: host"),
            ("host/=dir", ": invalid repo key: host/"),
            ("ho st/p=dir", ": invalid repo key: ho st/p"),
            ("/p=dir", ": invalid repo key: /p"),
            ("host:x/p=dir", ": invalid repo key: host:x/p"),
            ("host/p=", " argument 'host/p=': the directory is missing"),
        ] {
            let error = read(&["render", "--local-git-override", value]).expect_err(value);
            assert_eq!(error.reason, format!("invalid --local-git-override{reason}"));
            assert!(error.hint.is_some());
        }
    }
}

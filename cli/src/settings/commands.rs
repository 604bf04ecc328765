//! One settings struct per command.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::Credentials;
use super::images::ImageSettings;
use super::inclusion::Inclusion;
use super::layers::Layers;
use super::output::{OutputSettings, OutputTarget};
use super::project::{ConnectionSettings, ProjectSettings, TargetSettings};
use super::source::{SettingError, Source};
use crate::env_vars::Environment;

/// What all commands that render a target share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TargetCommand {
    pub(crate) project: ProjectSettings,
    pub(crate) connection: ConnectionSettings,
    pub(crate) target: TargetSettings,
    pub(crate) images: ImageSettings,
    pub(crate) inclusion: Inclusion,
    pub(crate) credentials: Credentials,
    /// `None` is a temporary folder.
    pub(crate) render_output_dir: Option<PathBuf>,
}

impl TargetCommand {
    pub(super) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            project: ProjectSettings::read(layers)?,
            connection: ConnectionSettings::read(layers),
            inclusion: Inclusion::read(layers)?,
            images: ImageSettings::read(layers),
            credentials: Credentials::read(layers, environment)?,
            target: TargetSettings::read(layers)?,
            render_output_dir: layers
                .text("render-output-dir")
                .filter(|dir| !dir.value.is_empty())
                .map(|dir| PathBuf::from(dir.value)),
        })
    }
}

/// Whether questions are asked and writes are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caution {
    pub(crate) yes: bool,
    pub(crate) dry_run: bool,
}

impl Caution {
    fn read(layers: &Layers) -> Self {
        Self { yes: layers.switch("yes"), dry_run: layers.switch("dry-run") }
    }

    /// Whether a write must be confirmed first.
    pub(crate) fn asks(self) -> bool {
        !self.yes && !self.dry_run
    }
}

/// Storing results in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResultStoreSettings {
    pub(crate) namespace: String,
    /// Store even a dry run.
    pub(crate) force: bool,
    pub(crate) write: bool,
    pub(crate) keep_command_results: i64,
    pub(crate) keep_validate_results: i64,
}

impl ResultStoreSettings {
    fn read(layers: &Layers) -> Result<Self, SettingError> {
        let count = |name: &str| {
            let count = layers.int(name);
            if count.value < 0 && count.source != Source::Default {
                return Err(SettingError::new(format!("--{name} must not be negative"), &count.source));
            }
            Ok(count.value)
        };
        Ok(Self {
            namespace: layers.text_or_default("command-result-namespace").value,
            force: layers.switch("force-write-command-result"),
            write: layers.switch("write-command-result"),
            keep_command_results: count("keep-command-results-count")?,
            keep_validate_results: count("keep-validate-results-count")?,
        })
    }

    /// Whether the result of a run is stored.
    pub(crate) fn stores(&self, caution: Caution) -> bool {
        self.write && (!caution.dry_run || self.force)
    }
}

/// What to do when an object cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ApplySettings {
    pub(crate) force_apply: bool,
    pub(crate) replace_on_error: bool,
    pub(crate) force_replace_on_error: bool,
    pub(crate) abort_on_error: bool,
    /// Limit for one object.
    pub(crate) readiness_timeout: Duration,
}

impl ApplySettings {
    fn read(layers: &Layers) -> Self {
        Self {
            force_apply: layers.switch("force-apply"),
            replace_on_error: layers.switch("replace-on-error"),
            force_replace_on_error: layers.switch("force-replace-on-error"),
            abort_on_error: layers.switch("abort-on-error"),
            readiness_timeout: layers.duration("readiness-timeout").value,
        }
    }
}

/// What a diff leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IgnoreSettings {
    pub(crate) tags: bool,
    pub(crate) labels: bool,
    pub(crate) annotations: bool,
    pub(crate) kluctl_metadata: bool,
}

/// `render`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RenderSettings {
    pub(crate) common: TargetCommand,
    pub(crate) print_all: bool,
}

/// `list-images`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListImagesSettings {
    pub(crate) common: TargetCommand,
    pub(crate) simple: bool,
    pub(crate) output: Vec<OutputTarget>,
}

/// `list-targets`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListTargetsSettings {
    pub(crate) project: ProjectSettings,
    pub(crate) only_names: bool,
    pub(crate) output: Vec<OutputTarget>,
}

/// `diff`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DiffSettings {
    pub(crate) common: TargetCommand,
    pub(crate) apply: ApplySettings,
    pub(crate) ignore: IgnoreSettings,
    pub(crate) output: OutputSettings,
}

/// `deploy`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeploySettings {
    pub(crate) common: TargetCommand,
    pub(crate) caution: Caution,
    pub(crate) apply: ApplySettings,
    pub(crate) no_wait: bool,
    pub(crate) prune: bool,
    pub(crate) output: OutputSettings,
    pub(crate) results: ResultStoreSettings,
}

/// `prune` and `delete`; prune always waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RemoveSettings {
    pub(crate) common: TargetCommand,
    pub(crate) caution: Caution,
    pub(crate) no_wait: bool,
    pub(crate) output: OutputSettings,
    pub(crate) results: ResultStoreSettings,
}

/// `poke-images`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PokeImagesSettings {
    pub(crate) common: TargetCommand,
    pub(crate) caution: Caution,
    pub(crate) output: OutputSettings,
    pub(crate) results: ResultStoreSettings,
}

/// `validate`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValidateSettings {
    pub(crate) common: TargetCommand,
    pub(crate) wait: Duration,
    pub(crate) sleep: Duration,
    pub(crate) warnings_as_errors: bool,
    pub(crate) output: OutputSettings,
}

impl RenderSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self { common: TargetCommand::read(layers, environment)?, print_all: layers.switch("print-all") })
    }
}

impl ListImagesSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            common: TargetCommand::read(layers, environment)?,
            simple: layers.switch("simple"),
            output: OutputTarget::list(layers),
        })
    }
}

impl ListTargetsSettings {
    pub(crate) fn read(layers: &Layers) -> Result<Self, SettingError> {
        Ok(Self {
            project: ProjectSettings::read(layers)?,
            only_names: layers.switch("only-names"),
            output: OutputTarget::list(layers),
        })
    }
}

impl DiffSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            output: OutputSettings::of_result(layers)?,
            common: TargetCommand::read(layers, environment)?,
            apply: ApplySettings::read(layers),
            ignore: IgnoreSettings {
                tags: layers.switch("ignore-tags"),
                labels: layers.switch("ignore-labels"),
                annotations: layers.switch("ignore-annotations"),
                kluctl_metadata: layers.switch("ignore-kluctl-metadata"),
            },
        })
    }
}

impl DeploySettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            output: OutputSettings::of_result(layers)?,
            common: TargetCommand::read(layers, environment)?,
            caution: Caution::read(layers),
            apply: ApplySettings::read(layers),
            no_wait: layers.switch("no-wait"),
            prune: layers.switch("prune"),
            results: ResultStoreSettings::read(layers)?,
        })
    }
}

impl RemoveSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            output: OutputSettings::of_result(layers)?,
            common: TargetCommand::read(layers, environment)?,
            caution: Caution::read(layers),
            no_wait: layers.switch("no-wait"),
            results: ResultStoreSettings::read(layers)?,
        })
    }
}

impl PokeImagesSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            output: OutputSettings::of_result(layers)?,
            common: TargetCommand::read(layers, environment)?,
            caution: Caution::read(layers),
            results: ResultStoreSettings::read(layers)?,
        })
    }
}

impl ValidateSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            output: OutputSettings::of_validation(layers)?,
            common: TargetCommand::read(layers, environment)?,
            wait: layers.duration("wait").value,
            sleep: layers.duration("sleep").value,
            warnings_as_errors: layers.switch("warnings-as-errors"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn deploy(line: &[&str]) -> Result<DeploySettings, SettingError> {
        let line: Vec<_> = ["deploy"].iter().chain(line).copied().collect();
        DeploySettings::read(&layers(&line, &[], "").expect("layers"), &Environment::default())
    }

    #[test]
    fn defaults_of_deploy() {
        let settings = deploy(&[]).expect("settings");
        assert!(settings.caution.asks());
        assert_eq!(settings.apply.readiness_timeout, Duration::from_secs(300));
        let ResultStoreSettings { namespace, write, force, keep_command_results, keep_validate_results } =
            settings.results;
        assert_eq!(
            (namespace.as_str(), write, force, keep_command_results, keep_validate_results),
            ("kluctl-results", true, false, 5, 2)
        );
    }

    #[test]
    fn a_dry_run_is_stored_only_when_forced() {
        let stores = |line: &[&str]| deploy(line).map(|s| s.results.stores(s.caution));
        assert_eq!(stores(&[]), Ok(true));
        assert_eq!(stores(&["--dry-run"]), Ok(false));
        assert_eq!(stores(&["--dry-run", "--force-write-command-result"]), Ok(true));
        assert_eq!(stores(&["--write-command-result=false"]), Ok(false));
    }

    #[test]
    fn negative_counts_are_refused() {
        let error = deploy(&["--keep-command-results-count", "-1"]).expect_err("must fail");
        assert_eq!(error.reason, "--keep-command-results-count must not be negative");
    }
}

//! `helm-pull` and `helm-update`.

use super::credentials::Credentials;
use super::layers::Layers;
use super::project::ProjectSettings;
use super::source::SettingError;
use crate::env_vars::Environment;

/// What both commands are told; the switches belong to `helm-update`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HelmSettings {
    pub(crate) project: ProjectSettings,
    pub(crate) credentials: Credentials,
    pub(crate) upgrade: bool,
    pub(crate) commit: bool,
    pub(crate) interactive: bool,
}

impl HelmSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            project: ProjectSettings::read(layers)?,
            credentials: Credentials::read(layers, environment)?,
            upgrade: layers.switch("upgrade"),
            commit: layers.switch("commit"),
            interactive: layers.switch("interactive"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    #[test]
    fn pulling_has_no_switches() {
        let read = |line: &[&str]| {
            let layers = layers(line, &[("KLUCTL_UPGRADE", "true")], "").expect("layers");
            HelmSettings::read(&layers, &Environment::default()).expect("settings")
        };
        assert!(!read(&["helm-pull"]).upgrade);
        let update = read(&["helm-update", "--commit", "-i"]);
        assert!(update.upgrade && update.commit && update.interactive);
    }
}

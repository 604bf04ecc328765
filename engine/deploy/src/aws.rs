//! Tells when the AWS profile of a target can not be used (spec 01 section 3.5).
//!
//! Not for using AWS: no request is sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use windlass_model::event::Events;
use windlass_model::project::AwsConfig;

/// Variables that choose credentials, so that the profile of the project does not count.
const CHOOSING: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"];

/// Warns about a profile that is in no file of the AWS tools.
pub(crate) fn check_profile(aws: &AwsConfig, environment: &BTreeMap<String, String>, events: &dyn Events) {
    let Some(profile) = aws.profile.as_deref().filter(|profile| !profile.is_empty()) else { return };
    let set = |name: &&str| environment.get(*name).filter(|value| !value.is_empty());
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().find_map(set);
    let chosen =
        CHOOSING.iter().any(|name| set(name).is_some()) || named.is_some_and(|profile| exists(profile, environment));
    if !chosen && !exists(profile, environment) {
        events.warn(format!(
            "The AWS profile {profile} could not be loaded, reverting to default handling: \
             failed to get shared config profile, {profile}"
        ));
    }
}

fn exists(profile: &str, environment: &BTreeMap<String, String>) -> bool {
    let file = |variable: &str, name: &str| {
        let chosen = environment.get(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
        chosen.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".aws").join(name)))
    };
    let in_config = |section: &str| {
        let name = section.strip_prefix("profile ").map(str::trim);
        name == Some(profile) || (section == "default" && profile == "default")
    };
    has_section(file("AWS_CONFIG_FILE", "config"), in_config)
        || has_section(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), |section| section == profile)
}

/// A file that can not be read has no sections.
fn has_section(file: Option<PathBuf>, wanted: impl Fn(&str) -> bool) -> bool {
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().strip_prefix('[')?.split(']').next()).any(|name| wanted(name.trim()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use windlass_model::event::Event;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<usize>);

    impl Events for Heard {
        fn emit(&self, _: Event) {
            *self.0.lock().unwrap() += 1;
        }
    }

    fn warns(profile: &str, variables: &[(&str, &str)]) -> bool {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), "[profile a]\nregion = x\n[b]\n[default]\n").unwrap();
        std::fs::write(home.path().join(".aws/credentials"), " [ c ]\naws_access_key_id = x\n").unwrap();
        let mut environment: BTreeMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment.insert("HOME".to_owned(), home.path().display().to_string());
        let heard = Heard::default();
        check_profile(&AwsConfig { profile: Some(profile.to_owned()), ..AwsConfig::default() }, &environment, &heard);
        let count = *heard.0.lock().unwrap();
        count == 1
    }

    #[test]
    fn profiles_of_both_files_are_known() {
        assert_eq!(
            ["a", "c", "default", "b", "x"].map(|profile| warns(profile, &[])),
            [false, false, false, true, true]
        );
    }

    #[test]
    fn credentials_of_the_environment_come_first() {
        assert!(!warns("x", &[("AWS_ACCESS_KEY_ID", "k")]));
        assert!(!warns("x", &[("AWS_PROFILE", "a")]));
        assert!(warns("x", &[("AWS_PROFILE", "y")]));
        assert!(warns("a", &[("AWS_CONFIG_FILE", "none")]));
    }
}

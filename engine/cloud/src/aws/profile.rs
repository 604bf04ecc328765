//! The shared config and credentials files of AWS's programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::credentials::{Credentials, Role};
use super::sso::Login;
use crate::session::Session;

type Section = BTreeMap<String, String>;

/// All profiles of both files.
#[derive(Default)]
pub(crate) struct Profiles {
    profiles: BTreeMap<String, Section>,
    sso_sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
}

/// What gives a profile its credentials.
pub(crate) enum Origin {
    Keys(Credentials),
    Role { role: Role, source: RoleSource },
    TokenFile { file: String, role: String, session_name: Option<String> },
    Sso(Login),
    Process(String),
    Nothing,
}

/// Whose credentials assume a role.
pub(crate) enum RoleSource {
    Profile(String),
    Place(String),
}

impl Profiles {
    /// Reads the files; one that is not there has no profiles.
    pub(crate) async fn load(session: &Session) -> Self {
        let path = |variable: &str, name: &str| {
            session.variable(variable).map(PathBuf::from).or_else(|| session.at_home(&format!(".aws/{name}")))
        };
        let mut texts = Vec::new();
        for file in [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            let text = match file {
                Some(file) => tokio::fs::read_to_string(file).await.unwrap_or_default(),
                None => String::new(),
            };
            texts.push(text);
        }
        Self::parse(&texts[0], &texts[1])
    }

    fn parse(config: &str, credentials: &str) -> Self {
        let mut all = Self::default();
        for (header, section) in sections(config) {
            let (kind, name) = header.split_once(char::is_whitespace).unwrap_or(("", header.as_str()));
            let name = name.trim().to_owned();
            let place = match kind {
                "profile" => &mut all.profiles,
                "" if name == "default" => &mut all.profiles,
                "sso-session" => &mut all.sso_sessions,
                "services" => &mut all.services,
                _ => continue,
            };
            place.entry(name).or_default().extend(section);
        }
        for (name, section) in sections(credentials) {
            all.profiles.entry(name).or_default().extend(section);
        }
        all
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.profiles.contains_key(name)
    }

    fn value(&self, profile: &str, key: &str) -> Option<String> {
        self.profiles.get(profile)?.get(key).filter(|value| !value.is_empty()).cloned()
    }

    pub(crate) fn region(&self, profile: &str) -> Option<String> {
        self.value(profile, "region")
    }

    /// `endpoint_url` of a profile, for one service before that for all.
    pub(crate) fn endpoint(&self, profile: &str, service: &str) -> Option<String> {
        let own = self
            .value(profile, "services")
            .and_then(|name| self.services.get(&name)?.get(&format!("{service}.endpoint_url")).cloned());
        own.or_else(|| self.value(profile, "endpoint_url"))
    }

    pub(crate) fn keys(&self, profile: &str) -> Option<Credentials> {
        Some(Credentials {
            access_key: self.value(profile, "aws_access_key_id")?,
            secret_key: self.value(profile, "aws_secret_access_key")?.into(),
            session_token: self.value(profile, "aws_session_token").map(Into::into),
            end: None,
        })
    }

    /// Where the credentials of a profile come from.
    pub(crate) fn origin(&self, profile: &str) -> Result<Origin, String> {
        if !self.exists(profile) {
            return if profile == "default" {
                Ok(Origin::Nothing)
            } else {
                Err(format!("AWS profile `{profile}` is in neither the config nor the credentials file"))
            };
        }
        let value = |key: &str| self.value(profile, key);
        if let Some(arn) = value("role_arn") {
            return self.role(profile, arn);
        }
        if let Some(keys) = self.keys(profile) {
            return Ok(Origin::Keys(keys));
        }
        if let Some(login) = self.sso(profile)? {
            return Ok(Origin::Sso(login));
        }
        Ok(value("credential_process").map_or(Origin::Nothing, Origin::Process))
    }

    fn role(&self, profile: &str, arn: String) -> Result<Origin, String> {
        let value = |key: &str| self.value(profile, key);
        if value("mfa_serial").is_some() {
            return Err(format!(
                "AWS profile `{profile}` needs a code of an MFA device, which can not be asked for; \
                                export temporary credentials into the environment instead"
            ));
        }
        if let Some(file) = value("web_identity_token_file") {
            return Ok(Origin::TokenFile { file, role: arn, session_name: value("role_session_name") });
        }
        let source = match (value("source_profile"), value("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(format!("AWS profile `{profile}` has both source_profile and credential_source"));
            }
            (Some(name), None) => RoleSource::Profile(name),
            (None, Some(place)) => RoleSource::Place(place),
            (None, None) => return Err(format!("AWS profile `{profile}` has a role_arn, but no source_profile")),
        };
        let role = Role {
            arn,
            session_name: value("role_session_name"),
            external_id: value("external_id"),
            seconds: value("duration_seconds"),
            region: value("region"),
        };
        Ok(Origin::Role { role, source })
    }

    fn sso(&self, profile: &str) -> Result<Option<Login>, String> {
        let value = |key: &str| self.value(profile, key);
        let (Some(account), Some(role)) = (value("sso_account_id"), value("sso_role_name")) else { return Ok(None) };
        let missing = |what: &str| format!("AWS profile `{profile}` uses SSO, but {what} is missing");
        let (cache_key, region) = match value("sso_session") {
            Some(name) => {
                let section = self.sso_sessions.get(&name).ok_or_else(|| missing(&format!("sso-session `{name}`")))?;
                let region = section.get("sso_region").cloned().ok_or_else(|| missing("sso_region"))?;
                (name, region)
            }
            None => {
                let url = value("sso_start_url").ok_or_else(|| missing("sso_start_url"))?;
                (url, value("sso_region").ok_or_else(|| missing("sso_region"))?)
            }
        };
        Ok(Some(Login { cache_key, region, account, role }))
    }
}

/// Sections in order. Indented lines belong to the key above: `s3 =` then `  endpoint_url = x` is `s3.endpoint_url`.
fn sections(text: &str) -> Vec<(String, Section)> {
    let mut found: Vec<(String, Section)> = Vec::new();
    let mut parent = String::new();
    for line in text.lines() {
        let content = line.split(" #").next().unwrap_or_default().split(" ;").next().unwrap_or_default();
        let (indented, content) = (line.starts_with([' ', '\t']), content.trim());
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = content.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            found.push((header.trim().to_owned(), Section::new()));
            continue;
        }
        let (Some((_, section)), Some((key, value))) = (found.last_mut(), content.split_once('=')) else { continue };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
        if indented && !parent.is_empty() {
            section.insert(format!("{parent}.{key}"), value);
        } else {
            parent.clone_from(&key);
            section.insert(key, value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const CONFIG: &str = "# c\n[default]\nregion = eu-central-1 # near\n[profile dev]\nrole_arn = r\nsource_profile=base\n\
        [profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = admin\n[sso-session corp]\nsso_region = us-east-1\n\
        [profile tool]\ncredential_process = /bin/x --flag a=b\nservices = local\nendpoint_url = http://all\n\
        [services local]\nkms =\n  endpoint_url = http://kms\n[other]\nregion = no\n\
        [profile mfa]\nrole_arn = r\nsource_profile = base\nmfa_serial = x\n[profile lost]\nrole_arn = r\n\
        [profile half]\nsso_account_id = 1\nsso_role_name = a\n";
    const KEYS: &str = "[base]\naws_access_key_id = AK\naws_secret_access_key = a=b/c\n";

    #[test]
    fn both_files_give_profiles() {
        let all = Profiles::parse(CONFIG, KEYS);
        assert_eq!(all.region("default").as_deref(), Some("eu-central-1"));
        assert!(all.exists("base") && all.exists("dev") && !all.exists("other") && !all.exists("corp"));
        assert!(matches!(all.origin("base"), Ok(Origin::Keys(keys)) if keys.secret_key.expose_secret() == "a=b/c"));
        assert!(
            matches!(all.origin("dev"), Ok(Origin::Role { source: RoleSource::Profile(name), .. }) if name == "base")
        );
        assert!(matches!(all.origin("sso"), Ok(Origin::Sso(login)) if login.region == "us-east-1"));
        assert!(matches!(all.origin("tool"), Ok(Origin::Process(command)) if command == "/bin/x --flag a=b"));
        assert!(matches!(all.origin("default"), Ok(Origin::Nothing)));
    }

    #[test]
    fn endpoints_of_a_service_come_first() {
        let all = Profiles::parse(CONFIG, "");
        assert_eq!(all.endpoint("tool", "kms").as_deref(), Some("http://kms"));
        assert_eq!(all.endpoint("tool", "sts").as_deref(), Some("http://all"));
        assert_eq!(all.endpoint("default", "kms"), None);
    }

    #[test]
    fn unusable_profiles_are_named() {
        let all = Profiles::parse(CONFIG, "");
        for (profile, words) in [
            ("absent", "in neither"),
            ("mfa", "MFA device"),
            ("lost", "no source_profile"),
            ("half", "sso_start_url is missing"),
        ] {
            let Err(error) = all.origin(profile) else { panic!("{profile} must fail") };
            assert!(error.contains(words) && error.contains(profile), "{error}");
        }
    }
}

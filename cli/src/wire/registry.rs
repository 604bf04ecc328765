//! The registry client with the credentials of flags, environment and clouds.

mod cloud;

use std::path::PathBuf;
use std::sync::Arc;

use windlass_registry::{
    CacheSettings, EnvSettings, Login, OciRegistry, RegistryCredentials, RegistrySettings, TlsOptions,
};

use super::folders;
use crate::args::value::read_duration;
use crate::diagnostics::Failure;
use crate::env_vars::Environment;
use crate::printer::Printer;
use crate::settings::source::Source;
use crate::settings::{CredentialEntry, Credentials, SettingError};

/// A client; asks nobody yet.
pub(super) fn open(
    credentials: &Credentials,
    environment: &Environment,
    printer: &Arc<Printer>,
) -> Result<Arc<OciRegistry>, Failure> {
    let variables = variables(environment)?;
    printer.hide_logins(credentials.logins());
    variables.logins().for_each(|login| hide(printer, login));
    let settings = RegistrySettings { cache: cache(environment)?, ..settings(credentials, variables, environment) };
    let logins = cloud::RegistryLogins::new(environment.clone(), Arc::clone(printer));
    let hidden = Arc::clone(printer);
    let sink = Arc::new(move |login: &Login| hide(&hidden, login));
    Ok(Arc::new(OciRegistry::new(settings).with_cloud(Arc::new(logins)).with_login_sink(sink)))
}

/// From now on nothing shows the login.
fn hide(printer: &Printer, login: &Login) {
    match login {
        Login::Basic { username, .. } => printer.hide_logins(std::iter::once((username.as_str(), login.secret()))),
        Login::Bearer(_) | Login::Identity(_) => printer.hide(std::iter::once(login.secret())),
    }
}

/// Tag lists are kept only when asked for: a deploy shall see what the registry has now.
fn cache(environment: &Environment) -> Result<Option<CacheSettings>, SettingError> {
    const NAME: &str = "REGISTRY_CACHE_TTL";
    let Some(text) = environment.setting(NAME).filter(|text| !text.is_empty()) else { return Ok(None) };
    let ttl = read_duration(text).map_err(|reason| {
        let own = environment.get(&format!("WINDLASS_{NAME}")).is_some();
        let source = Source::Variable(format!("{}_{NAME}", if own { "WINDLASS" } else { "KLUCTL" }));
        SettingError::new(reason, &source).with_hint("write a time such as `10m`".to_owned())
    })?;
    Ok(Some(CacheSettings { folder: folders::cache_dir(environment).join("registry"), ttl }))
}

fn variables(environment: &Environment) -> Result<EnvSettings, SettingError> {
    let all = environment.all().iter().map(|(name, value)| (name.clone(), value.clone()));
    EnvSettings::parse(all, environment.home().as_deref()).map_err(|error| {
        let reason = format!("{}: {}", error.variable, error.reason);
        SettingError::new(reason, &Source::Variable(error.variable))
    })
}

/// Flags first, then the environment.
fn settings(credentials: &Credentials, variables: EnvSettings, environment: &Environment) -> RegistrySettings {
    RegistrySettings {
        credentials: credentials.registry.iter().map(entry).chain(variables.credentials).collect(),
        auth_files: auth_files(environment),
        defaults: variables.defaults,
        mirrors: variables.mirrors,
        user_agent: format!("windlass/{}", env!("CARGO_PKG_VERSION")),
        ..RegistrySettings::default()
    }
}

fn entry(entry: &CredentialEntry) -> RegistryCredentials {
    let path = |name: &str| entry.field(name).map(PathBuf::from);
    let given = |name: &str| entry.field(name).map(|_| entry.switch(name));
    RegistryCredentials {
        origin: entry.origin.clone(),
        host: entry.host.clone(),
        repository: Some(entry.path.clone()).filter(|path| !path.is_empty()),
        login: login(entry),
        tls: TlsOptions {
            verify: given("insecure-skip-tls-verify").map(|skip| !skip),
            plain_http: given("plain-http"),
            ca_file: path("ca"),
            cert_file: path("cert"),
            key_file: path("key"),
        },
    }
}

fn login(entry: &CredentialEntry) -> Option<Login> {
    let secret = |name: &str| entry.field(name).map(|text| text.to_owned().into());
    if let Some(token) = secret("token") {
        return Some(Login::Bearer(token));
    }
    if let Some(token) = secret("identity-token") {
        return Some(Login::Identity(token));
    }
    let username = entry.field("username")?.to_owned();
    Some(Login::Basic { username, password: secret("password")? })
}

/// Docker's file, then Podman's.
fn auth_files(environment: &Environment) -> Vec<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let docker = set("DOCKER_CONFIG").or_else(|| environment.home().map(|home| home.join(".docker")));
    let runtime = set("XDG_RUNTIME_DIR").map(|dir| dir.join("containers").join("auth.json"));
    [docker.map(|dir| dir.join("config.json")), set("REGISTRY_AUTH_FILE"), runtime].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(fields: &[(&'static str, &str)]) -> CredentialEntry {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        CredentialEntry { host: "reg.example".into(), fields, ..CredentialEntry::default() }
    }

    #[test]
    fn variables_of_every_generation_come_after_flags() {
        let environment = Environment::of(&[
            ("KLUCTL_REGISTRY_1_HOST", "old.example"),
            ("KLUCTL_REGISTRY_1_TLSVERIFY", "0"),
            ("WINDLASS_REGISTRY_HOST", "own.example"),
            ("KLUCTL_REGISTRY_DEFAULT_TLSVERIFY", "false"),
        ]);
        let credentials = Credentials { registry: vec![credential(&[])], ..Credentials::default() };
        let settings = settings(&credentials, variables(&environment).expect("variables"), &environment);
        let hosts: Vec<_> = settings.credentials.iter().map(|entry| entry.host.as_str()).collect();
        assert_eq!(hosts, ["reg.example", "own.example", "old.example"]);
        assert_eq!(settings.credentials[2].tls.verify, Some(false));
        assert!(settings.defaults.insecure_skip_verify);
    }

    #[test]
    fn a_bad_variable_is_named() {
        let environment = Environment::of(&[("KLUCTL_REGISTRY_DEFAULT_INSECURE", "maybe")]);
        let error = variables(&environment).expect_err("must fail");
        assert_eq!(error.origin().as_deref(), Some("environment variable `KLUCTL_REGISTRY_DEFAULT_INSECURE`"));
        assert!(error.reason.ends_with("must be a boolean (true, false, 1, 0)"), "{}", error.reason);
    }

    #[test]
    fn a_user_without_password_is_no_login() {
        assert!(login(&credential(&[("username", "me")])).is_none());
        assert!(matches!(login(&credential(&[("username", "me"), ("password", "x")])), Some(Login::Basic { .. })));
        assert!(matches!(login(&credential(&[("token", "x")])), Some(Login::Bearer(_))));
    }

    #[test]
    fn transport_options_count_only_when_given() {
        let tls = entry(&credential(&[("plain-http", "T"), ("insecure-skip-tls-verify", "nonsense")])).tls;
        assert_eq!((tls.plain_http, tls.verify), (Some(true), Some(true)));
        assert_eq!(entry(&credential(&[])).tls, TlsOptions::default());
    }

    #[test]
    fn lists_are_kept_only_when_asked_for() {
        assert_eq!(cache(&Environment::of(&[("HOME", "h")])).expect("settings"), None);
        let environment = Environment::of(&[("KLUCTL_CACHE_DIR", "c"), ("WINDLASS_REGISTRY_CACHE_TTL", "10m")]);
        let settings = cache(&environment).expect("settings").expect("a cache");
        assert_eq!((settings.folder, settings.ttl.as_secs()), (PathBuf::from("c/registry"), 600));
        let error = cache(&Environment::of(&[("KLUCTL_REGISTRY_CACHE_TTL", "soon")])).expect_err("must fail");
        assert_eq!(error.origin().as_deref(), Some("environment variable `KLUCTL_REGISTRY_CACHE_TTL`"));
    }

    #[test]
    fn login_files_are_tried_dockers_first() {
        let environment = Environment::of(&[("HOME", "h"), ("XDG_RUNTIME_DIR", "r"), ("REGISTRY_AUTH_FILE", "f")]);
        let files = auth_files(&environment);
        assert_eq!(files, ["h/.docker/config.json", "f", "r/containers/auth.json"].map(PathBuf::from));
    }
}

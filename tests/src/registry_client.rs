//! The registry client of the engine, set up for the registries of the harness.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::Runtime;
use windlass_registry::{
    Login, OciRegistry, Proxy, RegistryCredentials, RegistrySettings, Repository, RetrySettings, Timeouts, TlsOptions,
};

use crate::Registry;

/// Waits for the client's work; the harness itself blocks and must not run inside.
///
/// # Panics
/// No runtime can be started.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    RUNTIME.block_on(work)
}

/// Short waits, nothing from this machine's environment.
pub fn settings() -> RegistrySettings {
    RegistrySettings {
        proxy: Proxy::None,
        retry: RetrySettings { base: Duration::from_millis(10), ..RetrySettings::default() },
        timeouts: Timeouts {
            connect: Duration::from_secs(2),
            request: Duration::from_secs(5),
            total: Duration::from_secs(60),
        },
        ..RegistrySettings::default()
    }
}

/// The same with an authority and a login for every host.
pub fn settings_with(authority: Option<&Path>, login: Option<Login>) -> RegistrySettings {
    let entry = RegistryCredentials {
        origin: "the test's entry".to_owned(),
        host: "*".to_owned(),
        login,
        tls: TlsOptions { ca_file: authority.map(Path::to_owned), ..TlsOptions::default() },
        ..RegistryCredentials::default()
    };
    RegistrySettings { credentials: vec![entry], ..settings() }
}

/// A user with a password.
pub fn basic(user: &str, password: &str) -> Login {
    Login::Basic { username: user.to_owned(), password: password.into() }
}

/// A client for a registry, which trusts its authority.
pub fn client(registry: &Registry, login: Option<Login>) -> OciRegistry {
    OciRegistry::new(settings_with(registry.authority_file(), login))
}

/// A repository behind the registry's proxy.
///
/// # Panics
/// The path is not valid.
pub fn repository(registry: &Registry, path: &str) -> Repository {
    let name = format!("{}/{path}", registry.address());
    Repository::parse(&name).expect("a repository")
}
